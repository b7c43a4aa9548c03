"""What a company wishes of an assignment, checked: pins, bans, needs, today's owners, rates of measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.teams.assign import Ties
from gridsvc.teams.model import Roster

__all__ = ["Need", "Pin", "Wishes", "derived", "parse_need", "parse_rate", "ties_of", "wishes_from_dict"]


@dataclass(frozen=True, slots=True)
class Pin:
    """A grid which a team must own, or with `ban` must not."""

    grid: str
    team: str
    ban: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """Skills or languages which the team of a grid must have, for one grid or all that have a measure."""

    needs: tuple[str, ...]
    grid: str | None = None
    measure: str | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """All wishes together.

    Attributes
    ----------
    handover_weight : float
        As `gridsvc.teams.assign.Ties.weight`.
    rates : mapping of measure to (measure, float)
        Measures which are so much a unit of another: visits are 0.2 of customers.
    bases : "team" or "people"
        Distance from the team's base, or the mean of its people's, weighed by their shares of time.
    today : mapping of grid code to team id, or None
    time_limit : float or None
        Seconds after which the best assignment so far is taken.
    """

    handover_weight: float = 1.0
    pins: tuple[Pin, ...] = ()
    needs: tuple[Need, ...] = ()
    rates: Mapping[str, tuple[str, float]] = field(default_factory=dict)
    bases: str = "team"
    today: Mapping[str, str] | None = None
    time_limit: float | None = None


def wishes_from_dict(values: Mapping[str, Any]) -> Wishes:
    """Wishes from JSON as the API takes it."""
    return Wishes(
        float(values.get("handover_weight", 1.0)),
        tuple(Pin(p["grid"], p["team"], bool(p.get("ban", False))) for p in values.get("pins", ())),
        tuple(Need(tuple(n["needs"]), n.get("grid"), n.get("measure")) for n in values.get("needs", ())),
        {name: (of, float(rate)) for name, (of, rate) in values.get("rates", {}).items()},
        values.get("bases", "team"),
        values.get("owners"),
        values.get("time_limit"),
    )


def parse_rate(text: str) -> tuple[str, tuple[str, float]]:
    """``visits=0.2*customers`` as (visits, (customers, 0.2))."""
    name, _, rest = text.partition("=")
    number, _, measure = rest.partition("*")
    try:
        rate = float(number)
    except ValueError:
        rate = -1.0
    if not (name.strip() and measure.strip() and np.isfinite(rate) and rate >= 0):
        raise InvalidInput(
            f"{text!r} is no rate", field="rate", cure="write NAME=NUMBER*MEASURE, as visits=0.2*customers"
        )
    return name.strip(), (measure.strip(), rate)


def parse_need(text: str) -> Need:
    """``enterprise_accounts=enterprise;english`` as a need of each grid with such accounts."""
    measure, _, needs = text.partition("=")
    found = tuple(part.strip() for part in needs.split(";") if part.strip())
    if not (measure.strip() and found):
        raise InvalidInput(
            f"{text!r} is no need", field="need", cure="write MEASURE=SKILL or MEASURE=SKILL;SKILL"
        )
    return Need(found, None, measure.strip())


def derived(
    totals: Mapping[str, NDArray[np.float64]], rates: Mapping[str, tuple[str, float]]
) -> dict[str, NDArray[np.float64]]:
    """The measures, and those computed from them."""
    found = dict(totals)
    for name, (of, rate) in rates.items():
        if not (np.isfinite(rate) and rate >= 0):
            raise InvalidInput(
                "a rate is not a number of at least 0", field=f"rates.{name}", cure="give 0 or more"
            )
        if of not in totals:
            known = ", ".join(sorted(totals)) or "none"
            raise InvalidInput(
                f"there is no measure {of!r} (found: {known})", field=f"rates.{name}", cure="name a measure"
            )
        found[name] = totals[of] * rate
    return found


def ties_of(
    wishes: Wishes,
    grids: tuple[str, ...],
    roster: Roster,
    amounts: Mapping[str, NDArray[np.float64]],
    size: NDArray[np.float64] | None,
    sources: Mapping[str, str] | None = None,
) -> Ties:
    """Wishes as arrays; row numbers in messages are those of the lists.

    Parameters
    ----------
    amounts : mapping of measure to float64 array, shape (n_grids,)
        For needs where a measure is above zero.
    size : float64 array, shape (n_grids,), or None
        Customers of each grid.
    sources : mapping of list ("pins", "needs") to the name of its file

    Raises
    ------
    InvalidInput
        An unknown grid, team or measure, or a grid pinned twice, with the row.
    """
    named = {"pins": "pins", "needs": "needs", **(sources or {})}
    at = {code: g for g, code in enumerate(grids)}
    team = {t.id: i for i, t in enumerate(roster.teams)}
    if not (np.isfinite(wishes.handover_weight) and wishes.handover_weight >= 0):
        raise InvalidInput(
            "not a number of at least 0",
            field="handover_weight",
            cure="give 0 to look at distance only, or more",
        )
    pins, bans = _pins(wishes.pins, at, team, named["pins"])
    today = None
    if wishes.today is not None:
        today = np.array([team.get(wishes.today.get(code, ""), -1) for code in grids], np.int64)
    unfit = _unfit(wishes.needs, at, roster, amounts, named["needs"]) if wishes.needs else None
    return Ties(today, size, wishes.handover_weight, pins, frozenset(bans), unfit)


def _pins(
    pins: Iterable[Pin], at: Mapping[str, int], team: Mapping[str, int], source: str
) -> tuple[dict[int, int], set[tuple[int, int]]]:
    fixed: dict[int, tuple[int, int]] = {}
    bans: dict[tuple[int, int], int] = {}
    for row, pin in enumerate(pins, 1):
        grid = _known(at, pin.grid, "grid", source, row)
        owner = _known(team, pin.team, "team", source, row)
        if pin.ban:
            bans[grid, owner] = row
        elif grid in fixed:
            raise InvalidInput(
                f"grid {pin.grid!r} is pinned already in row {fixed[grid][1]}",
                source=source, row=row, field="grid", cure="keep one of the two rows",
            )  # fmt: skip
        else:
            fixed[grid] = (owner, row)
    for grid, (owner, row) in fixed.items():
        if (grid, owner) in bans:
            raise InvalidInput(
                f"the grid is banned from the same team in row {bans[grid, owner]}",
                source=source, row=row, field="team", cure="keep one of the two rows",
            )  # fmt: skip
    return {grid: owner for grid, (owner, _) in fixed.items()}, set(bans)


def _known(names: Mapping[str, int], name: str, what: str, source: str, row: int) -> int:
    if name not in names:
        raise InvalidInput(
            f"there is no {what} {name!r}",
            source=source,
            row=row,
            field=what,
            cure=f"name a {what} by its code",
        )
    return names[name]


def _unfit(
    needs: Iterable[Need],
    at: Mapping[str, int],
    roster: Roster,
    amounts: Mapping[str, NDArray[np.float64]],
    source: str,
) -> NDArray[np.bool_]:
    people = roster.person_by_id
    offers = [
        {
            offer
            for member in roster.members_by_team[team.id]
            for offer in (*people[member.person].skills, *people[member.person].languages)
        }
        for team in roster.teams
    ]
    unfit = np.zeros((len(at), len(roster.teams)), np.bool_)
    for row, need in enumerate(needs, 1):
        lacks = np.array([not set(need.needs) <= offer for offer in offers])
        if need.grid is not None:
            unfit[_known(at, need.grid, "grid", source, row)] |= lacks
            continue
        if need.measure is None or need.measure not in amounts:
            raise InvalidInput(
                f"there is no measure {need.measure!r}",
                source=source, row=row, field="measure", cure="name a measure of the cells",
            )  # fmt: skip
        unfit[amounts[need.measure] > 0] |= lacks
    return unfit
