"""Requests of districts: asked, shown with their effect, waited for at the gate, decided, and private."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gridsvc.calendar import calendar_from_dict
from gridsvc.errors import (
    Conflict,
    Forbidden,
    GateClosed,
    InvalidInput,
    NotFound,
    PreconditionMissing,
    UnknownCustomer,
)
from gridsvc.plans.requests import Wish
from gridsvc.principal import SYSTEM, Principal
from gridsvc.services import (
    branches,
    calendars,
    deciding,
    district_requests,
    gates,
    moves,
    plans,
    publishing,
    rosters,
    waivers,
)
from gridsvc.services.deciding import Target
from gridsvc.services.desk import Desk
from gridsvc.services.district_requests import Wanted
from gridsvc.store import Database
from gridsvc.store.records import Idempotency
from gridsvc.teams.model import Member
from gridsvc.tiling.table import table_of
from tests.conftest import DIALECTS
from tests.databases import Opener, shared
from tests.services.board import ANNA, BO, small
from tests.services.districts import (
    BY_NAME,
    ELSEWHERE,
    HAND_OVER,
    MANAGER,
    NEW_LEAD,
    SECRET,
    X3,
    accept,
    ask,
    end,
    listed,
    settle_in,
    show,
    waiting,
)
from tests.services.series import DAY, draft, ground, out, owner, people, publish, soon, stored
from tests.store.builders import Clock


@pytest.fixture
def tiling(database: Database) -> str:
    return settled(database)


@pytest.fixture(scope="module", params=DIALECTS)
def refusing(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """One database for all wishes which cannot be: each would see what another had left in it."""
    with shared(request, tmp_path_factory) as found:
        settled(found)
        yield found


def settled(database: Database) -> str:
    """A board on which aabbcc is published, with a customer in b."""
    made = ground(database)
    settle_in(database, made)
    publish(database, draft(database, made, "aabbcc"), 2)
    return made


@pytest.fixture
def plan(database: Database, tiling: str) -> str:
    """A draft made from the publication, at revision 1."""
    with database.read(SYSTEM) as reader:
        published = reader.publications.get("board", "base", 1).plan
    return branches.branch(database, ANNA, published, "next").id


# --- the whole way


def test_from_a_branch_managers_request_to_the_published_move(open_database: Opener) -> None:
    clock = Clock(datetime(2026, 9, 29, 1, tzinfo=UTC))  # Tuesday, 09:00 in Shanghai
    database = open_database(clock=clock)
    tiling = ground(database)
    publish(database, draft(database, tiling, "aabbcc"), 2)
    plan = draft(database, tiling, "aabbcc")
    autumn = {"holidays": [f"2026-10-0{day}" for day in range(1, 8)], "workdays": ["2026-10-10"]}
    calendars.put(database, ANNA, calendar_from_dict(autumn))

    made = ask(database, HAND_OVER, plan=plan)
    assert made.due_at == datetime(2026, 10, 9, 16, tzinfo=UTC)  # the end of 9 October there

    shown = show(database, made.id, MANAGER)
    effect = shown.effect or {}
    assert (effect["plan"], effect["revision"], effect["moved"], shown.overdue) == (plan, 2, 1, False)
    for when, expected in (("before", {"b": 2, "c": 2}), ("after", {"b": 1, "c": 3})):
        assert {grid["code"]: grid["totals"]["customers"] for grid in effect[when]["grids"]} == expected

    (offender,) = waiting(database, plan)
    assert (offender["request"], offender["kind"]) == (made.id, "move")
    assert offender["bbox"] == pytest.approx([300 / 111_320, 0, 400 / 111_320, 100 / 111_320], abs=1e-6)
    with pytest.raises(GateClosed, match="requests which wait"):
        publish(database, plan, 2)
    assert owner(database, X3)["grid"]["code"] == "b"  # until it is decided the present owner stays

    clock.now = datetime(2026, 10, 9, 15, 59, tzinfo=UTC)
    assert not show(database, made.id).overdue
    clock.now += timedelta(minutes=1)
    assert show(database, made.id).overdue

    done = accept(database, made.id, plan)
    assert (done.request.state, done.request.decided_by, done.request.decision) == (
        "accepted",
        "anna",
        "agreed",
    )
    assert done.request.result == {"plan": plan, "revision": 3}
    assert (done.overdue, done.effect, waiting(database, plan)) == (False, None, [])
    figures = plans.figures(database, ANNA, plan)
    after = {entry["code"]: entry for entry in figures.figures.entries(enumerate(figures.grids))}
    assert [after[grid["code"]] for grid in effect["after"]["grids"]] == effect["after"]["grids"]
    publish(database, plan, 3)
    assert (owner(database, X3)["grid"]["code"], out(database, 2)) == ("c", "aabccc")


def test_a_customer_goes_to_a_team_by_name(database: Database, tiling: str) -> None:
    made = ask(database, BY_NAME)
    effect = show(database, made.id).effect or {}
    assert (effect["before"]["rule"], effect["before"]["team"]["id"]) == ("cell", "b")
    assert (effect["after"]["rule"], effect["after"]["team"]["id"]) == ("name_list", "c")
    before = rosters.get(database, ANNA, "board")
    result = accept(database, made.id).request.result
    number, roster = rosters.get(database, ANNA, "board")
    assert result == {"roster": number} and number == before[0] + 1
    assert roster.named_by_customer[SECRET].team == "c"
    assert replace(roster, named=()) == before[1]


def test_a_team_gets_another_lead(database: Database, tiling: str) -> None:
    made = ask(database, NEW_LEAD)
    effect = show(database, made.id).effect or {}
    assert (effect["before"]["lead"]["id"], effect["after"]["lead"]["id"]) == ("p-b", "p-h")
    assert effect["grids"] == ["b"]
    assert owner(database, X3)["lead"]["id"] == "p-b"
    accept(database, made.id)
    assert owner(database, X3)["lead"]["id"] == "p-h"


def test_a_roster_which_is_scheduled_gets_the_change_too(database: Database, tiling: str) -> None:
    later = replace(people(), members=(*people().members, Member("b", "p-c", "vip", 0.0, 0.0)))
    rosters.put(database, ANNA, "board", later, valid_from=soon(5), reason="from the start")
    accept(database, ask(database, NEW_LEAD).id)
    with database.read(SYSTEM) as reader:
        then = datetime.now(UTC)
        found = [
            reader.rosters.in_force("board", at, then + timedelta(seconds=1)) for at in (then, then + 6 * DAY)
        ]
    now_, then_ = (roster[1] for roster in found if roster)
    assert [lead.person for r in (now_, then_) if (lead := r.lead("b"))] == ["p-h", "p-h"]
    assert [any(m.person == "p-c" and m.team == "b" for m in r.members) for r in (now_, then_)] == [
        False,
        True,
    ]


# --- the gate


def test_open_requests_close_the_gate_of_all_plans_of_the_territory_and_line(
    database: Database, tiling: str, plan: str
) -> None:
    other, special = draft(database, tiling, "aaabcc"), draft(database, tiling, "aabbcc", line="special")
    move, lead = ask(database, HAND_OVER), ask(database, NEW_LEAD)
    assert [o["request"] for o in waiting(database, plan)] == [move.id, lead.id]
    assert [o["request"] for o in waiting(database, other)] == [move.id, lead.id]
    assert [o["request"] for o in waiting(database, special)] == [lead.id]
    end(database, move.id, "reject")
    end(database, lead.id, "withdraw", MANAGER)
    assert waiting(database, plan) == []


def test_a_request_is_waived_with_a_reason(database: Database, plan: str) -> None:
    first, second = ask(database, HAND_OVER), ask(database, NEW_LEAD)
    waivers.waive(database, ANNA, plan, "requests", first.id, "decided next week")
    (offender,) = waiting(database, plan)
    assert offender["request"] == second.id
    waivers.waive(database, ANNA, plan, "requests", second.id, "likewise")
    gate = next(g for g in gates.gates_of(database, ANNA, plan) if g.name == "requests")
    assert gate.passed and [w["reason"] for w in gate.waived] == ["decided next week", "likewise"]
    publish(database, plan, stored(database, plan).revision)
    with pytest.raises(NotFound):
        waivers.waive(
            database, ANNA, draft(database, stored(database, plan).tiling, "aabbcc"), "requests", "a", "x"
        )


def test_the_way_back_to_an_earlier_publication_stays_open(database: Database, plan: str) -> None:
    ask(database, HAND_OVER)
    publishing.republish(database, ANNA, "board", 1)
    assert out(database, 2) == "aabbcc"


# --- who sees and decides


def test_managers_see_their_branches_only(database: Database, tiling: str) -> None:
    made = ask(database, HAND_OVER)
    assert listed(database, MANAGER) == listed(database) == [made.id]
    assert listed(database, ELSEWHERE) == []
    for act in (
        lambda: show(database, made.id, ELSEWHERE),
        lambda: district_requests.comment(database, ELSEWHERE, made.id, "mine"),
        lambda: end(database, made.id, "withdraw", ELSEWHERE),
        lambda: accept(database, made.id, who=replace(ANNA, branches=frozenset({"oder"}))),
    ):
        with pytest.raises(NotFound, match="no request"):
            act()
    for act in (
        lambda: ask(database, HAND_OVER, ELSEWHERE),
        lambda: listed(database, ELSEWHERE, territory="board"),
    ):
        with pytest.raises(NotFound, match="no territory 'board'"):
            act()


def test_who_decides_may_make_the_change_too(database: Database, plan: str) -> None:
    made, lead = ask(database, HAND_OVER), ask(database, NEW_LEAD)
    judge = Principal("fu", frozenset({"requests:decide"}))
    for request, scope in ((made, "plans:write"), (lead, "roster:write")):
        with pytest.raises(Forbidden, match=scope):
            accept(database, request.id, plan, judge)
    with pytest.raises(Forbidden, match="requests:decide"):
        accept(database, made.id, plan, MANAGER)
    with pytest.raises(Forbidden, match="only who asked"):
        end(database, made.id, "withdraw")
    assert end(database, made.id, "reject", judge).request.state == "rejected"


def test_customers_are_private(database: Database, tiling: str) -> None:
    words = f"{SECRET} wants to"
    made = ask(database, BY_NAME, reason=words)
    district_requests.comment(database, MANAGER, made.id, words)
    second = ask(database, replace(BY_NAME, team="d"), reason=words)
    end(database, second.id, "reject", reason=words)
    accept(database, made.id, idempotency=Idempotency("k", "d"))
    with database.read(SYSTEM) as reader:
        told = [repr(entry) for entry in [*reader.audit_log(1000), *reader.outbox(0, 1000)]]
        answer = reader.replay("anna", Idempotency("k", "d"))
    assert len(told) > 8
    assert not [text for text in [*told, repr(made), repr(answer)] if SECRET in text]
    blind = Principal("gu", frozenset({"requests:read"}))
    assert show(database, made.id, blind).request.wish.customer is None
    assert show(database, made.id, replace(MANAGER, scopes=blind.scopes)).request.wish.customer == SECRET
    assert show(database, made.id).request.wish.customer == SECRET


# --- lists, comments, repetition


def test_requests_are_listed_by_state_territory_and_deadline(open_database: Opener) -> None:
    clock = Clock(datetime(2026, 11, 2, 4, tzinfo=UTC))
    database = open_database(clock=clock)
    publish(database, draft(database, ground(database), "aabbcc"), 2)
    first = ask(database, HAND_OVER)  # due with the end of Thursday the 5th
    clock.now += timedelta(days=1)
    second = ask(database, NEW_LEAD)
    assert listed(database) == [first.id, second.id]
    assert listed(database, due_before="2026-11-06", territory="board") == []
    assert listed(database, due_before="2026-11-06T00:00:01+08:00") == [first.id]
    end(database, first.id, "reject")
    assert listed(database, state="open") == [second.id]
    assert listed(database, state="rejected") == [first.id]
    pages = district_requests.listing(database, ANNA, Wanted(), None, 1)
    behind = district_requests.listing(database, ANNA, Wanted(), pages[-1].request.id, 1)
    assert [s.request.id for s in (*pages, *behind)] == [first.id, second.id]


def test_people_talk_about_a_request_also_when_it_is_decided(database: Database, tiling: str) -> None:
    made = ask(database, HAND_OVER)
    once = Idempotency("k", "d")
    for _ in range(2):
        said = district_requests.comment(database, MANAGER, made.id, " please ", idempotency=once)
        assert (said.number, said.actor, said.text) == (1, "dai", "please")
    end(database, made.id, "reject")
    district_requests.comment(database, ANNA, made.id, "next year")
    assert [c.text for c in show(database, made.id).comments] == ["please", "next year"]
    with pytest.raises(InvalidInput, match="nothing in it"):
        district_requests.comment(database, ANNA, made.id, " ")


def test_a_repeated_request_or_decision_counts_once(database: Database, plan: str) -> None:
    once = Idempotency("k", "d")
    made = ask(database, HAND_OVER, idempotency=once)
    assert ask(database, HAND_OVER, idempotency=once).id == made.id
    first = accept(database, made.id, plan, idempotency=once)
    again = accept(database, made.id, plan, idempotency=once)
    assert first.request == again.request and len(listed(database)) == 1
    assert len(moves.history(database, ANNA, plan)) == 1


# --- what can go wrong


def test_two_decisions_at_once_both_count(database: Database, tiling: str) -> None:
    wishes = [Wish("lead", team=team, person="p-h") for team in "abcdef"]
    ids = [ask(database, wish).id for wish in wishes]
    with ThreadPoolExecutor(len(ids)) as pool:
        done = list(pool.map(lambda request: accept(database, request), ids))
    _, roster = rosters.get(database, ANNA, "board")
    assert {lead.person for team in "abcdef" if (lead := roster.lead(team))} == {"p-h"}
    assert len({str(shown.request.result) for shown in done}) == len(ids)


def test_a_request_is_decided_once_however_many_decide(database: Database, tiling: str) -> None:
    made, before = ask(database, NEW_LEAD), rosters.get(database, ANNA, "board")[0]

    def decide(_: int) -> bool:
        try:
            accept(database, made.id)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(decide, range(4))) == 1
    assert rosters.get(database, ANNA, "board")[0] == before + 1


def test_a_locked_cell_is_not_asked_for(database: Database) -> None:
    rows = table_of([{"cell": X3, "grid": "02", "reason": "market hall", "until": ""}], "locks")
    plan = small(database, locks=rows, report=False)
    with pytest.raises(InvalidInput, match="market hall"):
        ask(database, Wish("move", (X3,), "03"), plan=plan)
    assert ask(database, Wish("move", ("x002y000",), "03"), plan=plan).state == "open"


def test_an_effect_says_why_it_is_no_longer_possible(database: Database, plan: str) -> None:
    made = ask(database, HAND_OVER, plan=plan)
    parts = [moves.Part(["x004y000", "x005y000"], "b")]
    moves.move(database, ANNA, plan, 1, parts, drop_empty=True)
    problem = (show(database, made.id).effect or {})["problem"]
    assert "no longer has the grid 'c'" in problem["detail"]
    with pytest.raises(InvalidInput, match="no longer has the grid"):
        accept(database, made.id, plan)
    assert show(database, made.id).request.state == "open"
    elsewhere = draft(database, stored(database, plan).tiling, "aabbcc")
    assert (show(database, made.id, plan=elsewhere).effect or {})["moved"] == 1


def test_a_move_is_accepted_on_a_draft_as_the_decider_saw_it(database: Database, plan: str) -> None:
    made = ask(database, HAND_OVER)
    with pytest.raises(InvalidInput, match="no draft is named"):
        accept(database, made.id)
    with pytest.raises(PreconditionMissing):
        deciding.accept(Desk(database), ANNA, made.id, "yes", Target(plan))
    moves.move(database, BO, plan, 1, [moves.Part([X3], "a")])
    with pytest.raises(Conflict, match="changed since revision 1"):
        accept(database, made.id, plan, revision=1)
    with database.read(SYSTEM) as reader:
        published = reader.publications.get("board", "base", 1).plan
    with pytest.raises(Conflict, match="never changed"):
        accept(database, made.id, published)
    assert show(database, made.id).request.state == "open"
    assert accept(database, made.id, plan, revision=2).request.result == {"plan": plan, "revision": 3}


@pytest.mark.parametrize(
    ("wish", "more", "field", "words"),
    [
        (Wish("move", (), "c"), {}, "cells", "needs it; give cells and to"),
        (Wish("move", (X3,)), {}, "to", "needs it"),
        (Wish("move", (X3,), "c", team="b"), {}, "team", "not part of a request"),
        (Wish("move", (X3, "x9"), "c"), {}, "cells", "'x9' is not in the plan's tiling"),
        (Wish("move", (X3, X3), "c"), {}, "cells", "place 1 already"),
        (Wish("move", (X3,), "z"), {}, "to", "no grid 'z'"),
        (Wish("move", (X3,), "b"), {}, "to", "in that grid already"),
        (Wish("move", tuple(map(str, range(10_001))), "c"), {}, "cells", "at most 10,000"),
        (Wish("move", (X3,), "c" * 201), {}, "to", "longer than any id"),
        (HAND_OVER, {"plan": "pln_none"}, "plan", "no plan 'pln_none'"),
        (HAND_OVER, {"line": "special"}, "plan", "nothing is published yet"),
        (HAND_OVER, {"reason": " "}, "reason", "say why"),
        (Wish("customer", customer=SECRET), {}, "team", "needs it"),
        (Wish("customer", customer=SECRET, team="z"), {}, "team", "no team 'z'"),
        (Wish("customer", customer=SECRET, team="c", to="c"), {}, "to", "not part"),
        (Wish("lead", team="b"), {}, "person", "needs it"),
        (Wish("lead", team="b", person="p-z"), {}, "person", "no person 'p-z'"),
        (Wish("lead", team="b", person="p-b"), {}, "person", "leads the team already"),
    ],
)
def test_a_wish_which_cannot_be_is_refused(
    refusing: Database, wish: Wish, more: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask(refusing, wish, **more)
    assert refused.value.field == field
    assert words in str(refused.value)
    assert refused.value.cure and SECRET not in str(refused.value)
    assert listed(refusing) == []


def test_who_and_what_is_not_there_is_not_found(database: Database, tiling: str) -> None:
    with pytest.raises(UnknownCustomer) as refused:
        ask(database, Wish("customer", customer="secret-0", team="c"))
    assert "secret" not in str(refused.value)
    with pytest.raises(NotFound, match="no territory"):
        district_requests.create(Desk(database), ANNA, "oder", HAND_OVER, "so")
    for act in (show, lambda database, r: end(database, r, "reject"), accept):
        with pytest.raises(NotFound, match="no request"):
            act(database, "req_none")
    with pytest.raises(InvalidInput, match="needs a reason"):
        end(database, ask(database, HAND_OVER).id, "reject", reason=" ")
    with pytest.raises(InvalidInput, match="is no date"):
        listed(database, due_before="soon")


def test_a_draft_of_another_line_is_none_to_move_on(database: Database, tiling: str) -> None:
    special = draft(database, tiling, "aabbcc", line="special")
    with pytest.raises(InvalidInput, match="of the line 'base'"):
        ask(database, HAND_OVER, plan=special)
    with pytest.raises(InvalidInput, match="of the line 'base'"):
        accept(database, ask(database, HAND_OVER).id, special)
    assert ask(database, HAND_OVER, plan=special, line="special").line == "special"


def test_a_customer_owned_by_name_is_not_asked_for_again(database: Database, tiling: str) -> None:
    accept(database, ask(database, BY_NAME).id)
    with pytest.raises(InvalidInput, match="by name already"):
        ask(database, BY_NAME)
