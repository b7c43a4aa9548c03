"""From a tiling with measures to a balanced plan with grid codes, for the command line and the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.cache import load_engine
from gridsvc.balance.carve import describe_carved, put_back, solve_with_carve_outs
from gridsvc.balance.problem import Problem, Solution
from gridsvc.errors import InvalidInput
from gridsvc.plans.codes import build_plan
from gridsvc.plans.numbering import Numbering
from gridsvc.plans.plan import Grid, Plan
from gridsvc.progress import Progress, Watch, blind, silent
from gridsvc.services.areas import parents_of
from gridsvc.services.request import Former, SolveRequest
from gridsvc.services.telling import by_code, in_words_of, parameters_of
from gridsvc.services.wishes import Wish, wish_of
from gridsvc.tiling.barriers import cut
from gridsvc.tiling.tiling import Tiling

if TYPE_CHECKING:
    from gridsvc.balance.frontier import Frontier

__all__ = ["Choice", "Former", "SolveRequest", "Solved", "describe_plan", "request_grids", "solve_tiling"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several plans on offer.

    Attributes
    ----------
    figures : dict
        What it moves, how far it deviates and how compact it is, as the report's ``frontier`` lists them.
    """

    plan: Plan
    report: dict[str, Any]
    figures: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Solved:
    """A plan and the report on it; `choices` are all that were on offer, the plan among them."""

    plan: Plan
    report: dict[str, Any]
    choices: tuple[Choice, ...] = ()


def solve_tiling(
    tiling: Tiling,
    measures: Mapping[str, NDArray[np.float64]],
    request: SolveRequest,
    *,
    largest: Mapping[str, NDArray[np.float64] | None] | None = None,
    word: str = "Grid",
    numbering: Numbering | None = None,
    choices: bool = False,
    progress: Progress = silent,
    watch: Watch = blind,
) -> Solved:
    """Balance a tiling's cells into grids.

    Parameters
    ----------
    measures : mapping of name to float64 array, shape (n_cells,)
        All columns of numbers: those to balance, those of scores, the one of moving costs.
    largest : mapping of name to float64 array, shape (n_cells,)
        The largest single account in each cell, so that oversize accounts can be listed.
    word : str
        What grids are called in their names ("Grid 07").
    numbering : Numbering or None
        Gives new grids their codes; plain numbers where it is left out.
    choices : bool
        Whether to make several plans to choose from, by what moves or how compact they are.
    watch : Watch
        May look at the labels while one plan is made from scratch; carved-out cells have none.

    Raises
    ------
    InvalidInput
        A wish that cannot be read or contradicts another; more grids than cells; fewer than there are
        separate parts.
    """
    tiling = tiling if request.barriers is None else cut(tiling, request.barriers)
    wish = wish_of(tiling, measures, request, largest)
    loading = load_engine()
    fronts: list[Frontier] = []
    engine = _Chooser(fronts) if choices or wish.problem.past is not None else _Solver(wish.carved, watch)
    try:
        solution, _ = solve_with_carve_outs(wish.problem, wish.carved, progress, engine)
    except InvalidInput as error:
        cells = [name for name, out in zip(tiling.names(), wish.carved.tolist(), strict=True) if not out]
        districts = parents_of(tiling, request.nest_in)[1] or []
        raise in_words_of(error, cells, [grid.code for grid in wish.known], districts) from None
    seconds = solution.report["seconds"]
    seconds["import"] = seconds.get("import", 0.0) + loading
    solution.report.setdefault("truncated", False)
    maker = _Maker(tiling, request, wish, word, numbering)
    plan, report = maker.made(solution)
    options = fronts[0].options if choices else ()
    made = (Choice(*maker.made(_option(wish, o.labels, solution)), o.figures) for o in options)
    return Solved(plan, report, tuple(made))


class _Solver:
    """Finds one plan, and lets somebody look."""

    def __init__(self, carved: NDArray[np.bool_], watch: Watch) -> None:
        self._left, self._watch = np.flatnonzero(~carved), watch
        self._labels = np.full(len(carved), -1, np.int32)

    def __call__(self, problem: Problem, progress: Progress) -> Solution:
        from gridsvc.balance.engine import solve

        return solve(problem, progress, lambda labels: self._watch(lambda: self._whole(labels())))

    def _whole(self, labels: NDArray[np.int32]) -> NDArray[np.int32]:
        """Labels of all cells, those carved out among them."""
        self._labels[self._left] = labels
        return self._labels


class _Chooser:
    """Finds several plans in place of one, and keeps them all."""

    def __init__(self, found: list[Frontier]) -> None:
        self._found = found

    def __call__(self, problem: Problem, progress: Progress) -> Solution:
        from gridsvc.balance.frontier import trade_off
        from gridsvc.balance.realign import realign

        found = (trade_off if problem.past is None else realign)(problem, progress)
        self._found.append(found)
        return Solution(found.options[found.chosen].labels, found.report)


def _option(wish: Wish, labels: NDArray[np.int32], chosen: Solution) -> Solution:
    """An option of a frontier as a solution of the whole problem."""
    whole = put_back(wish.problem, wish.carved, labels) if wish.carved.any() else labels
    report = describe_carved(wish.problem, whole)
    kept = {name: chosen.report[name] for name in ("links", "seconds", "truncated")}
    return Solution(whole, {**report, **kept})


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes plans with codes of the engine's labels."""

    tiling: Tiling
    request: SolveRequest
    wish: Wish
    word: str
    numbering: Numbering | None

    def made(self, solution: Solution) -> tuple[Plan, dict[str, Any]]:
        labels, problem = solution.labels, self.wish.problem
        names, districts = self.tiling.names(), parents_of(self.tiling, self.request.nest_in)[1]
        known = [*self.wish.known, *[None] * (problem.k - len(self.wish.known)), *self._carved(labels)]
        plan = build_plan(
            labels,
            problem.k,
            self.tiling.x,
            self.tiling.y,
            parents=problem.parent,
            parent_names=districts,
            word=self.word,
            known=known,
            numbering=self.numbering,
        )
        coded = by_code(solution.report, labels, plan, names, districts or ())
        report = {**coded, "oversize": self._large(names)}
        codes = {int(labels[row]): plan.grids[plan.labels[row]].code for row in range(len(labels))}
        told = parameters_of(self.request, self.wish, names, [codes[g] for g in range(problem.k)])
        report["parameters"] = {**report["parameters"], **told}
        return plan, report

    def _carved(self, labels: NDArray[np.int32]) -> list[Grid | None]:
        """What was one grid of the old plan, and is carved out as a whole, keeps its code."""
        former, problem = self.request.former, self.wish.problem
        found: list[Grid | None] = []
        taken = {grid.code for grid in self.wish.known}
        for group in range(problem.k, int(labels.max()) + 1):
            olds = set() if former is None else set(former.old.plan.labels[labels == group].tolist())
            position = olds.pop() if len(olds) == 1 else -1
            grid = former.old.plan.grids[position] if former is not None and position >= 0 else None
            found.append(None if grid is None or grid.code in taken else grid)
            taken |= {grid.code} if grid is not None else set()
        return found

    def _large(self, names: list[str]) -> list[dict[str, Any]]:
        return [
            {name: value for name, value in entry.items() if name != "cell_row"}
            | {"cell": names[row := entry["cell_row"]], "carved_out": bool(self.wish.carved[row])}
            for entry in self.wish.large
        ]


def describe_plan(
    tiling: Tiling,
    measures: Mapping[str, NDArray[np.float64]],
    plan: Plan,
    request: SolveRequest,
    targets: Mapping[str, Mapping[str, float]] | None = None,
) -> dict[str, Any]:
    """The report on a plan made elsewhere, in the form `solve_tiling` gives.

    Parameters
    ----------
    targets : mapping of grid code to mapping of measure to float
        Where the grids' targets differ; for all balanced grids and measures, or none.

    Raises
    ------
    InvalidInput
        A grid has no target.
    """
    problem = wish_of(tiling, measures, request).problem
    carve_out = np.array([grid.carve_out for grid in plan.grids])
    position = np.cumsum(~carve_out) - 1  # engine labels: the balanced grids first, then the carve-outs
    position[carve_out] = request_grids(plan) + np.arange(int(carve_out.sum()))
    labels = position[plan.labels].astype(np.int32)
    if targets:
        wanted = [_targets_of(g.code, problem.measures, targets) for g in plan.grids if not g.carve_out]
        whole, left = problem.weights.sum(axis=0), problem.weights[labels < problem.k].sum(axis=0)
        share = np.where(left > 0, left, 1.0) / np.where(left > 0, whole, 1.0)
        problem = replace(problem, targets=np.array(wanted) / share)  # those given are of what is left
    districts = parents_of(tiling, request.nest_in)[1] or []
    report = by_code(describe_carved(problem, labels), labels, plan, tiling.names(), districts)
    return {**report, "oversize": []}


def _targets_of(
    code: str, measures: tuple[str, ...], targets: Mapping[str, Mapping[str, float]]
) -> list[float]:
    try:
        return [targets[code][name] for name in measures]
    except KeyError:
        raise InvalidInput(
            f"the report has no targets for grid {code!r}",
            field="report",
            cure="give the report which was written together with these grids",
        ) from None


def request_grids(plan: Plan) -> int:
    """Number of balanced grids of a plan."""
    return sum(not grid.carve_out for grid in plan.grids)
