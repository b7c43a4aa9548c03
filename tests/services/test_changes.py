"""Changes between publications and rosters as programs ask for them, on both databases."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from gridsvc.errors import Forbidden, Gone, InvalidInput, NotFound, NotYetInForce
from gridsvc.principal import SYSTEM, Principal
from gridsvc.services import arrivals, changes, moved_customers, ownership, rosters
from gridsvc.services.changes import Wanted
from gridsvc.services.desk import Asked, Desk
from gridsvc.store import Database
from gridsvc.store.records import CustomerRows
from gridsvc.teams.model import Named
from tests.conftest import DIALECTS
from tests.databases import shared
from tests.services.board import ANNA
from tests.services.series import draft, ground, out, people, publish, soon
from tests.store.builders import DAY_1


def find(
    database: Database, kind: Any, before: int, after: int, who: Principal = ANNA
) -> list[dict[str, Any]]:
    found = changes.find(Desk(database), who, Wanted("board", kind, "base", before, after))
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows(0, found.size)]


@pytest.fixture(scope="module", params=DIALECTS)
def series(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """For tests which only ask."""
    with shared(request, tmp_path_factory) as database:
        yield published(database)


@pytest.fixture
def own_series(database: Database) -> Database:
    return published(database)


def published(database: Database) -> Database:
    """Three publications: ``aabbcc``, ``aaabcc`` and ``abbbbd``."""
    tiling = ground(database)
    for letters in ("aabbcc", "aaabcc", "abbbbd"):
        publish(database, draft(database, tiling, letters))
    return database


# --- cells


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 3), (1, 3), (3, 1), (2, 2)])
def test_cells_make_one_publication_of_another(series: Database, before: int, after: int) -> None:
    copy = dict(enumerate(out(series, before)))
    for row in find(series, "cell", before, after):
        if row["what"] == "cell":
            x = int(row["id"][1:4])
            assert copy[x] == row["before_grid"]
            copy[x] = row["after_grid"]
    assert "".join(copy.values()) == out(series, after)


def test_without_to_it_is_the_publication_in_force(own_series: Database) -> None:
    last = draft(own_series, changed_tiling(own_series), "cccccc")
    publish(own_series, last, effective_at=soon(3).isoformat())
    found = changes.find(Desk(own_series), ANNA, Wanted("board", before=1))
    assert (found.before, found.after) == (1, 3)


def changed_tiling(database: Database) -> str:
    with database.read(SYSTEM) as reader:
        return reader.publications.get("board", "base", 1).tiling


# --- customers


def settle_customers(database: Database, tiling: str) -> None:
    """One in each cell, ``far`` in none, ``named`` on the name list and ``twice`` in two imports."""
    ids = [f"c{x}" for x in range(6)] + ["far", "named"]
    cells = np.array([*range(6), -1, 2], np.int32)
    degree = 100 / 111_320
    lon = np.where(cells >= 0, (cells + 0.5) * degree, np.nan)
    lat = np.where(cells >= 0, 0.5 * degree, np.nan)
    with database.write(ANNA, "test") as uow:
        made = uow.customers.begin_import("board", tiling, "a.csv", {})
        n = len(ids)
        yes = np.ones(n, bool)
        uow.customers.stage(
            made,
            CustomerRows(
                row_no=np.arange(1, n + 1),
                id=np.array(ids, object),
                verdict=np.zeros(n, np.int8),
                cell=cells,
                kept=yes,
                todo=~yes,
                lon=lon,
                lat=lat,
            ),
        )
        uow.customers.flip(made, {})
    listed = replace(people(), named=(Named("named", "h", "bank"),))
    rosters.put(database, ANNA, "board", listed, valid_from=DAY_1, reason="from the start")


@pytest.fixture(scope="module")
def settled(series: Database) -> Database:
    settle_customers(series, changed_tiling(series))
    return series


@pytest.fixture
def own_settled(own_series: Database) -> Database:
    settle_customers(own_series, changed_tiling(own_series))
    return own_series


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 3), (1, 3), (3, 1)])
def test_customers_make_the_owners_by_one_publication_those_by_another(
    settled: Database, before: int, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moved_customers, "_CHUNK", 3)
    copy = owners(settled, before)
    for row in find(settled, "customer", before, after):
        assert copy[row["customer"]] == (row["before_rule"], row["before_grid"], row["before_team"])
        now = row["after_rule"], row["after_grid"], row["after_team"]
        assert copy[row["customer"]] != now
        copy[row["customer"]] = now
    assert copy == owners(settled, after)


@pytest.mark.parametrize(("before", "after"), [(1, 2), (1, 3), (3, 2)])
def test_customers_who_came_moved_and_left_since_count_as_they_are_now(
    own_settled: Database, before: int, after: int
) -> None:
    tell(own_settled, "new", 1)
    tell(own_settled, "c0", 3)  # moves there
    arrivals.end(Desk(own_settled), ANNA, "board", "c1", soon(0))
    tell(own_settled, "past", 1, valid_from=soon(-2).isoformat(), valid_to=soon(-1).isoformat())
    names = ["new", "c0", "c2", "c3", "c4", "c5", "far", "named"]
    copy = owners(own_settled, before, names)
    told = find(own_settled, "customer", before, after)
    assert not {"c1", "past"} & {row["customer"] for row in told}
    for row in told:
        assert copy[row["customer"]] == (row["before_rule"], row["before_grid"], row["before_team"])
        copy[row["customer"]] = row["after_rule"], row["after_grid"], row["after_team"]
    assert copy == owners(own_settled, after, names)


def tell(database: Database, customer: str, x: int, **more: str) -> None:
    degree = 100 / 111_320
    place = {"lon": (x + 0.5) * degree, "lat": 0.5 * degree}
    text = json.dumps({"source_updated_at": soon(0).isoformat(), **place, **more}).encode()
    arrivals.put(Desk(database), ANNA, "board", customer, text)


ALL = (*(f"c{x}" for x in range(6)), "far", "named")


def owners(database: Database, n: int, names: Sequence[str] = ALL) -> dict[str, tuple[Any, ...]]:
    """One customer at a time, by the answer every program gets, as it would be were `n` in force."""
    desk = Desk(database)
    with database.read(SYSTEM) as reader:
        record = reader.publications.get("board", "base", n)
        snapshot = changes._snapshot(desk, reader, record, soon(0))
        found = {}
        for name in names:
            at = reader.customers.find("board", name)
            assert at is not None
            row = at.cell if at.tiling == snapshot.tiling else None
            answer = snapshot.customer(name, row, at.lon, at.lat)
            grid = None if answer.rule == "name_list" else (answer.grid or {}).get("code")
            found[name] = (answer.rule, grid, (answer.team or {}).get("id"))
    if n == 3:  # that in force: the lookup itself says so
        asked = ownership.customer(desk, ANNA, "c5", asked=Asked("board"))
        assert (asked.team or {})["id"] == found["c5"][2]
    return found


def test_customers_of_a_name_list_stay_where_they_are(settled: Database) -> None:
    assert "named" not in {row["customer"] for row in find(settled, "customer", 1, 3)}
    assert [row["customer"] for row in find(settled, "customer", 1, 2)] == ["c2"]


def test_who_may_not_see_customers_is_not_told_which_moved(settled: Database) -> None:
    with pytest.raises(Forbidden):
        find(settled, "customer", 1, 2, Principal("crm", frozenset({"owner:read"})))


# --- rosters


def test_rosters_tell_who_came_and_left_and_mask_customers(own_settled: Database) -> None:
    team = people()
    # One person in two teams: half of the time in each.
    half = {"time_share": 0.5, "kpi_share": 0.5}
    others = [replace(m, **half) if m.person == "p-a" else m for m in team.members[:-1]]
    members = (*others, replace(team.members[-1], person="p-a", **half))
    listed = replace(people(), members=members, named=(Named("named", "a", "bank"),), fallback="b")
    rosters.put(own_settled, ANNA, "board", listed, valid_from=DAY_1, reason="from the start")
    rows = find(own_settled, "roster", 2, 3)
    assert [(r["what"], r["event"], r["team"], r["person"], r["customer"]) for r in rows] == [
        ("member", "changed", "a", "p-a", None),
        ("member", "joined", "h", "p-a", None),
        ("member", "left", "h", "p-h", None),
        ("lead", "changed", "h", None, None),
        ("named", "changed", None, None, "named"),
        ("fallback", "removed", "a", None, None),
        ("fallback", "added", "b", None, None),
    ]
    masked = find(own_settled, "roster", 2, 3, Principal("page", frozenset({"roster:read"})))
    assert [r["customer"] for r in masked if r["what"] == "named"] == ["***"]
    assert "'named'" not in str([{**r, "what": ""} for r in masked])


# --- pages


def walk(database: Database, limit: int, wanted: Wanted) -> list[Any]:
    rows: list[Any] = []
    cursor = None
    while True:
        page = changes.page(Desk(database), ANNA, wanted, cursor, limit)
        rows += page.rows
        cursor = page.next
        if cursor is None:
            return rows


def test_pages_put_together_are_the_whole(series: Database) -> None:
    asked = Wanted("board", "cell", "base", 1, 3)
    whole = changes.find(Desk(series), ANNA, asked)
    for limit in (1, 2, 3, 100):
        assert walk(series, limit, asked) == list(whole.rows(0, whole.size))


def test_a_cursor_holds_on_to_its_pair_when_another_publication_comes_into_force(
    own_series: Database,
) -> None:
    open_ended = Wanted("board", "cell", "base", 1)
    first = changes.page(Desk(own_series), ANNA, open_ended, None, 1)
    publish(own_series, draft(own_series, changed_tiling(own_series), "eeeeee"))
    second = changes.page(Desk(own_series), ANNA, open_ended, first.next, 100)
    assert (second.found.before, second.found.after) == (1, 3)
    assert changes.page(Desk(own_series), ANNA, open_ended, None, 1).found.after == 4


def test_a_cursor_of_another_pair_or_kind_is_gone_and_says_how_to_go_on(series: Database) -> None:
    cursor = changes.page(Desk(series), ANNA, Wanted("board", "cell", "base", 1, 3), None, 1).next
    for other in (
        Wanted("board", "cell", "base", 2, 3),
        Wanted("board", "cell", "base", 1, 2),
        Wanted("board", "roster", "base", 1, 3),
    ):
        with pytest.raises(Gone) as refused:
            changes.page(Desk(series), ANNA, other, cursor, 1)
        assert "/v1/publications/3/snapshot" in (refused.value.cure or "")


HUGE = base64.urlsafe_b64encode(b"cell/1/99999999999999999999/0").decode()


def test_what_is_no_cursor_is_refused(series: Database) -> None:
    for cursor in ("x", "é", "Y2VsbC8xLzI", "Y2VsbC8xLzIvLTE", "=" * 9, "", HUGE):
        with pytest.raises(InvalidInput, match="not a cursor"):
            changes.page(Desk(series), ANNA, Wanted("board", before=1), cursor, 1)


# --- what there is not


def test_a_publication_that_is_not_kept_any_more_is_gone(own_series: Database) -> None:
    forget(own_series, 1)
    with pytest.raises(Gone, match="publication 1 is not kept") as refused:
        find(own_series, "cell", 1, 3)
    assert refused.value.details == {"newest": 3}
    assert "GET /v1/publications/3/snapshot" in (refused.value.cure or "")


def test_a_roster_that_is_not_kept_any_more_is_gone(own_settled: Database) -> None:
    forget(own_settled, 1, "rosters", "r")
    with pytest.raises(Gone, match="roster 1 is not kept"):
        find(own_settled, "roster", 1, 2)


def forget(database: Database, n: int, table: str = "publications", number: str = "n") -> None:
    """What an administrator may do who must keep no history."""
    sqlite = database.dialect == "sqlite"
    with database._engine.connect() as connection:
        unguarded = "PRAGMA foreign_keys = OFF" if sqlite else "SET session_replication_role = replica"
        connection.connection.driver_connection.execute(unguarded)  # type: ignore[union-attr]
        if sqlite:
            connection.execute(sa.text(f"DROP TRIGGER {table}_no_delete"))
        connection.execute(sa.text(f"DELETE FROM {table} WHERE {number} = {n}"))
        connection.commit()
        connection.invalidate()


def test_a_number_never_given_out_is_not_found(series: Database) -> None:
    for kind in ("cell", "customer", "roster"):
        for before, after, field in ((9, 1, "from"), (1, 9, "to")):
            with pytest.raises(NotFound) as refused:
                find(series, kind, before, after)
            assert (refused.value.code, refused.value.field) == ("not-found", field)


def test_it_must_be_said_since_when(series: Database) -> None:
    with pytest.raises(InvalidInput, match="since when"):
        changes.find(Desk(series), ANNA, Wanted("board"))


def test_before_the_first_publication_nothing_has_changed_yet(database: Database) -> None:
    ground(database)
    with pytest.raises(NotYetInForce):
        changes.find(Desk(database), ANNA, Wanted("board", before=1))
