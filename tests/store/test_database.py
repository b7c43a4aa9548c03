"""Opening, migrating and checking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa

from gridsvc.errors import InvalidInput
from gridsvc.principal import SYSTEM
from gridsvc.store import Database, schema
from gridsvc.store.chain import protections
from gridsvc.store.engine import make_engine
from tests.databases import PostgisServer, copy_postgis, opener
from tests.store.builders import ANNA, territory


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    for open_database in opener(empty_url):
        yield open_database()


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


def own_tables(database: Database) -> set[str]:
    with database._engine.connect() as connection:
        return set(sa.inspect(connection).get_table_names()) & set(schema.metadata.tables)


def test_an_empty_database_names_its_cure(empty: Database) -> None:
    with pytest.raises(InvalidInput, match="gridsvc db upgrade"):
        empty.check()


def test_upgrade_makes_the_tables_and_may_be_repeated(empty: Database) -> None:
    empty.upgrade()
    empty.upgrade()
    empty.check()
    assert own_tables(empty) == set(schema.metadata.tables)


def test_migrations_go_up_down_and_up(empty: Database) -> None:
    empty.upgrade()
    with empty._transaction(writes=True) as connection:
        schema.downgrade(connection, "base")
    assert own_tables(empty) == set()
    empty.upgrade()
    empty.check()


def test_a_failing_migration_leaves_nothing(empty: Database) -> None:
    with pytest.raises(RuntimeError), empty._transaction(writes=True) as connection:
        schema.upgrade(connection)
        raise RuntimeError
    assert own_tables(empty) == set()


def test_the_chain_is_one_line_without_branches() -> None:
    assert len(schema.script().get_heads()) == 1
    assert len(schema.script().get_bases()) == 1


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE plans ADD COLUMN extra TEXT",
        "ALTER TABLE plans DROP COLUMN engine_version",
        "DROP INDEX customers_todo",
        "DROP TABLE idempotency",
    ],
)
def test_check_finds_tables_changed_by_hand(database: Database, engine: sa.Engine, change: str) -> None:
    with engine.connect() as connection, connection.begin():
        connection.execute(sa.text(change))
    with pytest.raises(InvalidInput, match="changed by other hands"):
        database.check()


def test_check_finds_a_missing_trigger(database: Database, engine: sa.Engine) -> None:
    drops = {
        "sqlite": "DROP TRIGGER publications_no_update",
        "postgresql": "DROP TRIGGER publications_immutable ON publications",
    }
    with engine.connect() as connection, connection.begin():
        connection.execute(sa.text(drops[database.dialect]))
    with pytest.raises(InvalidInput, match="is missing"):
        database.check()


@pytest.mark.postgis
def test_check_finds_a_changed_geometry(postgis_server: PostgisServer) -> None:
    for url in copy_postgis(postgis_server, "migrated"):
        for open_database in opener(url):
            database = open_database()
            with database._transaction(writes=True) as connection:
                connection.execute(
                    sa.text("ALTER TABLE territories ALTER COLUMN boundary TYPE geometry(MultiPolygon, 3857)")
                )
            with pytest.raises(InvalidInput, match="boundary"):
                database.check()


def test_a_newer_database_is_left_alone(database: Database, engine: sa.Engine) -> None:
    with engine.connect() as connection, connection.begin():
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InvalidInput, match="update gridsvc"):
        database.check()


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://host/name",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql://user:secret@127.0.0.1:1/name?connect_timeout=1",
    ],
)
def test_an_address_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Database.open(url)
    assert refused.value.cure
    assert "secret" not in str(refused.value)


def test_a_missing_folder_and_a_file_of_another_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("These are notes, and no database. " * 100)
    for path in (tmp_path / "nowhere" / "a.db", tmp_path / "notes.db"):
        with pytest.raises(InvalidInput, match="cannot be opened") as refused:
            Database.open(f"sqlite:///{path}")
        assert str(tmp_path) not in str(refused.value)


def test_the_embedded_database_is_durable_and_checks_references(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000}


def test_times_come_back_as_the_same_instant_in_utc(database: Database) -> None:
    shanghai = timezone(timedelta(hours=8))
    start = datetime(2025, 3, 1, 7, 59, 59, 123456, tzinfo=shanghai)
    end = datetime(1931, 12, 31, tzinfo=UTC)
    with database.write(ANNA, "test") as work:
        work.territories.create(replace(territory(), valid_from=start, valid_to=end))
    with database.read(SYSTEM) as view:
        found = view.territories.get("elbe")
    assert (found.valid_from, found.valid_to) == (start, end)
    assert found.valid_from.tzinfo is UTC
    assert found.valid_to is not None
    assert found.valid_to.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="zone"), database.write(ANNA, "test") as work:
        work.territories.create(replace(territory(), valid_from=datetime(2025, 3, 1)))  # noqa: DTZ001


def test_a_reader_sees_one_state_however_long_it_looks(database: Database) -> None:
    with database.read(SYSTEM) as view:
        assert view.territories.list() == []
        with database.write(ANNA, "test") as work:
            work.territories.create(territory())
        assert view.territories.list() == []
    with database.read(SYSTEM) as view:
        assert [t.id for t in view.territories.list()] == ["elbe"]


def test_text_that_cannot_be_stored_is_the_callers_fault(database: Database) -> None:
    with pytest.raises(InvalidInput, match="characters"), database.write(ANNA, "test") as work:
        work.territories.create(territory("bad\ud800"))
    if database.dialect == "postgresql":  # the embedded database holds it
        with pytest.raises(InvalidInput, match="characters"), database.write(ANNA, "test") as work:
            work.territories.create(territory("bad\0"))


def test_what_was_to_be_written_stays_out_of_errors(engine: sa.Engine) -> None:
    with engine.connect() as connection, pytest.raises(sa.exc.DBAPIError) as refused:
        connection.execute(sa.text("INSERT INTO nothing VALUES (:customer)"), {"customer": "secret-1"})
    assert "secret" not in str(refused.value)


@pytest.mark.postgis
def test_a_user_who_may_not_make_the_tables_learns_what_is_missing(
    postgis_server: PostgisServer,
) -> None:
    postgis_server.sql("CREATE ROLE guest LOGIN")
    try:
        for url in copy_postgis(postgis_server, "empty"):
            for open_database in opener(url.replace("test@", "guest@")):
                with pytest.raises(InvalidInput, match="lacks a right"):
                    open_database().upgrade()
    finally:
        postgis_server.sql("DROP ROLE guest")


def test_each_trigger_there_is_is_one_which_is_looked_for(database: Database, engine: sa.Engine) -> None:
    listing = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB '*_no_*'",
        "postgresql": "SELECT DISTINCT tgname FROM pg_trigger WHERE tgname LIKE '%\\_immutable'",
    }
    with engine.connect() as connection:
        there = set(connection.execute(sa.text(listing[database.dialect])).scalars())
    assert there == protections(database.dialect) - {"cells_rtree"}
