"""When publications take effect: dates, and what stands in front of what is scheduled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gridsvc.errors import (
    Conflict,
    InvalidInput,
)
from gridsvc.services import (
    publications,
)
from gridsvc.services.series import instant
from gridsvc.store import Database
from tests.services.board import ANNA
from tests.services.series import draft, ground, owner, publish, soon

# --- dates


def test_a_date_is_midnight_where_the_territory_is(database: Database) -> None:
    tiling = ground(database)
    record = publish(database, draft(database, tiling, "aabbcc"), effective_at="2126-12-01")
    assert record.effective_at == datetime(2126, 11, 30, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-12-01", "2026-11-30T16:00:00+00:00"),
        ("2026-12-01T08:00:00+08:00", "2026-12-01T00:00:00+00:00"),
        ("2026-12-01T08:00:00Z", "2026-12-01T08:00:00+00:00"),
    ],
)
def test_instants(text: str, utc: str) -> None:
    assert instant(text, "Asia/Shanghai", "effective_at").isoformat() == utc


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2026-13-01",
        "2026-02-30",
        "2026-12-01T08:00",
        "12/01/2026",
        "0001-01-01T00:00:00+08:00",
        "1",
    ],
)
def test_no_instants(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"effective_at.*write it as"):
        instant(text, "Asia/Shanghai", "effective_at")


def test_nothing_is_dated_before_the_publication_in_force(database: Database) -> None:
    tiling = ground(database)
    first = publish(database, draft(database, tiling, "aabbcc"), effective_at=soon(-3))
    plan = draft(database, tiling, "aaabcc")
    with pytest.raises(InvalidInput, match="publication 1 is in force since") as refused:
        publish(database, plan, effective_at=soon(-4))
    assert refused.value.field == "effective_at"
    assert first.effective_at.isoformat() in (refused.value.cure or "")
    assert publish(database, plan, effective_at=soon(-2)).n == 2
    assert owner(database, "x002y000", as_of=soon(-2.5))["publication"] == 1
    assert owner(database, "x002y000", as_of=soon(-1))["publication"] == 2


# --- in front of what is scheduled


def test_publishing_in_front_of_a_scheduled_one_needs_its_number(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    publish(database, draft(database, tiling, "aabbbc"), effective_at=soon(9))
    plan = draft(database, tiling, "aaabcc")
    with pytest.raises(Conflict, match="publication 2 is scheduled") as refused:
        publish(database, plan)
    assert refused.value.field == "supersedes"
    assert [entry["n"] for entry in refused.value.details["scheduled"]] == [2]
    with pytest.raises(InvalidInput, match=r"there is no publication 7.*name 2"):
        publish(database, plan, supersedes=7)
    with pytest.raises(InvalidInput, match="publication 1 took effect"):
        publish(database, plan, supersedes=1)
    record = publish(database, plan, supersedes=2)
    assert (record.n, record.supersedes) == (3, 2)
    assert [
        publications.standing(database, ANNA, publications.get(database, ANNA, "board", n)).state
        for n in (1, 2, 3)
    ] == ["past", "set-aside", "in-force"]
    assert owner(database, "x003y000", as_of=soon(10))["publication"] == 3
    assert owner(database, "x003y000")["valid_to"] is None
    assert (
        owner(database, "x003y000", as_of=soon(10), as_known=record.effective_at - timedelta(microseconds=1))[
            "publication"
        ]
        == 2
    )


def test_the_same_time_as_a_scheduled_one_is_in_front_of_it(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"), effective_at="2126-12-01")
    plan = draft(database, tiling, "aaabcc")
    with pytest.raises(Conflict, match="publication 1 is scheduled"):
        publish(database, plan, effective_at="2126-12-01")
    assert publish(database, plan, effective_at="2126-12-01", supersedes=1).n == 2
    assert owner(database, "x002y000", as_of=datetime(2127, 1, 1, tzinfo=UTC))["publication"] == 2


def test_behind_a_scheduled_one_nothing_need_be_named(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    publish(database, draft(database, tiling, "aabbbc"), effective_at=soon(2))
    plan = draft(database, tiling, "aaabbc")
    with pytest.raises(InvalidInput, match="takes effect before"):
        publish(database, plan, effective_at=soon(5), supersedes=2)
    assert publish(database, plan, effective_at=soon(5)).n == 3
    assert owner(database, "x002y000")["valid_to"] is not None
    assert [owner(database, "x002y000", as_of=soon(d))["publication"] for d in (1, 3, 6)] == [1, 2, 3]


def test_several_scheduled_ones_are_set_aside_by_naming_the_last(database: Database) -> None:
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"))
    for days in (2, 4, 6):
        publish(database, draft(database, tiling, "aabbcc"), effective_at=soon(days))
    plan = draft(database, tiling, "aabbcc")
    with pytest.raises(Conflict, match="publications 3, 4 are") as refused:
        publish(database, plan, effective_at=soon(3), supersedes=3)
    assert "supersedes=4" in (refused.value.cure or "")
    publish(database, plan, effective_at=soon(3), supersedes=4)
    with pytest.raises(InvalidInput, match="publication 4 is set aside already"):
        publish(database, draft(database, tiling, "aabbcc"), effective_at=soon(2.5), supersedes=4)
    assert [owner(database, "x000y000", as_of=soon(d))["publication"] for d in (1, 2.5, 3.5, 9)] == [
        1,
        2,
        5,
        5,
    ]
