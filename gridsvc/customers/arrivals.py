"""Messages about single customers, placed as an import would place them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc import crs as crs_
from gridsvc.customers.messages import Message
from gridsvc.customers.verdicts import Verdict

__all__ = ["Arrival", "ending", "place_messages"]

Floats = NDArray[np.float64]
Locate = Callable[[Floats, Floats], NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message with the place it was given.

    Attributes
    ----------
    cell : int
        Row of the tiling; -1 where it has none.
    lon, lat : float or None
        WGS-84 degrees.
    valid_to : datetime or None
        Equal to `valid_from` where the customer is said to be gone.
    """

    id: str
    source_updated_at: datetime
    valid_from: datetime
    valid_to: datetime | None
    cell: int
    verdict: int
    lon: float | None
    lat: float | None
    premise: str | None = None
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def gone(self) -> bool:
        """Whether it only says that the customer is no more."""
        return self.valid_to == self.valid_from


def ending(customer: str, updated: datetime, end: datetime) -> Arrival:
    """The word that a customer is no more from `end` on."""
    return Arrival(customer, updated, end, end, -1, int(Verdict.PLACED), None, None)


def place_messages(
    messages: Sequence[Message],
    crs: str,
    locate: Locate,
    find: Callable[[str], int],
) -> list[Arrival]:
    """Give each message a verdict, and a cell where it has one: the ladder of `gridsvc.customers.place`.

    Two of its rungs need the whole file and are left out: other rows of the premise, and crowded points.

    Parameters
    ----------
    locate : callable
        WGS-84 lon and lat, float64 arrays of shape (m,), to rows of cells, -1 outside.
    find : callable
        Row of the cell of this name, -1 if there is none.
    """
    x, y = (np.array([getattr(m, name) for m in messages], np.float64) for name in ("lon", "lat"))
    lon, lat = crs_.to_wgs84(x, y, crs)
    verdict = np.full(len(messages), Verdict.MISSING_LOCATION, np.int8)
    cell = np.full(len(messages), -1, np.int64)
    both, usable = ~(np.isnan(x) | np.isnan(y)), _usable(lon, lat)
    verdict[both & ~usable] = Verdict.BAD_COORDINATE
    cell[usable] = locate(lon[usable], lat[usable])
    verdict[usable] = np.where(cell[usable] >= 0, Verdict.PLACED, Verdict.OUTSIDE)
    _mark_swapped(verdict, x, y, crs, locate)
    for at in np.flatnonzero(np.isin(verdict, [Verdict.MISSING_LOCATION, Verdict.BAD_COORDINATE])).tolist():
        _by_code(messages[at].code, at, verdict, cell, find)
    return [
        Arrival(
            id=m.id,
            source_updated_at=m.source_updated_at,
            valid_from=m.valid_from or m.source_updated_at,
            valid_to=m.valid_to,
            cell=row,
            verdict=said,
            lon=None if math.isnan(east) else east,
            lat=None if math.isnan(north) else north,
            premise=m.premise,
            values=m.values,
        )
        for m, row, said, east, north in zip(
            messages, cell.tolist(), verdict.tolist(), lon.tolist(), lat.tolist(), strict=True
        )
    ]


def _usable(lon: Floats, lat: Floats) -> NDArray[np.bool_]:
    on_globe: NDArray[np.bool_] = (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0)  # NaN is not
    return on_globe


def _mark_swapped(verdict: NDArray[np.int8], x: Floats, y: Floats, crs: str, locate: Locate) -> None:
    rows = np.flatnonzero(np.isin(verdict, [Verdict.OUTSIDE, Verdict.BAD_COORDINATE]))
    lon, lat = crs_.to_wgs84(y[rows], x[rows], crs)
    possible = _usable(lon, lat)
    rows = rows[possible]
    verdict[rows[locate(lon[possible], lat[possible]) >= 0]] = Verdict.SWAPPED_AXES


def _by_code(
    code: str | None, at: int, verdict: NDArray[np.int8], cell: NDArray[np.int64], find: Callable[[str], int]
) -> None:
    text = (code or "").strip()
    if not text:
        return
    cell[at] = find(text)
    if cell[at] >= 0:
        verdict[at] = Verdict.PLACED_BY_CODE
    elif verdict[at] == Verdict.MISSING_LOCATION:
        verdict[at] = Verdict.UNKNOWN_CODE
