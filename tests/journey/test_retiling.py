"""London's plan in hexagons carried onto its 983 statistical areas, by nothing but the published API."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import LONG_WALK
from tests.journey import london
from tests.journey.client import Client
from tests.journey.served import serving

pytestmark = pytest.mark.london

POSTCODES = 181_357

Record = Callable[[str, object], None]


def _changed(client: Client, plan: str, made: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    while True:
        page = client.get(f"/v1/plans/{plan}/carried-customers", to=made, limit=1000, **after)
        found += page["items"]
        if page["next"] is None or len(found) >= 3000:  # a few pages are enough
            return found
        after = {"after": page["next"]}


@LONG_WALK
def test_london_from_hexagons_to_areas(
    database_url: str, tmp_path: Path, shared_data: Path, record_property: Record
) -> None:
    assert shared_data == london.DATA
    with serving(database_url, tmp_path) as base_url, Client(base_url) as client:
        london.prepare(client, "london")
        hexagons = london.tile_h3(client, "london", 9)
        london.import_postcodes(client, hexagons["id"])
        plan = london.publish(client, hexagons["id"], 60, ["meters", "kwh"])["plan"]
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
