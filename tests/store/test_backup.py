"""Backups: the same content after a restore, of either kind, and nothing of a file which is not whole."""

from __future__ import annotations

import itertools
import json
import random
import shutil
import signal
import subprocess
import sys
import threading
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert, select

from gridsvc.config import Settings
from gridsvc.errors import InvalidInput
from gridsvc.principal import LOCAL, SYSTEM
from gridsvc.sample import COUNTY, DEFAULT_SEED, generate_scale
from gridsvc.services import main_job, ownership
from gridsvc.services.desk import Asked, Desk
from gridsvc.store import Database, archive
from gridsvc.store import backup as backups
from gridsvc.store.engine import embedded_file
from gridsvc.store.staging import staging
from gridsvc.store.tables import measures
from tests.databases import PostgisServer, copy_postgis
from tests.services import series
from tests.services.board import ANNA, board, cells_of, lay, small
from tests.store.builders import customers, ground


@pytest.fixture
def target(empty_url: str) -> str:
    """An empty database of either kind, in another place than the source's."""
    return empty_url.replace(".db", "-target.db")


@pytest.fixture
def postgis_empty(postgis_server: PostgisServer) -> Iterator[Callable[[], str]]:
    """Makes empty PostGIS databases."""
    made: list[Iterator[str]] = []

    def make() -> str:
        made.append(copy_postgis(postgis_server, "empty"))
        return next(made[-1])

    yield make
    for ending in made:
        next(ending, None)


def test_a_restored_database_has_equal_checksums(database: Database, target: str, tmp_path: Path) -> None:
    plan = small(database)
    told = database.backup(tmp_path / "b.zip")
    assert (tmp_path / "b.zip").stat().st_mode & 0o777 == 0o600
    assert told["tables"]["cells"]["rows"] == 24
    Database.restore(target, tmp_path / "b.zip")
    again = Database.open(target)
    try:
        again.check()
        assert again.backup(tmp_path / "c.zip")["tables"] == told["tables"]
        assert cells_of(again, plan) == cells_of(database, plan)
        lay(
            again, board(2, 2), {"customers": np.ones(4)}, "other"
        )  # keys are counted on from the restored ones
    finally:
        again.close()
    with pytest.raises(InvalidInput, match="holds something already"):
        Database.restore(target, tmp_path / "b.zip")


def test_a_damaged_file_is_refused_and_the_target_not_made(database: Database, tmp_path: Path) -> None:
    small(database)
    database.backup(tmp_path / "b.zip")
    whole = (tmp_path / "b.zip").read_bytes()
    chance = random.Random(9)
    broken = [whole[: chance.randrange(len(whole))] for _ in range(20)]
    places = [chance.randrange(len(whole)) for _ in range(20)]
    broken += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in places]
    for content in broken:
        (tmp_path / "x.zip").write_bytes(content)
        with pytest.raises(InvalidInput):
            Database.restore(f"sqlite:///{tmp_path}/new.db", tmp_path / "x.zip")
        assert not (tmp_path / "new.db").exists()


def test_a_failure_in_the_middle_leaves_nothing(
    database: Database, target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(database)
    database.backup(tmp_path / "b.zip")

    def fail(_connection: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(backups, "_derive", fail)
        with pytest.raises(RuntimeError):
            Database.restore(target, tmp_path / "b.zip")
    if (file := embedded_file(target)) is not None:
        assert not list(file.parent.glob(f"{file.name}*"))
    Database.restore(target, tmp_path / "b.zip")


def test_a_backup_is_one_state_while_others_write(database: Database, target: str, tmp_path: Path) -> None:
    small(database)
    stop = threading.Event()

    def write() -> None:
        for number in itertools.count():
            if stop.is_set():
                return
            lay(database, board(6, 4), {"customers": np.ones(24)}, f"t{number}")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            rows = {k: v["rows"] for k, v in database.backup(tmp_path / "b.zip")["tables"].items()}
            assert rows["cells"] == 24 * rows["tilings"]
            archive.verified(tmp_path / "b.zip")
    finally:
        stop.set()
        writer.join()
    told = archive.verified(tmp_path / "b.zip")
    Database.restore(target, tmp_path / "b.zip")
    again = Database.open(target)
    try:
        assert again.backup(tmp_path / "c.zip")["tables"] == told["tables"]
    finally:
        again.close()


# --- the whole job through both kinds of databases


Answers = Callable[[Database], list[dict[str, Any]]]


def _through_all(source: Database, targets: list[str], folder: Path, answers: Answers) -> dict[str, int]:
    """Restore from one to the next; no step changes a row or an answer. Gives the rows of each table."""
    told, before = source.backup(folder / "0.zip"), answers(source)
    for step, url in enumerate(targets, 1):
        Database.restore(url, folder / f"{step - 1}.zip")
        again = Database.open(url)
        try:
            again.check()
            assert again.backup(folder / f"{step}.zip")["tables"] == told["tables"]
            assert answers(again) == before
        finally:
            again.close()
    return {name: table["rows"] for name, table in told["tables"].items()}


@pytest.fixture
def targets(postgis_empty: Callable[[], str], tmp_path: Path) -> list[str]:
    """From an embedded source on: each of the four pairs of databases once."""
    return [postgis_empty(), postgis_empty(), f"sqlite:///{tmp_path}/3.db", f"sqlite:///{tmp_path}/4.db"]


@pytest.fixture
def embedded(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    shutil.copy(migrated_file, tmp_path / "0.db")
    database = Database.open(f"sqlite:///{tmp_path}/0.db")
    yield database
    database.close()


KEPT = ("members", "customers", "publications", "published_grids", "audit", "outbox")


@pytest.mark.postgis
def test_rosters_customers_and_publications_go_through_each_pair_of_databases(
    embedded: Database, targets: list[str], tmp_path: Path
) -> None:
    series.publish(embedded, series.draft(embedded, series.ground(embedded), "aabbcc"))
    tiling = ground(embedded)
    with staging(embedded, ANNA, "elbe", tiling, source="c.csv", params={"crs": "wgs84"}) as stage:
        stage.add(customers())
        with embedded.write(ANNA, "customers.import") as work:
            work.customers.flip(stage.import_id, {"read": 4})

    def answers(database: Database) -> list[dict[str, Any]]:
        with database.read(SYSTEM) as view:
            found = view.customers.find("elbe", "k1")
        assert found is not None
        owners = [series.owner(database, f"x{x:03d}y000") for x in range(6)]
        assert {owner["team"]["id"] for owner in owners} == set("abc")
        return [*owners, {"customer": repr(found)}]

    rows = _through_all(embedded, targets, tmp_path, answers)
    assert all(rows[name] for name in KEPT)


@pytest.mark.postgis
@pytest.mark.proof
def test_the_main_job_goes_through_each_pair_of_databases(
    embedded: Database, targets: list[str], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    generate_scale(replace(COUNTY, customers=3_700), DEFAULT_SEED, tmp_path / "county")
    main_job.run_sample(embedded, LOCAL, tmp_path / "county", grids=12)
    desk_asked = Asked(main_job.SAMPLE_TERRITORY)

    def answers(database: Database) -> list[dict[str, Any]]:
        with database.read(SYSTEM) as reader:
            live = reader.customers.live_import(main_job.SAMPLE_TERRITORY)
            assert live is not None
            ids = reader.customers.index(live.id)[0][:200]
        desk = Desk(database)
        return [ownership.customer(desk, LOCAL, str(name), asked=desk_asked).as_dict() for name in ids]

    rows = _through_all(embedded, targets, tmp_path, answers)
    assert all(rows[name] for name in KEPT)
    record_property("rows of each step", sum(rows.values()))


# --- accidents


KILLED = """
import os, signal, sys
from pathlib import Path
from gridsvc.store import Database, backup
backup._derive = lambda _connection: os.kill(os.getpid(), signal.SIGKILL)
Database.restore(sys.argv[1], Path(sys.argv[2]))
"""


def test_a_restore_which_was_killed_leaves_an_empty_database(
    database: Database, target: str, tmp_path: Path
) -> None:
    """All rows are written and not yet committed: what is left has no tables, and is restored into again."""
    small(database)
    told = database.backup(tmp_path / "b.zip")
    killed = subprocess.run([sys.executable, "-c", KILLED, target, str(tmp_path / "b.zip")], check=False)
    assert killed.returncode == -signal.SIGKILL
    again = Database.open(target)
    try:
        with pytest.raises(InvalidInput, match="no tables yet; run: gridsvc db upgrade"):
            again.require_version()
        Database.restore(target, tmp_path / "b.zip")
        assert again.backup(tmp_path / "c.zip")["tables"] == told["tables"]
    finally:
        again.close()


def _of_schema(path: Path, revision: str) -> None:
    """Make of a backup one which is whole and tells of another schema."""
    with zipfile.ZipFile(path) as stored:
        parts = {name: stored.read(name) for name in stored.namelist()}
    manifest = json.loads(parts[archive.MANIFEST]) | {"revision": revision, "gridsvc": "0.0.9"}
    parts[archive.MANIFEST] = json.dumps(manifest).encode()
    with path.open("w+b") as file:
        with zipfile.ZipFile(file, "w") as made:
            for name, content in parts.items():
                made.writestr(name, content)
            made.comment = archive.UNSEALED
        archive.seal(file)


@pytest.mark.parametrize(
    ("revision", "cure"), [("0008", r"the gridsvc which made it \(0.0.9\), then run: gridsvc db upgrade"),
                           ("9999", "update gridsvc")]
)  # fmt: skip
def test_a_backup_of_another_schema_is_refused_with_what_to_do(
    migrated_file: Path, tmp_path: Path, revision: str, cure: str
) -> None:
    source = Database.open(f"sqlite:///{migrated_file}")
    source.backup(tmp_path / "b.zip")
    source.close()
    _of_schema(tmp_path / "b.zip", revision)
    with pytest.raises(InvalidInput, match=cure):
        Database.restore(f"sqlite:///{tmp_path}/new.db", tmp_path / "b.zip")
    assert not (tmp_path / "new.db").exists()


# --- size and contents


def _peak(work: Callable[[], object]) -> int:
    """Bytes which Python held at most during `work`."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_follows_the_largest_rows_and_not_all_of_them(
    database: Database, target: str, tmp_path: Path
) -> None:
    """24 arrays of 512 KB: writing and reading them takes far less than all of them."""
    lay(database, board(2, 2), {"customers": np.ones(4)})
    block = random.Random(9).randbytes(1 << 19)
    with database._transaction(writes=True) as connection:
        row = dict(connection.execute(select(measures)).mappings().one()) | {"data": block}
        del row["id"]
        for number in range(24):
            connection.execute(insert(measures).values(row | {"name": f"m{number}"}))
    total = 24 * len(block)
    assert _peak(lambda: database.backup(tmp_path / "b.zip")) < total / 2
    assert _peak(lambda: Database.restore(target, tmp_path / "b.zip")) < total / 2


def test_the_manifest_names_what_is_not_in_it(database: Database, tmp_path: Path) -> None:
    """Each folder which the settings place beside the database."""
    settings = Settings(data_dir=tmp_path, database_url="postgresql://x/y")
    folders = {getattr(settings, name) for name in ("layers", "uploads", "exports", "published")}
    told = database.backup(tmp_path / "b.zip")["left_out"]
    assert {folder.name for folder in folders} | {"ownership"} == set(told)
    assert archive.verified(tmp_path / "b.zip")["left_out"] == told
