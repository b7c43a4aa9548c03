"""Who sees what of people and customers, and who is slowed down for guessing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from gridsvc.errors import Forbidden, InvalidInput, TooManyRequests, UnknownCustomer
from gridsvc.guessing import Guesses
from gridsvc.plans.requests import Wish
from gridsvc.principal import SCOPES, Principal
from gridsvc.services import (
    arrivals,
    changes,
    conduct,
    district_requests,
    loads,
    orders,
    ownership,
    packs,
    roster_files,
    rosters,
)
from gridsvc.services.changes import Wanted
from gridsvc.services.conduct import Place
from gridsvc.services.desk import Asked, Desk
from gridsvc.store import Database
from gridsvc.teams.model import Named, Roster
from tests.services import series
from tests.services.board import ANNA

WHOM = "client-4711"


def without(*scopes: str) -> Principal:
    return Principal("viewer", SCOPES - set(scopes))


VIEWER = without("roster:read_pii", "customers:read", "owner:sync")


def named() -> Roster:
    people = series.people()
    first = replace(people.people[0], name="Greta Canary", lon=0.001, lat=0.002)
    return replace(people, people=(first, *people.people[1:]), named=(Named(WHOM, "b", "insists"),))


@pytest.fixture
def desk(database: Database) -> Desk:
    tiling = series.ground(database)
    series.publish(database, series.draft(database, tiling, "aabbcc"))
    rosters.put(database, ANNA, "board", named())
    desk = Desk(database)
    said = {"source_updated_at": "2026-01-01T00:00:00Z", "lon": 0.0005, "lat": 0.0004}
    arrivals.put(desk, ANNA, "board", WHOM, orjson.dumps(said))
    return desk


# --- people


def test_a_roster_shows_ids_only_to_who_may_not_see_people(desk: Desk) -> None:
    _, roster = rosters.get(desk.database, VIEWER, "board")
    assert {person.name for person in roster.people} == {"***"}
    assert {(person.lon, person.lat) for person in roster.people} == {(None, None)}
    assert [person.id for person in roster.people] == [person.id for person in named().people]
    assert [(entry.customer, entry.team, entry.reason) for entry in roster.named] == [("***", "b", "***")]
    assert rosters.get(desk.database, ANNA, "board")[1] == named()


@pytest.mark.parametrize(("missing", "field"), [("roster:read_pii", "name"), ("customers:read", "customer")])
def test_a_masked_roster_is_not_taken_for_the_roster(desk: Desk, missing: str, field: str) -> None:
    _, roster = rosters.get(desk.database, without(missing), "board")
    with pytest.raises(InvalidInput) as refused:
        rosters.put(desk.database, ANNA, "board", roster)
    assert (refused.value.field, refused.value.row) == (field, 1)


@pytest.mark.parametrize("missing", ["roster:read_pii", "customers:read"])
def test_a_roster_as_a_file_needs_both_scopes(desk: Desk, missing: str) -> None:
    with pytest.raises(Forbidden, match=missing):
        roster_files.export(desk.database, without(missing), "board", "csv")


def told_of(desk: Desk, who: Principal) -> dict[str, Any]:
    """Whatever lists people, by what it is called."""
    database = desk.database
    pack, _ = packs.pack(desk, who, "board", "a")
    return {
        "roster": rosters.get(database, who, "board"),
        "changes": list(changes.find(desk, who, Wanted("board", "roster", before=1)).rows(0, 99)),
        "loads": loads.report(database, who, "board").people,
        "orders": orders.orders(database, who, "board", "p-a", "routine"),
        "conduct": conduct.check(desk, who, "board", "p-a", Place(lon=0.003, lat=0.0004))["person"],
        "pack": pack.stages,
    }


def test_no_list_of_people_names_them_to_who_may_not_see_names(desk: Desk) -> None:
    seen, hidden = told_of(desk, ANNA), told_of(desk, VIEWER)
    naming = {name for name, told in seen.items() if "Greta Canary" in repr(told)}
    assert naming == {"roster", "changes", "loads", "orders", "conduct", "pack"}
    assert {name for name, told in hidden.items() if "Greta Canary" in repr(told)} == set()
    assert "p-a" in repr(hidden["loads"])


def test_the_lead_is_part_of_the_owner_answer(desk: Desk) -> None:
    answer = ownership.point(desk, VIEWER, 0.0005, 0.0004, asked=Asked("board"))
    assert answer.lead is not None and answer.lead["name"] == "Greta Canary"


# --- customers


def test_a_lookup_tells_the_owner_and_nothing_of_the_customer(desk: Desk) -> None:
    answer = ownership.customer(desk, VIEWER, WHOM, asked=Asked("board")).as_dict()
    assert answer["status"] == "owned"
    assert not answer.keys() & {"customer", "lon", "lat", "premise", "values", "attributes"}
    assert WHOM not in orjson.dumps(answer).decode() and "insists" not in str(answer)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def ask(desk: Desk, customer: str, who: Principal = VIEWER) -> str:
    asked = Asked("board", on_miss_status=True)
    return str(ownership.customer(desk, who, customer, asked=asked).status)


def test_who_guesses_is_refused_everything_until_the_first_guess_is_forgotten(desk: Desk) -> None:
    clock = Clock()
    desk = replace(desk, guesses=Guesses(3, clock))
    assert [ask(desk, f"guess-{n}") for n in (1, 1, 1, 2, 2)] == ["unknown_customer"] * 5  # two ids
    clock.now += 600
    ask(desk, "guess-3")
    for customer in ("guess-4", "guess-1", WHOM):  # a hit among them would tell
        with pytest.raises(TooManyRequests) as refused:
            ask(desk, customer)
        assert refused.value.details["retry_after"] == 3000
        assert customer not in str(refused.value)
    clock.now += 3001
    assert ask(desk, WHOM) == "owned"


def test_others_and_whole_lists_are_not_slowed_down(desk: Desk) -> None:
    desk = replace(desk, guesses=Guesses(2))
    for n in range(2):
        ask(desk, f"guess-{n}")
    other, whole = replace(VIEWER, actor="other"), replace(VIEWER, scopes=VIEWER.scopes | {"owner:sync"})
    assert ask(desk, WHOM, other) == "owned"
    assert [ask(desk, f"x-{n}", whole) for n in range(5)] == ["unknown_customer"] * 5
    with pytest.raises(TooManyRequests):
        ask(desk, WHOM)


def test_a_request_for_a_customer_is_a_lookup_too(desk: Desk) -> None:
    desk = replace(desk, guesses=Guesses(1))
    with pytest.raises(UnknownCustomer):
        district_requests.create(desk, VIEWER, "board", Wish("customer", customer="guess", team="c"), "why")
    for customer in ("guess", WHOM):
        with pytest.raises(TooManyRequests):
            district_requests.create(
                desk, VIEWER, "board", Wish("customer", customer=customer, team="c"), "why"
            )


def test_memory_of_guesses_is_bounded() -> None:
    guesses = Guesses(5)
    for n in range(10_050):
        guesses.note(replace(VIEWER, actor=f"a{n}"), "x")
    assert len(guesses._missed) == 10_000
