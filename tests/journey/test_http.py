"""The main job over HTTP, on both databases, by a client that uses only the published API."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.journey import london
from tests.journey.client import Client, Refused
from tests.journey.served import serving

pytestmark = pytest.mark.london

LOOKUPS = int(os.environ.get("GRIDSVC_PROOF_LOOKUPS", "300"))


@pytest.fixture
def client(database_url: str, tmp_path: Path, shared_data: Path) -> Iterator[Client]:
    assert shared_data == london.DATA
    with serving(database_url, tmp_path) as base_url, Client(base_url) as found:
        yield found


Record = Callable[[str, object], None]


def test_london_in_hexagons(client: Client, record_property: Record) -> None:
    london.prepare(client, "london")
    tiling = london.tile_h3(client, "london", 9)
    assert tiling["coverage"]["gap"]["km2"] == pytest.approx(0, abs=1e-6)

    placed = london.import_postcodes(client, tiling["id"])
    assert placed["placed"] + placed["left_out"] == placed["read"] == 181_357
    assert placed["placed"] == 181_357
    assert placed["measures"]["customers"]["total"] == 181_357

    record = london.publish(client, tiling["id"], 60, ["meters", "kwh"])
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
    assert sum(f["properties"]["customers"] for f in grids["features"]) == 181_357
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


def test_london_in_polygons(client: Client, record_property: Record) -> None:
    london.prepare(client, "london")
    tiling = london.tile_polygons(client, "london")
    assert tiling["cells"] == 983
    assert tiling["coverage"]["components"]["count"] == 1

    free = london.publish(client, tiling["id"], 33, ["meters", "kwh"])
    assert (free["n"], free["grids"]) == (1, 33)

    nested = london.publish(client, tiling["id"], 33, ["meters", "kwh"], nest_in="la_code")
    assert (nested["n"], nested["grids"]) == (2, 33)
    grids = client.get("/v1/publications/2/export", territory="london", layer="grids")
    assert len({f["properties"]["parent"] for f in grids["features"]}) == 33

    record_property("cells", tiling["cells"])
    for name, found in (("free", free), ("nested in boroughs", nested)):
        worst = {m["name"]: f"{m['worst_deviation']:.0%}" for m in found["summary"]["measures"]}
        record_property(f"33 grids, {name}, worst deviation", worst)

    by_cell = client.get("/v1/owner/cells/E02000001", territory="london")
    assert (by_cell["status"], by_cell["rule"], by_cell["publication"]) == ("owned", "cell", 2)
    gate = client.get(f"/v1/plans/{nested['plan']}/gates")
    assert all(g["passed"] for g in gate if g["blocking"])


def test_a_bad_upload_leaves_nothing_behind(client: Client, tmp_path: Path) -> None:
    london.prepare(client, "london")
    tiling = london.tile_polygons(client, "london")
    swapped = tmp_path / "swapped.csv"
    swapped.write_text("id,lon,lat\n1,51.5,-0.1\n2,51.51,-0.12\n")
    with pytest.raises(Refused) as refused:
        client.upload(f"/v1/tilings/{tiling['id']}/customers", swapped, {"measure": "customers=count"})
    assert refused.value.status == 422
    assert "exchanged" in refused.value.problem["cure"]
    assert set(client.get(f"/v1/tilings/{tiling['id']}")["measures"]) == {"meters", "kwh"}
    with pytest.raises(Refused) as missing:
        client.get("/v1/owner/customers/1", territory="london")
    assert missing.value.problem["type"].endswith("not-yet-in-force")
