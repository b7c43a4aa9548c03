"""Points -> cells, against geopandas.sjoin and shapely's tree."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks.case import Answer, Case, Contender, Disagreement
from benchmarks.inputs import load

__all__ = ["CASES", "about", "check_h3", "check_polygons", "near_edge_only"]

_METRES = 111_195.0  # a degree of latitude on the sphere
_HAIR = 1e-3  # of a cell's size: how near to an edge the drawn outline and H3 may differ


def _load_ours(layer: str, work: Path) -> Any:
    from gridsvc.tiling.locate import Locator

    return Locator, load(work, f"{layer}.tiling"), *load(work, f"{layer}.points")


def _ours(inputs: Any) -> NDArray[np.int64]:
    locator, tiling, lon, lat = inputs
    rows: NDArray[np.int64] = locator(tiling).rows(lon, lat)
    return rows


def _load_geopandas(layer: str, work: Path) -> Any:
    import geopandas

    return geopandas, load(work, f"{layer}.geometry"), *load(work, f"{layer}.points")


def _sjoin(predicate: str, inputs: Any) -> Any:
    geopandas, geometry, lon, lat = inputs
    points = geopandas.GeoDataFrame(geometry=geopandas.points_from_xy(lon, lat, crs=4326))
    cells = geopandas.GeoDataFrame(geometry=geometry, crs=4326)
    return geopandas.sjoin(points, cells, predicate=predicate)


def _load_shapely(layer: str, work: Path) -> Any:
    return shapely, load(work, f"{layer}.geometry"), *load(work, f"{layer}.points")


def _tree(inputs: Any) -> Any:
    _, geometry, lon, lat = inputs
    return shapely.STRtree(geometry).query(shapely.points(lon, lat), predicate="intersects")


def _from_rows(_: Any, rows: NDArray[np.int64]) -> Answer:
    return {"rows": rows}


def _from_join(inputs: Any, joined: Any) -> Answer:
    return _from_pairs(inputs, (joined.index.to_numpy(), joined["index_right"].to_numpy()))


def _from_pairs(inputs: Any, pairs: Any) -> Answer:
    """The lowest cell of each point, -1 where there is none."""
    rows = np.full(len(inputs[2]), np.iinfo(np.int64).max)
    np.minimum.at(rows, pairs[0], pairs[1])
    return {"rows": np.where(rows == np.iinfo(np.int64).max, -1, rows)}


def near_edge_only(
    geometry: NDArray[np.object_],
    lon: NDArray[Any],
    lat: NDArray[Any],
    ours: NDArray[Any],
    theirs: NDArray[Any],
) -> str:
    """Allow different cells only a hair away from an edge, where the drawn outline is not the H3 cell.

    Raises
    ------
    Disagreement
        A point farther from the border than 0.001 of its cell's size.
    """
    rows = np.flatnonzero(ours != theirs)
    if not len(rows):
        return "the same for every point"
    cell = geometry[np.where(ours[rows] >= 0, ours[rows], theirs[rows])]
    away = shapely.distance(shapely.boundary(cell), shapely.points(lon[rows], lat[rows]))
    if (away > _HAIR * np.sqrt(shapely.area(cell))).any():
        raise Disagreement(
            f"{len(rows)} points differ, one of them {away.max() * _METRES:.3f} m from an edge"
        )
    millimetres = away.max() * _METRES * 1000
    return f"{len(rows)} of {len(ours):,} points differ, all within {millimetres:.2g} mm of an edge"


def check_h3(work: Path, ours: Answer, theirs: Answer) -> str:
    lon, lat = load(work, "h3.points")
    return near_edge_only(load(work, "h3.geometry"), lon, lat, ours["rows"], theirs["rows"])


def check_polygons(layer: str, work: Path, ours: Answer, theirs: Answer) -> str:
    """Allow no cell for a point on its border ("within" leaves borders out), and no other difference."""
    lon, lat = load(work, f"{layer}.points")
    rows = np.flatnonzero(ours["rows"] != theirs["rows"])
    if not len(rows):
        return "the same for every point"
    cell = load(work, f"{layer}.geometry")[ours["rows"][rows]]
    touching = shapely.touches(cell, shapely.points(lon[rows], lat[rows]))
    if (ours["rows"][rows] < 0).any() or (theirs["rows"][rows] >= 0).any() or not touching.all():
        raise Disagreement(f"{len(rows)} points differ, not all of them on a border")
    return f"the same but for {len(rows):,} points exactly on a border, which it gives no cell"


def about(layer: str, work: Path) -> str:
    geometry, (lon, _) = load(work, f"{layer}.geometry"), load(work, f"{layer}.points")
    vertices = shapely.get_num_coordinates(geometry).mean() - 1
    size = f"{len(lon):,} points, {len(geometry):,} cells of {vertices:.0f} vertices on average"
    return f"{size} ({load(work, f'{layer}.ground')})"


def _case(layer: str, title: str, check: Callable[[Path, Answer, Answer], str]) -> Case:
    geopandas = partial(_load_geopandas, layer)
    return Case(
        f"place-{layer}",
        title,
        partial(about, layer),
        (
            Contender("gridsvc Locator", partial(_load_ours, layer), _ours, _from_rows),
            Contender("geopandas.sjoin, within", geopandas, partial(_sjoin, "within"), _from_join),
            Contender("geopandas.sjoin, intersects", geopandas, partial(_sjoin, "intersects"), _from_join),
            Contender("shapely STRtree.query, intersects", partial(_load_shapely, layer), _tree, _from_pairs),
        ),
        check,
    )


CASES = (
    _case("h3", "Customers on H3 cells", check_h3),
    _case("mosaic", "Customers on irregular polygons", partial(check_polygons, "mosaic")),
    _case("areas", "Customers on administrative areas", partial(check_polygons, "areas")),
)
