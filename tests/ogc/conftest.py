"""A board of 12 x 8 square cells, published twice, served in this process on either database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from gridsvc.config import Settings
from gridsvc.store import Database
from tests.conftest import DIALECTS
from tests.databases import copy_postgis
from tests.services.series import draft, ground, publish, soon

WIDTH, HEIGHT = 12, 8
FIRST = ("a" * 4 + "b" * 4) * WIDTH
SECOND = "a" * 48 + "b" * 24 + "c" * 24
DEGREE = 100.0 / 111_320


def _parameter(name: str) -> str:
    return name.replace("_", "-") if name.startswith(("bbox", "filter")) else name


@dataclass(frozen=True)
class Town:
    client: TestClient
    database: Database
    url: str
    folder: Path
    tiling: str
    started: datetime
    changed: datetime
    plan: str

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/ogc{path}", params={_parameter(n): v for n, v in query.items()})

    def items(self, name: str, **query: Any) -> dict[str, Any]:
        answer = self.get(f"/collections/{name}/items", **query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def ids(self, name: str, **query: Any) -> list[str]:
        return [feature["id"] for feature in self.items(name, **query)["features"]]


@pytest.fixture(scope="module", params=DIALECTS)
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("ogc")
    if request.param == "postgis":
        urls = copy_postgis(request.getfixturevalue("postgis_server"), "migrated")
    else:
        shutil.copy(request.getfixturevalue("migrated_file"), folder / "ogc.db")
        urls = iter([f"sqlite:///{folder / 'ogc.db'}"])
    for url in urls:
        database = Database.open(url)
        tiling = ground(database, WIDTH, HEIGHT)
        first = publish(database, draft(database, tiling, FIRST), effective_at=soon(-2))
        second = publish(database, draft(database, tiling, SECOND), effective_at=soon(-1))
        plan = draft(database, tiling, FIRST)
        settings = Settings(data_dir=folder, database_url=url)
        with TestClient(create_app(settings), raise_server_exceptions=False) as client:
            yield Town(client, database, url, folder, tiling, first.effective_at, second.effective_at, plan)
        database.close()
