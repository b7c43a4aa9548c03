"""How evenly something is dealt out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fairness", "fairness"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fairness:
    """Indices of evenness over some holders.

    Attributes
    ----------
    holders : int
    mean : float
    spread : float
        Largest share over the mean; 1 is even.
    gini : float
        0 is even, towards 1 one has all: half the mean difference of two holders over the mean.
    jain : float
        1 is even, 1 / holders one has all: (sum x)^2 / (n sum x^2).
    """

    holders: int
    mean: float
    spread: float
    gini: float
    jain: float


def fairness(values: Floats) -> Fairness | None:
    """Indices over amounts of 0 or more, shape (n,); None where there is nothing to share out."""
    n, total = len(values), float(values.sum())
    if n == 0 or total <= 0:
        return None
    share = np.sort(values) / total  # so that neither huge nor tiny amounts are lost in squares
    gini = float(2 * np.dot(np.arange(1, n + 1), share) / n - (n + 1) / n)
    return Fairness(n, total / n, float(share[-1] * n), max(gini, 0.0), float(1 / (n * np.dot(share, share))))
