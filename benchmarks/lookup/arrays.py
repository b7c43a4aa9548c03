"""Arrays of points -> cell and grid, in one process without a service: ours, h3-py, dictionaries, joins."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks.case import Answer, Case, Contender, Disagreement
from benchmarks.inputs import load
from benchmarks.place import about, check_h3, check_polygons
from gridsvc.plans.plan import Grid
from gridsvc.tiling.check import union
from gridsvc.tiling.tiling import Tiling

__all__ = ["CASES", "COMPILED", "NUMPY"]

NUMPY, COMPILED = "gridsvc, numpy", "gridsvc, compiled"

Rows = NDArray[np.int64]


def _load_ours(layer: str, compiled: bool, work: Path) -> Any:
    """A snapshot file, opened as anybody would who fetched it from a service."""
    from gridsvc import ownership

    path = work / f"{layer}.snapshot"
    if not path.exists():
        _write_snapshot(path, load(work, f"{layer}.tiling"), load(work, f"{layer}.labels"), work)
    lookup = partial(ownership.open(path).lookup, compiled=compiled)
    lon, lat = load(work, f"{layer}.points")
    lookup(lat[:1000], lon[:1000])  # what is made or compiled on first need
    return lookup, lon, lat


def _write_snapshot(path: Path, tiling: Tiling, labels: NDArray[np.int32], work: Path) -> None:
    from gridsvc.ownership.bundle import Bundle
    from gridsvc.ownership.holdings import Holdings
    from gridsvc.ownership.snapshot import Moment, Snapshot
    from gridsvc.teams.model import Roster
    from gridsvc.tiling.places import Places

    boundary = union(load(work, "areas.geometry"))
    geometry = None if tiling.kind == "h3" else tiling.geometry
    places = Places.of(tiling.kind, tiling.resolution, tiling.ids, geometry, boundary)
    grids = tuple(Grid(f"{i:03d}", f"Grid {i}", f"T{i % 12}") for i in range(int(labels.max()) + 1))
    held = Holdings("benchmark", "base", labels.astype(np.int16), grids)
    moment = Moment(1, 1, 1, datetime.now(UTC))
    Bundle(Snapshot(held, places, "benchmark", Roster((), (), (), ()), moment)).write(path)


def _ours(inputs: Any) -> Any:
    lookup, lon, lat = inputs
    found = lookup(lat, lon)
    return found.rows, found.owner, found.owners


def _rows_and_grids(_: Any, outcome: Any) -> Answer:
    rows, owner, owners = outcome
    # Codes of owners beyond the grids stand for fallback, outside and invalid.
    grids = len(owners) - 3
    return {"rows": np.asarray(rows, np.int64), "grid": np.where(owner < grids, owner, -1).astype(np.int64)}


# --- h3-py and dictionaries


def _load_h3(work: Path) -> Any:
    import h3.api.basic_int as h3

    tiling, labels = load(work, "h3.tiling"), load(work, "h3.labels")
    grid_of = dict(zip(tiling.ids.tolist(), labels.tolist(), strict=True))
    return h3.latlng_to_cell, tiling.resolution, grid_of, *load(work, "h3.points")


def _loop(inputs: Any) -> Any:
    latlng_to_cell, resolution, grid_of, lon, lat = inputs
    cells = list(map(latlng_to_cell, lat.tolist(), lon.tolist(), repeat(resolution)))
    return cells, list(map(grid_of.get, cells))


def _load_cells(work: Path) -> Any:
    """Points whose cells somebody computed before."""
    latlng_to_cell, resolution, grid_of, lon, lat = _load_h3(work)
    return grid_of, list(map(latlng_to_cell, lat.tolist(), lon.tolist(), repeat(resolution)))


def _dictionary(inputs: Any) -> Any:
    grid_of, cells = inputs
    return cells, list(map(grid_of.get, cells))


def _grids_alone(_: Any, outcome: Any) -> Answer:
    return {"grid": np.array([-1 if grid is None else grid for grid in outcome[1]])}


# --- joins of points with drawn outlines


def _load_geopandas(layer: str, work: Path) -> Any:
    import geopandas

    geometry, labels = load(work, f"{layer}.geometry"), load(work, f"{layer}.labels")
    cells = geopandas.GeoDataFrame({"grid": labels}, geometry=geometry, crs=4326)
    return geopandas, cells, *load(work, f"{layer}.points")


def _sjoin(inputs: Any) -> Any:
    geopandas, cells, lon, lat = inputs
    points = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(lon, lat, crs=4326))
    return geopandas.sjoin(points, cells, predicate="intersects")


def _joined(inputs: Any, joined: Any) -> Answer:
    return _lowest(len(inputs[2]), joined.index.to_numpy(), joined["index_right"].to_numpy())


def _load_tree(layer: str, work: Path) -> Any:
    geometry, labels = load(work, f"{layer}.geometry"), load(work, f"{layer}.labels")
    return shapely.STRtree(geometry), labels, *load(work, f"{layer}.points")


def _tree(inputs: Any) -> Any:
    tree, labels, lon, lat = inputs
    point, cell = tree.query(shapely.points(lon, lat), predicate="intersects")
    return point, cell, labels[cell]


def _paired(inputs: Any, pairs: Any) -> Answer:
    return _lowest(len(inputs[2]), *pairs[:2])


def _lowest(n: int, point: Rows, cell: Rows) -> Answer:
    """The lowest cell of each point, -1 where there is none."""
    rows = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(rows, point, cell)
    return {"rows": np.where(rows == np.iinfo(np.int64).max, -1, rows)}


# --- cases


def _check(layer: str, work: Path, ours: Answer, theirs: Answer) -> str:
    """The same, but for joins, which know the drawn outlines only."""
    if "grid" not in theirs:
        return check_h3(work, ours, theirs) if layer == "h3" else check_polygons(layer, work, ours, theirs)
    for name, column in theirs.items():
        if not np.array_equal(ours[name], column):
            raise Disagreement(f"{(ours[name] != column).sum()} points differ in {name}")
    return "the same for every point"


def _both(layer: str) -> tuple[Contender, ...]:
    return (
        Contender(NUMPY, partial(_load_ours, layer, False), _ours, _rows_and_grids),
        Contender(COMPILED, partial(_load_ours, layer, True), _ours, _rows_and_grids),
    )


def _joins(layer: str) -> tuple[Contender, ...]:
    return (
        Contender("geopandas.sjoin", partial(_load_geopandas, layer), _sjoin, _joined),
        Contender("shapely STRtree.query", partial(_load_tree, layer), _tree, _paired),
    )


_H3 = (
    Contender("h3-py, one by one, and a dictionary", _load_h3, _loop, _grids_alone),
    Contender("a dictionary, cells computed before", _load_cells, _dictionary, _grids_alone),
)

CASES = (
    Case(
        "lookup-h3",
        "Points to H3 cells and grids",
        partial(about, "h3"),
        (*_both("h3"), *_H3, *_joins("h3")),
        partial(_check, "h3"),
        repeats=3,
    ),
    Case(
        "lookup-areas",
        "Points to administrative areas and grids",
        partial(about, "areas"),
        (*_both("areas"), *_joins("areas")),
        partial(_check, "areas"),
        repeats=3,
    ),
)
