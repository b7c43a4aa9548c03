"""Scorecards: the grids of a publication or a draft by the company's figures; read once, computed outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.customers.measures import is_count
from gridsvc.errors import NotYetInForce
from gridsvc.exchange.scorecards.report import About, Card, Tiers
from gridsvc.ownership.publication import unpack
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services import pack_rules
from gridsvc.services.asking import counting_at
from gridsvc.services.documents import Document
from gridsvc.services.drafts import request_of, solved
from gridsvc.services.levels import plans_above
from gridsvc.services.live import current, kept_of
from gridsvc.services.measured_then import Then, measured_then
from gridsvc.services.small_counts import with_small_counts_kept_back
from gridsvc.services.small_layers import KeptBack
from gridsvc.services.trends import Series, series_behind, trend_of
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import PlanRecord, PublicationRecord
from gridsvc.teams.model import Roster
from gridsvc.teams.scorecard import Ground, figures_of, part_sums, ranked, scored
from gridsvc.teams.scorecard_rules import FIGURES, Part, ScorecardRules, scorecard_rules_from_dict
from gridsvc.tiling.tiling import Tiling

__all__ = [
    "SMALL",
    "Subject",
    "Tally",
    "bases_of",
    "get_rules",
    "in_force_at",
    "of_draft",
    "of_plan",
    "of_publication",
    "parts_of",
    "put_rules",
    "rules_of",
    "state_of",
    "tiers_of",
]

SMALL = 5
"""Counts of customers below this are kept back from callers who may not see customers, unless set."""

Floats = NDArray[np.float64]
Tally = tuple[NDArray[np.int32], NDArray[np.int64], tuple[str, ...]]
"""Cell row of each customer, the place of its tier, and the tiers."""

_NEEDS = {
    "customers": ("customers",),
    "potential": ("potential",),
    "penetration": ("premises",),
    "white_space": ("potential", "sales"),
    "competition": ("competition",),
    "density": ("customers",),
    "base_km": ("bases",),
    "outlet_km": ("outlets",),
}

_RULES = Document("scorecard", "plans:read", ScorecardRules, scorecard_rules_from_dict)


def rules_of(reader: Reader) -> ScorecardRules:
    """The scorecard's rules in force."""
    return _RULES.of(reader)


def get_rules(db: Database, who: Principal) -> tuple[int, ScorecardRules]:
    """The revision of the scorecard's rules, 0 for those by default, and the rules."""
    return _RULES.get(db, who)


def put_rules(db: Database, who: Principal, new: ScorecardRules) -> int:
    """Replace the scorecard's rules, and give their revision."""
    return _RULES.put(db, who, new)


def of_publication(
    db: Database, who: Principal, territory: str, n: int, *, line: str = "base", small: int = SMALL
) -> Card:
    """The scorecard of a publication: as it is now, or as it was when it gave way to another.

    Parameters
    ----------
    small : int
        Counts of customers below this are kept back from callers without ``customers:read``.
    """
    who.require("plans:read")
    with db.read(who) as reader:
        read = _read(db, reader, state_of(reader, territory, n, line))
    return _shown(who, read, small)


def in_force_at(
    db: Database,
    who: Principal,
    territory: str,
    *,
    line: str = "base",
    as_of: datetime | None = None,
    small: int = SMALL,
) -> Card:
    """The scorecard of the publication in force at a time, with the measures of that time.

    Raises
    ------
    NotYetInForce
        None was in force then.
    """
    who.require("plans:read")
    with db.read(who) as reader:
        reader.territories.get(territory)
        at = as_of or datetime.now(UTC)
        record = reader.publications.in_force(territory, line, at, datetime.now(UTC))
        if record is None:
            raise NotYetInForce(
                f"nothing of {territory} was in force then", field="as_of", cure="ask for a later time"
            )
        read = _read(db, reader, state_of(reader, territory, record.n, line, at))
    return _shown(who, read, small)


def of_plan(db: Database, who: Principal, plan: str, *, small: int = SMALL) -> Card:
    """The scorecard which a draft's grids would have now."""
    who.require("plans:read")
    with db.read(who) as reader:
        read = _read(db, reader, of_draft(reader, plan))
    return _shown(who, read, small)


# --- what is read


@dataclass(frozen=True, slots=True)
class Subject:
    """Grids at a time.

    Attributes
    ----------
    record : PlanRecord or PublicationRecord
    plan : Plan
    at : datetime
        Of what time the measures and people are.
    """

    record: PlanRecord | PublicationRecord
    plan: Plan
    at: datetime


def state_of(reader: Reader, territory: str, n: int, line: str, at: datetime | None = None) -> Subject:
    """A publication at a time: now if not given, or as it was at its end if that is past."""
    record = reader.publications.get(territory, line, n)
    end, now = reader.publications.ends(territory, line)[n], datetime.now(UTC)
    last = now if end is None else min(now, max(end, record.effective_at))
    return Subject(record, unpack(record.payload).plan, at or last)


def of_draft(reader: Reader, plan: str) -> Subject:
    """A draft as it is now."""
    record = reader.plans.get(plan)
    return Subject(record, solved(record), datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class _Read:
    """All that a scorecard is made of."""

    subject: Subject
    about: About
    rules: ScorecardRules
    parts: Mapping[str, Part]
    tiling: Tiling
    now: Then
    roster: Roster | None
    outlets: Floats
    targets: Mapping[str, Mapping[str, float]]
    tiers: Tally | None
    series: Series
    above: tuple[Plan, ...]


def _read(db: Database, reader: Reader, subject: Subject) -> _Read:
    record = subject.record
    tiling = reader.tilings.plain(record.tiling)
    made_of = record if isinstance(record, PlanRecord) else reader.plans.bare(record.plan)
    balanced = tuple(name for name, _ in request_of(made_of).balanced)
    now = measured_then(reader, record.tiling, subject.at)
    rules = rules_of(reader)
    parts = parts_of(rules, now.specs, balanced)
    people = counting_at(reader, record.territory, subject.at)
    report = made_of.report or {}
    return _Read(
        subject,
        about_of(reader, subject, made_of, None if people is None else people[0]),
        rules,
        parts,
        tiling,
        now,
        None if people is None else people[1],
        _outlets(report, tiling),
        _targets(db, reader, made_of),
        tiers_of(reader, subject),
        series_behind(reader, record, subject.plan, subject.at, parts),
        plans_above(reader, record.territory, record.line, record.tiling, subject.at),
    )


def parts_of(rules: ScorecardRules, specs: Mapping[str, str], balanced: tuple[str, ...]) -> dict[str, Part]:
    """Which measures play which part: by the rules, and by what is plain where they are silent.

    Customers are the measure called so, else one which counts; potential is the measure called so, else the
    first other one which the plan balances.
    """
    found = dict(rules.parts)
    counting = (name for name, spec in specs.items() if spec.endswith("=count"))
    customers = "customers" if "customers" in specs else next(counting, None)
    if customers is not None:
        found.setdefault("customers", Part((customers,)))
    taken = {name for part in found.values() for name in part.of}
    others = ("potential", *(name for name in balanced if name not in taken))
    potential = next((name for name in others if name in specs), None)
    if potential is not None:
        found.setdefault("potential", Part((potential,)))
    return found


def about_of(reader: Reader, subject: Subject, made_of: PlanRecord, roster: int | None) -> About:
    """What a scorecard or load report is about: place, times, and the publication or draft.

    Parameters
    ----------
    made_of : PlanRecord
        The subject's plan.
    roster : int or None
        Number of the roster in force then.
    """
    record, place = subject.record, reader.territories.get(subject.record.territory)
    zone = ZoneInfo(place.time_zone)
    about = About(
        place.id,
        place.name,
        place.simulated,
        place.customers_word,
        record.line,
        datetime.now(zone),
        subject.at.astimezone(zone),
        made_of.id,
        roster=roster,
    )
    if isinstance(record, PublicationRecord):
        return replace(about, publication=record.n, effective_at=record.effective_at.astimezone(zone))
    return replace(about, name=record.name, revision=record.revision, status=record.status)


def _outlets(report: Mapping[str, object], tiling: Tiling) -> Floats:
    """Where the plan's seeds are, by the points of their cells: float64 array, shape (m, 2)."""
    seeds = report.get("seeds")
    cells = {str(seed["cell"]) for seed in seeds} if isinstance(seeds, list) else set()
    if not cells:
        return np.zeros((0, 2))
    rows = [row for row, name in enumerate(tiling.names()) if name in cells]
    return np.column_stack([tiling.x[rows], tiling.y[rows]])


def _targets(db: Database, reader: Reader, plan: PlanRecord) -> dict[str, Mapping[str, float]]:
    if reader.moves.any(plan.id):
        opened = current(kept_of(db), reader, plan.id)
        entries = opened.figures.entries(enumerate(opened.grids))
    else:
        entries = (plan.report or {}).get("grids", [])
    return {entry["code"]: entry.get("targets") or {} for entry in entries}


def tiers_of(reader: Reader, subject: Subject) -> Tally | None:
    """The tier of each customer at the subject's time; None where the company names no column of tiers."""
    record, rules = subject.record, pack_rules.rules_of(reader)
    if rules.tier_column is None:
        return None
    live = reader.customers.import_at(record.territory, record.tiling, subject.at)
    return (
        None if live is None else _ordered(reader.customers.tally(live, rules.tier_column, subject.at), rules)
    )


def _ordered(tally: Tally, rules: pack_rules.PackRules) -> Tally:
    """The same with the tiers as the company lists them, others behind them by name."""
    cells, places, texts = tally
    order = {tier: at for at, tier in enumerate(rules.tiers)}
    ranked = sorted(range(len(texts)), key=lambda at: (order.get(texts[at], len(order)), texts[at]))
    moved = np.empty(len(texts), np.int64)
    moved[ranked] = np.arange(len(texts))
    return cells, moved[places], tuple(texts[at] for at in ranked)


# --- what follows of it


def _shown(who: Principal, read: _Read, small: int) -> Card:
    card = _card(read)
    if "customers:read" in who.scopes:
        return card
    now, plans = read.now, (*read.above, read.subject.plan)
    counts = [name for name, spec in now.specs.items() if is_count(name, spec)]
    # What layers keep back of these grids is kept back here, too: each would tell what the other does not.
    kept = KeptBack(plans, now.values, counts, small)
    return with_small_counts_kept_back(card, small, kept.grids())


def bases_of(
    places: list[tuple[float | None, float | None]], origin: tuple[float, float]
) -> NDArray[np.float64]:
    """Lon and lat of bases as points in the plane of a tiling: float64 array, shape (n, 2); nan for none."""
    found = np.full((len(places), 2), np.nan)
    known = [at for at, (lon, lat) in enumerate(places) if lon is not None and lat is not None]
    if known:
        lon, lat = (np.array([places[at][axis] for at in known], np.float64) for axis in (0, 1))
        found[known] = np.column_stack(LocalPlane(*origin).project(lon, lat))
    return found


def _card(read: _Read) -> Card:
    plan, tiling, measures = read.subject.plan, read.tiling, read.now.values
    teams = {} if read.roster is None else read.roster.team_by_id
    owners = [teams.get(grid.team or "") for grid in plan.grids]
    base = bases_of([(None, None) if t is None else (t.lon, t.lat) for t in owners], tiling.origin)
    k = len(plan.grids)
    ground = Ground(plan.labels, k, tiling.area, tiling.x, tiling.y, base, read.outlets)
    sums = part_sums(ground, read.parts, measures)
    heads = customers_of(read.parts, measures)
    figures = figures_of(ground, sums, heads)
    carved = np.array([grid.carve_out for grid in plan.grids], bool)
    ranks = {name: ranked(v, read.rules.good_end(name), ~carved) for name, v in figures.items()}
    played = {name: part for name, part in read.parts.items() if name in sums}
    used = {m for part in played.values() for m in (*part.of, part.by) if m is not None}
    return Card(
        about=read.about,
        rules=read.rules,
        codes=[grid.code for grid in plan.grids],
        names=[grid.name for grid in plan.grids],
        teams=[
            _team(grid.team, None if t is None else t.name)
            for grid, t in zip(plan.grids, owners, strict=True)
        ],
        carved=carved,
        cells=ground.sums(np.ones(len(tiling))),
        area_km2=ground.sums(tiling.area) / 1e6,
        parts={name: str(part) for name, part in played.items()},
        measured={name: at for name, at in read.now.since.items() if name in used},
        absent={
            name: tuple(n for n in _NEEDS[name] if n not in sums) for name in FIGURES if name not in figures
        },
        figures=figures,
        whole=_whole(read, figures, ground, heads),
        ranks=ranks,
        score=scored(ranks, read.rules),
        deviation=_deviation(read, ground),
        hidden=np.zeros(k, bool),
        tiers=None if read.tiers is None else _tier_counts(*read.tiers, ground),
        trend=trend_of(read.series, read.parts, [grid.code for grid in plan.grids]),
    )


def _team(team: str | None, name: str | None) -> tuple[str, str] | None:
    return None if team is None else (team, name or team)


def customers_of(parts: Mapping[str, Part], values: Mapping[str, Floats]) -> Floats | None:
    """Customers in each cell, where they add up over cells: float64 array, shape (n_cells,)."""
    part = parts.get("customers")
    if part is None or part.by or any(name not in values for name in part.of):
        return None
    return np.asarray(np.sum([values[name] for name in part.of], axis=0), np.float64)


def _whole(
    read: _Read, figures: Mapping[str, Floats], ground: Ground, heads: Floats | None
) -> dict[str, float]:
    """The figures of all grids together."""
    labels, nowhere = np.where(ground.held, 0, -1).astype(np.int32), np.full((1, 2), np.nan)
    one = Ground(labels, 1, ground.area, ground.x, ground.y, nowhere, ground.outlets)
    told = figures_of(one, part_sums(one, read.parts, read.now.values), heads)
    found = {name: float(values[0]) for name, values in told.items()}
    if "base_km" in figures:
        weight = ground.sums(ground.area if heads is None else heads)
        known = np.isfinite(figures["base_km"]) & (weight > 0)
        if known.any():
            found["base_km"] = float(np.average(figures["base_km"][known], weights=weight[known]))
    return {name: found.get(name, float("nan")) for name in figures}


def _deviation(read: _Read, ground: Ground) -> dict[str, Floats]:
    codes = [grid.code for grid in read.subject.plan.grids]
    found = {}
    for name in {name for wanted in read.targets.values() for name in wanted}:
        if name in read.now.values:
            target = np.array([read.targets.get(code, {}).get(name) or np.nan for code in codes], np.float64)
            found[name] = ground.sums(read.now.values[name]) / target - 1
    return dict(sorted(found.items()))


def _tier_counts(
    cells: NDArray[np.int32], place: NDArray[np.int64], names: tuple[str, ...], ground: Ground
) -> Tiers:
    grid = ground.labels[cells]
    held = grid >= 0
    key = grid[held].astype(np.int64) * len(names) + place[held]
    counts = np.bincount(key, minlength=ground.grids * len(names)).reshape(ground.grids, len(names))
    return Tiers(names, np.vstack([counts, counts.sum(axis=0)]).astype(np.int64))
