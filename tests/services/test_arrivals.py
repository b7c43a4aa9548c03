"""Customers as they come, move and go: one rule for every date, and every reader knows it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gridsvc.customers.measures import parse_measure
from gridsvc.errors import InvalidInput, NotFound
from gridsvc.principal import SYSTEM
from gridsvc.services import arrivals, customers, imports, ownership
from gridsvc.services.desk import Asked, Desk
from gridsvc.services.imports import ImportOptions
from gridsvc.store import Database
from tests.services.board import ANNA, SIDE
from tests.services.series import draft, ground, publish

T = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def place(x: int) -> dict[str, float]:
    """The middle of the board's cell number `x`."""
    degree = SIDE / 111_320
    return {"lon": (x + 0.5) * degree, "lat": 0.5 * degree}


def message(x: int | None, updated: int = 0, **more: Any) -> dict[str, Any]:
    where = {} if x is None else place(x)
    return {"source_updated_at": (T + updated * HOUR).isoformat(), **where, **more}


def put(database: Database, customer: str, x: int | None, updated: int = 0, **more: Any) -> dict[str, Any]:
    text = json.dumps(message(x, updated, **more)).encode()
    return arrivals.put(Desk(database), ANNA, "board", customer, text)


def ended(database: Database, customer: str, updated: int = 0) -> str:
    answer = arrivals.end(Desk(database), ANNA, "board", customer, T + updated * HOUR)
    return str(answer["outcome"])


def tell(database: Database, rows: list[Any], **how: Any) -> dict[str, Any]:
    return arrivals.put_many(Desk(database), ANNA, "board", json.dumps(rows).encode(), **how)


def owner(database: Database, customer: str, **asked: Any) -> str | None:
    """Code of the owning grid."""
    found = ownership.customer(
        Desk(database), ANNA, customer, asked=Asked("board", on_miss_status=True, **asked)
    )
    return found.grid["code"] if found.grid else found.status if found.status != "owned" else None


@pytest.fixture
def board(database: Database) -> Database:
    """Cells 0 and 1 are grid a, then b, then c."""
    publish(database, draft(database, ground(database), "aabbcc"))
    return database


def take_in(database: Database, folder: Path, rows: dict[str, int], **more: Any) -> None:
    with database.read(SYSTEM) as reader:
        tiling = reader.tilings.list("board")[0].id
    lines = [f"{name},{place(x)['lon']},{place(x)['lat']},{x}" for name, x in rows.items()]
    (folder / "c.csv").write_text("\n".join(["id,lon,lat,kwh", *lines]))
    measures = (parse_measure("customers=count"), parse_measure("kwh=sum:kwh"))
    imports.put_file(database, ANNA, tiling, folder / "c.csv", ImportOptions(measures), **more)


def here(database: Database, grid: str) -> list[str]:
    return [c.id for c in customers.page(Desk(database), ANNA, "board", customers.of_grid(grid), None, 100)]


# --- coming, moving, going


def test_a_new_customer_is_placed_and_owned_at_once(board: Database) -> None:
    answer = put(board, "new", 3)
    assert (answer["outcome"], answer["verdict"], answer["cell"]) == ("recorded", "placed", "x003y000")
    assert answer["owner"]["grid"]["code"] == "b"
    assert owner(board, "new") == "b"
    assert here(board, "b") == ["new"]


def test_a_later_message_moves_it_and_an_older_or_equal_one_changes_nothing(board: Database) -> None:
    put(board, "k", 0, updated=1)
    assert put(board, "k", 5, updated=3)["outcome"] == "recorded"
    with board.read(SYSTEM) as reader:
        seq = reader.seq()
    late = put(board, "k", 2, updated=2)
    assert (late["outcome"], late["owner"]["grid"]["code"]) == ("older", "c")
    assert put(board, "k", 2, updated=3)["outcome"] == "repeated"
    assert owner(board, "k") == "c"
    assert (here(board, "a"), here(board, "b"), here(board, "c")) == ([], [], ["k"])
    with board.read(SYSTEM) as reader:
        assert reader.seq() == seq


def test_an_ended_customer_is_known_no_more_and_an_older_message_does_not_bring_it_back(
    board: Database,
) -> None:
    put(board, "k", 0, updated=1)
    assert ended(board, "k", 2) == "recorded"
    assert (owner(board, "k"), here(board, "a")) == ("unknown_customer", [])
    assert put(board, "k", 0, updated=1)["outcome"] == "older"
    assert owner(board, "k") == "unknown_customer"
    assert put(board, "k", 4, updated=3)["owner"]["grid"]["code"] == "c"


def test_dates_are_honoured(board: Database) -> None:
    now = datetime.now(UTC)
    put(board, "k", 0, updated=1, valid_from=(now - 9 * HOUR).isoformat())
    put(board, "k", 2, updated=2, valid_from=(now + HOUR).isoformat(), valid_to=(now + 2 * HOUR).isoformat())
    assert owner(board, "k") == "a"
    expected = {0.9: "a", 1: "b", 1.9: "b", 2: "unknown_customer"}
    assert {hours: owner(board, "k", as_of=now + hours * HOUR) for hours in expected} == expected
    put(board, "k", 4, updated=3)  # the last word sets aside what was meant for later
    assert {owner(board, "k", as_of=now + h * HOUR) for h in (0.5, 1.5, 3)} == {"c"}
    assert owner(board, "k", as_of=now + 1.5 * HOUR, as_known=now) == "unknown_customer"


# --- over an import


def test_changes_lie_over_the_import_and_a_later_import_hides_those_before_it(
    board: Database, tmp_path: Path
) -> None:
    take_in(board, tmp_path, {"stays": 0, "moves": 0, "goes": 1})
    put(board, "moves", 5)
    put(board, "comes", 4)
    ended(board, "goes")
    assert (here(board, "a"), here(board, "c")) == (["stays"], ["comes", "moves"])
    assert [owner(board, k) for k in ("stays", "moves", "goes", "comes")] == [
        "a",
        "c",
        "unknown_customer",
        "c",
    ]
    with board.read(SYSTEM) as reader:
        live = reader.customers.live_import("board")
        assert live is not None
        ids, cells = reader.customers.index(live.id)
        lon, _ = reader.customers.points(live.id)
    assert dict(zip(ids, cells.tolist(), strict=True)) == {"stays": 0, "moves": 5, "comes": 4}
    assert (lon // (SIDE / 111_320)).astype(int).tolist() == cells.tolist()
    take_in(board, tmp_path, {"stays": 2, "moves": 0})
    assert [owner(board, k) for k in ("stays", "moves", "goes", "comes")] == ["b", "a"] + [
        "unknown_customer"
    ] * 2
    assert put(board, "moves", 5)["outcome"] == "repeated"  # the hidden message is not forgotten
    assert owner(board, "moves") == "a"


def test_what_was_told_after_the_file_came_stays(board: Database, tmp_path: Path) -> None:
    put(board, "early", 5)
    behind = imports.told_so_far(board, ANNA)
    put(board, "late", 5)
    take_in(board, tmp_path, {"late": 0}, behind=behind)
    assert [owner(board, k) for k in ("early", "late")] == ["unknown_customer", "c"]


def test_pages_go_through_both(board: Database, tmp_path: Path) -> None:
    take_in(board, tmp_path, {f"i{n}": 0 for n in range(0, 10, 2)})
    for n in range(1, 10, 2):
        put(board, f"i{n}", 0)
    ended(board, "i4")
    found, after = [], None
    while page := customers.page(Desk(board), ANNA, "board", customers.of_grid("a"), after, 3):
        found += [c.id for c in page]
        after = page[-1].id
    assert found == [f"i{n}" for n in range(10) if n != 4]


# --- batches


def test_a_bad_row_spoils_no_other(board: Database) -> None:
    end = {"valid_from": "2026-12-02T00:00:00Z", "valid_to": "2026-12-01T00:00:00Z"}
    answer = tell(
        board,
        [
            {"id": "one", **message(0)},
            {"id": "two", **message(1, **end)},
            {"id": "three", **message(2, values={"kwh": -1})},
            {"id": "four", "lon": 0.1, "lat": 0.1},
            {**message(1)},
            {"id": "six", **message(1, lat="north")},
            {"id": "seven", **message(None, lon=50.0, lat=50.0)},
            {"id": "one", **message(5, updated=1)},
        ],
    )
    faults = {row["row"]: row["fault"]["field"] for row in answer["rows"] if row["fault"]}
    assert faults == {2: "valid_to", 3: "values.kwh", 4: "source_updated_at", 5: "id", 6: "lat"}
    assert all(row["fault"]["cure"] for row in answer["rows"] if row["fault"])
    assert {row["row"]: (row["verdict"], row["status"]) for row in answer["rows"] if not row["fault"]} == {
        1: ("placed", "owned"),
        7: ("outside", "unplaced"),
        8: ("placed", "owned"),
    }
    assert (answer["read"], answer["recorded"], answer["refused"]) == (8, 3, 5)
    assert (owner(board, "one"), owner(board, "seven")) == ("c", "unplaced")
    again = tell(board, [{"id": "one", **message(0)}, {"id": "one", **message(5, updated=1)}])
    assert [row["outcome"] for row in again["rows"]] == ["older", "repeated"]


def test_one_object_a_line(board: Database) -> None:
    text = b"\n".join(json.dumps({"id": f"k{i}", **message(i)}).encode() for i in range(3)) + b"\n{oops\n"
    answer = arrivals.put_many(Desk(board), ANNA, "board", text, lines=True)
    assert [row["grid"] for row in answer["rows"]] == ["a", "a", "b", None]
    assert answer["rows"][3]["fault"]["field"] == "body"


def test_what_is_no_batch_is_refused(board: Database) -> None:
    with pytest.raises(InvalidInput, match="not a JSON list"):
        arrivals.put_many(Desk(board), ANNA, "board", b'{"id": 1}')
    with pytest.raises(NotFound):
        arrivals.put_many(Desk(board), ANNA, "atlantis", b"[]")


def test_a_batch_is_one_commit_with_its_audit_and_event(board: Database) -> None:
    with board.read(SYSTEM) as reader:
        before = reader.seq(), reader.outbox_head()
    answer = tell(board, [{"id": f"k{i}", **message(i)} for i in range(6)])
    with board.read(SYSTEM) as reader:
        assert answer["seq"] == reader.seq() == before[0] + 1
        events = reader.outbox(before[1])
        told = reader.audit_log(1)[0]
    assert [event.kind for event in events] == ["customers.changed"]
    assert told.after == {"recorded": 6, "gone": 0}
    assert "k1" not in f"{events} {told}"  # customers are nobody else's business
