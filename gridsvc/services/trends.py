"""What stands behind the trend of a publication's or a draft's grids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from gridsvc.ownership.publication import unpack
from gridsvc.plans.lineage import Flow, Pairs, flows_between
from gridsvc.plans.plan import Plan
from gridsvc.services.measured_then import counting
from gridsvc.store.database import Reader
from gridsvc.store.records import PlanRecord, PublicationRecord
from gridsvc.store.tilings import MeasuredThen
from gridsvc.teams.scorecard import Held, part_sums, ratios
from gridsvc.teams.scorecard_rules import Part
from gridsvc.teams.trend import Link, Moment, Trend, carried, link_of

__all__ = ["Series", "series_behind", "trend_of"]

MOST = 24
"""Points of a trend, the newest ones; and publications looked back on."""

_AT_ONCE = timedelta(seconds=1)
"""Measures made so shortly after each other were made together."""

_AMOUNTS = ("customers", "potential", "served", "premises", "sales")
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Then:
    """Grids in force one after another, and when which measures counted of them.

    Attributes
    ----------
    moments : sequence of (time, measures by name)
    onward : mapping of code to flows into the next grids
    """

    number: int | None
    plan: Plan
    moments: Sequence[tuple[datetime, Mapping[str, MeasuredThen]]]
    onward: Mapping[str, Sequence[Flow]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Series:
    """Grids in force one after another, the oldest first, and the values of all measures named in them."""

    states: Sequence[_Then]
    values: Mapping[int, Floats]


def series_behind(
    reader: Reader,
    record: PlanRecord | PublicationRecord,
    plan: Plan,
    at: datetime,
    parts: Mapping[str, Part],
) -> Series:
    """The publications which led to these grids, by their lineage, up to a time.

    A draft goes on from the publication in force, if that is of the same tiling.
    """
    names = {m for name in _AMOUNTS if name in parts and not parts[name].by for m in parts[name].of}
    states: list[_Then] = []
    if isinstance(record, PublicationRecord):
        chain = _chain(reader, record)
    else:
        former = reader.publications.in_force(record.territory, record.line, at, at)
        chain = [] if former is None or former.tiling != record.tiling else _chain(reader, former)
        states = [_Then(None, plan, [(at, _counted(reader, record.tiling, at, names))])]
    later = at
    for found, told in chain:
        full = reader.publications.get(record.territory, record.line, found.n)
        drawn = unpack(full.payload).plan
        onward = told
        if onward is None:  # the newest: what follows is the draft, or nothing
            onward = _within(reader, drawn, states[0]) if states else {}
        moments = _moments(reader, found.tiling, found.effective_at, later, names)
        states.insert(0, _Then(found.n, drawn, moments, onward))
        later = found.effective_at
    states = _newest(states)
    ids = {m.id for state in states for _, measures in state.moments for m in measures.values()}
    return Series(states, reader.tilings.values_of(sorted(ids)))


def _chain(
    reader: Reader, record: PublicationRecord
) -> list[tuple[PublicationRecord, Mapping[str, Sequence[Flow]] | None]]:
    """A publication and those it followed, the newest first, each with where its ground went."""
    line = record.territory, record.line
    found: list[tuple[PublicationRecord, Mapping[str, Sequence[Flow]] | None]] = [(record, None)]
    while len(found) < MOST:
        newer = reader.lineage.at(line, found[-1][0].n)
        former = next((r.follows for r in newer if r.follows is not None), None)
        if former is None:
            return found
        onward = {r.fate.code: r.fate.successors for r in newer if r.follows == former}
        found.append((reader.publications.get(*line, former), onward))
    return found


def _counted(reader: Reader, tiling: str, at: datetime, names: set[str]) -> dict[str, MeasuredThen]:
    return {n: m for n, m in counting(reader.tilings.history(tiling), at).items() if n in names}


def _moments(
    reader: Reader, tiling: str, start: datetime, end: datetime, names: set[str]
) -> list[tuple[datetime, Mapping[str, MeasuredThen]]]:
    """When a publication took effect (now, if it has not), and when measures were made anew after that."""
    history = [m for m in reader.tilings.history(tiling) if m.name in names]
    first = min(start, end)
    later = sorted(m.since for m in history if start < m.since < end)
    ends = [t for t, after in pairwise([*later, datetime.max.replace(tzinfo=UTC)]) if after - t > _AT_ONCE]
    times = [first, *ends]
    return [(time, counting(history, time)) for time in times[-MOST:]]


def _within(reader: Reader, former: Plan, draft: _Then) -> dict[str, tuple[Flow, ...]]:
    """Where the ground of the publication in force lies in a draft on the same cells."""
    rows = np.arange(len(former.labels))
    ids = [m.id for name, m in draft.moments[0][1].items() if name == "customers"]
    heads = next(iter(reader.tilings.values_of(ids).values()), np.zeros(len(rows)))
    pairs = Pairs(rows, rows, np.ones_like(rows), heads.astype(np.int64))
    codes, others = ([grid.code for grid in plan.grids] for plan in (former, draft.plan))
    mine, theirs = (plan.labels.astype(np.int64) for plan in (former, draft.plan))
    return flows_between(codes, others, mine, theirs, pairs)


def _newest(states: Sequence[_Then]) -> list[_Then]:
    """As many states from the end as have the newest moments."""
    kept: list[_Then] = []
    left = MOST
    for state in reversed(states):
        if left == 0:
            break
        moments = list(state.moments)[-left:]
        left -= len(moments)
        kept.insert(0, _Then(state.number, state.plan, moments, state.onward))
    return kept


def trend_of(series: Series, parts: Mapping[str, Part], codes: Sequence[str]) -> Trend | None:
    """The amounts of the last grids at each moment; None where there is but one moment."""
    amounts = {name: parts[name] for name in _AMOUNTS if name in parts and not parts[name].by}
    moments: list[Moment] = []
    rows: list[tuple[dict[str, Floats], dict[str, float]]] = []
    links = _links(series.states)
    for at, state in enumerate(series.states):
        held = Held(state.plan.labels, len(state.plan.grids))
        for time, measures in state.moments:
            sums = part_sums(held, amounts, {name: series.values[m.id] for name, m in measures.items()})
            ended = {name: carried(values, links[at:]) for name, values in sums.items()}
            moments.append(Moment(time, state.number))
            rows.append(
                (ratios({n: v for n, (v, _) in ended.items()}), {n: lost for n, (_, lost) in ended.items()})
            )
    if len(moments) < 2:
        return None
    shown = [
        name
        for name in ("customers", "potential", "penetration", "white_space")
        if any(name in r for r, _ in rows)
    ]
    none = np.full(len(codes), np.nan)
    return Trend(
        moments,
        {name: np.vstack([found.get(name, none) for found, _ in rows]) for name in shown},
        {
            name: np.array([lost.get(name, np.nan) for _, lost in rows])
            for name in ("customers", "potential")
            if name in amounts
        },
    )


def _links(states: Sequence[_Then]) -> list[Link]:
    """The link of each state to the next; none behind the last."""
    codes = [[grid.code for grid in state.plan.grids] for state in states]
    return [link_of(codes[at], codes[at + 1], states[at].onward) for at in range(len(states) - 1)]
