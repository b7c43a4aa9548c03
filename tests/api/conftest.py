"""The application in this process, on an embedded database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from gridsvc.config import Settings
from tests.api.strip import make_territory, make_tiling, publish


def _settings(folder: Path, migrated: Path) -> Settings:
    shutil.copy(migrated, folder / "api.db")
    return Settings(data_dir=folder, database_url=f"sqlite:///{folder / 'api.db'}", max_upload_mb=1)


def _client(settings: Settings) -> TestClient:
    return TestClient(create_app(settings), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Settings:
    return _settings(tmp_path_factory.mktemp("settings"), migrated_file)


@pytest.fixture
def own_settings(tmp_path: Path, migrated_file: Path) -> Settings:
    return _settings(tmp_path, migrated_file)


@pytest.fixture
def client(own_settings: Settings) -> Iterator[TestClient]:
    """A service with nothing in it."""
    with _client(own_settings) as found:
        yield found


@pytest.fixture(scope="module")
def nobody(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[TestClient]:
    """A service with nothing in it, for requests which must be refused."""
    with _client(_settings(tmp_path_factory.mktemp("nobody"), migrated_file)) as found:
        yield found


@pytest.fixture
def own_town(client: TestClient) -> tuple[TestClient, dict[str, Any]]:
    """A service with a publication, for what changes it."""
    make_territory(client)
    return client, publish(client, make_tiling(client))


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[tuple[TestClient, str]]:
    """A service with a tiled territory and no customers, for requests which must change nothing."""
    with _client(_settings(tmp_path_factory.mktemp("cut"), migrated_file)) as found:
        make_territory(found)
        yield found, make_tiling(found)


@pytest.fixture(scope="module")
def town(
    tmp_path_factory: pytest.TempPathFactory, migrated_file: Path
) -> Iterator[tuple[TestClient, dict[str, Any]]]:
    """A service with a publication, for questions: what changes it takes its own."""
    with _client(_settings(tmp_path_factory.mktemp("town"), migrated_file)) as found:
        make_territory(found)
        yield found, publish(found, make_tiling(found))
