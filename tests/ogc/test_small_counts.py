"""Live layers for who may not see customers keep back numbers as small as the operator says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from gridsvc.config import Settings
from gridsvc.principal import LOCAL
from gridsvc.services import keys, plans, rosters
from gridsvc.store import Database
from gridsvc.store.records import MeasureRecord
from tests.services import series
from tests.services.board import ANNA, board, lay
from tests.store.builders import DAY_1

COUNTS = np.array([3.0, 9.0, 30.0, 90.0, 300.0, 900.0])


@pytest.fixture
def database(database: Database) -> Database:
    """Six grids of one cell each, published."""
    tiling = lay(database, board(len(COUNTS), 1), {})
    with database.write(ANNA, "test") as uow:
        uow.tilings.put_measures(
            tiling, None, [MeasureRecord("customers", "customers=count", "", COUNTS, DAY_1)]
        )
    rosters.put(database, ANNA, "board", series.people())
    plan = plans.put(database, ANNA, tiling, series.drawn("abcdef"), (("customers", 0.9),))
    series.publish(database, plan.id)
    return database


@pytest.mark.parametrize(("least", "shown"), [(0, 6), (5, 4), (40, 3), (100, 2)])
def test_numbers_below_the_operators_are_kept_back(
    database: Database, database_url: str, tmp_path: Path, least: int, shown: int
) -> None:
    key = keys.create(database, LOCAL, keys.Wanted("desk", "viewer"))[1]
    settings = Settings(data_dir=tmp_path, database_url=database_url, small_count=least, access="keys")
    with TestClient(create_app(settings), headers={"Authorization": f"Bearer {key}"}) as client:
        found = client.get("/ogc/collections/board.base.grids/items", params={"f": "json"}).json()
    told = [feature["properties"]["customers"] for feature in found["features"]]
    assert sorted(number for number in told if number is not None) == sorted(COUNTS)[-shown:]
