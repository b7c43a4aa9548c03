"""Two plans of one tiling side by side: what goes from whom to whom, and each grid before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.plans.plan import Grid, Plan
from gridsvc.plans.summary import grid_shapes, grid_totals

__all__ = ["Amounts", "Comparison", "Flow", "GridChange", "Ground", "Sides", "Targets", "compare"]

Floats = NDArray[np.float64]
Targets = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Amounts:
    """So many cells, and what they hold.

    Attributes
    ----------
    values : mapping of name to float, in the units given to `compare`
    """

    cells: int
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Flow:
    """What goes from one owner to another; None stands for nobody."""

    source: str | None
    target: str | None
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Sides:
    """A number before and after; None where there is no such grid, or no target to deviate from."""

    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class GridChange:
    """One grid before and after.

    Attributes
    ----------
    before, after : Grid or None
        None where the plan has no grid of this code.
    cells : Sides
    values : mapping of name to Sides
        Totals; 0 where there is no such grid.
    deviation : mapping of name to Sides
        Relative to the target (0.05 is 5 % above), for names with targets.
    shape : Sides
        1 is a disc.
    """

    code: str
    before: Grid | None
    after: Grid | None
    cells: Sides
    values: Mapping[str, Sides]
    deviation: Mapping[str, Sides]
    shape: Sides


@dataclass(frozen=True, slots=True)
class Ground:
    """The cells: x, y in metres and area in square metres, float64 arrays of shape (n_cells,)."""

    x: Floats
    y: Floats
    area: Floats


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two plans side by side.

    Attributes
    ----------
    total : Amounts
        All cells.
    moved, handed_over : Amounts
        What is in another grid, and what another team answers for (a grid may change its team as a whole).
    grid_flows, team_flows : tuple of Flow
        The same from whom to whom, largest first.
    grids : tuple of GridChange
        All grids of either plan, by code.
    rows : int64 array, shape (n_moved,)
        The cells which are in another grid.
    """

    total: Amounts
    moved: Amounts
    handed_over: Amounts
    grid_flows: tuple[Flow, ...]
    team_flows: tuple[Flow, ...]
    grids: tuple[GridChange, ...]
    rows: NDArray[np.int64]


def compare(
    before: Plan,
    after: Plan,
    amounts: Mapping[str, Floats],
    ground: Ground,
    targets: tuple[Targets, Targets] = ({}, {}),
) -> Comparison:
    """Compare two plans of the same cells; grids are the same where their codes are.

    Parameters
    ----------
    amounts : mapping of name to float64 array, shape (n_cells,)
        What is added up, the most important first: flows are sorted by it.
    targets : (mapping, mapping)
        Before and after: target by grid code and name.
    """
    every = np.arange(len(before.labels))
    codes = [[grid.code for grid in plan.grids] for plan in (before, after)]
    teams = [[grid.team for grid in plan.grids] for plan in (before, after)]
    moved, flows = _flows(before, after, codes, amounts)
    handed, team_flows = _flows(before, after, teams, amounts)
    return Comparison(
        _sum(every, amounts),
        _sum(moved, amounts),
        _sum(handed, amounts),
        flows,
        team_flows,
        _changes(before, after, amounts, ground, targets),
        moved,
    )


def _sum(rows: NDArray[np.int64], amounts: Mapping[str, Floats]) -> Amounts:
    return Amounts(len(rows), {name: float(values[rows].sum()) for name, values in amounts.items()})


def _flows(
    before: Plan, after: Plan, owners: Sequence[Sequence[str | None]], amounts: Mapping[str, Floats]
) -> tuple[NDArray[np.int64], tuple[Flow, ...]]:
    """Cells whose owner is another one, and what goes from whom to whom."""
    names: list[str | None] = [None, *sorted({name for side in owners for name in side if name is not None})]
    number = {name: at for at, name in enumerate(names)}
    old, new = (
        np.array([*(number[name] for name in side), 0])[plan.labels]  # -1 picks the last: nobody
        for side, plan in zip(owners, (before, after), strict=True)
    )
    rows = np.flatnonzero(old != new)
    pairs, which = np.unique(old[rows] * len(names) + new[rows], return_inverse=True)
    cells = np.bincount(which, minlength=len(pairs))
    sums = {name: np.bincount(which, values[rows], len(pairs)) for name, values in amounts.items()}
    flows = [
        Flow(
            names[pair // len(names)],
            names[pair % len(names)],
            Amounts(int(cells[at]), {name: float(values[at]) for name, values in sums.items()}),
        )
        for at, pair in enumerate(pairs.tolist())
    ]
    return rows, tuple(sorted(flows, key=_size, reverse=True))


def _size(flow: Flow) -> tuple[float, int]:
    return next(iter(flow.amounts.values.values()), 0.0), flow.amounts.cells


@dataclass(frozen=True, slots=True)
class _Side:
    """One of the plans by grid code."""

    grids: Mapping[str, Grid]
    cells: Mapping[str, float]
    totals: Mapping[str, Mapping[str, float]]
    shape: Mapping[str, float]
    targets: Targets

    def total(self, code: str, name: str) -> float:
        return self.totals[name].get(code, 0.0)

    def deviation(self, code: str, name: str) -> float | None:
        target = self.targets.get(code, {}).get(name)
        return self.total(code, name) / target - 1 if target and code in self.grids else None


def _side(plan: Plan, amounts: Mapping[str, Floats], ground: Ground, targets: Targets) -> _Side:
    codes = [grid.code for grid in plan.grids]
    shapes = grid_shapes(plan, ground.x, ground.y, ground.area)
    counts = np.bincount(plan.labels[plan.labels >= 0], minlength=len(codes))
    totals = grid_totals(plan, amounts)
    return _Side(
        dict(zip(codes, plan.grids, strict=True)),
        dict(zip(codes, counts.tolist(), strict=True)),
        {name: dict(zip(codes, values.tolist(), strict=True)) for name, values in totals.items()},
        {code: float(shape) for code, shape in zip(codes, shapes, strict=True) if np.isfinite(shape)},
        targets,
    )


def _changes(
    before: Plan,
    after: Plan,
    amounts: Mapping[str, Floats],
    ground: Ground,
    targets: tuple[Targets, Targets],
) -> tuple[GridChange, ...]:
    a, b = _side(before, amounts, ground, targets[0]), _side(after, amounts, ground, targets[1])
    aimed = [name for name in amounts if any(name in wants for side in targets for wants in side.values())]
    return tuple(
        GridChange(
            code,
            a.grids.get(code),
            b.grids.get(code),
            Sides(a.cells.get(code), b.cells.get(code)),
            {name: Sides(a.total(code, name), b.total(code, name)) for name in amounts},
            {name: Sides(a.deviation(code, name), b.deviation(code, name)) for name in aimed},
            Sides(a.shape.get(code), b.shape.get(code)),
        )
        for code in sorted(a.grids.keys() | b.grids.keys())
    )
