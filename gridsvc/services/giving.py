"""Single grids of a draft given to teams by hand; every other grid stays with the team it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from gridsvc.errors import InvalidInput
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services.asking import roster_at
from gridsvc.services.assignments import require_draft
from gridsvc.services.drafts import solved
from gridsvc.services.plans import get
from gridsvc.store.database import Database
from gridsvc.store.records import Idempotency, PlanRecord
from gridsvc.teams.model import Roster

__all__ = ["give"]

_NAMED = 20
"""Codes or teams listed in a message."""


def give(
    db: Database,
    who: Principal,
    plan: str,
    revision: int,
    wanted: Mapping[str, str | None],
    *,
    idempotency: Idempotency | None = None,
) -> PlanRecord:
    """Give grids of a draft to teams of the roster in force: all of them, or none.

    Parameters
    ----------
    wanted : mapping of code to id of a team
        None leaves the grid without a team.

    Raises
    ------
    InvalidInput
        There is no such grid or team, or nothing is wanted.
    StaleRevision
        The draft has moved on from `revision`.
    Conflict
        It is published, or not solved yet.
    NotFound
        The territory has no roster.
    """
    who.require("plans:write")
    with db.read(who) as reader:
        if idempotency is not None and reader.replay(who.actor, idempotency) is not None:
            return reader.plans.get(plan)
        record = reader.plans.get(plan)
        require_draft(record, revision)
        before = solved(record)
        roster = roster_at(reader, record.territory, datetime.now(UTC))[1]
    _check(wanted, before, roster)
    was = {grid.code: grid.team for grid in before.grids if grid.code in wanted}
    grids = tuple(replace(g, team=wanted[g.code]) if g.code in wanted else g for g in before.grids)
    with db.write(who, "plan.give", idempotency=idempotency) as uow:
        number = uow.plans.save_teams(plan, grids, record.report, revision)
        uow.audit(f"plan/{plan}", {"teams": was}, {"teams": dict(wanted)})
        uow.emit("plan.assigned", {"plan": plan})
        uow.respond(200, {"plan": plan, "revision": number})
    return get(db, who, plan)


def _check(wanted: Mapping[str, str | None], plan: Plan, roster: Roster) -> None:
    if not wanted:
        raise InvalidInput("no grid is named", field="grids", cure='give codes with teams, as {"08": "T02"}')
    codes = [grid.code for grid in plan.grids]
    teams = [team.id for team in roster.teams]
    for code, team in wanted.items():
        if code not in codes:
            raise _unknown("grid", code, codes)
        if team is not None and team not in teams:
            raise _unknown("team", team, teams)


def _unknown(what: str, name: str, known: Iterable[str]) -> InvalidInput:
    listed = list(known)
    shown = ", ".join(listed[:_NAMED]) + (", ..." if len(listed) > _NAMED else "")
    return InvalidInput(f"there is no {what} {name[:40]!r}", field="grids", cure=f"name one of {shown}")
