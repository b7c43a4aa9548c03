"""What is wrong with a layer of polygons: every fault, with its feature, its size and its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
import shapely.geometry
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.errors import InvalidGeometry, UnknownColumn
from gridsvc.tiling.borders import faulty
from gridsvc.tiling.check import checked_degrees
from gridsvc.tiling.load import Rows
from gridsvc.tiling.plane import flatten, local_plane

__all__ = ["FATAL", "Fault", "Inspection", "inspect"]

Shapes = NDArray[np.object_]
Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]

FATAL = frozenset({"missing_id", "duplicate_id", "empty", "not_polygon", "coordinates", "invalid", "no_area"})
"""Kinds of which none may be left in a tiling; the others are told, and the order of truth decides."""

_NOISE = 1.0  # square metres; less is rounding of corners
_THIN = 10.0  # metres: what is narrower on average is a sliver
_HUGE = 200_000  # corners
_LISTED = 200
_PAIRS, _PAIRS_EACH = 5_000, 6  # of features which meet: neighbours have some six, a heap has all
_BAD_ROWS = 100  # rows with impossible coordinates after which the whole layer is taken to be


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes
    ----------
    row : int
        Counted from 1; 0 where it is of no row (a gap).
    id : str
        "" where there is none.
    kind : str
        missing_id, duplicate_id, empty, not_polygon, coordinates, invalid, no_area (these are fatal);
        duplicate_geometry, overlap, gap, sliver (an overlap or gap narrower than 10 m), multipart, 3d, huge.
    what : str
        A sentence part for people.
    area_m2 : float or None
        Of the overlap, the gap or the feature.
    neighbour : str or None
        The other feature.
    place : (float, float) or None
        Longitude and latitude, WGS-84.
    shape : geometry or None
        The ground of the fault, WGS-84.
    """

    row: int
    id: str
    kind: str
    what: str
    area_m2: float | None = None
    neighbour: str | None = None
    place: tuple[float, float] | None = None
    shape: Any = None

    def record(self) -> dict[str, Any]:
        """Without the shape, JSON-ready."""
        lon_lat = None if self.place is None else [round(self.place[0], 7), round(self.place[1], 7)]
        area = None if self.area_m2 is None else round(self.area_m2, 1)
        return {
            "row": self.row,
            "id": self.id,
            "kind": self.kind,
            "what": self.what,
            "area_m2": area,
            "neighbour": self.neighbour,
            "place": lon_lat,
        }


@dataclass(frozen=True, slots=True)
class Inspection:
    """A layer with its faults, in the order of rows; gaps come last.

    Attributes
    ----------
    ids : list of str
        "" where there is none.
    geometry : object array, shape (n,), WGS-84
        None where it cannot be used at all.
    """

    faults: tuple[Fault, ...]
    ids: list[str]
    geometry: Shapes
    source: str

    @property
    def fatal(self) -> tuple[Fault, ...]:
        """Those which forbid a tiling."""
        return tuple(fault for fault in self.faults if fault.kind in FATAL)

    def report(self) -> dict[str, Any]:
        """JSON-ready: ``features``, ``counts`` by kind, ``faults`` (the first 200) and how many there are."""
        return {
            "features": len(self.ids),
            "counts": dict(Counter(fault.kind for fault in self.faults)),
            "total": len(self.faults),
            "faults": [fault.record() for fault in self.faults[:_LISTED]],
        }

    def geojson(self) -> dict[str, Any]:
        """All faults as a FeatureCollection: the ground of each, or its place."""
        features = []
        for fault in self.faults:
            shape = (
                fault.shape if fault.place is None or fault.shape is not None else shapely.Point(fault.place)
            )
            drawn = None if shape is None or shapely.is_empty(shape) else shapely.geometry.mapping(shape)
            features.append({"type": "Feature", "properties": fault.record(), "geometry": drawn})
        return {"type": "FeatureCollection", "features": features}


def inspect(rows: Rows, id_field: str, crs: str | None) -> Inspection:
    """Find all faults of a layer of polygons; nothing is repaired.

    Raises
    ------
    UnknownColumn
        There is no column `id_field`.
    InvalidGeometry
        More than 100 rows have impossible coordinates: the coordinate system is not what it is said to be.
        Or the features lie in a heap, each on most others.
    """
    if id_field not in rows.columns:
        raise UnknownColumn(
            f"there is no column {id_field!r}",
            source=rows.source,
            field=id_field,
            cure=f"take one of: {', '.join(rows.columns) or '(no columns)'}",
        )
    ids = [_text(value) for value in rows.columns[id_field]]
    found = [*_of_ids(ids)]
    flat, of_shape = _polygons(rows, ids)
    geometry, of_place = _degrees(flat, crs or rows.crs or "wgs84", ids, rows.source)
    found += [*of_shape, *of_place, *_of_shapes(rows.geometry, geometry, ids)]
    usable = np.flatnonzero(~shapely.is_missing(geometry) & shapely.is_valid(geometry))
    if len(usable):
        found += _between(geometry[usable], usable, ids, rows.source)
    found.sort(key=lambda fault: fault.row or len(ids) + 1)
    return Inspection(tuple(found), ids, geometry, rows.source)


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool | float):
        return ""
    return str(value).strip()


def _of_ids(ids: list[str]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for row, name in enumerate(ids, start=1):
        if not name:
            yield Fault(row, "", "missing_id", "has no id, or one that is no text")
        elif name in first:
            yield Fault(row, name, "duplicate_id", f"id stands in row {first[name]} already", neighbour=name)
        else:
            first[name] = row


def _polygons(rows: Rows, ids: list[str]) -> tuple[Shapes, list[Fault]]:
    """Polygons without heights, None for what is none."""
    out: Shapes = shapely.force_2d(rows.geometry)
    found: list[Fault] = []
    kind = shapely.get_type_id(out)
    none = (kind == -1) | shapely.is_empty(out)
    for at in np.flatnonzero(none | ~np.isin(kind, (3, 6))).tolist():
        if none[at]:
            found.append(Fault(at + 1, ids[at], "empty", "geometry is missing or empty"))
        else:
            what = f"geometry is a {out[at].geom_type}, not a polygon"
            found.append(Fault(at + 1, ids[at], "not_polygon", what))
        out[at] = None
    return out, found


def _degrees(flat: Shapes, crs: str, ids: list[str], source: str) -> tuple[Shapes, list[Fault]]:
    out = flat.copy()
    found: list[Fault] = []
    left = np.flatnonzero(~shapely.is_missing(flat))
    while len(left):
        try:
            out[left] = checked_degrees(flat[left], crs, source)
            break
        except InvalidGeometry as error:
            if error.row is None or len(found) == _BAD_ROWS:
                raise
            bad = int(left[error.row - 1])
            found.append(Fault(bad + 1, ids[bad], "coordinates", error.message))
            out[bad] = None
            left = np.delete(left, error.row - 1)
    return out, found


def _of_shapes(raw: Shapes, geometry: Shapes, ids: list[str]) -> Iterator[Fault]:
    """Faults of single features."""
    there = ~shapely.is_missing(geometry)
    thin = there & (shapely.area(geometry) <= 1e-12 * shapely.length(geometry) ** 2)
    valid = shapely.is_valid(geometry)
    for at in np.flatnonzero(there & ~valid).tolist():
        reason = str(shapely.is_valid_reason(geometry[at]))
        place = _place_in(reason) or _corner(geometry[at])
        yield Fault(at + 1, ids[at], "invalid", reason.partition("[")[0].strip(), place=place, shape=None)
    for at in np.flatnonzero(thin & valid).tolist():
        yield Fault(at + 1, ids[at], "no_area", "polygon has no area", 0.0, place=_corner(geometry[at]))
    for at in np.flatnonzero(there & (shapely.get_num_geometries(geometry) > 1)).tolist():
        parts = int(shapely.get_num_geometries(geometry[at]))
        yield Fault(at + 1, ids[at], "multipart", f"has {parts} parts", place=_corner(geometry[at]))
    for at in np.flatnonzero(there & shapely.has_z(raw)).tolist():
        yield Fault(at + 1, ids[at], "3d", "has heights, which are left out", place=_corner(geometry[at]))
    corners = shapely.get_num_coordinates(geometry)
    for at in np.flatnonzero(there & (corners > _HUGE)).tolist():
        yield Fault(at + 1, ids[at], "huge", f"has {corners[at]:,} corners", place=_corner(geometry[at]))


def _place_in(reason: str) -> tuple[float, float] | None:
    try:
        lon, lat = reason[reason.index("[") + 1 : reason.index("]")].split()
        return float(lon), float(lat)
    except ValueError:
        return None


def _corner(shape: Any) -> tuple[float, float]:
    lon, lat = shapely.get_coordinates(shape)[0].tolist()
    return lon, lat


def _between(geometry: Shapes, rows: NDArray[np.int64], ids: list[str], source: str) -> list[Fault]:
    """Faults between features: overlaps and gaps."""
    plane = local_plane(geometry)
    flat = flatten(plane, geometry)
    near = np.flatnonzero(faulty(geometry))
    pairs = _meeting(flat, near)
    _require_no_heap(pairs, rows, source)
    return [*_overlaps(flat, pairs, rows, ids, plane), *_gaps(flat, rows, ids, plane)]


def _meeting(flat: Shapes, near: NDArray[np.int64]) -> Pairs:
    """Features which meet, of which one is near a fault; the first has the lower row."""
    left, right = shapely.STRtree(flat).query(flat[near], predicate="intersects")
    a, b = np.minimum(near[left], right), np.maximum(near[left], right)
    pair = np.unique((a * len(flat) + b)[a < b])
    return pair // len(flat), pair % len(flat)


def _require_no_heap(pairs: Pairs, rows: NDArray[np.int64], source: str) -> None:
    """To say of each pair in a heap what it shares may take hours, and would tell nobody more."""
    if len(pairs[0]) <= _PAIRS + _PAIRS_EACH * len(rows):
        return
    others = np.bincount(np.concatenate(pairs))
    most = int(np.argmax(others))
    raise InvalidGeometry(
        f"lies on {others[most]:,} other features, and so do more ({len(pairs[0]):,} pairs)",
        source=source,
        row=int(rows[most]) + 1,
        field="geometry",
        cure="give a layer of areas which lie side by side",
    )


def _overlaps(
    flat: Shapes, pairs: Pairs, rows: NDArray[np.int64], ids: list[str], plane: LocalPlane
) -> Iterator[Fault]:
    a, b = pairs
    shared = shapely.intersection(flat[a], flat[b])
    area = shapely.area(shared)
    for at in np.flatnonzero(area > _NOISE).tolist():
        one, other = int(rows[a[at]]), int(rows[b[at]])
        same = area[at] >= 0.999 * max(shapely.area(flat[a[at]]), shapely.area(flat[b[at]]))
        kind = "duplicate_geometry" if same else _kind(shared[at], "overlap")
        what = "has the geometry of" if same else "overlaps"
        fault = Fault(other + 1, ids[other], kind, f"{what} {ids[one]!r} (row {one + 1})", float(area[at]))
        yield replace(fault, neighbour=ids[one], **_ground(shared[at], plane))


def _gaps(flat: Shapes, rows: NDArray[np.int64], ids: list[str], plane: LocalPlane) -> Iterator[Fault]:
    """Ground which the polygons enclose but none has."""
    joined = shapely.get_parts(shapely.union_all(flat))
    joined = joined[shapely.get_type_id(joined) == 3]
    holes = [shapely.Polygon(ring) for part in joined for ring in part.interiors]
    tree = shapely.STRtree(flat)
    for hole in holes:
        if shapely.area(hole) > _NOISE:
            beside = sorted(ids[int(rows[i])] for i in tree.query(hole, predicate="intersects"))
            what = f"nobody has ground between {', '.join(beside[:4])}"
            fault = Fault(0, "", _kind(hole, "gap"), what, float(shapely.area(hole)))
            yield replace(fault, neighbour=beside[0] if beside else None, **_ground(hole, plane))


def _kind(shape: Any, kind: str) -> str:
    return "sliver" if 2.0 * shapely.area(shape) < _THIN * shapely.length(shape) else kind


def _ground(shape: Any, plane: LocalPlane) -> dict[str, Any]:
    parts = shapely.get_parts(shape)
    parts = parts[shapely.get_type_id(parts) == 3]

    def back(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(plane.unproject(*xy.T))

    drawn = shapely.transform(shapely.multipolygons(parts), back)
    point = shapely.transform(shapely.point_on_surface(parts[int(np.argmax(shapely.area(parts)))]), back)
    return {"shape": drawn, "place": (float(point.x), float(point.y))}
