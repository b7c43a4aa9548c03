"""The main job on real London data over HTTP, by nothing but the published API.

Run it by hand against a running service: ``python -m tests.journey.london http://127.0.0.1:8000``.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

from tests.journey.client import Client

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
POSTCODES = DATA / "london_postcodes.parquet"
AREAS = DATA / "london_msoa_electricity_2019.geojson"


def roster(teams: int = 12) -> dict[str, Any]:
    """Simulated people for real places: one lead a team, bases spread over London."""
    draw = random.Random(7)
    bases = [(-0.1 + draw.uniform(-0.3, 0.3), 51.5 + draw.uniform(-0.15, 0.15)) for _ in range(teams)]
    people = [
        {"id": f"P{i:02}", "name": f"Staff {i:02}", "department": "marketing"} for i in range(teams + 1)
    ]
    return {
        "departments": [{"id": "marketing", "name": "Marketing"}],
        "people": people,
        "teams": [
            {"id": f"T{i:02}", "name": f"Team {i:02}", "lon": lon, "lat": lat}
            for i, (lon, lat) in enumerate(bases, 1)
        ]
        + [{"id": "T00", "name": "Head office"}],
        "members": [{"team": f"T{i:02}", "person": f"P{i:02}", "role": "lead"} for i in range(teams + 1)],
        "fallback": "T00",
    }


def prepare(client: Client, territory: str) -> None:
    """A territory with people."""
    client.post(
        "/v1/territories",
        {
            "id": territory,
            "name": "London",
            "time_zone": "Europe/London",
            "boundary": json.loads(AREAS.read_bytes()),
        },
    )
    client.call("PUT", f"/v1/territories/{territory}/roster", roster())


def tile_h3(client: Client, territory: str, resolution: int) -> dict[str, Any]:
    found: dict[str, Any] = client.post(
        f"/v1/territories/{territory}/tilings", {"kind": "h3", "resolution": resolution}
    )
    return found


def tile_polygons(client: Client, territory: str) -> dict[str, Any]:
    found: dict[str, Any] = client.post(
        f"/v1/territories/{territory}/tilings",
        {
            "kind": "polygons",
            "polygons": json.loads(AREAS.read_bytes()),
            "id_field": "code",
            "measures": ["meters", "kwh"],
        },
    )
    return found


def import_postcodes(client: Client, tiling: str) -> dict[str, Any]:
    found: dict[str, Any] = client.upload(
        f"/v1/tilings/{tiling}/customers",
        POSTCODES,
        {
            "crs": "wgs84",
            "id": "id",
            "measure": ["customers=count", "meters=sum:meters_est", "kwh=sum:kwh_est"],
        },
    )
    return found


def publish(client: Client, tiling: str, grids: int, measures: list[str], **more: Any) -> dict[str, Any]:
    """Balance, assign and publish."""
    wanted = {
        "tiling": tiling,
        "grids": grids,
        "measures": [{"name": m, "tolerance": "10%"} for m in measures],
    }
    started = client.post("/v1/plans", {**wanted, **more})
    job = client.done(started["job"]["id"])
    assert job["status"] == "done", job
    plan = started["plan"]
    _, headers = client.call("GET", f"/v1/plans/{plan}")
    _, headers = client.call("POST", f"/v1/plans/{plan}/teams", headers={"If-Match": headers["ETag"]})
    found, _ = client.call("POST", f"/v1/plans/{plan}/publish", headers={"If-Match": headers["ETag"]})
    return dict(found)


def lookups(client: Client, territory: str, sample: list[tuple[str, float, float]]) -> int:
    """Ask for each customer by id and by point, one at a time and in one batch; gives how many agreed."""
    answers = client.post(
        "/v1/owner/batch",
        {"territory": territory, "lon": [lon for _, lon, _ in sample], "lat": [lat for _, _, lat in sample]},
    )
    agreed = 0
    for row, (customer, lon, lat) in enumerate(sample):
        by_id = client.get(f"/v1/owner/customers/{customer.replace(' ', '%20')}", territory=territory)
        by_point = client.get("/v1/owner", territory=territory, lon=lon, lat=lat)
        same = by_id["grid"] == by_point["grid"] and by_id["team"] == by_point["team"]
        in_batch = (
            answers["grid"][row] == by_point["grid"]["code"] and answers["cell"][row] == by_point["cell"]
        )
        agreed += same and in_batch and by_id["cell"] == by_point["cell"]
    return agreed


def draw(count: int, seed: int = 1) -> list[tuple[str, float, float]]:
    """Random postcodes."""
    import pyarrow.parquet as pq

    table = pq.read_table(POSTCODES, columns=["id", "lon", "lat"])
    rows = random.Random(seed).sample(range(len(table)), count)
    picked = table.take(rows).to_pydict()
    return list(zip(picked["id"], picked["lon"], picked["lat"], strict=True))


def main(base_url: str, count: int = 10_000) -> None:
    with Client(base_url) as client:
        prepare(client, "london")
        tiling = tile_h3(client, "london", 9)
        placed = import_postcodes(client, tiling["id"])
        record = publish(client, tiling["id"], 60, ["meters", "kwh"])
        agreed = lookups(client, "london", draw(count))
        print(f"{tiling['cells']} cells")
        print(f"placed {placed['placed']} + left out {placed['left_out']} = {placed['read']}")
        print(f"publication {record['n']} with {record['grids']} grids; {agreed} of {count} lookups agree")


if __name__ == "__main__":
    main(*sys.argv[1:2])
