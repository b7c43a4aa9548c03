"""From a database of an earlier version, with a small main job in it, to this version's: nothing is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Column, MetaData, Table, inspect

from gridsvc.cli.main import cli
from gridsvc.errors import InvalidInput
from gridsvc.store import Database, backup, schema
from gridsvc.store.bulk import insert_rows
from gridsvc.store.canonical import decoder, encoded
from gridsvc.store.handle import Handle, utc_now
from gridsvc.store.tables import metadata, senders, seq
from tests.services import series
from tests.services.board import cells_of

EARLIER = "0008"
"""The first version with rosters, which lookups need."""


@pytest.fixture
def present(migrated_file: Path, tmp_path: Path) -> Iterator[tuple[Database, str, str]]:
    """A database of this version with a published plan, and an unpublished one."""
    shutil.copy(migrated_file, tmp_path / "present.db")
    database = Database.open(f"sqlite:///{tmp_path}/present.db")
    tiling = series.ground(database)
    published = series.draft(database, tiling, "aabbcc")
    series.publish(database, published)
    yield database, published, series.draft(database, tiling, "aaabcc")
    database.close()


def _as_it_was(source: Database, url: str) -> None:
    """Run the migrations up to the earlier version, and fill its tables with what it would have written."""
    old = Database.open(url)
    try:
        with old._transaction(writes=True) as connection, source._transaction(writes=False) as present:
            schema.upgrade(connection, EARLIER)
            found = inspect(connection)
            for table in metadata.sorted_tables:
                if not found.has_table(table.name) or table in {seq, senders}:
                    continue
                names = {column["name"] for column in found.get_columns(table.name)}
                columns = [
                    Column(c.name, c.type, primary_key=c.primary_key) for c in table.c if c.name in names
                ]
                then = Table(table.name, MetaData(), *columns)
                decode = decoder(then, connection.dialect)
                rows = (decode(line) for line in encoded(present, then))
                insert_rows(Handle(connection, utc_now), then, [c.name for c in columns], rows)
            backup._derive(connection)
    finally:
        old.close()


def _owners(database: Database) -> list[object]:
    return [series.owner(database, f"x{x:03d}y000") | {"seq": None} for x in range(6)]


def test_an_earlier_database_is_brought_up_and_answers_as_before(
    present: tuple[Database, str, str], empty_url: str
) -> None:
    source, published, draft = present
    url = empty_url.replace("empty.db", "old.db")
    _as_it_was(source, url)
    old = Database.open(url)
    try:
        with pytest.raises(InvalidInput, match=rf"older version \(schema {EARLIER}\)"):
            old.require_version()
        for _ in range(2):  # a second time finds nothing to do
            done = CliRunner().invoke(cli, ["db", "upgrade", "--database", url], catch_exceptions=False)
            assert done.exit_code == 0
        old.check()
        assert _owners(old) == _owners(source)
        for plan in (published, draft):
            assert cells_of(old, plan) == cells_of(source, plan)
            assert series.stored(old, plan).report == series.stored(source, plan).report
        assert series.out(old, 1) == "aabbcc"
        series.publish(old, draft)  # and it is worked on
        assert series.out(old, 2) == "aaabcc"
    finally:
        old.close()
