"""What is wrong with polygons somebody drew: ground in none, ground in several, parts that lie apart.

Everything here is in one plane, in metres.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.plans.claims import Claims
from gridsvc.tiling.coverage import pieces

__all__ = ["People", "Sketch", "Spot", "Survey", "survey"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]
Grids = tuple[int, ...]

_NOISE = 1.0  # square metres; less is rounding of corners
_HAIR = 0.005  # metres: what is less than twice as wide lies between two tracings of one line
_STRAIGHT = 0.05  # metres
_NEAR = 1.0  # metres: whose border runs along a gap
_POLYGON = 3


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Customers with a place.

    Attributes
    ----------
    x, y : float64 arrays, shape (n,), metres
    cell : int64 array, shape (n,)
        Row of the cell each belongs to.
    exact : bool
        Whether places are their own, or only the middles of their cells: such customers are counted in gaps
        and overlaps, but cells go by area.
    """

    x: Floats
    y: Floats
    cell: Ints
    exact: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """Grids as drawn, over the cells of a territory.

    Attributes
    ----------
    shapes : object array of (multi)polygons, shape (n_grids,)
    cells : object array of (multi)polygons, shape (n_cells,)
    ground : (multi)polygon
        The territory.
    rim : bool array, shape (n_cells,), or None
        Cells which hang over the territory's border by an unknown piece; ground there is no gap, unless
        customers live on it.
    """

    shapes: Shapes
    cells: Shapes
    ground: Any
    rim: NDArray[np.bool_] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Spot:
    """A place where something is wrong.

    Attributes
    ----------
    area : float, square metres
    customers : int or None
        None where nobody knows.
    grids : tuple of int
        Those it lies between or in; for a part which lies apart its own and then those around.
    point : (float, float)
        Inside it, metres.
    bounds : (float, float, float, float)
        West, south, east, north, metres.
    outline : polygon or None
    cells : int64 array or None
        Rows of its cells, where it consists of cells.
    """

    area: float
    customers: int | None
    grids: tuple[int, ...]
    point: tuple[float, float]
    bounds: tuple[float, float, float, float]
    outline: Any = None
    cells: Ints | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What is wrong, and what each grid claims of each cell.

    Attributes
    ----------
    gaps, overlaps, apart : tuple of Spot
        Most customers first, then the largest.
    gap_customers, overlap_customers : int or None
        All customers in no grid, and in several.
    edge : float, square metres
        Ground of rim cells in no grid.
    beyond : float, square metres
        Drawn ground outside the territory.
    """

    gaps: tuple[Spot, ...]
    overlaps: tuple[Spot, ...]
    apart: tuple[Spot, ...]
    gap_customers: int | None
    overlap_customers: int | None
    edge: float
    beyond: float
    claims: Claims


def survey(sketch: Sketch, people: People | None = None) -> Survey:
    """Look at polygons for gaps, overlaps and parts which lie apart, and measure what they claim.

    A customer on the border of several grids belongs to the first of them; one inside several is claimed by
    each.
    """
    covered = shapely.union_all(sketch.shapes)
    gaps, edge = _gaps(sketch, covered)
    overlaps = _overlaps(sketch.shapes)
    person, grid = _inside(sketch.shapes, people)
    times = np.bincount(person, minlength=0 if people is None else len(people.x))
    lost = None if people is None else (people.x[times == 0], people.y[times == 0])
    twice = None if people is None else (people.x[times > 1], people.y[times > 1])
    everybody = None if people is None else (people.x, people.y)
    near = _Near(sketch.shapes)
    found = _spots(gaps, lost, near.around)
    if people is not None and people.exact:
        found += [spot for spot in _spots(edge, lost, near.around) if spot.customers]
    return Survey(
        _sorted(found),
        _sorted(_spots(overlaps, twice, near.under)),
        _sorted(_apart(near, everybody)),
        None if lost is None else len(lost[0]),
        None if twice is None else len(twice[0]),
        float(shapely.area(edge).sum()),
        float(shapely.area(shapely.difference(covered, sketch.ground))),
        _claims(sketch, (gaps, edge), people, (person, grid)),
    )


def _polygons(shape: Any) -> Shapes:
    """The polygons of any geometry, without crumbs."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    return np.asarray(
        parts[(shapely.get_type_id(parts) == _POLYGON) & (shapely.area(parts) > _NOISE)], object
    )


def _places(shape: Any) -> Shapes:
    """The polygons of any geometry without what is as thin as a hair, which would join places far apart."""
    thick = shapely.buffer(shape, -_HAIR, join_style="mitre")
    return _polygons(shapely.buffer(thick, _HAIR, join_style="mitre"))


def _gaps(sketch: Sketch, covered: Any) -> tuple[Shapes, Shapes]:
    """Ground in no grid, and the part of it in cells of the rim."""
    bare = shapely.difference(sketch.ground, covered)
    if sketch.rim is None or not sketch.rim.any():
        return _places(bare), np.zeros(0, object)
    rim = shapely.union_all(sketch.cells[sketch.rim])
    return _places(shapely.difference(bare, rim)), _places(shapely.intersection(bare, rim))


def _overlaps(shapes: Shapes) -> Shapes:
    a, b = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = a < b
    shared = _polygons(shapely.intersection(shapes[a[once]], shapes[b[once]]))
    return _places(shapely.union_all(shared))


def _inside(shapes: Shapes, people: People | None) -> tuple[Ints, Ints]:
    """Each person and grid which claims him."""
    if people is None or not len(people.x):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    person, grid = _hits(shapes, people.x, people.y)
    many = np.flatnonzero(np.bincount(person, minlength=len(people.x))[person] > 1)
    inner = shapely.contains_xy(shapes[grid[many]], people.x[person[many]], people.y[person[many]])
    strictly = np.zeros(len(people.x), bool)
    strictly[person[many[inner]]] = True
    first = np.zeros(len(person), bool)
    order = np.lexsort((grid, person))
    first[order[np.unique(person[order], return_index=True)[1]]] = True
    keep = np.ones(len(person), bool)
    keep[many] = np.where(strictly[person[many]], inner, first[many])
    return person[keep], grid[keep]


def _hits(shapes: Shapes, x: Floats, y: Floats) -> tuple[Ints, Ints]:
    """Points and the shapes they lie in or on: boxes first, then the exact test shape by shape."""
    shapely.prepare(shapes)
    point, shape = shapely.STRtree(shapes).query(shapely.points(x, y))
    order = np.argsort(shape, kind="stable")
    point, shape = point[order], shape[order]
    hit = shapely.intersects_xy(shapes[shape], x[point], y[point])
    return point[hit].astype(np.int64), shape[hit].astype(np.int64)


def _spots(parts: Shapes, points: tuple[Floats, Floats] | None, grids: Callable[[Any], Grids]) -> list[Spot]:
    counts = None if points is None else np.bincount(_hits(parts, *points)[1], minlength=len(parts))
    return [
        _spot(part, None if counts is None else int(counts[at]), grids(part)) for at, part in enumerate(parts)
    ]


def _spot(part: Any, customers: int | None, grids: Grids) -> Spot:
    # Corners set along straight edges would draw the point to themselves.
    inner = shapely.point_on_surface(shapely.simplify(part, _STRAIGHT))
    if not shapely.contains(part, inner):
        inner = shapely.point_on_surface(part)
    west, south, east, north = shapely.bounds(part).tolist()
    point = float(shapely.get_x(inner)), float(shapely.get_y(inner))
    return Spot(float(shapely.area(part)), customers, grids, point, (west, south, east, north), part)


class _Near:
    """Tells which grids a part has to do with."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes, self._tree = shapes, shapely.STRtree(shapes)

    def around(self, part: Any) -> Grids:
        """Grids whose border runs along a part; the nearest where none does."""
        found = self._tree.query(part, predicate="dwithin", distance=_NEAR)
        if not len(found):
            found = np.atleast_1d(self._tree.nearest(part))
        return tuple(sorted(found.tolist()))

    def under(self, part: Any) -> Grids:
        """Grids which hold some of the part's ground."""
        near = self._tree.query(part, predicate="intersects")
        area = shapely.area(shapely.intersection(self.shapes[near], part))
        return tuple(sorted(near[area > min(_NOISE, 0.01 * shapely.area(part))].tolist()))


def _apart(near: _Near, points: tuple[Floats, Floats] | None) -> list[Spot]:
    """All parts of each grid but its largest; its own grid first, then those around."""
    parts, owner = shapely.get_parts(near.shapes, return_index=True)
    area = shapely.area(parts)
    order = np.lexsort((-area, owner))
    largest = order[np.unique(owner[order], return_index=True)[1]]
    rest = np.setdiff1d(np.flatnonzero(area > _NOISE), largest)
    own = dict(zip(map(id, parts[rest]), owner[rest].tolist(), strict=True))

    def grids(part: Any) -> Grids:
        grid = own[id(part)]
        return (grid, *(other for other in near.around(part) if other != grid))

    return _spots(parts[rest], points, grids)


def _sorted(spots: list[Spot]) -> tuple[Spot, ...]:
    return tuple(sorted(spots, key=lambda spot: (-(spot.customers or 0), -spot.area)))


def _claims(
    sketch: Sketch, bare: tuple[Shapes, Shapes], people: People | None, inside: tuple[Ints, Ints]
) -> Claims:
    n, k = len(sketch.cells), len(sketch.shapes)
    cell, grid, area = _shared(sketch.cells, sketch.shapes)
    open_cell, _, open_part = _shared(sketch.cells, np.concatenate(bare))
    open_area = _added(open_cell, open_part, n)
    if sketch.rim is not None:
        open_area[sketch.rim] = 0.0
    person, of_grid = inside
    if people is None or not people.exact or not len(people.x):
        return Claims(cell, grid.astype(np.int32), np.zeros(len(cell)), area, np.zeros(n), open_area)
    open_customers = np.bincount(np.delete(people.cell, person), minlength=n).astype(np.float64)
    held, heads = np.unique(people.cell[person] * k + of_grid, return_counts=True)
    keys, which = np.unique(np.concatenate([cell * k + grid, held]), return_inverse=True)
    areas = _added(which[: len(cell)], area, len(keys))
    customers = _added(which[len(cell) :], heads, len(keys))
    return Claims(keys // k, (keys % k).astype(np.int32), customers, areas, open_customers, open_area)


def _added(group: Ints, values: NDArray[np.number], n: int) -> Floats:
    return np.bincount(group, values, n).astype(np.float64)


def _shared(cells: Shapes, shapes: Shapes) -> tuple[Ints, Ints, Floats]:
    """Cells, shapes and the ground they share, square metres: three arrays, one row a pair."""
    cut = [_polygons(np.array(pieces(shape), object)) for shape in shapes]
    owner = np.repeat(np.arange(len(cut)), [len(parts) for parts in cut])
    parts = np.concatenate([np.zeros(0, object), *cut])
    shapely.prepare(parts)
    cell, part = shapely.STRtree(parts).query(cells)
    order = np.argsort(part, kind="stable")
    cell, part = cell[order], part[order]
    whole = shapely.contains_properly(parts[part], cells[cell])
    area = np.zeros(len(cell))
    area[whole] = shapely.area(cells[cell[whole]])
    area[~whole] = shapely.area(shapely.intersection(cells[cell[~whole]], parts[part[~whole]]))
    pair, which = np.unique(cell * len(shapes) + owner[part], return_inverse=True)
    total = _added(which, area, len(pair))
    keep = total > _NOISE
    cell, shape = np.divmod(pair[keep].astype(np.int64), max(len(shapes), 1))
    return cell, shape, total[keep]
