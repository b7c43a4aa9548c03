"""Street blocks: the faces between roads, rivers, railways and borders, as cells."""

from __future__ import annotations

import hashlib
import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.errors import InvalidGeometry, TooLarge
from gridsvc.tiling.borders import shared_borders
from gridsvc.tiling.check import checked_degrees
from gridsvc.tiling.load import Rows
from gridsvc.tiling.overlay import faces_of, joined
from gridsvc.tiling.plane import flatten, local_plane
from gridsvc.tiling.read import PolygonLayer

__all__ = ["BlockOptions", "blocks", "checked_lines"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

_MOST = 2_000_000  # corners of all lines: bounds time and memory
_SHARE = 0.25  # of the median face
_REACH = 0.02  # metres beyond the line a gap is closed to, so that the two surely cross
_DIGITS = 7  # of a degree, about a centimetre: what tells blocks apart
_KINDS = (1, 2, 3, 5, 6)  # lines, rings and polygons, one or many


@dataclass(frozen=True, slots=True)
class BlockOptions:
    """How blocks are made of lines.

    Attributes
    ----------
    least_m2 : float or None, square metres
        Smaller faces are merged into the neighbour with the longest border; None takes a quarter of the
        median face.
    narrow_m : float, metres
        So are faces which are narrower on average: the strip between the two ways of an avenue.
    snap_m : float, metres
        Dead ends which come so near to another line are taken to meet it.
    """

    least_m2: float | None = None
    narrow_m: float = 15.0
    snap_m: float = 3.0


def checked_lines(rows: Rows, crs: str | None) -> Shapes:
    """Lines, and outlines of polygons, of one layer in WGS-84; what is empty is left out.

    Raises
    ------
    InvalidGeometry
        A row which is missing or a point, or coordinates out of range.
    """
    flat = shapely.force_2d(rows.geometry)
    sound = np.isin(shapely.get_type_id(flat), _KINDS)
    if not sound.all():
        raise InvalidGeometry(
            "is not a line",
            source=rows.source,
            row=int(np.argmin(sound)) + 1,
            field="geometry",
            cure="give roads, rivers and borders as lines, or as polygons whose outlines count",
        )
    found = checked_degrees(flat, crs or rows.crs or "wgs84", rows.source)
    kept: Shapes = found[~shapely.is_empty(found)]
    return kept


def blocks(
    boundary: shapely.MultiPolygon,
    lines: Shapes,
    options: BlockOptions | None = None,
    parents: PolygonLayer | None = None,
    parent_column: str = "parent",
) -> tuple[PolygonLayer, dict[str, Any]]:
    """Cut a territory along lines.

    The width of what the lines stand for does not matter. Dead ends cut nothing. Blocks fit together edge by
    edge and cover the territory. Their ids are made of their outlines: the same lines in any order give the
    same ids, and a change of a line changes those of the blocks beside it only.

    Parameters
    ----------
    lines : object array of lines and polygons, WGS-84
    parents : PolygonLayer, optional
        Areas whose borders cut too and across which nothing is merged; each block gets the id of its own as
        column `parent_column` ("" where it is in none).

    Returns
    -------
    (layer, report) : PolygonLayer and dict
        ``lines``, ``faces``, ``merged``, ``least_m2``, ``closed_gaps``, ``blocks``.

    Raises
    ------
    TooLarge
        The lines have more than 2,000,000 corners.
    """
    options = options or BlockOptions()
    plane = local_plane(boundary)
    corners = int(shapely.get_num_coordinates(lines).sum())
    if corners > _MOST:
        raise TooLarge(f"{corners:,} corners", field="blocks", cure=f"give lines of at most {_MOST:,}")
    rings = [boundary, *([] if parents is None else parents.geometry)]
    gaps = _closed(lines, rings, _Scale.at(plane.lat0), options.snap_m)
    found = faces_of([*lines, *gaps, *rings])
    points = shapely.point_on_surface(found)
    shapely.prepare(boundary)
    within = shapely.intersects(boundary, points)
    faces, points = found[within], points[within]
    parent = _parent_of(points, parents)
    area = shapely.area(flatten(plane, faces))
    least = _least(area) if options.least_m2 is None else options.least_m2
    group = _merged(faces, plane, parent, least, options.narrow_m)
    _, first, owner = np.unique(group, return_index=True, return_inverse=True)
    shapes = joined(faces, np.arange(len(faces)), owner.astype(np.int64), len(first))
    columns: dict[str, NDArray[Any]] = {}
    if parents is not None:
        columns[parent_column] = np.array([*parents.ids.tolist(), ""], object)[parent[first]]
    report = {
        "lines": len(lines),
        "closed_gaps": len(gaps),
        "faces": len(faces),
        "merged": len(faces) - len(shapes),
        "least_m2": round(float(least), 1),
        "blocks": len(shapes),
    }
    return PolygonLayer(_names(shapes), shapes, columns, "blocks"), report


@dataclass(frozen=True, slots=True)
class _Scale:
    """Degrees as metres, true to a percent in a town; straight lines stay straight."""

    per_degree: Floats

    @classmethod
    def at(cls, lat: float) -> _Scale:
        return cls(111_195.0 * np.array([max(np.cos(np.radians(lat)), 1e-6), 1.0]))

    def metres(self, shapes: Shapes) -> Shapes:
        scaled: Shapes = shapely.transform(shapes, lambda xy: xy * self.per_degree)
        return scaled

    def degrees(self, line: Floats) -> shapely.LineString:
        return shapely.LineString(line / self.per_degree)


def _closed(lines: Shapes, rings: list[Any], scale: _Scale, snap_m: float) -> list[Any]:
    """Short lines from dead ends to the nearest other line, where that is near; WGS-84."""
    outlines = [shapely.boundary(s) if shapely.get_dimensions(s) == 2 else s for s in (*lines, *rings)]
    noded = scale.metres(shapely.get_parts(shapely.line_merge(shapely.union_all(np.array(outlines, object)))))
    ends = shapely.get_point(noded, 0), shapely.get_point(noded, -1)
    xy = shapely.get_coordinates(np.concatenate(ends))
    owner = np.tile(np.arange(len(noded)), 2)
    _, place, count = np.unique(xy, axis=0, return_inverse=True, return_counts=True)
    dead = np.flatnonzero(count[place.ravel()] == 1)
    point = shapely.points(xy[dead])
    left, other = shapely.STRtree(noded).query(point, predicate="dwithin", distance=snap_m)
    apart = other != owner[dead[left]]
    left, other = left[apart], other[apart]
    away = shapely.distance(point[left], noded[other])
    order = np.lexsort((other, away, left))
    nearest, first = np.unique(left[order], return_index=True)
    pairs = zip(point[nearest], noded[other[order][first]], strict=True)
    return [scale.degrees(_bridge(end, line)) for end, line in pairs]


def _bridge(end: Any, line: Any) -> Floats:
    """From an end to a line and a little beyond: two corners in metres, shape (2, 2)."""
    start, met = shapely.get_coordinates(shapely.shortest_line(end, line))
    length = max(float(np.hypot(*(met - start))), 1e-9)
    return np.array([start, start + (met - start) * (1.0 + _REACH / length)])


def _parent_of(points: Shapes, parents: PolygonLayer | None) -> Ints:
    """Row of the area each point is in, -1 for none; of several, that with the lowest id."""
    out = np.full(len(points), -1, np.int64)
    if parents is None:
        return out
    order = np.argsort(parents.ids.astype(str), kind="stable")
    face, area = shapely.STRtree(parents.geometry[order]).query(points, predicate="intersects")
    by = np.lexsort((area, face))
    face, first = np.unique(face[by], return_index=True)
    out[face] = order[area[by][first]]
    return out


def _least(area: Floats) -> float:
    return _SHARE * float(np.median(area))


def _merged(faces: Shapes, plane: LocalPlane, parent: Ints, least_m2: float, narrow_m: float) -> Ints:
    """Which faces belong together, as a number of the group of each: the smallest are merged first."""
    flat = plane.geometry(faces)
    work = _Merging(shapely.area(flat), shapely.length(flat), *shared_borders(faces, flat, 0.0), parent)
    heap = [(work.area[i], i) for i in range(len(faces)) if work.small(i, least_m2, narrow_m)]
    heapq.heapify(heap)
    while heap:
        size, i = heapq.heappop(heap)
        if work.group[i] != i or work.area[i] != size or not work.small(i, least_m2, narrow_m):
            continue
        into = work.neighbour(i)
        if into is not None:
            work.merge(i, into)
            if work.small(into, least_m2, narrow_m):
                heapq.heappush(heap, (work.area[into], into))
    return np.array([work.root(i) for i in range(len(faces))], np.int64)


class _Merging:
    """Groups of faces with their areas, outlines' lengths and borders, as they are merged."""

    def __init__(self, area: Floats, outline: Floats, a: Ints, b: Ints, length: Floats, parent: Ints) -> None:
        self.area, self._outline = area.tolist(), outline.tolist()
        self.group = list(range(len(area)))
        self._beside: list[dict[int, float]] = [{} for _ in area]
        for i, j, metres in zip(a.tolist(), b.tolist(), length.tolist(), strict=True):
            if parent[i] == parent[j]:
                self._beside[i][j] = self._beside[j][i] = metres

    def small(self, i: int, least_m2: float, narrow_m: float) -> bool:
        """Whether a group is to be merged: small, or a strip."""
        return bool(self.area[i] < least_m2 or 2.0 * self.area[i] < narrow_m * self._outline[i])

    def neighbour(self, i: int) -> int | None:
        """The neighbour with the longest border; of equal ones the larger."""
        beside = self._beside[i]
        return max(beside, key=lambda j: (round(beside[j], 3), self.area[j]), default=None)

    def merge(self, i: int, into: int) -> None:
        """Let one group become part of another."""
        self.group[i] = into
        border = self._beside[into].pop(i)
        self.area[into] += self.area[i]
        self._outline[into] += self._outline[i] - 2.0 * border
        for j, metres in self._beside[i].items():
            if j != into:
                del self._beside[j][i]
                total = self._beside[into].get(j, 0.0) + metres
                self._beside[into][j] = self._beside[j][into] = total
        self._beside[i] = {}

    def root(self, i: int) -> int:
        """The group a face has come to."""
        while self.group[i] != i:
            i = self.group[i]
        return i


def _names(shapes: Shapes) -> NDArray[np.object_]:
    """An id of each block's corners, whatever ring or corner comes first."""
    return np.array([f"b{_digest(shape)}" for shape in shapes], object)


def _digest(shape: Any) -> str:
    corners = np.unique(np.round(shapely.get_coordinates(shape), _DIGITS) + 0.0, axis=0)
    return hashlib.blake2b(np.round(corners * 10**_DIGITS).astype("<i8").tobytes(), digest_size=6).hexdigest()
