"""Whether points look shifted: declared WGS-84, but they fit far better as GCJ-02 or BD-09."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc import crs as crs_

__all__ = ["Shift", "shift_of"]

Floats = NDArray[np.float64]
Fits = Callable[[Floats, Floats, NDArray[np.intp]], NDArray[np.bool_]]

_MOST = 20_000  # rows looked at: more would not change what they say
_SURE = 4.0  # standard deviations of a fair coin
_RATIO = 4  # so many times more rows must gain than lose
_MAINLAND = ("wgs84", "EPSG:4490")


@dataclass(frozen=True, slots=True)
class Shift:
    """What points look like instead of what was declared.

    Attributes
    ----------
    system : str
        ``gcj02`` or ``bd09``.
    gains, losses : int
        Rows which fit only after, and only before, they are taken as `system`.
    compared : int
        Rows looked at.
    """

    system: str
    gains: int
    losses: int
    compared: int

    def hint(self) -> dict[str, str]:
        """For people: ``code``, ``message`` and ``message_zh``."""
        shown = self.system.upper().replace("0", "-0")
        return {
            "code": f"looks-{self.system}",
            "message": f"the points look shifted: taken as {shown}, {self.gains:,} of {self.compared:,} rows "
            f"would lie where they belong, and {self.losses:,} would leave it; try --crs {self.system}",
            "message_zh": f"若按 {shown} 处理，{self.compared:,} 行中有 {self.gains:,} 行由不符变为相符，"
            f"{self.losses:,} 行相反：坐标似有偏移，请试 --crs {self.system}",
        }


def shift_of(lon: Floats, lat: Floats, declared: str, fits: Fits) -> Shift | None:
    """Whether points fit what is known of them better after an inverse of GCJ-02 or BD-09.

    Parameters
    ----------
    lon, lat : float64 arrays, shape (n,), WGS-84 degrees as declared; NaN where unknown
    declared : str
        Coordinate system of the file; any but WGS-84 and CGCS2000 is believed.
    fits : callable
        ``(lon, lat, rows)`` to bool array: which points lie where their row must lie (in the territory, or in
        the area whose code they carry).

    Returns
    -------
    Shift or None

    Notes
    -----
    A sign test on the rows which change sides. Without a shift as many gain as lose; a one-sided change of
    four standard deviations is no chance. Nobody's points are changed by it.
    """
    if declared not in _MAINLAND:
        return None
    known = np.flatnonzero((np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0))
    rows = known[:: max(1, math.ceil(len(known) / _MOST))]
    x, y = lon[rows], lat[rows]
    if len(rows) == 0 or np.array_equal(crs_.to_wgs84(x, y, "gcj02"), (x, y)):
        return None  # GCJ-02 changes nothing outside its rectangle
    before = fits(x, y, rows)
    found = [_compared(system, before, fits(*_shifted(x, y, system), rows)) for system in ("gcj02", "bd09")]
    best = max(found, key=lambda shift: shift.gains - shift.losses)
    return best if _telling(best) else None


def _shifted(x: Floats, y: Floats, system: str) -> tuple[Floats, Floats]:
    lon, lat = crs_.to_wgs84(x, y, system)
    return np.where(np.abs(lon) <= 180.0, lon, x), np.where(np.abs(lat) <= 90.0, lat, y)


def _compared(system: str, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> Shift:
    return Shift(system, int((after & ~before).sum()), int((before & ~after).sum()), len(before))


def _telling(shift: Shift) -> bool:
    changed = shift.gains + shift.losses
    return (
        shift.gains > _RATIO * shift.losses and shift.gains - shift.losses >= _SURE * math.sqrt(changed) > 0
    )
