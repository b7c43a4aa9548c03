"""Vector tiles: as GDAL reads them, and as they are kept."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from gridsvc.exchange.tiles.attributes import attributes
from gridsvc.exchange.tiles.mercator import HALF, Tile, to_mercator
from gridsvc.exchange.tiles.mvt import EXTENT, encode
from gridsvc.exchange.tiles.rings import Rings
from gridsvc.exchange.tiles.simplify import simplified
from gridsvc.services import features, tiles
from gridsvc.services.feature_tables import Shelf
from gridsvc.services.tile_files import TileFiles
from tests.ogc.conftest import DEGREE, SECOND, Town
from tests.services.board import ANNA
from tests.services.series import draft, publish

BOX = (0.0, 0.0, 4096.0, 4096.0)


def read(block: bytes, folder: Path) -> Any:
    """A tile as GDAL sees it, with y to the south as in the tile."""
    path = folder / "tile.mvt"
    path.write_bytes(block)
    return pyogrio.read_dataframe(path, CLIP="NO")


def drawn(*shapes: Any) -> bytes:
    found = np.array(shapes, object)
    return encoded(found, {"row": list(range(len(found)))})


def encoded(shapes: Any, columns: dict[str, list[Any]]) -> bytes:
    """A tile of what of the shapes lies in it."""
    window = (-64.0, -64.0, 4160.0, 4160.0)
    rings, rows = Rings.of(shapes).within(window, np.arange(len(shapes)))
    return encode("x", rings, rows, attributes(columns), BOX)


def test_values_of_each_kind_come_through(tmp_path: Path) -> None:
    columns = {
        "text": ["网格", "007", None],
        "whole": [3, -4, 2**40],
        "real": [1.5, -0.25, float("nan")],
        "truth": [True, False, None],
        "none": [None] * 3,
    }
    shapes = shapely.box([10, 30, 50], 10, [20, 40, 60], 20)
    rows = np.array([4, 299, 69_999])
    of_all = {name: [None] * 70_000 for name in columns}
    for name, values in columns.items():
        for row, value in zip(rows.tolist(), values, strict=True):
            of_all[name][row] = value
    found = read(encode("x", Rings.of(shapes), rows, attributes(of_all), BOX), tmp_path)
    assert found["mvt_id"].tolist() == [5, 300, 70_000]
    assert found["text"].tolist()[:2] == ["网格", "007"] and found["text"].isna().tolist()[2]
    assert found["whole"].tolist() == [3, -4, 2**40]
    assert found["real"].tolist()[:2] == [1.5, -0.25] and np.isnan(found["real"].tolist()[2])
    assert "none" not in found


def test_holes_and_parts_are_kept_and_specks_are_not(tmp_path: Path) -> None:
    ring = shapely.box(100, 100, 500, 500) - shapely.box(200, 200, 300, 300)
    two = shapely.MultiPolygon([shapely.box(1000, 1000, 1100, 1100), shapely.box(2000, 1000, 2100, 1100)])
    speck = shapely.box(50, 50, 50.2, 50.2)
    pinhole = shapely.box(3000, 100, 3100, 200) - shapely.box(3050, 150, 3050.2, 150.2)
    found = read(drawn(ring, two, speck, pinhole, shapely.MultiPolygon()), tmp_path)
    assert found["row"].tolist() == [0, 1, 3]
    assert found.geometry.area.tolist() == [400**2 - 100**2, 2 * 100**2, 100**2]
    assert found.geometry.is_valid.all()
    assert drawn(speck) == drawn(shapely.MultiPolygon()) == b""


@pytest.mark.parametrize("seed", range(4))
def test_a_tile_shows_what_lies_in_it(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    x, y, r = rng.uniform(-500, 4600, 200), rng.uniform(-500, 4600, 200), rng.uniform(5, 300, 200)
    shapes = shapely.buffer(shapely.points(x, y), r)
    found = read(encoded(shapes, {"row": list(range(200))}), tmp_path)
    near = shapely.intersection(shapes, shapely.box(-64, -64, 4160, 4160))
    expected = {row: near[row].area for row in range(200) if near[row].area > 100}
    shown = dict(zip(found["row"].tolist(), found.geometry.area.tolist(), strict=True))
    edges = dict(zip(found["row"].tolist(), found.bounds["minx"].tolist(), strict=True))
    assert set(expected) <= set(shown)
    for row, area in expected.items():
        assert shown[row] == pytest.approx(area, abs=near[row].length + 4)
        assert edges[row] == pytest.approx(near[row].bounds[0], abs=1.0)


def test_neighbours_share_their_borders_at_each_zoom() -> None:
    rng = np.random.default_rng(1)
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(60), np.arange(60)))
    middles = rng.uniform(0, 60, (20, 2))
    label = ((x[:, None] - middles[:, 0]) ** 2 + (y[:, None] - middles[:, 1]) ** 2).argmin(axis=1)
    cells = shapely.box(300 * x, 300 * y, 300 * (x + 1), 300 * (y + 1))
    fine = np.array([shapely.coverage_union_all(cells[label == k]) for k in range(20)], object)
    over = np.zeros(len(fine), bool)
    before = sum(len(shapely.get_coordinates(cell)) for cell in fine)
    for zoom in (6, 8, 10):
        coarse = simplified(fine, over, zoom, 1.0)
        assert shapely.coverage_is_valid(coarse)
        assert sum(len(shapely.get_coordinates(cell)) for cell in coarse) < before
    assert simplified(fine, over, 18, 50.0) is fine


def test_a_point_lies_in_the_tile_its_zoom_says() -> None:
    assert Tile(0, 0, 0).bounds == pytest.approx((-HALF, -HALF, HALF, HALF))
    west, south, east, north = Tile(9, 170, 255).box()
    assert west < -0.1 < east and south < 51.5 < north
    assert to_mercator(np.array([shapely.Point(180, 0)]))[0].x == pytest.approx(HALF)
    assert not any(Tile(*wrong).exists for wrong in ((-1, 0, 0), (23, 0, 0), (3, 8, 0), (3, 0, -1)))


def _state(town: Town, name: str) -> features.Version:
    state = features.version(town.database, ANNA, features.collection(town.database, ANNA, name))
    assert state is not None
    return state


def test_cells_are_drawn_where_a_tile_holds_few_and_grids_where_many(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, tile, files = _state(town, "board.base.cells"), Tile(14, 8191, 8192), TileFiles(tmp_path / "a")
    few = read(tiles.tile(town.database, Shelf(), files, state, tile), tmp_path)
    assert (len(few), set(few["grid"])) == (96, {"a", "b", "c"})
    side = EXTENT / (360 / 2**14)
    assert few.geometry.area.tolist() == pytest.approx([(DEGREE * side) ** 2] * 96, rel=0.05)
    monkeypatch.setattr(tiles, "MOST_CELLS", 95)
    many = read(tiles.tile(town.database, Shelf(), TileFiles(tmp_path / "b"), state, tile), tmp_path)
    assert sorted(zip(many["code"], many["cells"], strict=True)) == [("a", 48), ("b", 24), ("c", 24)]


def test_tiles_are_kept_until_something_is_published(town: Town, tmp_path: Path) -> None:
    cache, tile, shelf = TileFiles(tmp_path), Tile(14, 8191, 8192), Shelf()
    state = _state(town, "board.base.grids")
    block = tiles.tile(town.database, shelf, cache, state, tile)
    kept = next(tmp_path.glob("*/*.mvt"))
    assert kept.read_bytes() == block == cache.get(state, tile)
    kept.write_bytes(b"kept")
    assert tiles.tile(town.database, shelf, cache, state, tile) == b"kept"
    publish(town.database, draft(town.database, town.tiling, "a" * 96))
    fresh = tiles.tile(town.database, shelf, cache, _state(town, "board.base.grids"), tile)
    assert fresh not in (b"kept", block)
    publish(town.database, draft(town.database, town.tiling, SECOND))  # as others of this ground expect it


def test_the_oldest_versions_make_room(town: Town, tmp_path: Path) -> None:
    from dataclasses import replace

    cache, state = TileFiles(tmp_path, most_bytes=8 * 6000), _state(town, "board.base.grids")
    for k in range(12):
        cache.put(replace(state, token=f"{k}"), Tile(3, 1, 1), b"x" * 1900)
        folder = max(tmp_path.iterdir(), key=lambda entry: entry.stat().st_mtime)
        os.utime(folder, (time.time() - 100 + k,) * 2)
    left = [k for k in range(12) if cache.get(replace(state, token=f"{k}"), Tile(3, 1, 1))]
    assert left and left == list(range(min(left), 12)) and min(left) > 0


def test_a_tile_the_caller_has_is_not_sent_again(town: Town) -> None:
    path = "/collections/board.base.grids/tiles/WebMercatorQuad/14/8191/8192"
    tag = town.get(path).headers["etag"]
    again = town.client.get(f"/ogc{path}", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert "no-cache" in again.headers["cache-control"]
