"""Requests decided in any order, beside a model of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from gridsvc.errors import (
    GridsvcError,
)
from gridsvc.plans.requests import Wish
from gridsvc.principal import SYSTEM, Principal
from gridsvc.services import (
    branches,
    deciding,
    plans,
    rosters,
)
from gridsvc.services.deciding import Target
from gridsvc.services.desk import Desk
from gridsvc.store import Database
from tests.services.board import ANNA, BO
from tests.services.districts import (
    MANAGER,
    X3,
    ask,
    end,
    settle_in,
    show,
    waiting,
)
from tests.services.series import draft, ground, publish, stored


@pytest.fixture
def tiling(database: Database) -> str:
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


PEOPLE = [MANAGER, ANNA, BO, replace(MANAGER, actor="hu"), Principal("read", frozenset({"requests:read"}))]


def machine(database: Database, plan: str) -> type[RuleBasedStateMachine]:
    class Requests(RuleBasedStateMachine):
        """Two requests against what one would expect on paper."""

        @initialize()
        def start(self) -> None:
            with database.read(SYSTEM) as reader:
                for old in reader.requests.open_in("board"):
                    end(database, old.id, "reject")
            number, roster = rosters.get(database, ANNA, "board")
            lead = roster.lead("b")
            self.lead = "p-b" if lead is None else lead.person
            to = "c" if dict(plans.cells_of(database, ANNA, plan)[0])[X3] == "b" else "b"
            person = "p-h" if self.lead == "p-b" else "p-b"
            self.wishes = [Wish("move", (X3,), to), Wish("lead", team="b", person=person)]
            self.ids = [ask(database, wish, plan=plan if wish.cells else None).id for wish in self.wishes]
            self.states = ["open", "open"]
            self.rosters = number

        @rule(
            which=st.integers(0, 1),
            decision=st.sampled_from(["accept", "reject", "withdraw"]),
            who=st.sampled_from(PEOPLE),
            reason=st.sampled_from(["so", "so", ""]),
        )
        def decide(self, which: int, decision: str, who: Principal, reason: str) -> None:
            request, desk = self.ids[which], Desk(database)
            try:
                if decision == "accept":
                    target = Target(plan, stored(database, plan).revision)
                    deciding.accept(desk, who, request, reason, target)
                else:
                    deciding.close(desk, who, request, decision, reason)  # type: ignore[arg-type]
            except GridsvcError:
                assert not self._allowed(which, decision, who, reason), (decision, who.actor, self.states)
            else:
                assert self._allowed(which, decision, who, reason), (decision, who.actor, self.states)
                self.states[which] = {"accept": "accepted", "reject": "rejected"}.get(decision, "withdrawn")
            self._check()

        def _allowed(self, which: int, decision: str, who: Principal, reason: str) -> bool:
            if self.states[which] != "open":
                return False
            if decision == "withdraw":
                return who.actor == MANAGER.actor
            return "requests:decide" in who.scopes and bool(reason)

        def _check(self) -> None:
            shown = [show(database, request) for request in self.ids]
            assert [s.request.state for s in shown] == self.states
            assert [(s.request.decided_by is None) == (s.request.state == "open") for s in shown] == [
                True,
                True,
            ]
            open_ = [i for i, state in zip(self.ids, self.states, strict=True) if state == "open"]
            assert [o["request"] for o in waiting(database, plan)] == open_
            move, lead = self.wishes
            at = dict(plans.cells_of(database, ANNA, plan)[0])[X3]
            assert (at == move.to) == (self.states[0] == "accepted")
            number, roster = rosters.get(database, ANNA, "board")
            found = roster.lead("b")
            accepted = self.states[1] == "accepted"
            assert (found is not None and found.person == lead.person) == accepted
            assert number == self.rosters + accepted

    return Requests


def test_whatever_is_decided_in_whatever_order(database: Database, plan: str) -> None:
    few = settings(
        max_examples=10, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine(database, plan), settings=few)  # type: ignore[no-untyped-call]
