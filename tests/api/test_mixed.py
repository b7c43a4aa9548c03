"""Hexagons or blocks with estates laid over them: every way to ask answers by the order of truth."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h3
import numpy as np
import pytest
import shapely
from fastapi.testclient import TestClient

from api.app import create_app
from gridsvc import ownership
from gridsvc.config import Settings
from gridsvc.principal import SYSTEM
from tests.api.strip import SQUARE, make_territory, solve, tag, upload
from tests.api.test_street_blocks import STREETS
from tests.conftest import DIALECTS
from tests.databases import copy_postgis

RESOLUTION = 8


def hexagon(cell: str) -> Any:
    return shapely.Polygon([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)])


TERRITORY = shapely.geometry.shape(SQUARE)
WHOLE = h3.latlng_to_cell(0.025, 0.375, RESOLUTION)  # an estate takes all of it, and some more
ESTATES = {
    "E1": shapely.box(0.342, 0.04, 0.358, 0.06),
    "E2": shapely.multipolygons(
        [shapely.box(0.31, 0.01, 0.3105, 0.012), shapely.box(0.312, 0.01, 0.314, 0.011)]
    ),
    "E3": hexagon(WHOLE).buffer(1e-5),
}
KINDS: dict[str, dict[str, Any]] = {
    "hexagons": {"kind": "h3", "resolution": RESOLUTION},
    "blocks": {"kind": "blocks", "lines": STREETS},
}


def points() -> tuple[np.ndarray, np.ndarray]:
    """Anywhere, in and around the estates, on their borders and on the corners and edges of hexagons."""
    rng = np.random.default_rng(5)
    xy = [rng.uniform((0.3, 0.0), (0.4, 0.1), (300, 2))]
    for shape in ESTATES.values():
        west, south, east, north = shape.bounds
        xy.append(rng.uniform((west - 0.004, south - 0.004), (east + 0.004, north + 0.004), (120, 2)))
        outline = shapely.boundary(shape)
        at = shapely.line_interpolate_point(outline, rng.uniform(0, 1, 40), normalized=True)
        xy += [shapely.get_coordinates(at), shapely.get_coordinates(shape)]
    for cell in h3.grid_disk(WHOLE, 2):
        xy.append(np.array([(lon, lat) for lat, lon in h3.cell_to_boundary(cell)]))
    lon, lat = np.round(np.concatenate(xy), 9).T
    inside = shapely.intersects_xy(TERRITORY, lon, lat)
    return lon[inside], lat[inside]


LON, LAT = points()


def _database(request: pytest.FixtureRequest, folder: Path, kind: str) -> Iterator[str]:
    if kind == "postgis":
        yield from copy_postgis(request.getfixturevalue("postgis_server"), "migrated")
        return
    shutil.copy(request.getfixturevalue("migrated_file"), folder / "mixed.db")
    yield f"sqlite:///{folder / 'mixed.db'}"


class Town:
    """A publication on a tiling with estates."""

    def __init__(self, client: TestClient, kind: str) -> None:
        self.client = client
        make_territory(client)
        features = [
            {"type": "Feature", "properties": {"id": name}, "geometry": shapely.geometry.mapping(shape)}
            for name, shape in ESTATES.items()
        ]
        atoms = {"type": "FeatureCollection", "features": features}
        made = client.post("/v1/territories/strip/tilings", json={**KINDS[kind], "atoms": atoms})
        assert made.status_code == 201, made.text
        self.tiling = made.json()
        rows = "".join(f"c{i:04},{x},{y}\n" for i, (x, y) in enumerate(zip(LON, LAT, strict=True)))
        put = upload(client, self.tiling["id"], f"id,lon,lat\n{rows}", measure=["customers=count"])
        assert put.status_code == 201, put.text
        plan = solve(client, self.tiling["id"], measures=[{"name": "customers", "tolerance": "50%"}])
        teams = client.post(f"/v1/plans/{plan}/teams", headers=tag(client, plan))
        done = client.post(f"/v1/plans/{plan}/publish", headers={"If-Match": teams.headers["ETag"]})
        assert done.status_code == 201, done.text
        self.columns = client.get(f"/v1/tilings/{self.tiling['id']}/cells").json()
        with client.app.state.gridsvc.database.read(SYSTEM) as reader:  # type: ignore[attr-defined]
            stored = reader.tilings.load(self.tiling["id"])  # what goes out has seven digits
        self.cells = dict(zip(stored.names(), stored.geometry, strict=True))
        found = self.export("cells")["features"]
        self.exported = {f["properties"]["cell"]: shapely.geometry.shape(f["geometry"]) for f in found}
        self.grid_of = {f["properties"]["cell"]: f["properties"]["grid"] for f in found}
        self.truth = list(map(self.place, LON.tolist(), LAT.tolist()))

    def shape(self, row: int) -> Any:
        """A cell as a page draws it."""
        rings = self.columns["outlines"].get(str(row))
        if rings is None:
            return hexagon(self.columns["cells"][row])
        return shapely.union_all([shapely.Polygon(part[0], part[1:]) for part in rings])

    def export(self, layer: str) -> Any:
        answer = self.client.get(
            "/v1/publications/1/export", params={"territory": "strip", "layer": layer, "format": "geojson"}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()

    def place(self, lon: float, lat: float) -> str:
        """By the order of truth, and nothing of the product: estates, then cells."""
        point = shapely.Point(lon, lat)
        estate = next((name for name in sorted(ESTATES) if self.cells[name].covers(point)), None)
        if estate is not None:
            return estate
        if self.tiling["resolution"] is None:
            return min(name for name, shape in self.cells.items() if shape.covers(point))
        cell = str(h3.latlng_to_cell(lat, lon, RESOLUTION))
        return cell if cell in self.cells else "E3"  # which has all of it


@pytest.fixture(scope="module", params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=KINDS)
def town(
    request: pytest.FixtureRequest, dialect: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("mixed")
    for url in _database(request, folder, dialect):
        settings = Settings(data_dir=folder, database_url=url, max_upload_mb=1)
        with TestClient(create_app(settings), raise_server_exceptions=False) as client:
            yield Town(client, request.param)


def test_the_ground_is_covered_once(town: Town) -> None:
    told = town.tiling
    assert told["kind"] == ("polygons" if told["resolution"] is None else "mixed")
    assert max(told["coverage"][part]["km2"] for part in ("gap", "overlap")) <= 1e-6
    assert set(ESTATES) <= set(town.cells)
    for name, shape in ESTATES.items():
        lost = shapely.difference(shape, town.cells[name])
        assert shapely.area(lost) <= 1e-12


def test_each_way_to_ask_gives_the_true_cell_and_its_grid(town: Town, tmp_path: Path) -> None:
    truth, grids = town.truth, [town.grid_of[cell] for cell in town.truth]
    body = {"lon": LON.tolist(), "lat": LAT.tolist(), "territory": "strip"}
    batch = town.client.post("/v1/owner/batch", json=body).json()
    assert batch["cell"] == truth
    assert batch["grid"] == grids
    snapshot = town.client.get("/v1/publications/1/snapshot", params={"territory": "strip"})
    (tmp_path / "strip.own").write_bytes(snapshot.content)
    offline = ownership.open(tmp_path / "strip.own").lookup(LAT, LON)
    assert offline.cell.tolist() == truth
    assert offline.grid.tolist() == grids
    for row in range(0, len(truth), 7):
        point = {"lon": LON[row], "lat": LAT[row]}
        one = town.client.get("/v1/owner", params=point).json()
        posted = town.client.post("/v1/owner/query", json={k: float(v) for k, v in point.items()}).json()
        mine = town.client.get(f"/v1/owner/customers/c{row:04}", params={"territory": "strip"}).json()
        for answer in (one, posted, mine):
            assert (answer["cell"], answer["grid"]["code"]) == (truth[row], grids[row])


def test_each_cell_is_found_by_its_id_with_its_customers(town: Town) -> None:
    for name in [*ESTATES, *sorted(town.cells)[:20]]:
        told = town.client.get(f"/v1/owner/cells/{name}").json()
        assert (told["cell"], told["grid"]["code"]) == (name, town.grid_of[name])
        ids = {f"c{row:04}" for row, cell in enumerate(town.truth) if cell == name}
        page = town.client.get(f"/v1/cells/{name}/customers", params={"limit": 1000}).json()
        imported = {
            one["id"] for one in page["items"] if one["id"].startswith("c")
        }  # n... may have come since
        assert imported == ids


def test_a_hexagon_which_an_estate_took_is_answered_by_it(town: Town) -> None:
    if town.tiling["resolution"] is not None:
        assert WHOLE not in town.cells
        assert town.client.get(f"/v1/owner/cells/{WHOLE}").json()["cell"] == "E3"


def test_who_comes_later_is_placed_alike(town: Town) -> None:
    for row in range(0, len(LON), 97):
        told = {"lon": LON[row], "lat": LAT[row], "source_updated_at": datetime.now(UTC).isoformat()}
        answer = town.client.put(f"/v1/territories/strip/customers/n{row}", json=told).json()
        assert answer["owner"]["cell"] == town.truth[row], answer


def test_measures_count_each_customer_where_it_is(town: Town) -> None:
    told = town.client.get(f"/v1/tilings/{town.tiling['id']}/cells").json()
    counted = dict(zip(told["cells"], told["measures"]["customers"], strict=True))
    assert counted == {name: town.truth.count(name) for name in town.cells}


def test_only_what_h3_does_not_draw_comes_as_outline(town: Town) -> None:
    told = town.columns
    drawn = {told["cells"][int(row)] for row in told["outlines"]}
    for row, name in enumerate(told["cells"]):  # what goes out has seven digits
        for shape in (town.shape(row), town.exported[name]):
            assert shapely.hausdorff_distance(shape, town.cells[name]) <= 1e-7
    if town.tiling["resolution"] is None:
        assert drawn == set(town.cells)
        return
    near = shapely.union_all(list(ESTATES.values())).buffer(0.03)
    assert set(ESTATES) <= drawn
    assert all(near.intersects(town.cells[name]) for name in drawn)
    assert len(drawn) < len(town.cells) / 2
