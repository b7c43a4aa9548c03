"""A territory over the 180th meridian, asked about from either side of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from fastapi.testclient import TestClient
from shapely.geometry import shape

from api.app import create_app
from gridsvc.config import Settings
from gridsvc.exchange.antimeridian import cut_at_edge
from gridsvc.plans.plan import Grid, Plan
from gridsvc.store import Database
from gridsvc.store.records import MeasureRecord, Territory
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.tiling import Tiling
from tests.conftest import DIALECTS
from tests.databases import copy_postgis
from tests.services.board import ANNA, put
from tests.store.builders import DAY_1

TAVEUNI = shapely.MultiPolygon(
    [shapely.box(179.6, -17.2, 180, -16.6), shapely.box(-180, -17.2, -179.7, -16.7)]
)


@dataclass(frozen=True)
class Fiji:
    client: TestClient
    plan: str
    tiling: Tiling

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/ogc/collections/plan.{self.plan}.{path}", params=query)

    def ids(self, layer: str, **query: Any) -> set[str]:
        answer = self.get(f"{layer}/items", **query)
        assert answer.status_code == 200, answer.text
        return {feature["id"] for feature in answer.json()["features"]}

    def met(self, *boxes: tuple[float, float, float, float]) -> set[str]:
        """Cells which meet one of the boxes, by the outlines themselves."""
        hit = shapely.intersects(cut_at_edge(self.tiling.geometry)[:, None], shapely.box(*np.array(boxes).T))
        return {f"{cell:x}" for cell in self.tiling.ids[hit.any(axis=1)].tolist()}


@pytest.fixture(scope="module", params=DIALECTS)
def fiji(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fiji]:
    """Three grids, each from the west to the east."""
    folder = tmp_path_factory.mktemp("fiji")
    if request.param == "postgis":
        urls = copy_postgis(request.getfixturevalue("postgis_server"), "migrated")
    else:
        shutil.copy(request.getfixturevalue("migrated_file"), folder / "ogc.db")
        urls = iter([f"sqlite:///{folder / 'ogc.db'}"])
    for url in urls:
        database, tiling = Database.open(url), tile_h3(TAVEUNI, 6)
        ones = np.ones(len(tiling))
        place = Territory("fiji", "Fiji", "Pacific/Fiji", TAVEUNI, DAY_1 - timedelta(days=1))
        with database.write(ANNA, "test") as uow:
            uow.territories.create(place)
            made = uow.tilings.add("fiji", tiling, params={}, coverage={})
            uow.tilings.put_measures(
                made, None, [MeasureRecord("customers", "customers=count", "", ones, DAY_1)]
            )
        labels = np.digitize(tiling.y, np.quantile(tiling.y, [1 / 3, 2 / 3])).astype(np.int32)
        grids = tuple(Grid(code, f"Grid {code}", code) for code in "abc")
        plan = put(database, made, tiling, Plan(labels, grids), {"customers": ones}, report=False)
        settings = Settings(data_dir=folder, database_url=url)
        with TestClient(create_app(settings), raise_server_exceptions=False) as client:
            yield Fiji(client, plan, tiling)
        database.close()


def test_no_longitude_is_past_180(fiji: Fiji) -> None:
    for layer, n in (("grids", 3), ("teams", 3), ("cells", len(fiji.tiling))):
        features = fiji.get(f"{layer}/items").json()["features"]
        west, _, east, _ = shapely.bounds(
            shapely.get_parts([shape(feature["geometry"]) for feature in features])
        ).T
        assert (len(features), west.min() >= -180, east.max() <= 180) == (n, True, True)
        assert (east - west).max() < 1


def test_its_extent_has_its_west_in_the_east(fiji: Fiji) -> None:
    west, south, east, north = fiji.get("cells").json()["extent"]["spatial"]["bbox"][0]
    assert 179 < west <= 179.6 and -179.7 <= east < -179 and -17.5 < south < north < -16


@pytest.mark.parametrize("seed", range(6))
def test_a_box_over_the_meridian_finds_what_lies_on_both_sides(fiji: Fiji, seed: int) -> None:
    rng = np.random.default_rng(seed)
    west, east = rng.uniform(179.5, 180), rng.uniform(-180, -179.6)
    south, north = np.sort(rng.uniform(-17.3, -16.5, 2))
    expected = fiji.met((west, south, 180, north), (-180, south, east, north))
    assert fiji.ids("cells", bbox=f"{west},{south},{east},{north}") == expected
    assert fiji.ids("cells", bbox=f"{west},{south},-5,{east},{north},90") == expected
    text = f"S_INTERSECTS(geometry, BBOX({west}, {south}, {east}, {north}))"
    assert fiji.ids("cells", filter=text) == expected
    on = 360 + east
    ring = f"POLYGON(({west} {south}, {on} {south}, {on} {north}, {west} {north}, {west} {south}))"
    assert fiji.ids("cells", filter=f"S_INTERSECTS(geometry, {ring})") == expected


def test_a_box_on_one_side_finds_the_cells_which_reach_over(fiji: Fiji) -> None:
    for box in ((-180.0, -17.0, -179.95, -16.8), (179.97, -17.0, 180.0, -16.8), (-180.0, -90.0, 180.0, 90.0)):
        assert fiji.ids("cells", bbox=",".join(map(str, box))) == fiji.met(box) != set()
    assert fiji.ids("grids", bbox="-180,-17.2,-179.9,-16.7") == {"a", "b", "c"}
    assert fiji.ids("cells", bbox="-170,-18,170,-16") == set()


@pytest.mark.parametrize(
    ("query", "field", "cure"),
    [
        ({"bbox": "179,-18,181,-16"}, "bbox", "larger than east"),
        ({"bbox": "-181,-18,-179,-16"}, "bbox", "larger than east"),
        ({"bbox": "179,-16,-179,-18"}, "bbox", "west,south,east,north"),
        ({"filter": "S_INTERSECTS(geometry, POINT(181 0))"}, "filter", "-180 to 180"),
        ({"filter": "S_INTERSECTS(geometry, POINT(17 95))"}, "filter", "-90 to 90"),
        ({"filter": "S_INTERSECTS(geometry, LINESTRING(-1000 0, 0 0))"}, "filter", "-180 to 180"),
    ],
)
def test_what_lies_beyond_the_globe_is_refused(fiji: Fiji, query: Any, field: str, cure: str) -> None:
    answer = fiji.get("cells/items", **query)
    told = answer.json()
    assert (answer.status_code, told["field"]) == (400, field)
    assert cure in told["cure"]


def test_tiles_on_both_sides_have_their_part(fiji: Fiji, tmp_path: Path) -> None:
    limits = fiji.get("cells/tiles/WebMercatorQuad").json()["tileMatrixSetLimits"][9]
    assert (limits["minTileCol"], limits["maxTileCol"]) == (0, 511)
    row, seen = limits["minTileRow"], []
    for col in (511, 0):
        found = []
        for at in range(row, limits["maxTileRow"] + 1):
            answer = fiji.get(f"cells/tiles/WebMercatorQuad/9/{at}/{col}")
            if answer.status_code == 200:
                path = tmp_path / "tile.mvt"
                path.write_bytes(answer.content)
                found += pyogrio.read_dataframe(path, CLIP="NO")["cell"].tolist()
        seen.append(set(found))
    assert seen[0] == fiji.met((179.29, -18, 180, -16))
    assert seen[1] == fiji.met((-180, -18, -179.29, -16))
    assert seen[0] & seen[1]  # cells on the meridian are drawn on both sides


def test_maps_begin_in_its_middle_and_pages_draw_its_sides_beside_each_other(fiji: Fiji) -> None:
    west, _, east, _ = fiji.get("cells/tiles/WebMercatorQuad", f="tilejson").json()["bounds"]
    assert (west, east) == (-180, 180)
    assert 179.5 < fiji.get("cells/style").json()["center"][0] < 180.5
    page = fiji.get("grids/items", f="html").text
    width, height = page.partition('viewBox="-10 -10 ')[2].partition('"')[0].split()
    assert 0.3 < float(height) / float(width) < 3
