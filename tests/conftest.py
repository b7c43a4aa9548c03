"""Fixtures for all tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from gridsvc.store import Database
from tests.databases import Opener, PostgisServer, copy_postgis, migrate, missing, opener, start_postgis

os.environ.setdefault(
    "GRIDSVC_HOSTS", "testserver"
)  # what Starlette's client calls a service in this process

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # servers load compiled code, as installed ones do

DIALECTS = ["embedded", pytest.param("postgis", marks=pytest.mark.postgis)]

LONG_WALK = pytest.mark.parametrize(
    "database_url",
    ["embedded", pytest.param("postgis", marks=[pytest.mark.postgis, pytest.mark.proof])],
    indirect=True,
)
"""For walks of half a minute whose steps are tried on both databases: PostGIS is left to the proof."""


LONGEST = ("tests/browser/", "tests/journey/", "tests/api/test_schemathesis.py")
"""What takes minutes: each stays on one worker, and begins first so that none is left for the end."""


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # the package has no types
    """Keeps each module on one worker: what is made once for a module is then made once."""

    def _split_scope(self, nodeid: str) -> str:
        return next((path for path in LONGEST if nodeid.startswith(path)), nodeid.split("::", maxsplit=1)[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))  # stable: all else stays at random


@pytest.fixture(scope="session")
def postgis_server() -> Iterator[PostgisServer]:
    yield from start_postgis()


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("embedded") / "migrated.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(params=DIALECTS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a migrated database which only this test uses; once for each kind of database."""
    if request.param == "postgis":
        yield from copy_postgis(request.getfixturevalue("postgis_server"), "migrated")
    else:
        path = tmp_path / "gridsvc.db"
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        yield f"sqlite:///{path}"


@pytest.fixture(params=DIALECTS)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database without our tables; once for each kind of database."""
    if request.param == "postgis":
        yield from copy_postgis(request.getfixturevalue("postgis_server"), "empty")
    else:
        yield f"sqlite:///{tmp_path / 'empty.db'}"


@pytest.fixture
def open_database(database_url: str) -> Iterator[Opener]:
    """Opens the test's database, if need be with a clock of the test's."""
    yield from opener(database_url)


@pytest.fixture
def database(open_database: Opener) -> Database:
    """A migrated database which only this test uses; once for each kind of database."""
    return open_database()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data, which lie beside the repository."""
    path = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not path.is_dir():
        missing("../shared/data")
    return path
