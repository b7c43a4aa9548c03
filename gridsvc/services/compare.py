"""Comparisons: a plan beside another one or beside a publication, as the realignment report tells it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.exchange.comparison.report import AREA, CUSTOMERS, Report, Side, TeamName
from gridsvc.ownership.publication import unpack
from gridsvc.plans.compare import Comparison, Ground, Targets, compare
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services.asking import counting_at
from gridsvc.services.drafts import solved
from gridsvc.services.live import current, kept_of
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import ImportRecord, PlanRecord, PublicationRecord, Territory
from gridsvc.teams.model import Roster
from gridsvc.tiling.tiling import Tiling

__all__ = ["Subject", "amounts_of", "count_among", "customers_in", "moved_cells", "realignment", "subject"]

_PUBLICATION = re.compile(r"publication:([1-9][0-9]{0,8})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a comparison is made of, and how to tell when it would come out otherwise.

    Attributes
    ----------
    after : PlanRecord
    before : PlanRecord or PublicationRecord
    roster : int or None
        Number of the roster in force.
    customers : ImportRecord or None
        The live import.
    """

    after: PlanRecord
    before: PlanRecord | PublicationRecord
    territory: Territory
    roster: tuple[int, Roster] | None
    customers: ImportRecord | None

    @property
    def state(self) -> str:
        """The same for two comparisons which say the same."""
        other = self.before
        seen = other.checksum if isinstance(other, PublicationRecord) else f"{other.id}.{other.revision}"
        people = None if self.roster is None else self.roster[0]
        rows = None if self.customers is None else self.customers.id
        return f"{self.after.id}.{self.after.revision}-{seen}-{people}-{rows}"


def subject(reader: Reader, plan: str, other: str) -> Subject:
    """The two plans to compare.

    Parameters
    ----------
    other : str
        Id of a plan, or ``publication:n`` of the plan's territory and line.

    Raises
    ------
    NotFound
        No such plan or publication.
    Conflict
        One is not solved yet.
    InvalidInput
        They have other tilings.
    """
    after = reader.plans.get(plan)
    numbered = _PUBLICATION.fullmatch(other)
    before = (
        reader.plans.get(other)
        if numbered is None
        else reader.publications.get(after.territory, after.line, int(numbered[1]))
    )
    for record in (after, before):
        if isinstance(record, PlanRecord):
            solved(record)
    if before.tiling != after.tiling:
        raise InvalidInput(
            f"plan {plan} is of tiling {after.tiling}, {other} of tiling {before.tiling}",
            field="other",
            cure="compare plans of one tiling, or adopt the other plan's grids on this tiling first",
            tilings=[after.tiling, before.tiling],
        )
    now = datetime.now(UTC)
    return Subject(
        after,
        before,
        reader.territories.get(after.territory),
        counting_at(reader, after.territory, now),
        reader.customers.live_import(after.territory, after.tiling),
    )


def realignment(
    db: Database, who: Principal, plan: str, other: str, known: Callable[[str], bool] = lambda _: False
) -> tuple[str, Report | None]:
    """What changes from `other` to `plan`, with its state; no report where the caller has that state.

    Parameters
    ----------
    known : callable
        Whether the caller has the report of a state (`Subject.state`).
    """
    who.require("plans:read")
    with db.read(who) as reader:
        found = subject(reader, plan, other)
        if known(found.state):
            return found.state, None
        tiling = reader.tilings.plain(found.after.tiling)
        measures = reader.tilings.measures(found.after.tiling)
        wanted = (_targets(db, reader, found.before), _targets(db, reader, found.after))
        counted = count_among({name: measure.spec for name, measure in measures.items()})
        customers = None
        if counted is None and found.customers is not None:
            customers = customers_in(reader, found.customers, len(tiling))
    values = {name: measure.values for name, measure in measures.items()}
    plans = (_plan(found.before), solved(found.after))
    amounts = amounts_of(values, tiling, counted, customers)
    comparison = compare(*plans, amounts, Ground(tiling.x, tiling.y, tiling.area), wanted)
    return found.state, _report(found, plans, comparison, tiling, (tuple(measures), counted))


def count_among(specs: Mapping[str, str]) -> str | None:
    """The measure which is the number of customers: the one called so, else one that counts; or None."""
    return next((n for n in specs if n == "customers"), None) or next(
        (name for name, spec in specs.items() if spec.endswith("=count")), None
    )


def customers_in(reader: Reader, live: ImportRecord, n_cells: int) -> NDArray[np.float64]:
    """Number of customers of an import in each cell: float64 array, shape (n_cells,)."""
    _, cells = reader.customers.index(live.id)
    return np.bincount(cells[cells >= 0], minlength=n_cells).astype(np.float64)


def amounts_of(
    measures: Mapping[str, NDArray[np.float64]],
    tiling: Tiling,
    counted: str | None,
    customers: NDArray[np.float64] | None = None,
) -> dict[str, NDArray[np.float64]]:
    """What a comparison adds up: customers where they are known, the measures, square kilometres."""
    number = measures[counted] if counted is not None else customers
    known = {} if number is None else {CUSTOMERS: number}
    return {**known, **measures, AREA: tiling.area / 1e6}


def moved_cells(
    before: Plan, after: Plan, rows: NDArray[np.int64], names: Sequence[str]
) -> list[tuple[str, str | None, str | None]]:
    """Cell, grid before and grid after of some rows."""
    old, new = ([*(grid.code for grid in plan.grids), None] for plan in (before, after))
    pairs = zip(rows.tolist(), before.labels[rows].tolist(), after.labels[rows].tolist(), strict=True)
    return [(names[row], old[a], new[b]) for row, a, b in pairs]


def _plan(record: PlanRecord | PublicationRecord) -> Plan:
    if isinstance(record, PlanRecord):
        return solved(record)
    return unpack(record.payload).plan


def _targets(db: Database, reader: Reader, record: PlanRecord | PublicationRecord) -> Targets:
    """What each grid should have, grids made by moves among them."""
    plan = record.id if isinstance(record, PlanRecord) else record.plan
    opened = current(kept_of(db), reader, plan)
    entries = opened.figures.entries(enumerate(opened.grids))
    return {entry["code"]: entry.get("targets", {}) for entry in entries}


def _report(
    found: Subject,
    plans: tuple[Plan, Plan],
    comparison: Comparison,
    tiling: Tiling,
    measures: tuple[tuple[str, ...], str | None],
) -> Report:
    place, names = found.territory, tiling.names()
    return Report(
        territory=place.id,
        territory_name=place.name,
        simulated=place.simulated,
        customers_word=place.customers_word,
        made_at=datetime.now(ZoneInfo(place.time_zone)),
        tiling=found.after.tiling,
        before=_side(found.before, place.time_zone),
        after=_side(found.after, place.time_zone),
        comparison=comparison,
        measures=measures[0],
        counted=measures[1],
        teams={} if found.roster is None else _team_names(found.roster[1]),
        cells=moved_cells(*plans, comparison.rows, names),
    )


def _side(record: PlanRecord | PublicationRecord, zone: str) -> Side:
    if isinstance(record, PlanRecord):
        return Side(record.id, record.name, record.line, None, record.revision, record.status)
    start = record.effective_at.astimezone(ZoneInfo(zone))
    return Side(record.plan, "", record.line, record.n, effective_at=start)


def _team_names(roster: Roster) -> dict[str, TeamName]:
    people = roster.person_by_id
    leads = {team.id: roster.lead(team.id) for team in roster.teams}
    return {
        team.id: TeamName(team.name, None if (lead := leads[team.id]) is None else people[lead.person].name)
        for team in roster.teams
    }
