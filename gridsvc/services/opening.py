"""Opening a draft: from what is stored to running sums and to what each grid should have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.draft import Change, Draft
from gridsvc.plans.figures import Figures, Wanted
from gridsvc.plans.goals import goals_of
from gridsvc.plans.live import Ground, Live, Reach
from gridsvc.plans.locks import Lock, locks_of
from gridsvc.plans.plan import Grid
from gridsvc.services.amounts import columns_of, weights_of
from gridsvc.services.request import SolveRequest, request_from
from gridsvc.store.records import MeasureRecord, PlanHead, PlanRecord
from gridsvc.tiling.barriers import cut
from gridsvc.tiling.tiling import Tiling

__all__ = ["Cells", "Opened", "Version", "open_draft"]


class Cells:
    """The cells of a tiling by their ids, without outlines.

    Parameters
    ----------
    tiling : Tiling
    """

    def __init__(self, tiling: Tiling) -> None:
        self.tiling = tiling

    def __len__(self) -> int:
        return len(self.tiling)

    @cached_property
    def names(self) -> list[str]:
        """The cells' ids in the order of rows."""
        return self.tiling.names()

    @cached_property
    def row_of(self) -> dict[str, int]:
        """Row of each cell by its id."""
        return {name: row for row, name in enumerate(self.names)}


@dataclass(frozen=True, slots=True)
class Version:
    """What an opened draft was made of beside its moves; with another one it must be opened anew.

    Attributes
    ----------
    labels : int
        Revision of the base assignment.
    measures : tuple of int
    day : date or None
        Where there are locks, which may expire.
    """

    labels: int
    measures: tuple[int, ...]
    day: date | None = None


@dataclass(frozen=True)
class Opened:
    """A draft with its running sums.

    Attributes
    ----------
    grids : tuple of Grid
        By their places, those left out among them.
    optional : bool array, shape (k,)
        Grids which are left out while they have no cells.
    locks : mapping of row to Lock
    """

    head: PlanHead
    version: Version
    cells: Cells
    ground: Ground
    grids: tuple[Grid, ...]
    optional: NDArray[np.bool_]
    draft: Draft
    live: Live
    wanted: Wanted
    locks: Mapping[int, Lock]

    @cached_property
    def shown(self) -> NDArray[np.bool_]:
        """Grids which are not left out: bool array, shape (k,)."""
        return ~self.optional | (self.live.cells > 0)

    @cached_property
    def figures(self) -> Figures:
        """The figures of its grids."""
        return Figures(self.live, self.wanted, self.shown)

    def changed(self, change: Change, head: PlanHead) -> Opened:
        """The draft after `change`, which brought the plan to `head`."""
        draft = self.draft.changed(change, head.revision)
        live = self.live.changed(self.ground, change, self.draft.labels, draft.labels)
        return replace(self, head=head, draft=draft, live=live)

    def with_grids(self, grids: tuple[Grid, ...], optional: NDArray[np.bool_]) -> Opened:
        """The draft with other names and teams of its grids, and with new grids behind them."""
        new = grids[len(self.grids) :]
        live, wanted = self.live, self.wanted
        if new:
            live, wanted = live.grown([not grid.carve_out for grid in new]), wanted.grown(len(new))
        return replace(self, grids=grids, optional=optional, live=live, wanted=wanted)

    def report(self, stored: Mapping[str, Any] | None) -> dict[str, Any]:
        """The stored report with the figures as they are now.

        What explained the solve (``explanation``, ``binding``) is no longer true of the plan, and left off.
        """
        kept = dict(stored or {})
        kept.pop("explanation", None)
        entries = {entry["code"]: entry for entry in kept.get("grids", [])}
        now = self.figures.entries(enumerate(self.grids))
        lasting = ("locked", "locked_cells")
        grids = [
            {**{n: v for n, v in entries.get(entry["code"], {}).items() if n in lasting}, **entry}
            for entry in now
        ]
        return {**kept, "overall": self.figures.overall(), "grids": grids}


def open_draft(
    head: PlanHead,
    record: PlanRecord,
    stored: tuple[NDArray[np.int32], tuple[Grid, ...], NDArray[np.bool_]],
    cells: Cells,
    measures: Mapping[str, MeasureRecord],
    version: Version,
) -> Opened:
    """Make an opened draft of what is stored.

    Parameters
    ----------
    record : PlanRecord
        Its parameters and report; labels and grids do not matter.
    stored : (labels, grids, optional)
        By places, all moves made.
    cells : Cells
        With outlines, where barriers run between polygons.
    """
    labels, grids, optional = stored
    request = request_from(record.params, record.seed or 0)
    report = record.report or {}
    ground = _ground(cells.tiling, measures, request, report)
    live = Live.opened(ground, labels, [not grid.carve_out for grid in grids], _reach(report, grids, cells))
    return Opened(
        head=head,
        version=version,
        cells=cells,
        ground=ground,
        grids=grids,
        optional=optional,
        draft=Draft.opened(labels, head.revision),
        live=live,
        wanted=_wanted(request, report, grids, live),
        locks=_locks(request, cells.tiling, version.day),
    )


def _ground(
    tiling: Tiling, measures: Mapping[str, MeasureRecord], request: SolveRequest, report: Mapping[str, Any]
) -> Ground:
    columns = columns_of({name: measure.values for name, measure in measures.items()}, request)
    graph = (tiling if request.barriers is None else cut(tiling, request.barriers)).adjacency
    links = [(link["a"], link["b"]) for link in report.get("links", [])]
    return Ground(
        x=tiling.x - tiling.x.mean(),
        y=tiling.y - tiling.y.mean(),
        area=tiling.area,
        perimeter=tiling.perimeter,
        weights=weights_of(tiling, columns, request),
        indptr=graph.indptr,
        indices=graph.indices,
        border=graph.length,
        links=np.array(links, np.int64).reshape(-1, 2),
    )


def _reach(report: Mapping[str, Any], grids: Sequence[Grid], cells: Cells) -> dict[int, Reach]:
    seeds = report.get("parameters", {}).get("seeds", [])
    place = {grid.code: g for g, grid in enumerate(grids)}
    return {
        place[seed["grid"]]: Reach(cells.row_of[seed["cell"]], seed["radius"])
        for seed in seeds
        if seed["radius"] is not None and seed["grid"] in place
    }


def _wanted(request: SolveRequest, report: Mapping[str, Any], grids: Sequence[Grid], live: Live) -> Wanted:
    """What each grid should have: the targets of the report, or even ones, and the limits of the request."""
    measures = tuple(name for name, _ in request.balanced)
    given = {entry["code"]: entry.get("targets") or {} for entry in report.get("grids", [])}
    targets = np.array(
        [[given.get(grid.code, {}).get(name, np.nan) for name in measures] for grid in grids], np.float64
    ).reshape(len(grids), len(measures))
    balanced = live.balanced[:-1]
    targets[~balanced] = np.nan
    if np.isnan(targets).all() and balanced.any():
        targets[balanced] = live.loads[balanced, 1:].sum(axis=0) / np.count_nonzero(balanced)
    low, high = _limits(request, measures)
    own_low, own_high = (np.tile(row, (len(grids), 1)) for row in (low, high))
    if request.targets is not None:
        goals = goals_of(request.targets, measures)
        place = {grid.code: g for g, grid in enumerate(grids)}
        for row, code in enumerate(goals.grids):  # a table without codes says nothing of a single grid here
            if code in place:
                g = place[code]
                own_low[g] = np.where(np.isnan(goals.low[row]), own_low[g], goals.low[row])
                own_high[g] = np.where(np.isnan(goals.high[row]), own_high[g], goals.high[row])
    tolerance = np.array([tolerance for _, tolerance in request.balanced])
    return Wanted(measures, tolerance, targets, own_low, own_high, (low, high))


def _limits(
    request: SolveRequest, measures: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Limits of every grid as in `gridsvc.services.amounts.limits_of`; NaN where the tolerance counts."""
    low, high = np.full(len(measures), np.nan), np.full(len(measures), np.nan)
    for j, name in enumerate(measures):
        if name in request.limits or name in request.capacity:
            least, most = request.limits.get(name, (None, None))
            low[j] = -np.inf if least is None else least
            high[j] = min(np.inf if most is None else most, request.capacity.get(name, np.inf))
    return low, high


def _locks(request: SolveRequest, tiling: Tiling, day: date | None) -> dict[int, Lock]:
    if request.locks is None or day is None:
        return {}
    return {lock.cell: lock for lock in locks_of(request.locks, tiling, day)[0]}
