"""The smallest relaxations with which a problem's tolerances could be met."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.explanation.bounds import prove
from gridsvc.balance.explanation.number import nearest_number
from gridsvc.balance.explanation.proof import Proof, measures_of
from gridsvc.balance.explanation.sentences import percent
from gridsvc.balance.graph import Link, links_between_islands, open_pairs, parts_of
from gridsvc.balance.problem import Problem
from gridsvc.errors import InvalidInput

__all__ = ["joined", "relaxations"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TOLD = 20  # rows listed at most
_ROUNDS = 8  # of carving: targets shrink with what leaves, and the next cell may then be too large
_MUCH = 0.25  # share of a measure above which a carve-out is no answer
_CELLS = ("large", "crowd", "mixture")


def joined(problem: Problem, links: Sequence[Link] = ()) -> tuple[tuple[Ints, Ints], Ints]:
    """Pairs of cells a grid may hold together, and each cell's part by them.

    Where islands may be attached and no links are given, those the engine would make are taken.
    """
    pairs = open_pairs(problem)
    _, part = parts_of(problem.n, pairs)
    if problem.islands == "attach":
        made = list(links) or links_between_islands(problem, part)
        ends = np.array([(link.a, link.b) for link in made], np.int64).reshape(-1, 2)
        pairs = np.concatenate([pairs[0], ends[:, 0]]), np.concatenate([pairs[1], ends[:, 1]])
        _, part = parts_of(problem.n, pairs)
    return pairs, part


def relaxations(
    problem: Problem, worst: Floats, beyond: Floats, proofs: list[Proof], farthest: float = 0.0
) -> list[dict[str, Any]]:
    """What would let the tolerances be met, the smallest change first.

    Parameters
    ----------
    worst, beyond : float64 arrays, shape (m,)
        Each measure's worst deviation in the plan found, and how far that is beyond its limit.
    proofs : list of Proof
        Those which exclude that the limits are kept.
    farthest : float, metres
        How far from its grid's seed the farthest cell beyond a radius lies; 0 where all are within.

    Returns
    -------
    list of dict
        ``change``, ``value``, ``message``, ``proved`` (it is certain to work) and, where they apply,
        ``measure`` and ``cells``.
    """
    found: list[tuple[float, dict[str, Any]]] = []
    found += _finer(problem, proofs)
    found += _carved(problem, proofs)
    found += _wider(problem, worst, beyond)
    found += _other_number(problem, proofs)
    found += _unlocked(problem, proofs)
    found += _radius(proofs, farthest)
    found += _limits(problem, proofs)
    return [entry for _, entry in sorted(found, key=lambda pair: pair[0])]


def _entry(
    change: str, value: float | None, message: str, *, proved: bool = False, **more: Any
) -> dict[str, Any]:
    return {"change": change, "value": value, "message": message, "proved": proved, **more}


def _wider(problem: Problem, worst: Floats, beyond: Floats) -> Iterator[tuple[float, dict[str, Any]]]:
    outside = np.flatnonzero(beyond > 0).tolist()
    also = ", together with the other tolerances and limits named here" if len(outside) > 1 else ""
    given = problem.low is not None or problem.high is not None
    for j in outside:
        name = problem.measures[j]
        if given:
            value = ceil(float(beyond[j]) * 1000 - 1e-6) / 1000
            text = f"limits of {name} wider by {percent(value)} of the target hold this plan{also}"
            yield value, _entry("limits", value, text, proved=True, measure=name)
        else:
            value = ceil(float(worst[j]) * 1000 - 1e-6) / 1000
            text = f"a tolerance of {percent(value)} on {name} holds this plan{also}"
            more = value - float(problem.tolerance[j])
            yield more, _entry("tolerance", value, text, proved=True, measure=name)


def _too_large(proofs: list[Proof]) -> Ints:
    rows = [proof.cells for proof in proofs if proof.excludes and proof.rule in _CELLS]
    return np.unique(np.concatenate(rows)) if rows else np.zeros(0, np.int64)


def _share(problem: Problem, cells: Ints | NDArray[np.bool_]) -> float:
    total = problem.weights.sum(axis=0)
    return float((problem.weights[cells].sum(axis=0) / np.where(total > 0, total, 1.0)).max())


def _carved(problem: Problem, proofs: list[Proof]) -> Iterator[tuple[float, dict[str, Any]]]:
    from gridsvc.balance.carve import carve_out  # needs the engine, which needs the report

    named = _too_large(proofs)
    carved, rows, left = np.zeros(problem.n, bool), np.arange(problem.n), proofs
    for _ in range(_ROUNDS):
        if len(named) == 0:
            break
        carved[rows[named]] = True
        if _share(problem, carved) > _MUCH:
            return
        try:
            reduced, rows = carve_out(problem, carved)
        except InvalidInput:  # a seed lies there, or too few cells are left
            return
        left = [proof for proof in prove(reduced, *joined(reduced)) if proof.excludes]
        named = _too_large(left)
    cells = np.flatnonzero(carved)
    if len(cells) == 0:
        return
    share = _share(problem, cells)
    cells = cells[
        np.argsort(-(problem.weights[cells] / np.maximum(problem.weights.sum(axis=0), 1e-300)).max(axis=1))
    ]
    what = "the cell" if len(cells) == 1 else f"the {len(cells)} cells"
    then = "nothing then rules the tolerance out" if not left else "the tolerance is ruled out all the same"
    text = f"carve out {what} named, {percent(share)} of a measure at most; {then}"
    yield (
        share,
        _entry("carve_out", len(cells), text, cells=cells[:_TOLD].tolist(), allows=not left),
    )


def _finer(problem: Problem, proofs: list[Proof]) -> Iterator[tuple[float, dict[str, Any]]]:
    cells: dict[int, int] = {}
    for proof in proofs:
        if not proof.excludes or proof.kind != "cell" or proof.rule not in ("large", "mixture"):
            continue
        rich = proof.measures[0]
        high = float(problem.band()[1][:, rich].max())
        for i in proof.cells.tolist():
            cells[i] = max(cells.get(i, 2), ceil(problem.weights[i, rich] / high))
    if not cells:
        return
    rows = np.array(sorted(cells), np.int64)
    pieces = max(cells.values())
    text = (
        f"a tiling which cuts the {'cell' if len(rows) == 1 else 'cells'} named into {pieces} or more, "
        "unless a single customer holds it all"
    )
    yield _share(problem, rows), _entry("finer_tiling", pieces, text, cells=rows[:_TOLD].tolist())


def _other_number(problem: Problem, proofs: list[Proof]) -> Iterator[tuple[float, dict[str, Any]]]:
    k = nearest_number(problem, proofs, *joined(problem))
    if k is not None:
        text = f"{k} grids in place of {problem.k}: nothing then rules the tolerance out"
        yield abs(k - problem.k) / problem.k, _entry("grids", k, text)


def _unlocked(problem: Problem, proofs: list[Proof]) -> Iterator[tuple[float, dict[str, Any]]]:
    anchor = problem.anchors()
    for measure in measures_of(problem):
        for proof in proofs:
            if proof.measures != (measure.column,) or proof.rule != "locked" or not proof.excludes:
                continue
            for g in proof.grids[:_TOLD].tolist():
                rows = np.flatnonzero(anchor == g)
                rows = rows[np.argsort(-measure.cells[rows], kind="stable")]
                left = measure.cells[rows].sum() - np.cumsum(measure.cells[rows])
                count = int(np.argmax(left <= measure.limits.high[g] + measure.slack)) + 1
                name = problem.measures[measure.column]
                text = f"lift {count} of the {len(rows)} locks of the grid, those with the most {name}"
                yield (
                    _share(problem, rows[:count]),
                    _entry("lock", count, text, measure=name, grid=g, cells=rows[:count][:_TOLD].tolist()),
                )


def _radius(proofs: list[Proof], farthest: float) -> Iterator[tuple[float, dict[str, Any]]]:
    metres = [proof.facts["metres"] for proof in proofs if proof.excludes and "metres" in proof.facts]
    if metres:
        value = float(ceil(max(metres)))
        yield 0.0, _entry("radius", value, f"a radius of {value:,.0f} m reaches what is missing")
    if farthest > 0:
        value = float(ceil(farthest))
        yield 0.0, _entry("radius", value, f"a radius of {value:,.0f} m holds this plan", proved=True)


def _limits(problem: Problem, proofs: list[Proof]) -> Iterator[tuple[float, dict[str, Any]]]:
    for proof in proofs:
        if not proof.excludes or proof.kind != "limits":
            continue
        name = problem.measures[proof.measures[0]]
        factor = proof.facts["total"] / max(proof.facts["limit"], 1e-300)
        side = "largest" if proof.rule == "highs" else "smallest"
        value = ceil(abs(factor - 1) * 1000 - 1e-6) / 1000
        verb = "higher" if proof.rule == "highs" else "lower"
        text = f"{side} totals of {name} {verb} by {percent(value)} make room for the whole territory"
        yield value, _entry("limits", value, text, measure=name)
