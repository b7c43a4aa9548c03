"""Boards which a module lays out once: each test gets a copy, on PostGIS only where it asks for both."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gridsvc.store import Database
from tests.conftest import DIALECTS
from tests.databases import copy_postgis

BOTH = pytest.mark.parametrize("board", DIALECTS, indirect=True)
"""For tests of what SQL does: the fixture `board` on both kinds of database."""


def laid_once(migrated: Path, path: Path, lay: Callable[[Database], None]) -> Path:
    """A file with the board on it, to be copied."""
    shutil.copy(migrated, path)
    database = Database.open(f"sqlite:///{path}")
    lay(database)
    database.close()
    return path


def copied(
    request: pytest.FixtureRequest, laid: Path, folder: Path, lay: Callable[[Database], None]
) -> Iterator[Database]:
    """A board which only this test uses: a copy of the file, or laid out anew on PostGIS."""
    postgis = getattr(request, "param", "embedded") == "postgis"
    if postgis:
        urls = copy_postgis(request.getfixturevalue("postgis_server"), "migrated")
    else:
        urls = iter([f"sqlite:///{shutil.copy(laid, folder / 'board.db')}"])
    database = Database.open(next(urls))
    if postgis:
        lay(database)
    yield database
    database.close()
    next(urls, None)  # drops it
