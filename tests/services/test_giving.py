"""Single grids given to teams by hand, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from gridsvc.errors import Conflict, Forbidden, InvalidInput, NotFound, StaleRevision
from gridsvc.principal import Principal
from gridsvc.services import audit, giving, rosters
from gridsvc.store import Database
from gridsvc.store.records import Idempotency
from gridsvc.store.trail import AuditFilter
from tests.services.board import ANNA, small
from tests.services.series import people, stored


@pytest.fixture
def plan(database: Database) -> str:
    """A draft of three grids of which nobody has one, and the teams a, b and so on."""
    made = small(database)
    rosters.put(database, ANNA, "board", people())
    return made


def _teams(database: Database, plan: str) -> dict[str, str | None]:
    return {grid.code: grid.team for grid in stored(database, plan).grids}


def _give(database: Database, plan: str, wanted: dict[str, str | None], **more: Any) -> int:
    who, revision = more.pop("who", ANNA), more.pop("revision", stored(database, plan).revision)
    return giving.give(database, who, plan, revision, wanted, **more).revision


def test_only_what_is_named_changes_and_none_takes_a_team_away(database: Database, plan: str) -> None:
    before = stored(database, plan)
    assert _give(database, plan, {"01": "a", "03": "b"}) == before.revision + 1
    assert _teams(database, plan) == {"01": "a", "02": None, "03": "b"}
    _give(database, plan, {"03": "a", "01": None})
    assert _teams(database, plan) == {"01": None, "02": None, "03": "a"}
    assert stored(database, plan).report == before.report


def test_the_audit_says_who_had_what_before(database: Database, plan: str) -> None:
    _give(database, plan, {"01": "a"})
    _give(database, plan, {"01": "b"})
    rows = audit.listing(database, ANNA, AuditFilter(action="plan.give"), None, 10)
    assert [(row.before, row.after) for row, _ in rows] == [
        ({"teams": {"01": "a"}}, {"teams": {"01": "b"}}),
        ({"teams": {"01": None}}, {"teams": {"01": "a"}}),
    ]


@pytest.mark.parametrize(
    ("wanted", "message", "cure"),
    [
        ({"01": "a", "99": "b"}, "there is no grid '99'", "name one of 01, 02, 03"),
        ({"01": "a", "02": "zz"}, "there is no team 'zz'", "name one of a, b"),
        ({}, "no grid is named", "give codes with teams"),
    ],
)
def test_one_wrong_entry_refuses_all(
    database: Database, plan: str, wanted: dict[str, str | None], message: str, cure: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        _give(database, plan, wanted)
    assert message in caught.value.message and cure in (caught.value.cure or "")
    assert caught.value.field == "grids"
    assert set(_teams(database, plan).values()) == {None}


def test_what_others_changed_since_is_not_overwritten(database: Database, plan: str) -> None:
    seen = stored(database, plan).revision
    _give(database, plan, {"01": "a"})
    with pytest.raises(StaleRevision):
        _give(database, plan, {"01": "b"}, revision=seen)
    assert _teams(database, plan)["01"] == "a"


def test_a_request_sent_twice_gives_once(database: Database, plan: str) -> None:
    once = Idempotency("key", "digest")
    first = _give(database, plan, {"01": "a"}, revision=2, idempotency=once)
    assert _give(database, plan, {"01": "a"}, revision=2, idempotency=once) == first


def test_a_draft_and_a_roster_are_needed_and_the_right_to_plan(database: Database) -> None:
    made = small(database)
    with pytest.raises(NotFound):
        _give(database, made, {"01": "a"})
    rosters.put(database, ANNA, "board", people())
    with pytest.raises(Forbidden):
        _give(database, made, {"01": "a"}, who=Principal("eve", frozenset({"plans:read"})))
    with database.write(ANNA, "test") as uow:
        uow.plans.set_status(made, "submitted")
    with pytest.raises(Conflict):
        _give(database, made, {"01": "a"})
