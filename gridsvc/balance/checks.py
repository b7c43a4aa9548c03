"""What a problem must fulfil before it is solved; each fault is named with its place and its cure."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.graph import links_between_islands, open_pairs, parts_of
from gridsvc.balance.ground import require_ground
from gridsvc.balance.locks import require_locks
from gridsvc.balance.metrics import check
from gridsvc.balance.problem import Past, Problem, Solution
from gridsvc.errors import InvalidInput

__all__ = ["require"]

_NAMED = 5  # faults named in a message


def require(problem: Problem) -> None:
    """Refuse a problem which cannot be meant.

    Looks at each number on its own, at limits a grid could never keep, at seeds and locks (against each
    other, parents, the parts of the graph, and the cells between them) and at the plan to start from. Limits
    which cannot all be kept at once are not refused: the best plan and its explanation tell about them.

    Raises
    ------
    InvalidInput
        `row` counts cells from 1, or grids where `field` is a table of grids; `details` has the rest.
    """
    require_ground(problem)
    _require_options(problem)
    _require_cells(problem)
    _require_table(problem, problem.targets, "targets", 0.0, np.finfo(np.float64).max)
    _require_measures(problem)
    _require_limits(problem)
    if problem.past is not None:
        _require_past(problem, problem.past)
    require_locks(problem)
    _require_start(problem)


def _require_options(problem: Problem) -> None:
    wrong = [
        ("compactness", not 0 <= problem.compactness <= 100, "give 0 (balance only) to 100 (shape first)"),
        ("objective", problem.objective not in ("balanced", "inertia", "cut"), "balanced, inertia or cut"),
        ("islands", problem.islands not in ("keep", "attach"), "keep or attach"),
        ("sweeps", problem.sweeps is not None and problem.sweeps < 1, "give 1 or more"),
        ("time_limit", problem.time_limit is not None and not problem.time_limit > 0, "give seconds above 0"),
    ]
    for field, bad, cure in wrong:
        if bad:
            raise InvalidInput(f"{getattr(problem, field)!r} is no {field}", field=field, cure=cure)


def _require_cells(problem: Problem) -> None:
    if problem.weights.shape != (problem.n, len(problem.measures)):
        raise InvalidInput(
            f"the measures are not {problem.n} x {len(problem.measures)} numbers",
            field="measures",
            cure="give one number for each cell and measure",
        )
    bad = np.argwhere(~(np.isfinite(problem.weights) & (problem.weights >= 0)))
    if len(bad):
        row, column = bad[0]
        raise InvalidInput(
            f"{problem.weights[row, column]} is not a quantity",
            row=int(row) + 1,
            field=problem.measures[column],
            cure="give a number of 0 or more for each cell",
        )
    off = np.flatnonzero(~(np.isfinite(problem.x) & np.isfinite(problem.y)))
    if len(off):
        raise InvalidInput(
            "the cell has no place",
            row=int(off[0]) + 1,
            field="x, y",
            cure="give two numbers in metres for each cell",
        )
    if problem.parent is not None and problem.parent.shape != (problem.n,):
        raise InvalidInput(
            f"parents are given for {len(problem.parent)} of {problem.n} cells",
            field="parent",
            cure="give one for each cell",
        )


def _require_table(problem: Problem, table: NDArray[np.float64], field: str, low: float, high: float) -> None:
    """Numbers from `low` to `high`, one for each grid and measure."""
    shape = (problem.k, len(problem.measures))
    cure = f"give {shape[0]} x {shape[1]} numbers of 0 or more"
    if np.shape(table) != shape:
        raise InvalidInput(
            f"the {field} are not one number for each grid and measure", field=field, cure=cure
        )
    bad = np.argwhere(~((table >= low) & (table <= high)))
    if len(bad):
        grid, column = bad[0]
        raise InvalidInput(
            f"{table[grid, column]} is not a number for {problem.measures[column]} of grid {grid + 1}",
            row=int(grid) + 1,
            field=field,
            cure=cure,
            measure=problem.measures[column],
        )


def _require_measures(problem: Problem) -> None:
    rows: list[tuple[str, NDArray[np.float64] | None, str]] = [
        ("tolerance", problem.tolerance, "write 5% or 0.05"),
        ("importance", problem.importance, "give 1 for each measure, more for one"),
    ]
    for field, values, cure in rows:
        if values is None:
            continue
        if np.shape(values) != (len(problem.measures),):
            raise InvalidInput(f"there is not one {field} for each measure", field=field, cure=cure)
        bad = np.flatnonzero(~((values >= 0) & np.isfinite(values)))
        if len(bad):
            raise InvalidInput(
                f"{values[bad[0]]} is not a number of 0 or more for {problem.measures[bad[0]]}",
                field=field,
                cure=cure,
                measure=problem.measures[bad[0]],
            )


def _require_limits(problem: Problem) -> None:
    if problem.low is not None:
        _require_table(problem, problem.low, "low", -np.inf, np.finfo(np.float64).max)
        total = problem.weights.sum(axis=0)
        # Totals are sums over grids, so the last digits may differ.
        above = np.argwhere(problem.low > total * (1 + 1e-9))
        if len(above):
            grid, column = above[0]
            raise InvalidInput(
                f"grid {grid + 1} must have at least {problem.low[grid, column]:g} of "
                f"{problem.measures[column]} but the whole territory has {total[column]:g}",
                row=int(grid) + 1,
                field="low",
                cure=f"give a limit of at most {total[column]:g}",
                measure=problem.measures[column],
            )
    if problem.high is not None:
        _require_table(problem, problem.high, "high", 0.0, np.inf)
    low, high = problem.band()
    crossed = np.argwhere(low > high)
    if len(crossed):
        grid, column = crossed[0]
        # A limit that is not given follows from the target and its tolerance.
        lower = "its target less tolerance, " if problem.low is None else ""
        upper = "its target plus tolerance, " if problem.high is None else ""
        raise InvalidInput(
            f"grid {grid + 1} must have at least {lower}{low[grid, column]:g} and at most "
            f"{upper}{high[grid, column]:g} of {problem.measures[column]}",
            row=int(grid) + 1,
            field="high" if problem.low is None else "low",
            cure="give a lower limit that is not above the upper one",
            measure=problem.measures[column],
        )


def _require_past(problem: Problem, past: Past) -> None:
    _require_column(problem, past.home, "home", (past.home >= -1) & (past.home < problem.k), "a grid or -1")
    for field, values in (("load", past.load), ("cost", past.cost)):
        _require_column(problem, values, field, (values >= 0) & np.isfinite(values), "a number of 0 or more")
    if not (past.most >= 0 and past.price >= 0):
        raise InvalidInput(
            "the allowance and the price of moves are not numbers of 0 or more",
            field="max_disruption",
            cure="write 10% or 0.1",
        )


def _require_column(
    problem: Problem,
    values: NDArray[np.float64] | NDArray[np.int32],
    field: str,
    good: NDArray[np.bool_],
    what: str,
) -> None:
    if good.shape != (problem.n,):
        raise InvalidInput(
            f"{field} is given for {len(values)} of {problem.n} cells", field=field, cure="give one for each"
        )
    if not good.all():
        row = int(np.argmin(good))
        raise InvalidInput(
            f"{values[row]} is not {what}", row=row + 1, field=field, cure=f"give {what} for each cell"
        )


def _require_start(problem: Problem) -> None:
    if problem.start is None:
        return
    faults = check(problem, Solution(problem.start, {"links": _links(problem)}))
    if faults:
        raise InvalidInput(
            f"the plan to start from is not valid: {'; '.join(faults[:_NAMED])}",
            field="start",
            cure="give a plan whose grids are complete and connected",
        )
    anchors = problem.anchors()
    wrong = np.flatnonzero((anchors >= 0) & (anchors != problem.start))
    if len(wrong):
        named = [
            f"row {i + 1} is in grid {problem.start[i] + 1}, not {anchors[i] + 1}" for i in wrong[:_NAMED]
        ]
        raise InvalidInput(
            f"the plan to start from contradicts {len(wrong)} lock(s) or seed(s): {'; '.join(named)}",
            row=int(wrong[0]) + 1,
            field="start",
            cure="change the plan or take the locks away",
            rows=(wrong + 1).tolist(),
        )


def _links(problem: Problem) -> list[dict[str, float]]:
    if problem.islands != "attach":
        return []
    _, part = parts_of(problem.n, open_pairs(problem))
    return [asdict(link) for link in links_between_islands(problem, part)]
