"""Truth with a third value: what is not known is neither true nor false."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Truth"]

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Truth:
    """What a condition says of each feature.

    Attributes
    ----------
    true, false : bool arrays, shape (n,)
        Never both; neither where it is not known.
    """

    true: Bools
    false: Bools

    @classmethod
    def of(cls, holds: Bools, known: Bools) -> Truth:
        """Truth of a condition where its values are known."""
        return cls(holds & known, ~holds & known)

    def __and__(self, other: Truth) -> Truth:
        return Truth(self.true & other.true, self.false | other.false)

    def __or__(self, other: Truth) -> Truth:
        return Truth(self.true | other.true, self.false & other.false)

    def __invert__(self) -> Truth:
        return Truth(self.false, self.true)
