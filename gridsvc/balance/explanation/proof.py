"""What a proof is that no plan can do better, and how its bound is found.

Each rule is a test of a band of totals: it says that no plan at all keeps every grid inside it, or keeps
quiet. Tried on the limits it tells whether the tolerance can be met; tried on ever wider bands round the
targets it tells the least worst deviation any plan can have. A rule may miss what is impossible, and never
calls impossible what is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.problem import Problem

__all__ = [
    "ROUNDING",
    "Band",
    "Kind",
    "Measure",
    "Proof",
    "least",
    "measures_of",
    "proof_by",
    "summed",
    "units",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Kind = Literal["cell", "component", "limits", "lock", "radius", "allowance", "drift"]


class Band(NamedTuple):
    """Least and largest total of each grid in one measure: float64 arrays, shape (k,)."""

    low: Floats
    high: Floats


Rule = Callable[[Band], bool]

ROUNDING = 1e-9  # share of a target: a total of exactly the limit is inside
_HALVINGS = 40
_HOPELESS = 1e6


@dataclass(frozen=True, slots=True)
class Proof:
    """What one rule found.

    Attributes
    ----------
    rule : str
        Name of the rule, from which the sentence is made.
    kind : str
    measures : tuple of int
        Columns it is about.
    bound : float or None
        In no valid plan is the worst deviation over these measures smaller (0.05 is 5 %).
    excludes : bool
        No valid plan keeps to the limits.
    cells : int64 array
        Rows at fault, the worst first.
    grids : int64 array
        Grids at fault in every plan; empty where that depends on the plan.
    facts : dict
        Figures for the sentence.
    """

    rule: str
    kind: Kind
    measures: tuple[int, ...]
    bound: float | None
    excludes: bool
    cells: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    grids: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    facts: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure of a problem: what cells have, what grids should have and may have."""

    column: int
    cells: Floats
    target: Floats
    unit: Floats
    limits: Band

    @property
    def slack(self) -> float:
        """What float sums may be wrong by."""
        return ROUNDING * float(max(self.unit.max(), self.cells.sum() * 1e-3))

    def band(self, deviation: float) -> Band:
        """Totals which deviate from the targets by no more than that."""
        wide = deviation * self.unit
        return Band(np.maximum(self.target - wide, 0.0), self.target + wide)


def units(targets: Floats) -> Floats:
    """What deviations are relative to: the target, or where that is 0 the mean one; shape (k, m)."""
    return np.where(targets > 0, targets, targets.mean(axis=0))


def measures_of(problem: Problem) -> list[Measure]:
    """The measures which have a target somewhere."""
    low, high = problem.band()
    unit = units(problem.targets)
    return [
        Measure(j, problem.weights[:, j], problem.targets[:, j], unit[:, j], Band(low[:, j], high[:, j]))
        for j in range(len(problem.measures))
        if (unit[:, j] > 0).all()
    ]


def least(measure: Measure, excluded: Rule) -> float:
    """Largest deviation whose band is still excluded, found by halving; infinite where every band is.

    Parameters
    ----------
    excluded : callable of Band
        True where no plan lies in the band. Once one is not excluded, no wider one may be.
    """
    if not excluded(measure.band(0.0)):
        return 0.0
    below, above = 0.0, 1.0
    while excluded(measure.band(above)):
        below, above = above, 2 * above
        if above > _HOPELESS:
            return np.inf
    for _ in range(_HALVINGS):
        middle = (below + above) / 2
        below, above = (middle, above) if excluded(measure.band(middle)) else (below, middle)
    return below


def proof_by(rule: str, kind: Kind, measure: Measure, excluded: Rule, cells: Ints) -> Proof:
    """Try a rule on the limits, and find its bound."""
    bound = least(measure, excluded)
    told = bound if np.isfinite(bound) else None
    return Proof(rule, kind, (measure.column,), told, excluded(measure.limits), cells)


def summed(groups: Ints, values: Floats, count: int) -> Floats:
    """Sum of the values of each group: float64 array, shape (count,)."""
    return np.asarray(np.bincount(groups, values, count), np.float64)
