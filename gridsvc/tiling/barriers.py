"""Rivers, motorways, railways: lines which cut adjacency, and the crossings which keep it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.errors import InvalidGeometry
from gridsvc.tiling.check import checked_degrees
from gridsvc.tiling.load import Rows, rows_from_file, rows_from_geojson
from gridsvc.tiling.tiling import Adjacency, Tiling

__all__ = [
    "Barriers",
    "Cuts",
    "barriers_from_geojson",
    "barriers_of",
    "cut",
    "find_cuts",
    "read_barriers",
    "without",
]

_POINTS, _LINES = (0, 4), (1, 5)
_NEAR = 0.75  # of the distance between two cells' points
_REACH = 2.0  # a crossing farther than this from every cut is not one of theirs
_TRUE = {"true", "yes", "1"}


@dataclass(frozen=True, slots=True)
class Barriers:
    """Lines which part cells, and places where one gets across.

    Attributes
    ----------
    lines : object array of LineString, WGS-84
    crossings : object array of Point or LineString, WGS-84
    """

    lines: NDArray[np.object_]
    crossings: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Cuts:
    """What barriers do to a tiling.

    Attributes
    ----------
    a, b : int32 arrays, shape (n_cut,)
        Rows of the pairs which are no longer adjacent.
    kept : int
        Pairs which a barrier parts but a crossing joins.
    unused : int
        Crossings which join nothing, because no barrier parts cells near them.
    """

    a: NDArray[np.int32]
    b: NDArray[np.int32]
    kept: int
    unused: int

    def report(self) -> dict[str, int]:
        """Counts, JSON-ready."""
        return {"cut": len(self.a), "kept": self.kept, "unused_crossings": self.unused}


def read_barriers(source: Path, crs: str | None = None) -> Barriers:
    """Barriers of a file in any format of `gridsvc.tiling.read`.

    Lines are barriers, points are crossings; a line with property `crossing` true (a bridge) is a crossing.

    Raises
    ------
    UnreadableFile, InvalidInput
        As for polygon layers.
    InvalidGeometry
        A row which is neither line nor point, is empty or has coordinates out of range.
    """
    return barriers_of(rows_from_file(source), crs)


def barriers_from_geojson(obj: dict[str, Any], crs: str | None = None, source: str = "barriers") -> Barriers:
    """Barriers of a GeoJSON object; see `read_barriers`."""
    return barriers_of(rows_from_geojson(obj, source), crs)


def barriers_of(rows: Rows, crs: str | None) -> Barriers:
    """Barriers of rows; see `read_barriers`."""
    flat = shapely.force_2d(rows.geometry)
    _require_lines_or_points(flat, rows.source)
    geometry = checked_degrees(flat, crs or rows.crs or "wgs84", rows.source)
    point = np.isin(shapely.get_type_id(geometry), _POINTS)
    crossing = point | _flagged(rows)
    return Barriers(shapely.get_parts(geometry[~crossing]), shapely.get_parts(geometry[crossing]))


def cut(tiling: Tiling, barriers: Barriers, *, tolerance_m: float = 10.0) -> Tiling:
    """The tiling without the adjacencies which barriers part; see `find_cuts`."""
    return without(tiling, find_cuts(tiling, barriers, tolerance_m=tolerance_m))


def without(tiling: Tiling, cuts: Cuts) -> Tiling:
    """The tiling without the pairs in `cuts`."""
    a, b, length = tiling.adjacency.pairs()
    n = len(tiling)
    gone = np.isin(a.astype(np.int64) * n + b, cuts.a.astype(np.int64) * n + cuts.b)
    return replace(tiling, adjacency=Adjacency.from_pairs(n, a[~gone], b[~gone], length[~gone]))


def find_cuts(tiling: Tiling, barriers: Barriers, *, tolerance_m: float = 10.0) -> Cuts:
    """Which adjacencies barriers part.

    A pair is parted when the segment between the two cells' points crosses a barrier, and, for polygons, also
    when more than half of their shared border runs within `tolerance_m` of barriers (a river drawn
    as the border, seldom to the metre). A crossing keeps the parted pairs whose segment passes within 0.75 of
    its own length, and at least the nearest one, unless that is over two lengths away. A crossing line counts
    where it meets the barriers.

    Parameters
    ----------
    tiling : Tiling
    barriers : Barriers
    tolerance_m : float, metres
    """
    plane = LocalPlane(*tiling.origin)
    lines = shapely.union_all(plane.geometry(barriers.lines))
    shapely.prepare(lines)
    a, b, _ = tiling.adjacency.pairs()
    ends = np.stack([tiling.x[a], tiling.y[a], tiling.x[b], tiling.y[b]], axis=1).reshape(-1, 2, 2)
    segments = shapely.linestrings(ends)
    parted = shapely.intersects(lines, segments)
    if tiling.kind != "h3":
        parted |= _along(plane.geometry(tiling.geometry), a, b, lines, tolerance_m)
    rows = np.flatnonzero(parted)
    kept, unused = _reopened(segments[rows], _crossing_points(plane.geometry(barriers.crossings), lines))
    rows_cut = rows[~kept]
    return Cuts(a[rows_cut], b[rows_cut], int(kept.sum()), unused)


def _along(
    flat: NDArray[np.object_], a: NDArray[np.int32], b: NDArray[np.int32], lines: Any, tolerance_m: float
) -> NDArray[np.bool_]:
    """Pairs of polygons more than half of whose shared border runs along the barriers."""
    close = shapely.dwithin(lines, flat, tolerance_m)
    rows = np.flatnonzero(close[a] & close[b])
    shared = shapely.intersection(shapely.boundary(flat[a[rows]]), shapely.buffer(flat[b[rows]], 1.0))
    beside = shapely.intersection(shared, shapely.buffer(lines, tolerance_m, cap_style="flat"))
    out = np.zeros(len(a), bool)
    out[rows] = shapely.length(beside) > 0.5 * shapely.length(shared)
    return out


def _crossing_points(crossings: NDArray[np.object_], lines: Any) -> NDArray[np.object_]:
    """Where crossing lines meet the barriers; the crossing itself if it is a point or meets none."""
    met = shapely.intersection(crossings, lines)
    out: NDArray[np.object_] = np.where(shapely.is_empty(met), crossings, met)
    return out


def _reopened(segments: NDArray[np.object_], crossings: NDArray[np.object_]) -> tuple[NDArray[np.bool_], int]:
    """Which parted pairs the crossings keep, and how many crossings keep none."""
    kept = np.zeros(len(segments), bool)
    length = np.maximum(shapely.length(segments), 1e-9)  # overlapping cells may have the same point
    unused = 0
    for crossing in crossings:
        share = shapely.distance(segments, crossing) / length
        near = share <= _NEAR
        if not near.any() and len(share) and share.min() <= _REACH:
            near = share == share.min()
        kept |= near
        unused += not near.any()
    return kept, unused


def _flagged(rows: Rows) -> NDArray[np.bool_]:
    values = rows.columns.get("crossing", [None] * len(rows.geometry))
    return np.array([str(v).strip().lower().removesuffix(".0") in _TRUE for v in values], bool)


def _require_lines_or_points(geometry: NDArray[np.object_], source: str) -> None:
    sound = np.isin(shapely.get_type_id(geometry), _POINTS + _LINES) & ~shapely.is_empty(geometry)
    if not sound.all():
        raise InvalidGeometry(
            "is not a line or a point",
            source=source,
            row=int(np.argmin(sound)) + 1,
            field="geometry",
            cure="give barriers as lines and crossings as points",
        )
