"""Proofs that a tolerance cannot be met, from cells and limits; those of the graph are in `fences`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.explanation.fences import by_locks, by_parts, by_parts_together
from gridsvc.balance.explanation.mixture import by_mixture
from gridsvc.balance.explanation.proof import Band, Measure, Proof, measures_of, proof_by
from gridsvc.balance.explanation.radius import by_radius
from gridsvc.balance.problem import Problem

__all__ = ["by_size", "prove"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def prove(problem: Problem, pairs: tuple[Ints, Ints], part: Ints) -> list[Proof]:
    """All that can be proved quickly: what cells, limits, parts, locks and radii make impossible.

    Each rule is a test of a band of totals: it says that no valid plan keeps every grid inside, or keeps
    quiet. Tried on the limits it tells whether they can be met; tried on ever wider bands round the targets
    it tells the least worst deviation a plan can have. A rule may miss what is impossible, and never calls
    impossible what is not.

    Parameters
    ----------
    pairs : two int64 arrays, shape (n_pairs,)
        Cells which may be joined in a grid, links between islands included.
    part : int64 array, shape (n,)
        Connected part of each cell by these pairs.

    Returns
    -------
    list of Proof
        Also those whose bound is within the tolerance; they exclude nothing.
    """
    anchor = problem.anchors().astype(np.int64)
    measures = measures_of(problem)
    proofs: list[Proof] = []
    for measure in measures:
        proofs += by_size(measure)
        proofs += _stuck(measure, pairs)
        proofs += _few(measure)
        proofs += _crowd(measure)
        proofs += _limits(measure)
        proofs += by_parts(measure, part, anchor)
        proofs += by_locks(measure, pairs, anchor)
    proofs += by_radius(problem, measures)
    if not any(proof.excludes and proof.kind in ("component", "limits") for proof in proofs):
        proofs += by_parts_together(measures, part, anchor)
    proofs += by_mixture(measures, pairs)
    return proofs


def by_size(measure: Measure) -> Iterator[Proof]:
    """The largest cells against the largest high; costs next to nothing."""
    w, order = measure.cells, _descending(measure)
    top = float(w[order[0]])

    def excluded(band: Band) -> bool:
        return bool(top > band.high.max() + measure.slack)

    over = order[w[order] > measure.limits.high.max() + measure.slack]
    proof = proof_by("large", "cell", measure, excluded, over)
    proof.facts.update(share=top / float(measure.target.max()), limit=float(measure.limits.high.max()))
    yield proof


def _stuck(measure: Measure, pairs: tuple[Ints, Ints]) -> Iterator[Proof]:
    # Too little by itself, too much with any neighbour.
    w = measure.cells
    beside = np.full(len(w), np.inf)
    np.minimum.at(beside, pairs[0], w[pairs[1]])
    np.minimum.at(beside, pairs[1], w[pairs[0]])
    touches = np.isfinite(beside)  # a cell which is an island is a part, and judged as one

    def stuck(band: Band) -> NDArray[np.bool_]:
        slack = measure.slack
        too_little = w < band.low.min() - slack
        return np.asarray(too_little & touches & (w + beside > band.high.max() + slack), np.bool_)

    cells = np.flatnonzero(stuck(measure.limits))
    yield proof_by("stuck", "cell", measure, lambda band: bool(stuck(band).any()), cells)


def _few(measure: Measure) -> Iterator[Proof]:
    # Of the i k + 1 largest cells some grid has i + 1, which hold no less than the smallest i + 1 of them.
    k, order = len(measure.target), _descending(measure)
    held = np.concatenate([[0.0], np.cumsum(measure.cells[order])])
    i = np.arange(1, (len(order) - 1) // k + 1)
    if len(i) == 0:
        return
    pile = held[i * k + 1] - held[i * k - i]
    most = int(i[np.argmax(pile)])

    def excluded(band: Band) -> bool:
        return bool(pile.max() > band.high.max() + measure.slack)

    cells = order[most * k - most : most * k + 1]
    proof = proof_by("few", "cell", measure, excluded, cells)
    proof.facts["share"] = float(pile.max() / measure.target.max())
    yield proof


def _crowd(measure: Measure) -> Iterator[Proof]:
    # k - i grids have none of the i largest cells, and have to live on the rest.
    k, order = len(measure.target), _descending(measure)
    held = np.concatenate([[0.0], np.cumsum(measure.cells[order])])
    i = np.arange(1, k)
    if len(i) == 0 or held[-1] <= 0:
        return

    def shortage(low: Floats) -> Floats:
        return np.asarray(np.cumsum(np.sort(low))[k - 1 - i] - (held[-1] - held[i]), np.float64)

    def excluded(band: Band) -> bool:
        return bool(shortage(band.low).max() > measure.slack)

    cells = order[: int(i[np.argmax(shortage(measure.limits.low))])]
    proof = proof_by("crowd", "cell", measure, excluded, cells)
    proof.facts["share"] = float(held[len(cells)] / held[-1])
    yield proof


def _descending(measure: Measure) -> Ints:
    return np.argsort(-measure.cells, kind="stable")


def _limits(measure: Measure) -> Iterator[Proof]:
    total = float(measure.cells.sum())

    def over(band: Band) -> bool:
        return bool(total > band.high.sum() + measure.slack)

    def under(band: Band) -> bool:
        return bool(total < band.low.sum() - measure.slack)

    none = np.zeros(0, np.int64)
    for rule, test, sums in (("highs", over, measure.limits.high), ("lows", under, measure.limits.low)):
        proof = proof_by(rule, "limits", measure, test, none)
        proof.facts.update(total=total, limit=float(sums.sum()))
        yield proof
