"""Loads: what teams and people carry under a publication or a draft, and how evenly it is dealt out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput, NotYetInForce
from gridsvc.exchange.scorecards.load_report import LoadReport, State
from gridsvc.exchange.scorecards.report import About
from gridsvc.principal import Principal
from gridsvc.services.asking import roster_at
from gridsvc.services.drafts import request_of
from gridsvc.services.measured_then import Then, measured_then
from gridsvc.services.scorecards import (
    SMALL,
    Subject,
    Tally,
    about_of,
    bases_of,
    customers_of,
    of_draft,
    parts_of,
    rules_of,
    state_of,
    tiers_of,
)
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import PlanRecord, Territory
from gridsvc.teams.fairness import Fairness, fairness
from gridsvc.teams.loads import (
    Crew,
    Distances,
    Places,
    Split,
    crew_of,
    distances,
    fair_by,
    loads_of,
)
from gridsvc.teams.masking import nameless
from gridsvc.teams.model import Roster
from gridsvc.teams.scorecard import Held, part_sums
from gridsvc.teams.scorecard_rules import Part, ScorecardRules
from gridsvc.teams.suppression import hidden_parts
from gridsvc.tiling.tiling import Tiling

__all__ = ["report"]

Floats = NDArray[np.float64]


def report(
    db: Database,
    who: Principal,
    territory: str,
    *,
    line: str = "base",
    at: datetime | None = None,
    plan: str | None = None,
    before: int | None = None,
    split: Split = "team",
    small: int = SMALL,
) -> LoadReport:
    """What each team and person carries.

    Parameters
    ----------
    at : datetime or None
        The time of the publication, the people and the measures; now if not given.
    plan : str or None
        A draft of the territory, instead of the publication in force; beside it that is shown as before.
    before : int or None
        The publication to show beside it, with the same people.
    split : {"team", "role"}
        How a team's load is dealt out; see `gridsvc.teams.loads.Split`.
    small : int
        Numbers of customers below this are kept back from callers without ``customers:read``.

    Raises
    ------
    NotFound
        The territory has no roster, or no such plan or publication.
    NotYetInForce
        Nothing was in force then.
    """
    who.require("plans:read")
    who.require("roster:read")
    time = at or datetime.now(UTC)
    with db.read(who) as reader:
        place = reader.territories.get(territory)
        subjects = _subjects(reader, place, line, time, plan, before)
        number, roster = roster_at(reader, territory, time)
        rules = rules_of(reader)
        read = [_read(reader, subject, rules, number) for subject in subjects if subject is not None]
    roster = nameless(roster, who.scopes)
    return _report(roster, read, split, None if "customers:read" in who.scopes else small)


def _subjects(
    reader: Reader, place: Territory, line: str, at: datetime, plan: str | None, before: int | None
) -> tuple[Subject, Subject | None]:
    """What is shown, and what beside it."""
    in_force = reader.publications.in_force(place.id, line, at, datetime.now(UTC))
    if plan is not None:
        now = of_draft(reader, plan)
        if now.record.territory != place.id:
            raise InvalidInput(
                f"the plan is of {now.record.territory}", field="plan", cure="name a plan of this territory"
            )
        number = before if before is not None else None if in_force is None else in_force.n
    elif in_force is None:
        raise NotYetInForce(
            f"nothing of {place.id} was in force then", field="at", cure="ask for a later time, or for a plan"
        )
    else:
        now, number = state_of(reader, place.id, in_force.n, line, at), before
    return replace(now, at=at), None if number is None else state_of(reader, place.id, number, line, at)


@dataclass(frozen=True, slots=True)
class _Read:
    """A publication or draft with what its grids carry.

    Attributes
    ----------
    tiers : Tally or None
        Of each customer, where visits follow from tiers.
    """

    about: About
    subject: Subject
    tiling: Tiling
    parts: Mapping[str, Part]
    rules: ScorecardRules
    now: Then
    tiers: Tally | None


def _read(reader: Reader, subject: Subject, rules: ScorecardRules, roster: int) -> _Read:
    record = subject.record
    made_of = record if isinstance(record, PlanRecord) else reader.plans.bare(record.plan)
    balanced = tuple(name for name, _ in request_of(made_of).balanced)
    now = measured_then(reader, record.tiling, subject.at)
    parts = parts_of(rules, now.specs, balanced)
    tiers = None
    if rules.visits and "visits" not in parts:
        tiers = tiers_of(reader, subject)
    about = about_of(reader, subject, made_of, roster)
    return _Read(about, subject, reader.tilings.plain(record.tiling), parts, rules, now, tiers)


# --- what follows of it


def _report(roster: Roster, read: list[_Read], split: Split, least: int | None) -> LoadReport:
    crew = crew_of(roster)
    columns = ["grids", "area_km2", *_columns(read[0])]
    states = [_state(roster, crew, one, columns, split) for one in read]
    hidden_teams, hidden_people = _hidden(crew, states, least)
    departments = {department.id: department.name for department in roster.departments}
    names: dict[int, list[str]] = {}
    for team, person in zip(crew.team.tolist(), crew.person.tolist(), strict=True):
        known = names.setdefault(person, [])
        known += [name for name in [roster.teams[team].name] if name not in known]
    return LoadReport(
        teams=[(team.id, team.name) for team in roster.teams],
        people=[
            (
                p.id,
                p.name,
                p.department,
                departments.get(p.department, p.department),
                ", ".join(names.get(at, [])),
            )
            for at, p in enumerate(roster.people)
        ],
        split=split,
        parts={name: str(part) for name, part in read[0].parts.items() if name in columns},
        now=states[0],
        before=states[1] if len(states) > 1 else None,
        hidden_teams=hidden_teams,
        hidden_people=hidden_people,
        least=least,
    )


def _columns(read: _Read) -> list[str]:
    named = [
        name
        for name in ("customers", "potential", "visits")
        if name in read.parts
        and not read.parts[name].by
        and all(m in read.now.values for m in read.parts[name].of)
    ]
    return [*named, "visits"] if read.tiers is not None else named


def _state(roster: Roster, crew: Crew, read: _Read, columns: list[str], split: Split) -> State:
    plan, tiling = read.subject.plan, read.tiling
    held = Held(plan.labels, len(plan.grids))
    known = {"grids": np.ones(len(plan.grids)), "area_km2": held.sums(tiling.area) / 1e6}
    known |= part_sums(held, read.parts, read.now.values)
    if read.tiers is not None:
        known["visits"] = _visits(held, read.rules, *read.tiers)
    totals = {name: known.get(name, np.zeros(len(plan.grids))) for name in columns}
    places_of = {team: at for at, team in enumerate(crew.teams)}
    owner = np.array([places_of.get(grid.team or "", -1) for grid in plan.grids], np.int64)
    loads = loads_of(crew, owner, totals, _capacity(roster, read, columns), split)
    near = _distances(roster, crew, read, owner, held, split)
    counted = np.array([team.id != roster.fallback for team in roster.teams], bool)
    busy = np.unique(crew.person[counted[crew.team]]) if len(crew.team) else np.zeros(0, np.int64)
    homes = [roster.people[p].department for p in busy.tolist()]
    by_department: dict[str, dict[str, Fairness | None]] = {home: {} for home in sorted(set(homes))}
    for j, name in enumerate(columns):
        for home, found in fair_by(loads.people[busy, j], homes).items():
            by_department[home][name] = found
    return State(
        read.about,
        loads,
        *near,
        {name: fairness(loads.teams[:-1][counted, j]) for j, name in enumerate(columns)},
        {name: fairness(loads.people[busy, j]) for j, name in enumerate(columns)},
        by_department,
    )


def _visits(
    held: Held,
    rules: ScorecardRules,
    cells: NDArray[np.int32],
    place: NDArray[np.int64],
    names: tuple[str, ...],
) -> Floats:
    each = np.array([rules.visits.get(name, 0.0) for name in names], np.float64)
    grid = held.labels[cells]
    inside = grid >= 0
    return np.bincount(grid[inside], each[place][inside], held.grids).astype(np.float64)


def _capacity(roster: Roster, read: _Read, columns: list[str]) -> Floats:
    """What each team can carry of each column, by its part's name or by its measure's."""
    found = np.full((len(roster.teams), len(columns)), np.inf)
    for j, name in enumerate(columns):
        part = read.parts.get(name)
        also = part.of[0] if part is not None and len(part.of) == 1 else name
        for t, team in enumerate(roster.teams):
            found[t, j] = team.capacity.get(name, team.capacity.get(also, np.inf))
    return found


def _distances(
    roster: Roster, crew: Crew, read: _Read, owner: NDArray[np.int64], held: Held, split: Split
) -> tuple[Distances, Distances]:
    tiling, customers = read.tiling, customers_of(read.parts, read.now.values)
    weight = tiling.area if customers is None else customers
    of_cell = np.append(owner, -1)[held.labels]
    places = Places(tiling.x, tiling.y, weight, of_cell)
    teams = bases_of([(team.lon, team.lat) for team in roster.teams], tiling.origin)
    people = bases_of([(person.lon, person.lat) for person in roster.people], tiling.origin)
    found = distances(crew, places, teams, people, split)
    return Distances(found[0].mean / 1000, found[0].far / 1000), Distances(
        found[1].mean / 1000, found[1].far / 1000
    )


def _hidden(
    crew: Crew, states: list[State], least: int | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Teams (and no team) whose number of customers is kept back, and people who carry a part of such."""
    teams, people = np.zeros(len(crew.teams) + 1, bool), np.zeros(len(crew.people), bool)
    if least is None or "customers" not in states[0].loads.measures:
        return teams, people
    column = states[0].loads.measures.index("customers")
    for _ in states:  # what is kept back on one side is kept back on the other, which may need more
        for state in states:
            counts = np.ceil(state.loads.teams[:, column]).astype(np.int64)
            teams = teams | hidden_parts(counts, least, teams)
    people[crew.person[teams[crew.team]]] = True
    return teams, people
