"""From a tiling with measures to a balanced plan with grid codes, for the command line and the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.carve import describe_carved, solve_with_carve_outs
from gridsvc.balance.large import oversize
from gridsvc.balance.problem import Problem
from gridsvc.balance.targets import even_targets, suggest_k
from gridsvc.errors import InvalidInput
from gridsvc.plans.codes import build_plan
from gridsvc.plans.plan import Plan
from gridsvc.progress import Progress, silent
from gridsvc.tiling.barriers import Barriers, cut
from gridsvc.tiling.tiling import Tiling

__all__ = ["SolveRequest", "Solved", "describe_plan", "request_grids", "solve_tiling"]


@dataclass(frozen=True, slots=True)
class SolveRequest:
    """What a plan should look like.

    Attributes
    ----------
    grids : int or None
        None takes the number from the districts of `nest_in`.
    measures : tuple of (str, float)
        Name and tolerance (0.05 is 5 %).
    nest_in : str or None
        Column of the tiling whose areas no grid may cross.
    carve_out : "large" or tuple of str
        Cells owned apart, by id; ``"large"`` takes those above half of a grid's target.
    barriers : Barriers or None
        Lines no grid crosses, beside those of the tiling.
    """

    grids: int | None
    measures: tuple[tuple[str, float], ...]
    nest_in: str | None = None
    carve_out: Literal["large"] | tuple[str, ...] = ()
    islands: Literal["keep", "attach"] = "keep"
    barriers: Barriers | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Solved:
    """A plan and the report on it."""

    plan: Plan
    report: dict[str, Any]


def solve_tiling(
    tiling: Tiling,
    measures: Mapping[str, NDArray[np.float64]],
    request: SolveRequest,
    *,
    largest: Mapping[str, NDArray[np.float64] | None] | None = None,
    word: str = "Grid",
    progress: Progress = silent,
) -> Solved:
    """Balance a tiling's cells into grids.

    Parameters
    ----------
    measures : mapping of name to float64 array, shape (n_cells,)
    largest : mapping of name to float64 array, shape (n_cells,)
        The largest single account in each cell, so that oversize accounts can be listed.
    word : str
        What grids are called in their names ("Grid 07").

    Raises
    ------
    InvalidInput
        An unknown measure, column or cell; more grids than cells; fewer than there are separate parts.
    """
    tiling = tiling if request.barriers is None else cut(tiling, request.barriers)
    problem = _problem(tiling, measures, request)
    large = oversize(problem, _stack_largest(problem, largest))
    carved = _carved(tiling, request, large)
    solution, balanced = solve_with_carve_outs(problem, carved, progress)
    parents = None if problem.parent is None else problem.parent
    plan = build_plan(
        solution.labels,
        balanced,
        tiling.x,
        tiling.y,
        parents=parents,
        parent_names=_parents(tiling, request.nest_in)[1],
        word=word,
    )
    names = tiling.names()
    for entry in large:
        row = entry.pop("cell_row")
        entry |= {"cell": names[row], "carved_out": carved is not None and bool(carved[row])}
    report = {**_by_code(solution.report, solution.labels, plan), "oversize": large}
    report["parameters"]["arithmetic"] = _arithmetic(tiling, measures, request)
    return Solved(plan, report)


def describe_plan(
    tiling: Tiling, measures: Mapping[str, NDArray[np.float64]], plan: Plan, request: SolveRequest
) -> dict[str, Any]:
    """The report on a plan made elsewhere, in the form `solve_tiling` gives."""
    problem = _problem(tiling, measures, request)
    carve_out = np.array([grid.carve_out for grid in plan.grids])
    position = np.cumsum(~carve_out) - 1  # engine labels: the balanced grids first, then the carve-outs
    position[carve_out] = request_grids(plan) + np.arange(int(carve_out.sum()))
    labels = position[plan.labels].astype(np.int32)
    return {**_by_code(describe_carved(problem, labels), labels, plan), "oversize": []}


def request_grids(plan: Plan) -> int:
    """Number of balanced grids of a plan."""
    return sum(not grid.carve_out for grid in plan.grids)


def _problem(tiling: Tiling, measures: Mapping[str, NDArray[np.float64]], request: SolveRequest) -> Problem:
    names = tuple(name for name, _ in request.measures)
    for name in names:
        if name not in measures:
            raise InvalidInput(
                f"no measure {name!r} on these cells",
                field="measure",
                cure=f"there are {', '.join(measures) or 'none'}",
            )
    weights = np.empty((len(tiling), len(names)))
    for column, name in enumerate(names):
        weights[:, column] = measures[name]
    k = request.grids or _grids_from_districts(tiling, request)
    return Problem(
        indptr=tiling.adjacency.indptr,
        indices=tiling.adjacency.indices,
        border=tiling.adjacency.length,
        x=tiling.x,
        y=tiling.y,
        area=tiling.area,
        perimeter=tiling.perimeter,
        weights=weights,
        measures=names,
        k=k,
        targets=even_targets(weights, k) if k > 0 else np.zeros((0, len(names))),
        tolerance=np.array([tolerance for _, tolerance in request.measures]),
        parent=_parents(tiling, request.nest_in)[0],
        islands=request.islands,
        seed=request.seed,
    )


def _parents(tiling: Tiling, column: str | None) -> tuple[NDArray[np.int32] | None, list[str] | None]:
    if column is None:
        return None, None
    if column not in tiling.columns:
        raise InvalidInput(
            f"no column {column!r} to nest in",
            field="nest-in",
            cure=f"there are {', '.join(tiling.columns) or 'none'}",
        )
    texts = [_text(value) for value in tiling.columns[column].tolist()]
    if "" in texts:
        cell = tiling.names()[texts.index("")]
        raise InvalidInput(f"cell {cell} has no {column}", field="nest-in", cure="fill the column in")
    names, parent = np.unique(np.array(texts, dtype=str), return_inverse=True)
    return parent.astype(np.int32), [str(name) for name in names]


def _text(value: object) -> str:
    """A code as people write it: 110101, not 110101.0; empty where it is missing."""
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.15g}"
    return str(value)


def _grids_from_districts(tiling: Tiling, request: SolveRequest) -> int:
    names = _parents(tiling, request.nest_in)[1]
    if names is None:
        raise InvalidInput(
            "the number of grids can be taken from districts only",
            field="grids",
            cure="give --grids K, or --nest-in the column of the districts",
        )
    return len(names)


def _arithmetic(
    tiling: Tiling, measures: Mapping[str, NDArray[np.float64]], request: SolveRequest
) -> dict[str, Any] | None:
    if request.grids is not None:
        return None
    districts = len(_parents(tiling, request.nest_in)[1] or [])
    return suggest_k({name: float(measures[name].sum()) for name, _ in request.measures}, None, districts)[1]


def _stack_largest(
    problem: Problem, largest: Mapping[str, NDArray[np.float64] | None] | None
) -> NDArray[np.float64] | None:
    if not largest:
        return None
    nothing = np.zeros(problem.n)
    columns = [largest.get(name) for name in problem.measures]
    return np.column_stack([nothing if column is None else column for column in columns])


def _carved(tiling: Tiling, request: SolveRequest, large: list[dict[str, Any]]) -> NDArray[np.bool_] | None:
    carved = np.zeros(len(tiling), bool)
    if request.carve_out == "large":
        carved[[entry["cell_row"] for entry in large]] = True
        return carved
    rows = {name: row for row, name in enumerate(tiling.names())} if request.carve_out else {}
    for position, cell in enumerate(request.carve_out, 1):
        if cell not in rows:
            raise InvalidInput(
                f"no cell {cell!r} to carve out",
                field="carve-out",
                row=position,
                cure="name cells of this tiling",
            )
        carved[rows[cell]] = True
    return carved


def _by_code(report: dict[str, Any], labels: NDArray[np.int32], plan: Plan) -> dict[str, Any]:
    """The engine's report with its grids in the plan's order, by code."""
    first = np.unique(plan.labels, return_index=True)[1]
    entries = {entry["grid"]: entry for entry in [*report["grids"], *report["carve_outs"]]}
    found = [
        {"code": grid.code, "name": grid.name, "carve_out": grid.carve_out, **entries[int(labels[cell])]}
        for grid, cell in zip(plan.grids, first, strict=True)
    ]
    for entry in found:
        del entry["grid"]
    kept = {name: value for name, value in report.items() if name not in {"grids", "carve_outs"}}
    return {**kept, "grids": found}
