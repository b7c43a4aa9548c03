"""Street blocks, estates and dirty layers over HTTP, up to lookups on hexagons with estates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h3
import pytest
from fastapi.testclient import TestClient

from gridsvc import ownership
from tests.api.conftest import _client, _settings
from tests.api.strip import make_territory, publish

ESTATE = [[0.342, 0.04], [0.358, 0.04], [0.358, 0.06], [0.342, 0.06], [0.342, 0.04]]


def layer(*rings: list[list[float]], **columns: list[Any]) -> dict[str, Any]:
    features = [
        {
            "type": "Feature",
            "properties": {name: values[i] for name, values in columns.items()},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for i, ring in enumerate(rings)
    ]
    return {"type": "FeatureCollection", "features": features}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[TestClient]:
    """A service with a territory, which each test cuts in its own way."""
    with _client(_settings(tmp_path_factory.mktemp("blocks"), migrated_file)) as found:
        make_territory(found)
        yield found


def tile(client: TestClient, **body: Any) -> Any:
    return client.post("/v1/territories/strip/tilings", json=body)


ESTATES = layer(ESTATE, id=["E1"])
STREETS = {
    "type": "MultiLineString",
    "coordinates": [
        [[0.33, -0.01], [0.33, 0.11]],
        [[0.37, -0.01], [0.37, 0.11]],
        [[0.29, 0.05], [0.41, 0.05]],
    ],
}
BOW = [[0.3, 0.0], [0.32, 0.02], [0.32, 0.0], [0.3, 0.02], [0.3, 0.0]]


def test_a_territory_is_cut_along_streets_and_estates_stay_whole(client: TestClient) -> None:
    made = tile(client, kind="blocks", lines=STREETS, atoms=ESTATES)
    assert made.status_code == 201, made.text
    told = client.get(f"/v1/tilings/{made.json()['id']}").json()
    assert (told["kind"], told["cells"], told["params"]["kind"]) == ("polygons", 7, "blocks")
    assert told["params"]["blocks"] == 6
    assert told["params"]["atoms"]["atoms"] == 1
    assert max(told["coverage"][part]["km2"] for part in ("gap", "overlap", "outside")) <= 1e-6


def test_lines_are_needed_for_blocks(client: TestClient) -> None:
    refused = tile(client, kind="blocks")
    assert (refused.status_code, refused.json()["field"]) == (422, "lines")
    assert refused.json()["cure"]


def test_a_dirty_layer_is_refused_with_its_faults_and_repaired_when_asked(client: TestClient) -> None:
    square = [[0.32, 0.0], [0.34, 0.0], [0.34, 0.02], [0.32, 0.02], [0.32, 0.0]]
    wanted = {"kind": "polygons", "id_field": "code", "polygons": layer(square, BOW, code=["a", "b"])}
    refused = tile(client, **wanted)
    assert refused.status_code == 422
    problem = refused.json()
    assert (problem["row"], problem["field"]) == (2, "geometry")
    assert [fault["kind"] for fault in problem["faults"]] == ["invalid"]
    made = tile(client, **wanted, repair="lowest_id")
    assert made.status_code == 201, made.text
    report = made.json()["params"]["layer"]
    assert report["counts"] == {"invalid": 1}
    assert report["repair"]["changed"][0]["id"] == "b"


def test_an_estates_code_must_not_be_a_cells(client: TestClient) -> None:
    code = h3.latlng_to_cell(0.05, 0.35, 8)
    refused = tile(client, kind="h3", resolution=8, atoms=layer(ESTATE, id=[code]))
    assert (refused.status_code, refused.json()["row"]) == (422, 1)


@pytest.fixture(scope="module")
def published(client: TestClient) -> dict[str, Any]:
    made = tile(client, kind="h3", resolution=8, atoms=ESTATES)
    assert made.status_code == 201, made.text
    assert made.json()["kind"] == "mixed"
    return publish(client, made.json()["id"])


def test_points_customers_and_cells_have_one_answer(
    client: TestClient, published: dict[str, Any], tmp_path: Any
) -> None:
    asked = [(0.35, 0.05), (0.342, 0.04), (0.3419, 0.05), (0.31, 0.05)]
    single = [client.get("/v1/owner", params={"lon": x, "lat": y}).json() for x, y in asked]
    assert [one["cell"] == "E1" for one in single] == [True, True, False, False]
    lon, lat = zip(*asked, strict=True)
    batch = client.post("/v1/owner/batch", json={"lon": lon, "lat": lat}).json()
    snapshot = client.get("/v1/publications/1/snapshot", params={"territory": "strip"})
    (tmp_path / "strip.own").write_bytes(snapshot.content)
    offline = ownership.open(tmp_path / "strip.own").lookup(lat, lon)
    dated = [
        client.get(
            "/v1/owner", params={"lon": x, "lat": y, "as_known": one["valid_from"][:4] + "-12-31T00:00:00Z"}
        )
        for (x, y), one in zip(asked, single, strict=True)
    ]
    assert batch["cell"] == [one["cell"] for one in single] == offline.cell.tolist()
    assert batch["grid"] == [one["grid"]["code"] for one in single] == offline.grid.tolist()
    assert [one.json()["cell"] for one in dated] == batch["cell"]
    customer = client.get("/v1/owner/customers/045").json()  # at 0.35, 0.05
    assert (customer["cell"], customer["grid"]) == ("E1", single[0]["grid"])


def test_cells_of_all_sizes(client: TestClient, published: dict[str, Any]) -> None:
    def cell(name: str) -> Any:
        return client.get(f"/v1/owner/cells/{name}").json()

    estate = cell("E1")
    assert estate["status"] == "owned"
    within = h3.latlng_to_cell(0.05, 0.35, 8)
    assert (cell(within)["via"], cell(within)["cell"]) == ("centre", "E1")
    assert cell(h3.latlng_to_cell(0.05, 0.35, 11))["grid"] == estate["grid"]
    coarse = cell(h3.latlng_to_cell(0.05, 0.35, 6))
    assert "E1" in {part["cell"] for part in coarse["cells"]}
