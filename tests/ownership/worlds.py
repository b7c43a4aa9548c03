"""Small worlds where lookups are hard: poles, pentagons, the antimeridian, edges of faces, carve-outs.

Each is a publication with its territory, and can be published into a database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.ownership.publication import Overlay, Publication, checksum, pack
from gridsvc.plans.plan import Grid
from gridsvc.principal import SCOPES, Principal
from gridsvc.services import rosters
from gridsvc.store import Database
from gridsvc.store.records import PlanRecord, PublicationRecord, Territory
from gridsvc.teams.model import Department, Member, Person, Roster, Team
from gridsvc.tiling.atoms import with_atoms
from gridsvc.tiling.h3tiles import tile_cells
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer
from gridsvc.tiling.tiling import Tiling

__all__ = ["ROSTER", "World", "disk", "hexes", "patches", "put", "worlds"]

FALLBACK = "t0"
_GRIDS = 5
ROSTER = Roster(
    (Department("m", "Marketing"),),
    tuple(Person(f"p{i}", f"Person {i}", "m") for i in range(_GRIDS + 2)),
    tuple(Team(f"t{i}", f"Team {i}") for i in range(_GRIDS + 2)),
    tuple(Member(f"t{i}", f"p{i}", "lead") for i in range(_GRIDS + 2)),
    fallback=FALLBACK,
)


@dataclass(frozen=True)
class World:
    """A publication and the place it is about.

    Attributes
    ----------
    boundary : MultiPolygon
        The territory; neither all of it has cells, nor do all cells lie in it.
    geometry : object array of (multi)polygons or None
        Cells where not all are of H3, in the order of the publication.
    made : Tiling or None
        Given where some cells are unsplittable polygons.
    taken : mapping of H3 cell to cell
        Those of which these leave nothing, with the polygon that has most of each.
    """

    publication: Publication
    boundary: shapely.MultiPolygon
    geometry: NDArray[np.object_] | None = None
    made: Tiling | None = None
    taken: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.publication.territory

    @cached_property
    def tiling(self) -> Tiling:
        if self.made is not None:
            return self.made
        if self.geometry is None:
            return tile_cells(self.publication.ids)
        return tile_polygons(PolygonLayer(self.publication.ids, self.geometry))


def disk(lon: float, lat: float, resolution: int, k: int) -> NDArray[np.uint64]:
    """All H3 cells within `k` steps of the one at a place, ascending."""
    return np.array(sorted(h3.grid_disk(h3.latlng_to_cell(lat, lon, resolution), k)), np.uint64)


def hexes(
    name: str,
    ids: NDArray[np.uint64],
    boundary: list[shapely.Polygon],
    overlays: list[Any] | None = None,
) -> World:
    """Some cells belong to no grid, and every ninth is not there at all."""
    resolution = h3.get_resolution(int(ids[0]))
    ids = np.delete(ids, np.s_[4::9])
    publication = Publication(
        name, "base", "h3", resolution, ids, _labels(len(ids)), _grids(), _overlays(overlays or [])
    )
    return World(publication, shapely.MultiPolygon(boundary))


def patches(
    name: str,
    geometry: NDArray[np.object_],
    boundary: shapely.MultiPolygon | None = None,
    overlays: list[Any] | None = None,
) -> World:
    """A tiling of the given polygons."""
    ids = np.array([f"c{i:05d}" for i in range(len(geometry))], object)
    publication = Publication(
        name, "base", "polygons", None, ids, _labels(len(ids)), _grids(), _overlays(overlays or [])
    )
    around = shapely.MultiPolygon([shapely.box(*shapely.total_bounds(geometry))])
    return World(publication, around if boundary is None else boundary, geometry)


def estates(name: str, base: Tiling, shapes: list[Any], boundary: shapely.MultiPolygon) -> World:
    """A tiling with unsplittable polygons laid over it; every seventh of its other cells is in no grid."""
    ids = np.array([f"{'Z' if i % 2 else '8'}E{i:03d}" for i in range(len(shapes))], object)
    made, _ = with_atoms(base, PolygonLayer(ids, np.array(shapes, object)))
    gone = set(base.names()) - set(made.names())
    ground = dict(zip(base.names(), base.geometry, strict=True))
    taken = {
        c: max(zip(ids, shapes, strict=True), key=lambda e: e[1].intersection(ground[c]).area)[0]
        for c in gone
    }
    publication = Publication(
        name,
        "base",
        made.kind,
        made.resolution,
        made.ids,
        _labels(len(made)),
        _grids(),
        _overlays([_ring(116.42, 39.9, 0.003)]),
    )
    return World(publication, boundary, made.geometry, made, taken)


def _with_estates() -> list[World]:
    """Estates which cut hexagons, take some whole, touch each other, have holes, and hang over the border."""
    shapes = [
        _ring(116.4, 39.9, 0.012),
        shapely.box(116.42, 39.88, 116.424, 39.884),
        shapely.box(116.424, 39.88, 116.428, 39.884),
        shapely.Polygon([(116.38, 39.87), (116.39, 39.871), (116.381, 39.8705)]),
        shapely.box(116.36, 39.9, 116.3601, 39.91),
    ]
    around = shapely.MultiPolygon([shapely.box(116.365, 39.86, 116.47, 39.93)])
    squares = [
        shapely.box(x, y, x + 0.01, y + 0.01)
        for x in np.linspace(116.36, 116.43, 8)
        for y in np.linspace(39.87, 39.92, 6)
    ]
    codes = np.array([f"c{i:05d}" for i in range(len(squares))], object)
    return [
        estates("hexes-with-estates", tile_cells(disk(116.4, 39.9, 9, 15)), shapes, around),
        estates(
            "areas-with-estates",
            tile_polygons(PolygonLayer(codes, np.array(squares, object))),
            shapes,
            around,
        ),
    ]


def _labels(n: int) -> NDArray[np.int32]:
    return np.random.default_rng(n).integers(-1, _GRIDS, n).astype(np.int32)


def _grids() -> tuple[Grid, ...]:
    last = _GRIDS - 1
    return tuple(
        Grid(f"{i + 1:02d}", f"Grid {i + 1}", f"t{i + 1}", carve_out=i == last) for i in range(_GRIDS)
    )


def _overlays(polygons: list[Any]) -> tuple[Overlay, ...]:
    return tuple(Overlay(f"X{i}", f"Estate {i}", f"t{_GRIDS + 1}", p) for i, p in enumerate(polygons))


def _ring(lon: float, lat: float, reach: float) -> shapely.Polygon:
    """A round place with a hole."""
    centre = shapely.Point(lon, lat)
    return centre.buffer(reach).difference(centre.buffer(reach / 3.0))


def worlds(scale: int = 1) -> list[World]:
    """One of each kind.

    Parameters
    ----------
    scale : int
        1 gives some hundred cells each; more, as many times as wide.
    """
    pentagon_lat, pentagon_lon = h3.cell_to_latlng(h3.get_pentagons(5)[3])
    over = [shapely.box(179.4, -17.2, 180, -16.4), shapely.box(-180, -17.2, -179.4, -16.4)]
    city = [shapely.box(116.30, 39.85, 116.50, 39.95)]
    return [
        hexes(
            "city", disk(116.4, 39.9, 9, 9 * scale), city, [_ring(116.4, 39.9, 0.004), _bar(116.4, 39.906)]
        ),
        hexes(
            "pentagon",
            disk(pentagon_lon, pentagon_lat, 5, 6),
            [shapely.Point(pentagon_lon, pentagon_lat).buffer(0.7)],
        ),
        hexes("antimeridian", disk(179.98, -16.8, 7, 10 * scale), over, [_across()]),
        hexes(
            "pole",
            disk(0.0, 90.0, 4, 4 * scale),
            [shapely.box(-180, 88.9, 180, 90)],
            [shapely.box(0, 89.2, 90, 90)],
        ),
        hexes("faces", disk(*_between_faces(), 5, 6), [shapely.Point(*_between_faces()).buffer(0.8)]),
        hexes("globe", np.array(sorted(h3.get_res0_cells()), np.uint64), [shapely.box(-180, -60, 180, 60)]),
        patches("areas", _areas(12 * scale), None, [_ring(10.05, 50.05, 0.02)]),
        *_with_estates(),
    ]


def _bar(lon: float, lat: float) -> shapely.MultiPolygon:
    """Two slivers, one above the other."""
    parts = [shapely.box(lon - 0.01, lat + d, lon + 0.01, lat + d + 1e-5) for d in (0.0, 0.001)]
    return shapely.MultiPolygon(parts)


def _across() -> shapely.MultiPolygon:
    return shapely.MultiPolygon(
        [shapely.box(179.95, -16.9, 180, -16.7), shapely.box(-180, -16.9, -179.95, -16.7)]
    )


def _between_faces() -> tuple[float, float]:
    """Middle of an edge of the icosahedron: between two pentagons which are neighbours."""
    corners = [h3.cell_to_latlng(c) for c in sorted(h3.get_pentagons(0))]
    near = min(corners[1:], key=lambda c: h3.great_circle_distance(corners[0], c))
    ends = np.array([_vector(*corners[0]), _vector(*near)]).sum(axis=0)
    x, y, z = ends.tolist()
    return float(np.degrees(np.arctan2(y, x))), float(np.degrees(np.arctan2(z, np.hypot(x, y))))


def _vector(lat: float, lon: float) -> tuple[float, float, float]:
    a, b = np.radians(lon), np.radians(lat)
    return float(np.cos(b) * np.cos(a)), float(np.cos(b) * np.sin(a)), float(np.sin(b))


def _areas(side: int) -> NDArray[np.object_]:
    """Bent patches which share borders, some left out, one in two parts, one with a hole, one a sliver."""
    rng = np.random.default_rng(5)
    lattice = np.stack(np.meshgrid(np.arange(side + 2), np.arange(side + 2)), axis=-1).reshape(-1, 2)
    sites = lattice + rng.uniform(-0.4, 0.4, lattice.shape)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(sites)))
    cells = shapely.transform(cells[shapely.area(cells) < 3.0], lambda xy: xy * 0.01 + (10.0, 50.0))
    cells = np.delete(cells, np.s_[5::11])
    pair = shapely.MultiPolygon([cells[0], cells[-1]])
    holed = cells[7].difference(cells[7].centroid.buffer(0.001))
    sliver = shapely.box(9.9, 49.9, 10.0, 49.9 + 1e-9)
    made: NDArray[np.object_] = np.array([pair, holed, sliver, *cells[1:7], *cells[8:-1]], object)
    return made


_ANNA = Principal("anna", SCOPES)


def put(database: Database, world: World) -> int:
    """Publish a world straight into the store, in force since yesterday; gives its number."""
    before = datetime.now(UTC) - timedelta(days=1)
    payload = pack(world.publication)
    with database.write(_ANNA, "test") as work:
        work.territories.create(Territory(world.name, world.name, "UTC", world.boundary, before))
        tiling = work.tilings.add(world.name, world.tiling, params={}, coverage={})
        plan = work.plans.create(PlanRecord(world.name, tiling, "first"))
    rosters.put(database, _ANNA, world.name, ROSTER, valid_from=before, reason="from the start")
    with database.write(_ANNA, "test") as work:
        record = PublicationRecord(world.name, plan, tiling, before, checksum(payload), payload)
        grids = world.publication.grids
        return work.publications.publish(record, grids, [None] * len(grids))
