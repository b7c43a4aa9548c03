"""The H3 cells of a territory: how many there will be, and which."""

from __future__ import annotations

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidGeometry, InvalidInput, TooLarge
from gridsvc.tiling.hexes import corners, index_points, outlines
from gridsvc.tiling.plane import flatten, local_plane

__all__ = ["MAX_CELLS", "cover", "estimate_cells", "require_resolution"]

MAX_CELLS = 5_000_000
_RADIUS = 6_371_007.18  # metres; the sphere on which H3 works
_POLAR = 85.0
_FINEST = 15


def require_resolution(resolution: int) -> None:
    """Refuse a number which is no H3 resolution (InvalidInput)."""
    if not 0 <= resolution <= _FINEST:
        raise InvalidInput(
            f"there is no H3 resolution {resolution}", field="resolution", cure="take 0 to 15, for instance 9"
        )


def estimate_cells(boundary: shapely.MultiPolygon, resolution: int) -> int:
    """About how many cells `cover` will return, without expanding any.

    The expected number of cells of area `a` and perimeter `u` which meet a convex figure of area `A` and
    perimeter `P` laid down at random is ``A / a + P u / (2 pi a) + 1`` (integral geometry: Santalo's
    formula for two convex sets); for a regular hexagon with edge `L` the middle term is ``0.3676 P / L``.
    Bends of the border which are small beside a cell are smoothed away first.

    Parameters
    ----------
    boundary : MultiPolygon or Polygon, WGS-84
    resolution : int

    Raises
    ------
    InvalidInput
        `resolution` is not 0 to 15.
    """
    require_resolution(resolution)
    cell = _mean_cell_area(boundary, resolution)
    edge = float(np.sqrt(cell / 2.598))
    plane = flatten(local_plane(boundary), np.array([boundary], object))[0]
    border = shapely.length(shapely.simplify(plane, edge / 2.0, preserve_topology=True))
    parts = shapely.get_num_geometries(boundary)
    return int(np.ceil(shapely.area(plane) / cell + 0.3676 * border / edge + parts))


def cover(boundary: shapely.MultiPolygon, resolution: int) -> NDArray[np.uint64]:
    """The cells of a territory, so that no point of it is outside: `h3.latlng_to_cell` of each is among them.

    Parameters
    ----------
    boundary : MultiPolygon or Polygon, WGS-84, valid
    resolution : int, 0 to 15

    Returns
    -------
    uint64 array, ascending, unique
        The cells whose drawn outline meets the territory, border included, with a tolerance.

    Raises
    ------
    InvalidInput
        No such resolution.
    InvalidGeometry
        A polygon over more than 180 degrees of longitude, or too near a pole.
    TooLarge
        More than `MAX_CELLS` by estimate; found out before anything is expanded.

    Notes
    -----
    Why nothing is missed. A point belongs to the cell `c` whose edges are great circles, while the drawn
    outline of `c` has straight edges in lon/lat. An edge of length L at latitude phi departs from its chord
    by at most ``1.2 L^2 tan(phi) / (8 R)`` (the curvature of a great circle in lon/lat coordinates);
    call twice a bound of that, with a millionth of L for rounding, the tolerance. Let a point of the
    territory index into `c`; then it lies within the tolerance of the drawn outline.

    1. If the territory's border comes within the tolerance of the drawn outline, then a sample of the
       border, taken each eighth of a cell edge or closer, indexes into `c` or one of its neighbours. All
       sampled cells and their neighbours are candidates, and `c` passes the test ``distance <= tolerance``.
    2. If it does not, the outline with the tolerance around it lies wholly inside the territory (it holds a
       point of it), so its centre does too and the fill by centres finds it.
    """
    _require_tileable(boundary, resolution)
    polygons = shapely.get_parts(boundary)
    inner = [h3.h3shape_to_cells(_h3_shape(p), resolution) for p in polygons]
    border = _border_cells(boundary, resolution)
    return np.unique(np.concatenate([border, *(np.array(c, np.uint64) for c in inner)]))


def _require_tileable(boundary: shapely.MultiPolygon, resolution: int) -> None:
    require_resolution(resolution)
    box = shapely.bounds(shapely.get_parts(boundary))
    if (box[:, 2] - box[:, 0] > 180.0).any():
        raise InvalidGeometry(
            "a polygon spans more than 180 degrees of longitude",
            field="geometry",
            cure="split it at the antimeridian (180 degrees) into two polygons",
        )
    if np.abs(box[:, [1, 3]]).max() > _POLAR:
        raise InvalidGeometry(
            f"a polygon reaches beyond latitude {_POLAR:g}", field="geometry", cure="cut it off there"
        )
    estimate = estimate_cells(boundary, resolution)
    if estimate > MAX_CELLS:
        fits = next(r for r in range(resolution - 1, -1, -1) if estimate_cells(boundary, r) <= MAX_CELLS)
        raise TooLarge(
            f"resolution {resolution} would give about {estimate:,} cells, more than {MAX_CELLS:,}",
            field="resolution",
            cure=f"take resolution {fits} or coarser",
            estimate=estimate,
            limit=MAX_CELLS,
            finest=fits,
        )


def _mean_cell_area(boundary: shapely.MultiPolygon, resolution: int) -> float:
    """Square metres; H3 cells of one resolution vary by a factor of two over the globe, so sample."""
    west, south, east, north = shapely.bounds(boundary)
    lon, lat = (v.ravel() for v in np.meshgrid(np.linspace(west, east, 7), np.linspace(south, north, 7)))
    inside = shapely.intersects_xy(boundary, lon, lat)
    point = shapely.point_on_surface(boundary)
    lon, lat = np.append(lon[inside], point.x), np.append(lat[inside], point.y)
    cells = index_points(lon, lat, resolution).tolist()
    return 1.0 / float(np.mean([1.0 / h3.cell_area(cell, unit="m^2") for cell in cells]))


def _h3_shape(polygon: shapely.Polygon) -> h3.LatLngPoly:
    rings = [polygon.exterior, *polygon.interiors]
    return h3.LatLngPoly(*(shapely.get_coordinates(ring)[:, ::-1].tolist() for ring in rings))


def _border_cells(boundary: shapely.MultiPolygon, resolution: int) -> NDArray[np.uint64]:
    """The candidates along the border whose outline comes within its tolerance of the territory."""
    edge = h3.average_hexagon_edge_length(resolution, unit="m")
    step = np.degrees(edge / 8.0 / _RADIUS)  # a degree of longitude is shorter, hence sampled more densely
    lon, lat = shapely.get_coordinates(shapely.segmentize(boundary, step)).T
    sampled = np.unique(index_points(lon, lat, resolution))
    candidates = np.unique(
        np.concatenate([np.array(h3.grid_disk(c, 1), np.uint64) for c in sampled.tolist()])
    )
    xy, count = corners(candidates)
    drawn = outlines(xy, count)
    shapely.prepare(boundary)
    near = shapely.intersects(boundary, drawn)
    # An outline drawn over the antimeridian cannot be compared with a territory on its other side: keep it.
    near |= shapely.bounds(drawn)[:, 2] > 180.0
    rest = np.flatnonzero(~near)
    near[rest] = shapely.dwithin(boundary, drawn[rest], _tolerance(drawn[rest]))
    found: NDArray[np.uint64] = candidates[near]
    return found


def _tolerance(drawn: NDArray[np.object_]) -> NDArray[np.float64]:
    """Degrees by which points of a cell may lie outside its drawn outline; see `cover`."""
    box = shapely.bounds(drawn)
    lat = np.radians(np.minimum(np.abs(box[:, [1, 3]]).max(axis=1), 89.0))
    # A hexagon is at least 1.73 edges high, whichever way it lies.
    longest = np.radians(box[:, 3] - box[:, 1]) * _RADIUS / 1.5
    metres = 2.0 * longest**2 * (1.0 + np.tan(lat)) / (8.0 * _RADIUS) + 1e-6 * longest
    tolerance: NDArray[np.float64] = np.degrees(metres / (_RADIUS * np.cos(lat)))
    return tolerance
