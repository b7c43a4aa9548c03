"""Tracing: what a publication does to every grid code known so far."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.plans.carveouts import CarveOut
from gridsvc.plans.lineage import Fate, Flow, Pairs, Trace, flows_between, trace
from gridsvc.plans.plan import Plan
from gridsvc.services.series import published_plan
from gridsvc.store.database import Reader
from gridsvc.store.lineage import Ended, LineageRecord
from gridsvc.store.records import PublicationRecord
from gridsvc.tiling.locate import Locator
from gridsvc.tiling.tiling import Tiling

__all__ = ["traced"]

Ints = NDArray[np.int64]


def traced(
    reader: Reader,
    record: PublicationRecord,
    tiling: Tiling,
    plan: Plan,
    before: PublicationRecord | None,
    heads: NDArray[np.float64] | None = None,
) -> list[LineageRecord]:
    """What a publication does to every code known so far.

    Parameters
    ----------
    record : PublicationRecord
        About to be written.
    tiling : Tiling
        Its tiling, with outlines.
    plan : Plan
        Its cells, grids and carve-outs.
    before : PublicationRecord or None
        The one it follows.
    heads : float64 array, shape (n_cells,), or None
        Number of customers in each cell, where they are known.
    """
    if before is None:
        return [LineageRecord(Fate(code, name, "new", True), None) for code, name in _names(plan).items()]
    line = record.territory, record.line
    former = published_plan(reader, *line, before.n)
    ground = _Ground(reader, record, tiling, heads)
    former_ground, present = _Side(former, ground.tiling_of(before.tiling)), _Side(plan, tiling)
    pairs = ground.pairs(before.tiling)
    past = {r.fate.code: r for r in reader.lineage.at(line, before.n) if r.ended is not None}
    found = Trace(
        _names(former),
        _names(plan),
        past,
        _flows(former_ground, present, pairs),
        _flows(present, former_ground, pairs.turned),
    )
    fates = trace(found)
    made = [_with_ground(LineageRecord(fate, before.n), before.tiling, former_ground) for fate in fates]
    dead = {code: r.ended for code, r in past.items() if code not in found.after and r.ended is not None}
    where = reader.lineage.ended(line, dead)
    gone = (_gone(past[code], ended, where.get(code), ground, present) for code, ended in dead.items())
    return [*made, *(replace(record, follows=before.n) for record in gone)]


def _names(plan: Plan) -> dict[str, str]:
    carved = {carved.code: carved.name for carved in plan.carve_outs}
    return {grid.code: grid.name for grid in plan.grids} | carved


def _with_ground(record: LineageRecord, tiling: str, former: _Side) -> LineageRecord:
    if record.fate.alive:
        return record
    return replace(record, ground=Ended(tiling, former.rows_of(record.fate.code)))


def _gone(
    past: LineageRecord, ended: int, where: Ended | None, ground: _Ground, present: _Side
) -> LineageRecord:
    flows: tuple[Flow, ...] = ()
    if where is not None:
        pairs = ground.pairs(where.tiling)
        flows = _flows_of(past.fate.code, where.rows, present, pairs)
    return LineageRecord(replace(past.fate, kind="gone", successors=flows, origins=()), None, ended)


@dataclass(frozen=True)
class _Turnable(Pairs):
    """Pieces of ground which can be looked at from both sides."""

    @property
    def turned(self) -> _Turnable:
        return _Turnable(self.after, self.before, self.cells, self.customers)

    @cached_property
    def _sorted(self) -> tuple[Ints, Ints]:
        order = np.argsort(self.before, kind="stable")
        return order, self.before[order]

    def of(self, rows: Ints) -> Pairs:
        """Those which were in some cells, found without a look at all others."""
        order, cells = self._sorted
        start, end = (np.searchsorted(cells, rows, side) for side in ("left", "right"))
        number = end - start
        skipped = np.repeat(start - np.cumsum(number) + number, number)
        at = order[skipped + np.arange(number.sum())]
        return Pairs(self.before[at], self.after[at], self.cells[at], self.customers[at])


class _Side:
    """Who holds what in one of two states."""

    def __init__(self, plan: Plan, tiling: Tiling) -> None:
        self.plan, self._tiling = plan, tiling
        self.codes = [grid.code for grid in plan.grids]

    def labels(self, rows: Ints) -> Ints:
        """Position of the grid of each row; -1 for none, as for the row -1."""
        return self._padded[rows]

    @cached_property
    def _padded(self) -> Ints:
        return np.append(self.plan.labels, -1).astype(np.int64)

    @cached_property
    def carved(self) -> dict[str, CarveOut]:
        return {carved.code: carved for carved in self.plan.carve_outs}

    def rows_of(self, code: str) -> Ints:
        """The cells of a grid, or those which the outline of a carve-out meets."""
        if code in self.carved:
            return np.flatnonzero(shapely.intersects(self._tiling.geometry, self.carved[code].polygon))
        return np.flatnonzero(self.plan.labels == self.codes.index(code))


def _flows(one: _Side, other: _Side, pairs: _Turnable) -> dict[str, tuple[Flow, ...]]:
    """Where the ground of one side's grids and carve-outs lies on the other side."""
    mine, theirs = one.labels(pairs.before), other.labels(pairs.after)
    found = flows_between(one.codes, other.codes, mine, theirs, pairs)
    for code in one.carved:
        flows = _flows_of(code, one.rows_of(code), other, pairs)
        if code in other.carved:  # drawn anew or not, what is carved out stays itself
            total = sum(f.cells for f in flows), sum(f.customers for f in flows)
            flows = (Flow(code, *total),)
        found[code] = flows
    return found


def _flows_of(code: str, rows: Ints, other: _Side, pairs: _Turnable) -> tuple[Flow, ...]:
    part = pairs.of(rows)
    mine = np.zeros(len(part.before), np.int64)
    return flows_between([code], other.codes, mine, other.labels(part.after), part)[code]


class _Ground:
    """Pieces of ground between the tiling of a publication and others."""

    def __init__(
        self,
        reader: Reader,
        record: PublicationRecord,
        tiling: Tiling,
        heads: NDArray[np.float64] | None,
    ) -> None:
        self._reader, self._record, self._tiling, self._heads = reader, record, tiling, heads
        self._pairs: dict[str, _Turnable] = {}
        self._others: dict[str, Tiling] = {}

    def tiling_of(self, tiling: str) -> Tiling:
        if tiling == self._record.tiling:
            return self._tiling
        if tiling not in self._others:
            self._others[tiling] = self._reader.tilings.load(tiling)
        return self._others[tiling]

    def pairs(self, tiling: str) -> _Turnable:
        """Ground by its cells of `tiling` and of the publication's own."""
        if tiling not in self._pairs:
            same = tiling == self._record.tiling
            self._pairs[tiling] = self._within() if same else self._between(tiling)
        return self._pairs[tiling]

    def _within(self) -> _Turnable:
        rows = np.arange(len(self._tiling))
        heads = np.zeros(len(rows)) if self._heads is None else self._heads
        return _Turnable(rows, rows, np.ones_like(rows), heads.astype(np.int64))

    def _between(self, tiling: str) -> _Turnable:
        """The finer cells by a point of each, and the customers which both tilings know."""
        other = self.tiling_of(tiling)
        fine, coarse = (other, self._tiling) if len(other) >= len(self._tiling) else (self._tiling, other)
        points = shapely.point_on_surface(fine.geometry)
        mine, theirs = (
            np.arange(len(fine)),
            Locator(coarse).rows(shapely.get_x(points), shapely.get_y(points)),
        )
        before, after = (mine, theirs) if fine is other else (theirs, mine)
        was, now = self._customers(tiling)
        one, none = np.ones(len(fine), np.int64), np.zeros(len(was), np.int64)
        return _Turnable(
            np.concatenate([before, was]),
            np.concatenate([after, now]),
            np.concatenate([one, none]),
            np.concatenate([np.zeros(len(fine), np.int64), none + 1]),
        )

    def _customers(self, tiling: str) -> tuple[Ints, Ints]:
        """Cell of each customer whom the live imports of both tilings know, in either."""
        known = []
        for name in (tiling, self._record.tiling):
            live = self._reader.customers.live_import(self._record.territory, name)
            known.append({} if live is None else self._cell_of(live.id))
        both = [key for key in known[0] if key in known[1]]
        was, now = (np.array([cell_of[key] for key in both], np.int64) for cell_of in known)
        return was, now

    def _cell_of(self, live: str) -> dict[str, int]:
        ids, cells = self._reader.customers.index(live)
        return dict(zip(ids.tolist(), cells.tolist(), strict=True))
