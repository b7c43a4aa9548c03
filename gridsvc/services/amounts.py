"""How much: measures and scores, the number of grids, targets and limits of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.problem import Problem
from gridsvc.balance.targets import A_LITTLE_ABOVE, nested_k, suggest_k
from gridsvc.errors import InvalidInput
from gridsvc.plans.goals import Goals
from gridsvc.services.request import SolveRequest
from gridsvc.tiling.tiling import Tiling

__all__ = ["columns_of", "goals_in", "limits_of", "number_of_grids", "weights_of"]

Columns = Mapping[str, NDArray[np.float64]]


def columns_of(measures: Columns, request: SolveRequest) -> dict[str, NDArray[np.float64]]:
    """The cells' columns of numbers with the request's scores among them.

    Raises
    ------
    InvalidInput
        A score of a name that is taken, or of columns that cannot be weighed.
    """
    found = dict(measures)
    for score in request.scores:
        if score.name in found:
            raise InvalidInput(
                f"there is a column {score.name!r} already", field="score", cure="give the score another name"
            )
        found[score.name] = score.values(measures)
    return found


def weights_of(tiling: Tiling, columns: Columns, request: SolveRequest) -> NDArray[np.float64]:
    """The measures to balance: float64 array, shape (n_cells, m).

    Raises
    ------
    InvalidInput
        No such column, a value which is no quantity (with its cell), or an option for another measure.
    """
    names = [name for name, _ in request.balanced]
    for field, given in (
        ("limit", request.limits),
        ("weight", request.importance),
        ("capacity", request.capacity),
    ):
        for name in given:
            if name not in names:
                cure = f"the measures are {', '.join(names)}"
                raise InvalidInput(f"{name!r} is not balanced", field=field, cure=cure)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInput(f"{twice!r} stands twice", field="measure", cure="name each measure once")
    for name in names:
        if name not in columns:
            raise _no_measure(tiling, columns, name)
    weights = np.empty((len(tiling), len(names)))
    for column, name in enumerate(names):
        weights[:, column] = columns[name]
    bad = np.argwhere(~(np.isfinite(weights) & (weights >= 0)))
    if len(bad):
        row, column = bad[0].tolist()
        raise InvalidInput(
            f"cell {tiling.names()[row]} has {weights[row, column]:g}, which is no quantity",
            field=names[column],
            cure="give a number of 0 or more for each cell",
        )
    return weights


def _no_measure(tiling: Tiling, columns: Columns, name: str) -> InvalidInput:
    if name in tiling.columns:
        for cell, value in zip(tiling.names(), tiling.columns[name].tolist(), strict=True):
            if not _is_number(value):
                said = f"cell {cell} has {value!r}, which is no number"
                return InvalidInput(said, field=name, cure="give a number of 0 or more for each cell")
        said = "is a column of codes, some with a 0 in front"
        return InvalidInput(said, field=name, cure="take the zeros in front away, if these are numbers")
    return InvalidInput(
        f"no measure {name!r} on these cells",
        field="measure",
        cure=f"there are {', '.join(columns) or 'none'}",
    )


def _is_number(value: object) -> bool:
    try:
        return isfinite(float(str(value)))
    except ValueError:
        return False


def number_of_grids(
    request: SolveRequest,
    weights: NDArray[np.float64],
    goals: Goals | None,
    parent: NDArray[np.int32] | None,
    old: Sequence[str] | None,
) -> tuple[int, dict[str, Any] | None]:
    """Number of grids, and the arithmetic behind it where it was not given.

    Parameters
    ----------
    weights : float64 array, shape (n_left, m)
        Of the cells which are not carved out.
    parent : int32 array, shape (n_left,), or None
        Their districts, which no grid crosses.
    old : sequence of str or None
        Codes of the old plan's grids.

    Raises
    ------
    InvalidInput
        Another number is asked for than the old plan or the targets have, or there is nothing to tell it.
    """
    given = {
        "the old plan": None if old is None else len(old),
        "the targets": None if goals is None else len(goals.grids),
    }
    asked = request.grids
    for what, count in given.items():
        if count is not None and asked is not None and count != asked:
            raise InvalidInput(
                f"{asked} grids asked for but {what} has {count}"
                if what == "the old plan"
                else f"{asked} grids asked for but {what} have {count} rows",
                field="grids",
                cure=f"ask for {count} or auto",
            )
        asked = count if asked is None else asked
    if asked is not None and (request.grids is not None or not request.capacity):
        return asked, None
    if asked is None and not request.capacity and parent is None:
        raise InvalidInput(
            "the number of grids can be taken from districts, a capacity, targets or an old plan only",
            field="grids",
            cure="give --grids K, or --nest-in the column of the districts, or --capacity",
        )
    k, why = _suggested(request, weights, parent)
    return (k if asked is None else asked), why


def _suggested(
    request: SolveRequest, weights: NDArray[np.float64], parent: NDArray[np.int32] | None
) -> tuple[int, dict[str, Any]]:
    names = [name for name, _ in request.balanced]
    totals = dict(zip(names, weights.sum(axis=0).tolist(), strict=True))
    districts = 0 if parent is None else len(np.unique(parent))
    k, why = suggest_k(totals, request.capacity, districts or None)
    if parent is None or not request.capacity:
        return k, why
    held = np.stack([np.bincount(parent, column) for column in weights.T], axis=1).astype(np.float64)
    held = held[np.bincount(parent) > 0]
    nested = nested_k(held, np.array([request.capacity.get(name, np.inf) for name in names]))
    near = districts <= nested <= A_LITTLE_ABOVE * districts
    return nested, {**why, "nested": nested, "near_districts": near}


def goals_in(goals: Goals, order: list[int]) -> Goals:
    """Targets with their rows in the order of the grids."""
    grids = tuple(goals.grids[row] for row in order)
    return Goals(grids, goals.targets[order], goals.low[order], goals.high[order])


def limits_of(
    problem: Problem, request: SolveRequest, goals: Goals | None, carved: NDArray[np.bool_]
) -> Problem:
    """The problem with the hard limits of its grids, where there are any.

    A limit or a capacity takes the place of its measure's tolerance; a row of the targets may say otherwise
    for its grid. Limits are absolute: they do not shrink with what is carved out, as targets do.
    """
    if goals is None and not request.limits and not request.capacity:
        return problem
    whole, left = problem.weights.sum(axis=0), problem.weights[~carved].sum(axis=0)
    targets = problem.targets * (left / np.where(whole > 0, whole, 1.0))
    low, high = targets * (1 - problem.tolerance), targets * (1 + problem.tolerance)
    for j, name in enumerate(problem.measures):
        if name in request.limits or name in request.capacity:
            least, most = request.limits.get(name, (None, None))
            low[:, j] = -np.inf if least is None else least
            high[:, j] = min(np.inf if most is None else most, request.capacity.get(name, np.inf))
    if goals is not None:
        low, high = (
            np.where(np.isnan(goals.low), low, goals.low),
            np.where(np.isnan(goals.high), high, goals.high),
        )
    return replace(problem, low=low, high=high)
