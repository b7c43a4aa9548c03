"""Properties of features as tiles want them: each value once, and numbers which point at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Attribute", "attributes"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One property of all features.

    Attributes
    ----------
    values : object array, shape (m,)
        The values there are, each once: texts, numbers, truth values.
    codes : int32 array, shape (n,)
        Place in `values` of each feature's; -1 where it has none.
    """

    values: NDArray[np.object_]
    codes: NDArray[np.int32]


def attributes(columns: Mapping[str, Sequence[Any]]) -> dict[str, Attribute]:
    """Columns of equal length, so that tiles need not look at each value again."""
    return {name: _attribute(column) for name, column in columns.items()}


def _attribute(column: Sequence[Any]) -> Attribute:
    alike = len(set(map(type, column)) - {NoneType}) < 2
    # 1, 1.0 and True are equal to Python and three values to a tile.
    keys = column if alike else [(type(value), value) for value in column]
    places = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    codes = np.fromiter(map(places.__getitem__, keys), np.int32, len(keys))
    values = np.empty(len(places), object)
    values[:] = list(places) if alike else [value for _, value in places]
    none = np.array([value is None or value != value for value in values], np.bool_)  # noqa: PLR0124 - NaN
    codes[none[codes]] = -1
    return Attribute(values, codes)
