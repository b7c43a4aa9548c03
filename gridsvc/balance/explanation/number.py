"""Another number of grids which nothing rules out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.explanation.bounds import prove
from gridsvc.balance.explanation.proof import Proof, measures_of
from gridsvc.balance.graph import Pairs
from gridsvc.balance.problem import Problem
from gridsvc.balance.targets import even_targets

__all__ = ["nearest_number"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_TRIES, _EFFORT = 20, 40_000  # numbers of grids looked at closely; cells in all of them together
_DIVIDE = ("large", "few", "part", "parts", "together", "highs", "lows")


def nearest_number(problem: Problem, proofs: list[Proof], pairs: Pairs, part: Ints) -> int | None:
    """Number of grids nearest to the one asked for with which no proof excludes a plan.

    Parameters
    ----------
    proofs : list of Proof
        Those which exclude that the limits are kept.
    pairs, part
        As `gridsvc.balance.explanation.relax.joined` gives them.

    Returns
    -------
    int or None
        None where the number is not to blame, where grids differ in their targets, limits or locks, or where
        no number was found.
    """
    alike = all(np.allclose(table, table[0], rtol=1e-9) for table in (problem.targets, *problem.band()))
    even = np.allclose(problem.targets, even_targets(problem.weights, problem.k), rtol=1e-9)
    asked = any(proof.rule in _DIVIDE and proof.excludes for proof in proofs)
    if not (even and alike and asked) or (problem.anchors() >= 0).any():
        return None
    band, tries = _band_of(problem), 0
    divides = _divider(problem, part, band)
    for k in _nearest(problem):
        if divides(k):
            tries += 1
            if not any(proof.excludes for proof in prove(_cut_into(problem, k, band), pairs, part)):
                return k
        if tries >= min(_TRIES, max(2, _EFFORT // problem.n)):
            break
    return None


def _nearest(problem: Problem) -> Iterator[int]:
    for step in range(1, max(problem.k, 2)):
        yield from (k for k in (problem.k - step, problem.k + step) if 1 <= k <= problem.n)


@dataclass(frozen=True, slots=True)
class _Band:
    """Limits of a grid as they change with the number of grids: float64 and bool arrays, shape (m,).

    Those which follow from the tolerance go with the even share of `total`; others stay as they are.
    """

    total: Floats
    tolerance: Floats
    low: Floats
    high: Floats
    follows: NDArray[np.bool_]

    def limits(self, k: int) -> tuple[Floats, Floats]:
        wanted = self.total / k
        return (
            np.where(self.follows, wanted * (1 - self.tolerance), self.low),
            np.where(self.follows, wanted * (1 + self.tolerance), self.high),
        )


def _band_of(problem: Problem) -> _Band:
    low, high = (side[0] for side in problem.band())
    target, tolerance = problem.targets[0], problem.tolerance
    follows = np.isclose(low, target * (1 - tolerance), rtol=1e-9)
    follows &= np.isclose(high, target * (1 + tolerance), rtol=1e-9)
    return _Band(problem.weights.sum(axis=0), tolerance, low, high, follows)


def _cut_into(problem: Problem, k: int, band: _Band) -> Problem:
    """The problem with another number of grids."""
    low, high = (np.tile(side, (k, 1)) for side in band.limits(k))
    targets = even_targets(problem.weights, k)
    if problem.low is None and problem.high is None:
        return replace(problem, k=k, targets=targets, start=None, past=None, pins=None)
    return replace(problem, k=k, targets=targets, low=low, high=high, start=None, past=None, pins=None)


def _divider(problem: Problem, part: Ints, band: _Band) -> Callable[[int], bool]:
    """A quick look at whether cells and parts suit a number of grids."""
    sizes = np.bincount(part)
    columns = [measure.column for measure in measures_of(problem)]
    largest = problem.weights[:, columns].max(axis=0)
    held = np.stack([np.bincount(part, problem.weights[:, j], len(sizes)) for j in columns], axis=1)

    def divides(k: int) -> bool:
        low, high = (side[columns] for side in band.limits(k))
        if (largest > high * (1 + 1e-9)).any():
            return False
        fewest = np.maximum(np.ceil(held / high - 1e-9).max(axis=1), 1)
        room = np.where(low > 0, np.floor(held / np.maximum(low, 1e-300) + 1e-9), np.inf)
        most = np.minimum(room.min(axis=1), sizes)
        return bool((fewest <= most).all() and fewest.sum() <= k <= most.sum())

    return divides
