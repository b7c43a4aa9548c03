"""From what a planner wishes to the engine's problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.large import oversize
from gridsvc.balance.problem import Past, Problem
from gridsvc.errors import InvalidInput
from gridsvc.plans.goals import Goals, goals_of
from gridsvc.plans.locks import locks_of
from gridsvc.plans.plan import Grid
from gridsvc.plans.seeds import Seed, seeds_of
from gridsvc.services.amounts import columns_of, goals_in, limits_of, number_of_grids, weights_of
from gridsvc.services.areas import cells_listed, parents_of
from gridsvc.services.naming import Holds, fix, names_of, order_of, taken_seeds
from gridsvc.services.request import SolveRequest
from gridsvc.tiling.tiling import Tiling

__all__ = ["Columns", "Wish", "wish_of"]

Columns = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Wish:
    """A problem and what the engine need not know of it.

    Attributes
    ----------
    carved : bool array, shape (n,)
    large : list of dict
        Cells and accounts too large for a grid, as `gridsvc.balance.large.oversize` lists them.
    known : tuple of Grid
        The grids which have a code already, in label order.
    seeds : tuple of (Seed, int or None)
        Every seed and the grid built round it, if there is one.
    told : dict
        What belongs in the report's parameters.
    """

    problem: Problem
    carved: NDArray[np.bool_]
    large: list[dict[str, Any]]
    known: tuple[Grid, ...]
    seeds: tuple[tuple[Seed, int | None], ...]
    told: dict[str, Any]


def wish_of(
    tiling: Tiling,
    measures: Columns,
    request: SolveRequest,
    largest: Mapping[str, NDArray[np.float64] | None] | None = None,
    today: date | None = None,
) -> Wish:
    """Make the problem of a request.

    Parameters
    ----------
    measures : mapping of name to float64 array, shape (n_cells,)
    largest : mapping of name to float64 array, shape (n_cells,)
        The largest single account in each cell.
    today : date
        Locks which ended before are expired.

    Raises
    ------
    InvalidInput
        Naming the option, or file and row, and the cure.
    """
    columns = columns_of(measures, request)
    weights = weights_of(tiling, columns, request)
    names = tuple(name for name, _ in request.balanced)
    goals = None if request.targets is None else goals_of(request.targets, names)
    carved = cells_listed(tiling, request)
    parent, _ = parents_of(tiling, request.nest_in)
    left = None if parent is None else parent[~carved]
    k, why = number_of_grids(request, weights[~carved], goals, left, _old_names(request, carved))
    problem = _plain(tiling, request, weights, parent, k)
    large = oversize(problem, _stacked(problem, largest))
    if request.carve_out == "large":
        carved[[entry["cell_row"] for entry in large]] = True
        if request.former is not None:  # an old grid may be carved out as a whole
            k, _ = number_of_grids(request, weights[~carved], goals, None, _old_names(request, carved))
            problem = _plain(tiling, request, weights, parent, k)
    seeds = [] if request.seeds is None else seeds_of(request.seeds, tiling)
    day = today or datetime.now(UTC).date()
    locks, expired = ([], []) if request.locks is None else locks_of(request.locks, tiling, day)
    taken = taken_seeds(problem, seeds, carved)
    codes = names_of(k, _old_names(request, carved) or (), goals, taken, locks)
    problem = _with_amounts(problem, request, goals, codes, carved)
    home = _home(request, codes, carved)
    holds = Holds(taken, locks, codes, home, carved, request.seed_pull, goals is None)
    fixed = fix(problem, holds)
    problem = replace(
        problem, anchor=fixed.anchor, pins=fixed.pins, past=_past(problem, request, columns, home, carved)
    )
    told = {
        "arithmetic": why,
        "score": {score.name: score.told(columns) for score in request.scores},
        "locks": {"cells": len(locks), "expired": expired},
    }
    built = tuple((seed, fixed.seeds.get(seed.row)) for seed in seeds)
    return Wish(problem, carved, large, _known(request, codes), built, told)


def _plain(
    tiling: Tiling,
    request: SolveRequest,
    weights: NDArray[np.float64],
    parent: NDArray[np.int32] | None,
    k: int,
) -> Problem:
    """The problem with even targets and without what is told cell by cell."""
    importance = np.array([request.importance.get(name, 1.0) for name, _ in request.balanced])
    return Problem(
        indptr=tiling.adjacency.indptr,
        indices=tiling.adjacency.indices,
        border=tiling.adjacency.length,
        x=tiling.x,
        y=tiling.y,
        area=tiling.area,
        perimeter=tiling.perimeter,
        weights=weights,
        measures=tuple(name for name, _ in request.balanced),
        k=k,
        targets=np.tile(weights.sum(axis=0) / max(k, 1), (max(k, 0), 1)),
        tolerance=np.array([tolerance for _, tolerance in request.balanced]),
        parent=parent,
        islands=request.islands,
        seed=request.seed,
        compactness=request.compactness,
        objective=request.objective,
        sweeps=request.sweeps,
        time_limit=request.time_limit,
        importance=importance if request.importance else None,
    )


def _with_amounts(
    problem: Problem, request: SolveRequest, goals: Goals | None, codes: list[str], carved: NDArray[np.bool_]
) -> Problem:
    if goals is not None and request.targets is not None:
        goals = goals_in(goals, order_of(goals, codes, request.targets.source))
        problem = replace(problem, targets=np.where(np.isnan(goals.targets), problem.targets, goals.targets))
    return limits_of(problem, request, goals, carved)


def _stacked(
    problem: Problem, largest: Mapping[str, NDArray[np.float64] | None] | None
) -> NDArray[np.float64] | None:
    if not largest:
        return None
    nothing = np.zeros(problem.n)
    columns = [largest.get(name) for name in problem.measures]
    return np.column_stack([nothing if column is None else column for column in columns])


def _old_names(request: SolveRequest, carved: NDArray[np.bool_]) -> list[str] | None:
    """Codes of the old grids which have cells left to balance."""
    if request.former is None:
        return None
    plan = request.former.old.plan
    there = set(plan.labels[~carved].tolist())
    return [grid.code for position, grid in enumerate(plan.grids) if position in there]


def _home(request: SolveRequest, codes: list[str], carved: NDArray[np.bool_]) -> NDArray[np.int32] | None:
    if request.former is None:
        return None
    plan = request.former.old.plan
    number = {code: g for g, code in enumerate(codes)}
    of_old = np.array([*(number.get(grid.code, -1) for grid in plan.grids), -1], np.int32)
    return np.where(carved, -1, of_old[plan.labels]).astype(np.int32)


def _past(
    problem: Problem,
    request: SolveRequest,
    columns: Columns,
    home: NDArray[np.int32] | None,
    carved: NDArray[np.bool_],
) -> Past | None:
    former = request.former
    if former is None or home is None:
        return None
    load = problem.weights[:, 0].copy()
    most = former.most * float(load[~carved].sum())
    return Past(home, load, _cost(former.cost, columns, problem.n), most)


def _cost(name: str | None, columns: Columns, n: int) -> NDArray[np.float64]:
    if name is None:
        return np.ones(n)
    if name not in columns:
        raise InvalidInput(
            f"no column of numbers {name!r}",
            field="move-cost",
            cure=f"there are {', '.join(columns) or 'none'}",
        )
    if not (np.isfinite(columns[name]) & (columns[name] >= 0)).all():
        raise InvalidInput(
            f"{name!r} has values which are no costs", field="move-cost", cure="give 0 or more"
        )
    return np.asarray(columns[name], np.float64)


def _known(request: SolveRequest, codes: list[str]) -> tuple[Grid, ...]:
    old = {} if request.former is None else {grid.code: grid for grid in request.former.old.plan.grids}
    return tuple(old.get(code, Grid(code, "")) for code in codes)
