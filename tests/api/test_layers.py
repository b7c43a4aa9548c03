"""Layers over HTTP: uploaded once, looked at, and named where GeoJSON is taken."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from gridsvc.config import Settings
from tests.api.strip import ROSTER, SQUARE, make_territory, make_tiling
from tests.tiling.hostile import CASES, Case
from tests.tiling.hostile.bounds import within_bounds
from tests.tiling.hostile.case import zipped

FOUR = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"code": f"00{i}", "homes": i + 1},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x, 0.0], [x + 0.02, 0.0], [x + 0.02, 0.1], [x, 0.1], [x, 0.0]]],
            },
        }
        for i, x in enumerate((0.30, 0.32, 0.34, 0.36, 0.38))
    ],
}


def upload(client: TestClient, name: str, content: bytes, **form: Any) -> Any:
    return client.post("/v1/layers", files={"file": (name, content)}, data=form)


def put(client: TestClient, document: Any, **form: Any) -> dict[str, Any]:
    answer = upload(client, "areas.geojson", json.dumps(document).encode(), **form)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_layer_tells_what_it_holds_and_is_found_again(client: TestClient) -> None:
    told = put(client, FOUR)
    assert told["features"] == 5
    assert told["geometry"] == {"Polygon": 5}
    assert [column["name"] for column in told["columns"]] == ["code", "homes"]
    assert told["columns"][0]["type"] == "text"
    assert told["extent_wgs84"] == pytest.approx([0.30, 0.0, 0.40, 0.1])
    assert client.get(f"/v1/layers/{told['id']}").json() == told


def test_the_features_of_a_layer_are_given_in_wgs84(client: TestClient) -> None:
    told = put(client, FOUR)
    answer = client.get(f"/v1/layers/{told['id']}/features")
    assert answer.headers["content-type"].startswith("application/geo+json")
    assert [f["properties"]["code"] for f in answer.json()["features"]] == [
        f["properties"]["code"] for f in FOUR["features"]
    ]
    assert client.get("/v1/layers/lay_none/features").status_code == 404


def test_columns_are_chosen(client: TestClient) -> None:
    told = put(client, FOUR, columns=["homes"])
    assert [column["name"] for column in told["columns"]] == ["homes"]
    refused = upload(client, "a.geojson", json.dumps(FOUR).encode(), columns=["kode"])
    assert (refused.status_code, refused.json()["field"]) == (422, "kode")


def test_a_layer_is_named_wherever_geojson_is_taken(client: TestClient) -> None:
    square = {"type": "Feature", "properties": {}, "geometry": SQUARE}
    outline = put(client, {"type": "FeatureCollection", "features": [square]})["id"]
    made = client.post(
        "/v1/territories", json={"id": "strip", "name": "Strip", "boundary": {"layer": outline}}
    )
    assert made.status_code == 201, made.text
    assert client.put("/v1/territories/strip/roster", json=ROSTER).status_code == 200
    wanted = {"kind": "polygons", "id_field": "code", "polygons": {"layer": put(client, FOUR)["id"]}}
    tiling = client.post("/v1/territories/strip/tilings", json=wanted)
    assert tiling.status_code == 201, tiling.text
    assert tiling.json()["cells"] == 5


def test_a_named_layer_takes_no_other_coordinate_system(client: TestClient) -> None:
    layer = put(client, FOUR)["id"]
    body = {"id": "x", "name": "X", "boundary": {"layer": layer}, "crs": "gcj02"}
    answer = client.post("/v1/territories", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, "crs")


@pytest.mark.parametrize("layer", ["lay_00000000000000000000000000", "../../etc", "lay_x"])
def test_a_layer_there_is_not_is_said_so(nobody: TestClient, layer: str) -> None:
    answer = nobody.post("/v1/territories", json={"id": "x", "name": "X", "boundary": {"layer": layer}})
    assert answer.status_code in {404, 410}
    assert "POST /v1/layers" in answer.json()["cure"]


def test_the_same_key_gives_the_same_layer(client: TestClient) -> None:
    def send() -> Any:
        return client.post(
            "/v1/layers",
            files={"file": ("a.geojson", json.dumps(FOUR).encode())},
            headers={"Idempotency-Key": "once"},
        )

    assert send().json()["id"] == send().json()["id"]


def test_gcj02_is_converted_and_survey_offices_give_parameters(client: TestClient) -> None:
    point = b"code,x,y\n1,114.05,22.54\n"
    told = upload(client, "a.csv", point, crs="gcj02").json()
    assert told["extent_wgs84"][0] == pytest.approx(114.0449, abs=1e-3)
    xian = b"code,x,y\n1,500000,2500000\n"
    refused = upload(client, "a.csv", xian, crs="EPSG:2383")
    assert "crs_parameters" in refused.json()["cure"]
    taken = upload(client, "a.csv", xian, crs="EPSG:2383", crs_parameters="24,-124,-95,0,0.25,0.13,1.1")
    assert taken.status_code == 201, taken.text


def test_a_geopackage_of_several_layers_lists_them(client: TestClient, tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    zipped(path, *((f"{name}.geojson", json.dumps(FOUR).encode()) for name in ("a", "b")))
    refused = upload(client, "two.zip", path.read_bytes())
    assert (refused.status_code, refused.json()["layers"]) == (422, ["a", "b"])
    assert upload(client, "two.zip", path.read_bytes(), layer="b").json()["layer"] == "b"


def test_customers_are_one_of_a_files_layers(client: TestClient, tmp_path: Path) -> None:
    import geopandas
    import shapely

    make_territory(client)
    tiling = make_tiling(client)
    path = tmp_path / "all.gpkg"
    for name, count in (("old", 3), ("new", 5)):
        shops = [shapely.Point(0.31 + i / 100, 0.05) for i in range(count)]
        columns = {"id": [f"c{i}" for i in range(count)]}
        geopandas.GeoDataFrame(columns, geometry=shops, crs=4326).to_file(path, layer=name)

    def send(**form: Any) -> Any:
        files = {"file": (path.name, path.read_bytes())}
        return client.post(f"/v1/tilings/{tiling}/customers", files=files, data=form)

    assert send().status_code == 422
    assert send(layer="new").json()["placed"] == 5
    for none in ("newer", "../new", "a\0b"):
        refused = send(layer=none)
        assert refused.status_code == 422, refused.text


# --- hostile files; all of them with GRIDSVC_PROOF_HOSTILE=1

FEW = {"zip-bomb", "ten-million-vertices", "a-parquet-bomb", "nesting-of-100000", "gbk-without-cpg", "curves"}
SENT = [case for case in CASES if os.environ.get("GRIDSVC_PROOF_HOSTILE") or case.name in FEW]


@pytest.fixture(scope="module")
def roomy(settings: Settings) -> Iterator[TestClient]:
    """A service which takes files as large as it does by default."""
    with TestClient(create_app(settings.model_copy(update={"max_upload_mb": 512}))) as found:
        yield found


def resident() -> int:
    return int(re.findall(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[0]) * 1024


@pytest.mark.parametrize("case", SENT, ids=lambda case: case.name)
def test_a_hostile_file_gets_its_answer_and_the_service_stays(
    roomy: TestClient, case: Case, tmp_path: Path, record_property: Any
) -> None:
    case.make(tmp_path / case.file)
    content = (tmp_path / case.file).read_bytes()
    before, began = resident(), time.monotonic()
    with within_bounds(record_property):
        answer = upload(roomy, case.file, content)
    record_property("seconds", round(time.monotonic() - began, 2))
    if case.rows is not None:
        assert (answer.status_code, answer.json().get("features")) == (201, case.rows), answer.text
    else:
        problem = answer.json()
        said = ", ".join(str(problem[k]) for k in ("field",) if k in problem) + ": " + problem["detail"]
        assert answer.status_code == 422, answer.text
        assert problem["cure"] and problem["source"] == case.file
        assert problem.get("row") == case.row
        assert "/tmp" not in said and "/etc" not in said
    assert resident() - before < 300_000_000 + len(content)  # what this test sends is in this process, too
    assert roomy.get("/healthz").status_code == 200
