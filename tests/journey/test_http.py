"""The main job over HTTP, on both databases, by a client that uses only the published API.

One service does what is asked of London in hexagons, and of other territories beside it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.conftest import LONG_WALK
from tests.databases import migrated
from tests.journey import london
from tests.journey.client import Client, Refused
from tests.journey.served import serving

pytestmark = pytest.mark.london

LOOKUPS = int(os.environ.get("GRIDSVC_PROOF_LOOKUPS", "300"))
POSTCODES = 181_357

Record = Callable[[str, object], None]


# PostGIS is left to the proof: what is walked here is tried on both databases by tests of small territories.
@pytest.fixture(
    scope="module",
    params=["embedded", pytest.param("postgis", marks=[pytest.mark.postgis, pytest.mark.proof])],
)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated(request, tmp_path_factory.mktemp("london"), request.param) as found:
        yield found


@pytest.fixture(scope="module")
def client(url: str, tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Iterator[Client]:
    assert shared_data == london.DATA
    with serving(url, tmp_path_factory.mktemp("served")) as base_url, Client(base_url) as found:
        yield found


@pytest.fixture(scope="module")
def hexagons(client: Client) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The answers to London's cut into hexagons, to the import of its postcodes, and to its publication."""
    london.prepare(client, "london")
    tiling = london.tile_h3(client, "london", 9)
    placed = london.import_postcodes(client, tiling["id"])
    return tiling, placed, london.publish(client, tiling["id"], 60, ["meters", "kwh"])


def test_london_in_hexagons(
    client: Client, hexagons: tuple[dict[str, Any], ...], record_property: Record
) -> None:
    tiling, placed, record = hexagons
    assert tiling["coverage"]["gap"]["km2"] == pytest.approx(0, abs=1e-6)

    assert placed["placed"] + placed["left_out"] == placed["read"] == POSTCODES
    assert placed["placed"] == POSTCODES
    assert placed["measures"]["customers"]["total"] == POSTCODES

    assert (record["n"], record["grids"], record["cells"]) == (1, 60, tiling["cells"])

    sample = london.draw(LOOKUPS)
    agreed = london.lookups(client, "london", sample)
    assert agreed == LOOKUPS
    record_property("cells", tiling["cells"])
    record_property(
        "placed + left out = read", f"{placed['placed']} + {placed['left_out']} = {placed['read']}"
    )
    record_property("grids", record["grids"])
    record_property("lookups by point, by id and in a batch that agree", f"{agreed} of {LOOKUPS}")

    grids = client.get("/v1/publications/1/export", territory="london", layer="grids")
    assert len(grids["features"]) == 60
    assert sum(f["properties"]["customers"] for f in grids["features"]) == POSTCODES
    assert all(f["properties"]["lead_name"] for f in grids["features"])

    cells = client.get("/v1/publications/1/export", territory="london", layer="cells")
    by_grid: dict[str, float] = {}
    for feature in cells["features"]:
        grid = feature["properties"]["grid"]
        by_grid[grid] = by_grid.get(grid, 0) + feature["properties"]["meters"]
    for feature in grids["features"]:
        assert feature["properties"]["meters"] == pytest.approx(by_grid[feature["properties"]["code"]])
    rows = pq.read_table(london.POSTCODES, columns=["meters_est"])["meters_est"].to_numpy()
    assert sum(by_grid.values()) == pytest.approx(rows.sum(), rel=1e-9)
    record_property("meters, sum over cells / over rows", f"{sum(by_grid.values()):.3f} / {rows.sum():.3f}")


def _changed(client: Client, plan: str, made: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        page = client.get(f"/v1/plans/{plan}/carried-customers", to=made, limit=1000, **after)
        found += page["items"]
        if page["next"] is None or len(found) >= 3000:  # a few pages are enough
            return found
        after = {"after": page["next"]}


def test_london_from_hexagons_to_areas(
    client: Client, hexagons: tuple[dict[str, Any], ...], record_property: Record
) -> None:
    plan = hexagons[2]["plan"]
    areas = london.tile_polygons(client, "london")
    assert areas["cells"] == 983
    london.import_postcodes(client, areas["id"])
    made = client.post(f"/v1/plans/{plan}/carry", {"tiling": areas["id"], "name": "areas"})
    assert made["crosswalk"]["customers"] == POSTCODES
    assert sum(made["cells"].values()) == 983
    assert made["empty"] == []
    rows = _changed(client, plan, made["plan"])
    assert all(row["before"] != row["after"] for row in rows)
    assert [row["id"] for row in rows] == sorted({row["id"] for row in rows})
    assert len(rows) == made["changed"] or len(rows) >= 3000
    assert 0 < made["changed"] < 0.2 * POSTCODES
    record_property("customers whose grid changed", f"{made['changed']} of {POSTCODES}")
    record_property("areas by customers, ground, neighbour", made["cells"])


@pytest.fixture
def alone(database_url: str, tmp_path: Path, shared_data: Path) -> Iterator[Client]:
    """A service with nothing in it."""
    assert shared_data == london.DATA
    with serving(database_url, tmp_path) as base_url, Client(base_url) as found:
        yield found


@LONG_WALK
def test_london_in_polygons(alone: Client, record_property: Record) -> None:
    london.prepare(alone, "london")
    tiling = london.tile_polygons(alone, "london")
    assert tiling["cells"] == 983
    assert tiling["coverage"]["components"]["count"] == 1

    free = london.publish(alone, tiling["id"], 33, ["meters", "kwh"])
    assert (free["n"], free["grids"]) == (1, 33)

    nested = london.publish(alone, tiling["id"], 33, ["meters", "kwh"], nest_in="la_code")
    assert (nested["n"], nested["grids"]) == (2, 33)
    grids = alone.get("/v1/publications/2/export", territory="london", layer="grids")
    assert len({f["properties"]["parent"] for f in grids["features"]}) == 33

    record_property("cells", tiling["cells"])
    for name, found in (("free", free), ("nested in boroughs", nested)):
        worst = {m["name"]: f"{m['worst_deviation']:.0%}" for m in found["summary"]["measures"]}
        record_property(f"33 grids, {name}, worst deviation", worst)

    by_cell = _once_known(alone, 2)
    assert (by_cell["status"], by_cell["rule"], by_cell["publication"]) == ("owned", "cell", 2)
    gate = alone.get(f"/v1/plans/{nested['plan']}/gates")
    assert all(g["passed"] for g in gate if g["blocking"])


def _once_known(client: Client, n: int) -> dict[str, Any]:
    """Who owns an area, as soon as lookups know of publication `n`: a busy machine takes over a second."""
    end = time.monotonic() + 30
    while True:
        found: dict[str, Any] = client.get("/v1/owner/cells/E02000001", territory="london")
        if found["publication"] >= n or time.monotonic() > end:
            return found
        time.sleep(0.1)


def test_a_bad_upload_leaves_nothing_behind(client: Client, tmp_path: Path) -> None:
    london.prepare(client, "upload")
    tiling = london.tile_polygons(client, "upload")
    swapped = tmp_path / "swapped.csv"
    swapped.write_text("id,lon,lat\n1,51.5,-0.1\n2,51.51,-0.12\n")
    with pytest.raises(Refused) as refused:
        client.upload(f"/v1/tilings/{tiling['id']}/customers", swapped, {"measure": "customers=count"})
    assert refused.value.status == 422
    assert "exchanged" in refused.value.problem["cure"]
    assert set(client.get(f"/v1/tilings/{tiling['id']}")["measures"]) == {"meters", "kwh"}
    with pytest.raises(Refused) as missing:
        client.get("/v1/owner/customers/1", territory="upload")
    assert missing.value.problem["type"].endswith("not-yet-in-force")
