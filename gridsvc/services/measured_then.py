"""Measures of a tiling as they counted at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from gridsvc.store.database import Reader
from gridsvc.store.tilings import MeasuredThen

__all__ = ["Then", "counting", "measured_then"]


@dataclass(frozen=True, slots=True)
class Then:
    """Measures at a time, by name.

    Attributes
    ----------
    values : mapping of name to float64 array, shape (n_cells,)
    specs : mapping of name to str
        How each was made.
    since : mapping of name to datetime
        Of what time each is.
    """

    values: Mapping[str, NDArray[np.float64]]
    specs: Mapping[str, str]
    since: Mapping[str, datetime]


def counting(history: Sequence[MeasuredThen], at: datetime) -> dict[str, MeasuredThen]:
    """The measure of each name which counted at a time."""
    there = [m for m in history if m.since <= at and (m.until is None or at < m.until)]
    return {m.name: m for m in sorted(there, key=lambda m: (m.since, m.id))}


def measured_then(reader: Reader, tiling: str, at: datetime, wanted: Collection[str] | None = None) -> Then:
    """The measures of a tiling at a time; only those `wanted` if given."""
    found = counting(reader.tilings.history(tiling), at)
    found = {name: m for name, m in found.items() if wanted is None or name in wanted}
    values = reader.tilings.values_of([m.id for m in found.values()])
    return Then(
        {name: values[m.id] for name, m in found.items()},
        {name: m.spec for name, m in found.items()},
        {name: m.since for name, m in found.items()},
    )
