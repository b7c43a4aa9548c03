"""The application in this process, on an embedded database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from gridsvc.config import Settings
from gridsvc.store import Database


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = Settings(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'api.db'}", max_upload_mb=1)
    database = Database.open(found.url)
    database.upgrade()
    database.close()
    return found


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings), raise_server_exceptions=False) as found:
        yield found
