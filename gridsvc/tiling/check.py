"""What makes a polygon fit to become a territory or a cell; each fault names its row and its cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import layer_to_wgs84, normalise
from gridsvc.errors import InvalidGeometry

__all__ = ["checked_degrees", "checked_polygons", "union"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_POLYGON, _MULTIPOLYGON = 3, 6
_FAR = 1000.0  # no angle in degrees is larger; a number beyond it is a length
_REPAIR = "repair it in a GIS (in QGIS: Fix geometries) and load it again"


def checked_polygons(geoms: NDArray[np.object_], crs: str, source: str) -> NDArray[np.object_]:
    """The rows' polygons as valid two-dimensional WGS-84 (multi)polygons.

    Parameters
    ----------
    geoms : object array of shapely geometries or None, shape (n,)
    crs : str
        Coordinate system of `geoms`.
    source : str
        Name for error messages.

    Returns
    -------
    object array, shape (n,)

    Raises
    ------
    InvalidGeometry
        For the first row which is missing, empty, no polygon, out of range, without area or self-crossing.
        Nothing is repaired: repairing a long self-crossing outline can take minutes, and guesses.
    """
    flat = shapely.force_2d(geoms)
    _require_polygons(flat, source)
    out = checked_degrees(flat, crs, source)
    _require_valid(out, source)
    return out


def checked_degrees(geoms: NDArray[np.object_], crs: str, source: str) -> NDArray[np.object_]:
    """Two-dimensional geometries of any kind, shape (n,), none missing, as WGS-84 in range.

    Raises
    ------
    InvalidGeometry
        For the first row with a coordinate that is not finite, out of range, in metres where degrees are
        expected, or exchanged.
    InvalidInput
        Unknown coordinate system.
    """
    name = normalise(crs)
    coords, owner = shapely.get_coordinates(geoms, return_index=True)
    _require_finite(
        coords, owner, source, ("a coordinate is not a finite number", "correct or remove the row")
    )
    if _in_degrees(name):
        _require_range(coords, owner, source, _fault_of_degrees)
    degrees = np.column_stack(layer_to_wgs84(coords[:, 0], coords[:, 1], name))
    _require_finite(
        degrees, owner, source, (f"a coordinate cannot lie in {name}", "name the right coordinate system")
    )
    _require_range(degrees, owner, source, _fault_of_result)
    out: NDArray[np.object_] = shapely.set_coordinates(geoms.copy(), degrees)
    return out


def union(geoms: NDArray[np.object_]) -> shapely.MultiPolygon:
    """The union of valid polygons, always as a MultiPolygon.

    The fast union of a coverage is right for edge-matched polygons only, so these are told apart
    first and its result is checked.
    """
    merged = None
    if shapely.coverage_is_valid(geoms):
        merged = shapely.coverage_union_all(geoms)
        total = float(shapely.area(geoms).sum())
        if not shapely.is_valid(merged) or abs(shapely.area(merged) - total) > 1e-9 * total:
            merged = None
    if merged is None:
        merged = shapely.union_all(geoms)
    parts = shapely.get_parts(merged)
    return shapely.multipolygons(parts[shapely.get_type_id(parts) == _POLYGON])


def _first(bad: Any) -> int | None:
    """Position of the first True in a bool array."""
    return int(np.argmax(bad)) if bad.any() else None


def _require_polygons(geoms: NDArray[np.object_], source: str) -> None:
    kind = shapely.get_type_id(geoms)
    polygon = (kind == _POLYGON) | (kind == _MULTIPOLYGON)
    if not polygon.any():
        raise InvalidGeometry("holds no polygons", source=source, cure="give a layer of polygons")
    row = _first(~polygon | shapely.is_empty(geoms))
    if row is None:
        return
    if kind[row] == -1 or shapely.is_empty(geoms[row]):
        what, cure = "geometry is missing or empty", "give the row a polygon or remove it"
    else:
        what = f"geometry is a {geoms[row].geom_type}, not a polygon"
        cure = "keep polygons only in this layer"
    raise InvalidGeometry(what, source=source, row=row + 1, field="geometry", cure=cure)


def _require_finite(coords: Floats, owner: Ints, source: str, fault: tuple[str, str]) -> None:
    bad = _first(~np.isfinite(coords).all(axis=1))
    if bad is not None:
        raise InvalidGeometry(
            fault[0], source=source, row=int(owner[bad]) + 1, field="geometry", cure=fault[1]
        )


def _in_degrees(crs: str) -> bool:
    if not crs.startswith("EPSG:"):
        return True
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return bool(CRS.from_user_input(crs).is_geographic)
    except CRSError:
        return False  # an unknown code is refused, with its cure, where it is used


def _require_range(
    coords: Floats, owner: Ints, source: str, fault: Callable[[Floats, Floats], tuple[str, str]]
) -> None:
    bad = _first((np.abs(coords) > (180.0, 90.0)).any(axis=1))
    if bad is None:
        return
    row = int(owner[bad])
    what, cure = fault(coords[owner == row], coords[bad])
    raise InvalidGeometry(what, source=source, row=row + 1, field="geometry", cure=cure)


def _fault_of_degrees(ring: Floats, worst: Floats) -> tuple[str, str]:
    if (np.abs(ring) > _FAR).any():
        return (
            f"coordinates such as {worst[0]:.1f}, {worst[1]:.1f} look like metres, not degrees",
            "name the coordinate system of the file, for instance EPSG:4549",
        )
    if (np.abs(ring[:, ::-1]) <= (180.0, 90.0)).all():
        return (
            f"longitude and latitude look exchanged ({worst[0]:g}, {worst[1]:g})",
            "write longitude first, then latitude",
        )
    return _fault_of_result(ring, worst)


def _fault_of_result(_: Floats, worst: Floats) -> tuple[str, str]:
    if abs(worst[1]) > 90.0:
        return f"latitude {worst[1]:g} is outside -90 to 90", "correct the coordinate"
    return f"longitude {worst[0]:g} is outside -180 to 180", "correct the coordinate"


def _thin(geoms: Any) -> Any:
    """Whether the outline encloses nothing but rounding, beside the square of its length."""
    return shapely.area(geoms) <= 1e-12 * shapely.length(geoms) ** 2


def _require_valid(geoms: NDArray[np.object_], source: str) -> None:
    row = _first(~shapely.is_valid(geoms) | _thin(geoms))
    if row is None:
        return
    # The hull tells a line from an outline which crosses itself, whose two halves may cancel out.
    if _thin(shapely.convex_hull(geoms[row])):
        what, cure = "polygon has no area", "give it at least three corners which do not lie on one line"
    else:
        reason = str(shapely.is_valid_reason(geoms[row]))
        crosses = reason.startswith(("Self-intersection", "Ring Self-intersection"))
        what = f"polygon {'crosses or touches itself' if crosses else 'is not valid'} ({reason})"
        cure = _REPAIR
    raise InvalidGeometry(what, source=source, row=row + 1, field="geometry", cure=cure)
