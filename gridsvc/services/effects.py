"""What a request would come to: figures of the grids for a move, owner before and after for the others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gridsvc.errors import InvalidInput, NotFound, UnknownCustomer
from gridsvc.ownership.people import people_of, team_of
from gridsvc.plans.requests import DistrictRequest, Wish
from gridsvc.services.asking import whole_roster_at
from gridsvc.services.desk import Asked, Desk, stored_snapshot
from gridsvc.services.live import current, kept_of
from gridsvc.services.moves import preview
from gridsvc.services.series import published_plan
from gridsvc.store.database import Reader
from gridsvc.teams.changes import with_lead, with_named
from gridsvc.teams.model import Roster

__all__ = ["changed_roster", "effect_of", "ground_of", "require_effect"]

_TOLD = ("status", "rule", "grid", "team", "lead")


def effect_of(
    desk: Desk, reader: Reader, request: DistrictRequest, plan: str | None = None
) -> dict[str, Any]:
    """What accepting a request would come to, as things are now.

    Parameters
    ----------
    plan : str or None
        The draft on which a move is tried; else that of the request, else the plan in force.

    Returns
    -------
    dict
        Of a move ``plan``, ``revision``, ``moved`` and the reports ``before`` and ``after``, as of
        `gridsvc.services.moves.move`; of a customer the owner ``before`` and ``after``; of a lead the team's,
        with the codes of its ``grids`` in force.

    Raises
    ------
    InvalidInput, NotFound, Conflict
        It cannot be done any more.
    """
    wish = request.wish
    if wish.kind == "move":
        ground = ground_of(reader, request.territory, request.line or "base", plan or request.plan)
        return _moved(desk, reader, wish, ground)
    _, roster = whole_roster_at(reader, request.territory, datetime.now(UTC))
    changed = changed_roster(roster, wish, request.reason, datetime.now(UTC))
    if wish.kind == "lead":
        return _lead(reader, request.territory, wish.team or "", roster, changed)
    return _customer(desk, reader, request, changed)


def require_effect(effect: dict[str, Any], wish: Wish) -> None:
    """Make sure that a wish would change something.

    Raises
    ------
    InvalidInput
        All is as asked for already.
    """
    if wish.kind == "move" and not effect["moved"]:
        raise InvalidInput("the cells are in that grid already", field="to", cure="ask for another grid")
    same_team = wish.kind == "customer" and effect["before"] == effect["after"]
    if same_team and effect["before"]["rule"] == "name_list":
        raise InvalidInput(
            "the team owns the customer by name already", field="team", cure="ask for another team"
        )
    if wish.kind == "lead" and effect["before"]["lead"] == effect["after"]["lead"]:
        raise InvalidInput("the person leads the team already", field="person", cure="ask for another lead")


def ground_of(reader: Reader, territory: str, line: str, plan: str | None) -> str:
    """The plan on which a move is tried: the one named, else the one in force.

    Raises
    ------
    InvalidInput
        It is another territory's or line's, or none is named and nothing is published.
    """
    if plan is None:
        now = datetime.now(UTC)
        published = reader.publications.in_force(territory, line, now, now)
        if published is None:
            raise InvalidInput("nothing is published yet", field="plan", cure="name the draft to try it on")
        return published.plan
    try:
        record = reader.plans.bare(plan)
    except NotFound:
        record = None
    if record is None or (record.territory, record.line) != (territory, line):
        raise InvalidInput(
            f"there is no plan {plan[:40]!r} of the line {line[:40]!r} of {territory}",
            field="plan",
            cure="name a draft of this territory and line",
        )
    return plan


def _moved(desk: Desk, reader: Reader, wish: Wish, plan: str) -> dict[str, Any]:
    opened = current(kept_of(desk.database), reader, plan)
    told = preview(opened, wish.cells, wish.to or "")
    return {"plan": plan, "revision": opened.head.revision, **told}


def changed_roster(roster: Roster, wish: Wish, reason: str, at: datetime) -> Roster:
    """The roster with what is wished for, from `at` on.

    Raises
    ------
    InvalidInput
        It has no such team or person.
    """
    if wish.kind == "lead":
        return with_lead(roster, wish.team or "", wish.person or "", at)
    return with_named(roster, wish.customer or "", wish.team or "", reason)


def _lead(reader: Reader, territory: str, team: str, roster: Roster, changed: Roster) -> dict[str, Any]:
    now = datetime.now(UTC)
    published = reader.publications.in_force(territory, "base", now, now)
    grids = () if published is None else published_plan(reader, territory, "base", published.n).grids
    before, after = (
        {"team": team_of(known, team), "lead": people_of(known.at(now), team)["lead"]}
        for known in (roster, changed)
    )
    return {"before": before, "after": after, "grids": [grid.code for grid in grids if grid.team == team]}


def _customer(desk: Desk, reader: Reader, request: DistrictRequest, changed: Roster) -> dict[str, Any]:
    customer = request.wish.customer or ""
    record = reader.customers.find(request.territory, customer)
    if record is None:
        raise UnknownCustomer(
            "no customer is known under this id",
            field="customer",
            cure="check the id, or import the customer first",
        )
    found = stored_snapshot(desk, reader, Asked(request.territory))
    row = record.cell if record.tiling == found.tiling else None
    before, after = (
        state.customer(customer, row, record.lon, record.lat).as_dict()
        for state in (found, replace(found, roster=changed))
    )
    return {
        "before": {name: before[name] for name in _TOLD},
        "after": {name: after[name] for name in _TOLD},
    }
