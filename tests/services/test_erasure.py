"""Forgetting a customer: nothing of it is left in the database, nor in the data folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from gridsvc.errors import Conflict, InvalidInput, NotFound
from gridsvc.plans.requests import Wish
from gridsvc.principal import SYSTEM, Principal
from gridsvc.services import arrivals, audit, district_requests, erasure, exports, jobs, ownership, rosters
from gridsvc.services.desk import Asked, Desk
from gridsvc.services.erasure import Folders
from gridsvc.services.exports import Source, Wanted
from gridsvc.services.heads import make_files
from gridsvc.services.keeping import Keeper
from gridsvc.store import Database
from gridsvc.store.canonical import encoded
from gridsvc.store.tables import metadata
from gridsvc.teams.model import Named
from tests.services import series
from tests.services.board import ANNA
from tests.store.builders import customers

WHOM = "client-4711-Ω"
OTHER = "client-4712"


def tell(desk: Desk, customer: str, x: float = 0.0005, day: int = 1) -> None:
    said = {
        "source_updated_at": f"2026-01-{day:02}T00:00:00Z",
        "lon": x,
        "lat": 0.0004,
        "premise": f"house of {customer}",
        "values": {"note": f"call {customer} back"},
    }
    arrivals.put(desk, ANNA, "board", customer, orjson.dumps(said))


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(*(tmp_path / "data" / name for name in ("uploads", "exports", "layers", "ownership")))
    for folder in (made.uploads, made.exports, made.layers, made.lookups):
        folder.mkdir(parents=True)
    return made


@pytest.fixture
def desk(database: Database, folders: Folders) -> Iterator[Desk]:
    """A published board with the customer in every place which may hold one."""
    keeper = Keeper(folders.lookups)
    desk = Desk(database, keeper=keeper)
    tiling = series.ground(database)
    series.publish(database, series.draft(database, tiling, "aabbcc"))
    with database.write(ANNA, "test") as uow:
        batch = uow.customers.begin_import("board", tiling, "crm", {"changes": 0})
        rows = customers(3, cells=6)
        rows.id[:2] = [WHOM, OTHER]
        uow.customers.stage(batch, rows)
        uow.customers.flip(batch, {})
    tell(desk, OTHER)
    tell(desk, WHOM)
    tell(desk, WHOM, x=0.003, day=2)
    named = (Named(WHOM, "b", f"{WHOM} insists"), Named(OTHER, "c", "asked"))
    roster = series.people()
    roster = type(roster)(roster.departments, roster.people, roster.teams, roster.members, "a", named)
    rosters.put(database, ANNA, "board", roster, reason=f"{WHOM} by name")
    wish = Wish("customer", customer=WHOM, team="c")
    asked = district_requests.create(desk, ANNA, "board", wish, f"{WHOM} moved").request.id
    district_requests.comment(database, ANNA, asked, f"what does {WHOM} say?")
    with database.write(ANNA, "test", reason=f"because of {WHOM}") as uow:
        uow.audit("x", {"customer": WHOM}, {WHOM: [f"told {WHOM}", 1]})
        uow.emit("test", {"customer": WHOM})
    make_files(database, keeper)
    yield desk


def erase(desk: Desk, folders: Folders, customer: str = WHOM, **more: Any) -> dict[str, Any]:
    return erasure.erase(desk, ANNA, "board", customer, more.pop("reason", "GDPR 17"), folders)


def seal_all(database: Database) -> None:
    while audit.seal_waiting(database):
        pass


def dump(database: Database) -> bytes:
    with database._transaction(writes=False) as connection:
        return b"".join(
            line.decode("unicode_escape").encode("utf-8", "surrogatepass") if b"\\u" in line else line
            for table in metadata.sorted_tables
            for line in encoded(connection, table)
        )


def everything(database: Database, folder: Path) -> dict[str, bytes]:
    """All tables, and all files below a folder, with the embedded database's own."""
    files = {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {"tables": dump(database), **files}


def holders(database: Database, folder: Path, word: str) -> set[str]:
    return {name for name, content in everything(database, folder).items() if word.encode() in content}


def test_nothing_is_left_of_the_customer(
    desk: Desk, database: Database, folders: Folders, tmp_path: Path
) -> None:
    seal_all(database)
    assert "tables" in holders(database, tmp_path, WHOM)
    told = erase(desk, folders)
    assert holders(database, tmp_path, WHOM) == set()
    assert holders(database, tmp_path, "4711") == set()
    assert {"customers", "customer_changes", "customer_states", "named_accounts", "audit_keys"} <= told[
        "rows"
    ].keys()
    assert {"rosters", "requests", "request_comments", "audit", "outbox"} <= told["texts"].keys()
    assert WHOM not in str(told)


def test_others_stay_as_they_were(desk: Desk, database: Database, folders: Folders, tmp_path: Path) -> None:
    before = [line for line in dump(database).splitlines() if OTHER.encode() in line]
    erase(desk, folders)
    after = dump(database).splitlines()
    assert before
    assert [line for line in before if line not in after] == []


def test_lookups_do_not_know_it_any_more(desk: Desk, database: Database, folders: Folders) -> None:
    asked = Asked("board", on_miss_status=True)

    def status(customer: str) -> str:
        return str(ownership.customer(desk, ANNA, customer, asked=asked).status)

    assert (status(WHOM), status(OTHER)) == ("owned", "owned")
    erase(desk, folders)
    assert (status(WHOM), status(OTHER)) == ("unknown_customer", "owned")


def test_a_message_told_later_still_counts(desk: Desk, database: Database, folders: Folders) -> None:
    """The customer's was the last message, behind whose number an import looks."""
    with database.read(SYSTEM) as reader:
        last = reader.changes.last()
    erase(desk, folders)
    with database.read(SYSTEM) as reader:
        assert reader.changes.last() == last
    tell(desk, "newcomer-1", day=3)
    with database.read(SYSTEM) as reader:
        assert reader.changes.last() == last + 1
        assert reader.customers.find("board", "newcomer-1") is not None
        assert reader.customers.find("board", "") is None


def test_the_audit_stays_whole_and_says_what_was_done(
    desk: Desk, database: Database, folders: Folders
) -> None:
    seal_all(database)
    kept = audit.verify(database, ANNA).head.digest
    erase(desk, folders)
    seal_all(database)
    found = audit.verify(database, ANNA, kept)
    assert found.faults == []
    assert (found.erased, found.found_at) == (1, found.sealed - 1)
    with database.read(SYSTEM) as reader:
        (row,) = reader.trail.below("erasures")
    assert (row.subject, row.reason, row.actor) == ("erasures/board", "GDPR 17", "anna")
    assert row.after["customer"].startswith("customer:")


def test_a_row_changed_under_cover_of_an_erasure_is_found(
    desk: Desk, database: Database, folders: Folders
) -> None:
    seal_all(database)
    erase(desk, folders)
    seal_all(database)
    with database._transaction(writes=True) as connection:
        connection.execute(sa.text("INSERT INTO erasing (id) VALUES (1)"))
        connection.execute(sa.text("UPDATE audit SET reason = 'another' WHERE subject = 'x'"))
        connection.execute(sa.text("DELETE FROM erasing"))
    assert [fault.kind for fault in audit.verify(database, ANNA).faults] == ["altered"]


def test_what_is_on_record_stays_protected(desk: Desk, database: Database, folders: Folders) -> None:
    erase(desk, folders)
    seal_all(database)
    columns = {"audit": "reason", "outbox": "payload", "rosters": "reason", "audit_chain": "salt"}
    for table, column in columns.items():
        with pytest.raises(Conflict, match="never changed"), database._transaction(writes=True) as connection:
            connection.execute(sa.text(f"UPDATE {table} SET {column} = {column}"))


def test_an_open_request_about_it_is_closed(desk: Desk, database: Database, folders: Folders) -> None:
    erase(desk, folders)
    (shown,) = district_requests.listing(database, ANNA, district_requests.Wanted(), None, 10)
    assert shown.request.state == "withdrawn"
    assert shown.request.wish.customer == "[erased]"


def test_files_which_hold_it_go(desk: Desk, database: Database, folders: Folders, tmp_path: Path) -> None:
    with database.read(SYSTEM) as reader:
        plan = reader.publications.get("board", "base", 1).plan
    job = exports.start(database, ANNA, Source(plan), Wanted("customers", "csv"), folders.exports)
    with pytest.raises(Conflict, match="reads or writes customers"):
        erase(desk, folders)
    jobs.cancel(database, ANNA, job.id)
    path = Path(job.params["output"])
    path.parent.mkdir(parents=True)
    exports.write(database, ANNA, Source(plan), Wanted("customers", "csv"), path)
    layers = {name: folders.layers / name / "points.geojson" for name in ("theirs", "other")}
    for name, layer in layers.items():
        layer.parent.mkdir()
        layer.write_bytes(orjson.dumps({"id": WHOM if name == "theirs" else OTHER}))
    told = erase(desk, folders)
    assert told["files"]["exports"] == told["files"]["layers"] == 1
    assert holders(database, tmp_path, WHOM) == set()
    assert layers["other"].is_file()


def test_a_second_time_finds_nothing(desk: Desk, folders: Folders) -> None:
    erase(desk, folders)
    told = erase(desk, folders)
    assert (told["rows"], told["texts"]) == ({}, {})


def test_a_short_id_takes_nothing_else_with_it(desk: Desk, database: Database, folders: Folders) -> None:
    tell(desk, "b")  # as a grid and a team are called
    before = dump(database).count(b'"b"')
    told = erase(desk, folders, "b")
    assert told["rows"]["customer_changes"] == 1
    assert set(told["texts"]) <= {"requests"}
    assert dump(database).count(b'"b"') <= before
    assert series.out(database, 1) == "aabbcc"


@pytest.mark.parametrize(("customer", "reason", "field"), [(" ", "why", "customer"), ("c", " ", "reason")])
def test_whom_and_why_must_be_said(
    desk: Desk, folders: Folders, customer: str, reason: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        erase(desk, folders, customer, reason=reason)
    assert refused.value.field == field


def test_who_may_not_erase_is_refused(desk: Desk, folders: Folders) -> None:
    with pytest.raises(Exception, match="customers:erase"):
        erasure.erase(desk, Principal("x", frozenset({"customers:write"})), "board", WHOM, "why", folders)
    with pytest.raises(NotFound):
        erasure.erase(desk, ANNA, "nowhere", WHOM, "why", folders)
