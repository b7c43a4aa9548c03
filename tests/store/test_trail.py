"""The audit's chain: what is sealed stays as it was, or the check names the row."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from gridsvc.cli.main import cli
from gridsvc.principal import SYSTEM
from gridsvc.sealer import Sealer
from gridsvc.services import audit
from gridsvc.services.audit import Checked, Fault
from gridsvc.store import Database
from gridsvc.store.engine import make_engine
from gridsvc.store.seals import GENESIS, link, seal
from gridsvc.store.trail import AuditFilter
from gridsvc.supervisor import Supervisor
from tests.databases import Opener
from tests.store.builders import ANNA


def write(database: Database, *subjects: str) -> None:
    with database.write(ANNA, "test", reason="为何", request_id="r1") as work:
        for subject in subjects:
            work.audit(subject, {"b": 1, "a": 0.1}, [None, "地"])


def seal_all(database: Database) -> None:
    while audit.seal_waiting(database):
        pass


def checked(database: Database, head: str | None = None) -> Checked:
    return audit.verify(database, ANNA, head)


@pytest.fixture
def engine(database_url: str, database: Database) -> Iterator[sa.Engine]:
    """Other hands: a connection past the service."""
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


def by_other_hands(engine: sa.Engine, *statements: str) -> None:
    """What somebody does who takes the triggers away for it, and puts them back."""
    with engine.connect() as connection, connection.begin():
        triggers: dict[str, str] = {}
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        else:
            listed = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name GLOB 'audit*'"
            triggers = {row.name: row.sql for row in connection.exec_driver_sql(listed)}
        for name in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        for statement in (*statements, *triggers.values()):
            connection.exec_driver_sql(statement)


def test_rows_wait_until_they_are_sealed(database: Database) -> None:
    write(database, "a", "b")
    before = checked(database)
    assert (before.sealed, before.waiting, before.head.digest, before.faulty) == (0, 2, GENESIS, 0)
    seal_all(database)
    after = checked(database)
    assert (after.sealed, after.waiting, after.head.seq, after.faulty) == (2, 0, 2, 0)
    assert after.head.digest != GENESIS


def test_each_link_holds_on_to_the_one_before_it(database: Database) -> None:
    write(database, "a", "b", "c")
    seal_all(database)
    digest = GENESIS
    with database.read(SYSTEM) as view:
        for here in view.trail.links():
            assert here.record is not None and here.salt is not None
            assert here.seal == seal(here.record, here.salt)
            digest = link(digest, here.seal)
            assert here.digest == digest


@pytest.mark.parametrize(
    ("statements", "faults"),
    [
        (["UPDATE audit SET actor = 'bob' WHERE id = 2"], [Fault("altered", 2, 2)]),
        (["UPDATE audit SET recorded_at = recorded_at WHERE id = 2"], []),
        (["UPDATE audit SET reason = NULL WHERE id = 3"], [Fault("altered", 3, 3)]),
        (['UPDATE audit SET before = \'{"b":2,"a":0.1}\' WHERE id = 1'], [Fault("altered", 1, 1)]),
        (["DELETE FROM audit WHERE id = 2"], [Fault("missing", 2, 2)]),
        (["DELETE FROM audit WHERE id = 4"], [Fault("missing", 4, 4)]),
        (
            ["DELETE FROM audit WHERE id = 2", "DELETE FROM audit_chain WHERE audit_id = 2"],
            [Fault("broken", 3, 3)],
        ),
        (["DELETE FROM audit_chain WHERE audit_id = 2"], [Fault("broken", 3, 3), Fault("extra", 2)]),
        (
            [
                "INSERT INTO audit (id, recorded_at, actor, action, subject) "
                "SELECT 99, recorded_at, actor, action, subject FROM audit WHERE id = 2"
            ],
            [Fault("extra", 99)],
        ),
        (
            [
                "UPDATE audit SET subject = 'x' WHERE id = 2",
                "UPDATE audit SET subject = 'b' WHERE id = 3",
                "UPDATE audit SET subject = 'c' WHERE id = 2",
            ],
            [Fault("altered", 2, 2), Fault("altered", 3, 3)],
        ),
        (
            [
                "UPDATE audit_chain SET seq = -2 WHERE seq = 2",
                "UPDATE audit_chain SET seq = 2 WHERE seq = 3",
                "UPDATE audit_chain SET seq = 3 WHERE seq = -2",
            ],
            [Fault("broken", 3, 2), Fault("broken", 2, 3), Fault("broken", 4, 4)],
        ),
        (["UPDATE audit_chain SET salt = NULL WHERE seq = 2"], [Fault("altered", 2, 2)]),
    ],
    ids=[
        *("actor", "nothing", "reason", "before", "deleted", "last deleted", "deleted with its link"),
        *("link deleted", "inserted", "contents exchanged", "links exchanged", "salt taken"),
    ],
)
def test_what_other_hands_change_is_found_and_named(
    database: Database, engine: sa.Engine, statements: list[str], faults: list[Fault]
) -> None:
    write(database, "a", "b", "c", "d")
    seal_all(database)
    by_other_hands(engine, *statements)
    found = checked(database)
    assert found.faults == faults
    assert found.faulty == len(faults)


def test_a_row_deleted_before_it_was_sealed_is_missed(database: Database, engine: sa.Engine) -> None:
    write(database, "a", "b")
    by_other_hands(engine, "DELETE FROM audit WHERE id = 1")
    seal_all(database)
    assert checked(database).faults == [Fault("missing", 1)]


def test_a_chain_made_anew_does_not_have_the_head_kept_elsewhere(
    database: Database, engine: sa.Engine
) -> None:
    write(database, "a", "b", "c")
    seal_all(database)
    kept = checked(database).head.digest
    write(database, "d")
    seal_all(database)
    assert checked(database, kept).found_at == 3
    assert not checked(database, kept).faulty
    by_other_hands(
        engine,
        "UPDATE audit SET actor = 'bob' WHERE id = 2",
        "DELETE FROM audit_chain",
        "INSERT INTO audit_waiting SELECT id FROM audit",
    )
    seal_all(database)
    assert not checked(database).faulty  # it holds together,
    assert checked(database, kept).faults == [Fault("head")]  # but is another


def test_the_command_names_the_row_and_fails(
    database: Database, database_url: str, engine: sa.Engine, tmp_path: Path
) -> None:
    write(database, "a", "b")
    run = CliRunner().invoke
    assert "2 rows sealed" in run(cli, ["audit", "seal", "--database", database_url]).output
    kept = checked(database).head.digest
    whole = run(cli, ["audit", "verify", "--head", kept, "--database", database_url])
    assert whole.exit_code == 0 and "whole" in whole.output
    by_other_hands(engine, "UPDATE audit SET actor = 'bob' WHERE id = 2")
    failed = run(cli, ["audit", "verify", "--json", "--database", database_url])
    assert failed.exception is not None and "row 2 is not as it was sealed" in str(failed.exception)
    assert json.loads(failed.output)["faults"] == [{"kind": "altered", "audit_id": 2, "seq": 2}]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_export_can_be_checked_by_itself(database: Database, tmp_path: Path, form: audit.Form) -> None:
    write(database, "=cmd()", "b")
    seal_all(database)
    write(database, "tail")
    path = tmp_path / f"audit.{form}"
    manifest = audit.write(database, ANNA, path, form)
    assert json.loads((tmp_path / f"audit.{form}.manifest.json").read_text())["head"] == manifest["head"]
    assert (manifest["rows"], manifest["waiting"]) == (2, 1)
    assert manifest["head"]["digest"] == checked(database).head.digest
    lines = path.read_text().splitlines()
    if form == "csv":
        assert ",'=cmd()," in lines[1]
        return
    digest = GENESIS
    for line in lines:
        row = json.loads(line)
        digest = link(digest, row["seal"])
        assert row["digest"] == digest
    assert digest == manifest["head"]["digest"]


def test_pages_and_filters(database: Database) -> None:
    write(database, "plan/1", "plan/1/waivers", "plan/12")
    seal_all(database)
    write(database, "plan/1")
    found = audit.listing(database, ANNA, AuditFilter(subject="plan/1"), None, 10)
    assert [(record.subject, seq) for record, seq in found] == [
        ("plan/1", None),
        ("plan/1/waivers", 2),
        ("plan/1", 1),
    ]
    first = audit.listing(database, ANNA, AuditFilter(), None, 3)
    rest = audit.listing(database, ANNA, AuditFilter(), first[-1][0].id, 3)
    assert [record.id for record, _ in [*first, *rest]] == [4, 3, 2, 1]
    newest = first[0][0]
    for wanted in (
        AuditFilter(actor="bob"),
        AuditFilter(action="tes"),
        AuditFilter(request_id="r2"),
        AuditFilter(until=first[-1][0].recorded_at),
    ):
        assert newest not in [record for record, _ in audit.listing(database, ANNA, wanted, None, 10)]
    everything = AuditFilter("anna", "test", "plan/1", "r1", since=newest.recorded_at)
    assert [record for record, _ in audit.listing(database, ANNA, everything, None, 10)] == [newest]


def test_two_sealers_and_many_writers_make_one_chain(open_database: Opener) -> None:
    done = threading.Event()

    def writer(name: str) -> None:
        own = open_database()
        for number in range(10):
            write(own, f"{name}/{number}", f"{name}/{number}b")

    def sealer() -> None:
        own = open_database()
        while not done.is_set():
            audit.seal_waiting(own)
        seal_all(own)

    writers = [threading.Thread(target=writer, args=(f"w{i}",)) for i in range(3)]
    sealers = [threading.Thread(target=sealer) for _ in range(2)]
    for thread in [*writers, *sealers]:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    for thread in sealers:
        thread.join()
    found = checked(open_database())
    assert (found.sealed, found.waiting, found.faults) == (60, 0, [])


@pytest.mark.postgis
@pytest.mark.parametrize("database_url", ["postgis"], indirect=True)
def test_ids_which_are_committed_out_of_order_are_numbered_as_they_come(open_database: Opener) -> None:
    slow, quick = open_database(), open_database()
    with slow.write(ANNA, "test") as work:
        work.audit("first id", None, 1)
        work._write_audits()
        work._audits.clear()
        write(quick, "second id")
        seal_all(quick)
    seal_all(quick)
    with quick.read(SYSTEM) as view:
        told = [(here.seq, here.record.id, here.record.subject) for here in view.trail.links() if here.record]
    assert told == [(1, 2, "second id"), (2, 1, "first id")]
    assert not checked(quick).faulty


_KILLED = """
import sys
from gridsvc.services import audit
from gridsvc.store import Database
from tests.store.builders import ANNA
database = Database.open(sys.argv[1])
print("ready", flush=True)
number = 0
while True:
    with database.write(ANNA, "test") as work:
        for part in range(20):
            work.audit(f"{number}/{part}", None, part)
    number += 1
    audit.seal_waiting(database)
"""


def test_a_process_killed_in_the_middle_leaves_a_whole_chain(database: Database, database_url: str) -> None:
    for round_ in range(3):
        command = [sys.executable, "-c", _KILLED, database_url]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        time.sleep(0.3 + 0.1 * round_)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert not checked(database).faulty
        seal_all(database)
    found = checked(database)
    assert not found.faulty and not found.waiting
    assert found.sealed > 0 and found.sealed % 20 == 0


def test_a_running_supervisor_seals(database: Database, database_url: str) -> None:
    supervisor = Supervisor(database_url, slots=0)
    supervisor.start()
    try:
        write(database, "a")
        end = time.monotonic() + 30
        while checked(database).waiting:
            assert time.monotonic() < end, "nobody sealed it"
            time.sleep(0.02)
    finally:
        supervisor.stop()
    assert checked(database).sealed == 1


def test_a_sealer_that_stops_leaves_no_tail(database: Database, database_url: str) -> None:
    sealer = Sealer(database_url, poll=60.0)
    sealer.start()
    write(database, "a")
    sealer.stop()
    assert checked(database).waiting == 0


def test_memory_does_not_grow_with_the_audit(database: Database, tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        while checked(database).sealed < rows:
            write(database, *(f"s{number}" for number in range(2500)))
            seal_all(database)
        tracemalloc.start()
        try:
            assert checked(database).sealed == rows
            audit.write(database, ANNA, tmp_path / "a.jsonl", "jsonl")
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(5_000), peak(20_000)
    assert many < 1.3 * few


@pytest.mark.proof
def test_a_million_rows_are_checked_in_bounded_memory(database: Database) -> None:
    for start in range(0, 1_000_000, 10_000):
        write(database, *(f"s{number}" for number in range(start, start + 10_000)))
        seal_all(database)
    tracemalloc.start()
    try:
        found = checked(database)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (found.sealed, found.faulty) == (1_000_000, 0)
    assert peak < 64_000_000


# --- whom it names


def test_a_digest_stands_for_one_customer_until_its_key_is_gone(database: Database) -> None:
    with database.write(ANNA, "test") as work:
        first = work.trail.digests("customer", "elbe", ["k1", "k2", "k1"])
    with database.write(ANNA, "test") as work:
        assert work.trail.digest("customer", "elbe", "k1") == first["k1"]
        assert work.trail.digest("person", "elbe", "k1") != first["k1"]
        assert work.trail.digest("customer", "oder", "k1") != first["k1"]
        assert work.trail.forget("customer", "elbe", "k1")
        assert not work.trail.forget("customer", "elbe", "k1")
        assert work.trail.digest("customer", "elbe", "k1") != first["k1"]
        assert work.trail.digest("customer", "elbe", "k2") == first["k2"]
    assert len(set(first.values())) == 2
    assert all("k1" not in digest and digest.startswith("customer:") for digest in first.values())


def test_a_reason_names_nobody_whom_the_change_is_about(database: Database) -> None:
    with database.write(ANNA, "test", reason="张三 leaves, so does Li; Lisa stays") as work:
        work.audit("s", None, 1)
        work.mask({"张三": "person:1", "Li": "person:2"})
    with database.read(SYSTEM) as view:
        assert view.audit_log(1)[0].reason == "person:1 leaves, so does person:2; Lisa stays"
