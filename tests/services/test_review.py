"""Review: submitted, approved, rejected, recalled, published, retired; each step on record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from gridsvc.errors import Conflict, Forbidden, GridsvcError, InvalidInput, StaleRevision
from gridsvc.plans.review import review_rules_from_dict
from gridsvc.principal import LOCAL, SYSTEM, Principal
from gridsvc.services import (
    assignments,
    branches,
    carveouts,
    moves,
    plans,
    publishing,
    rebasing,
    review,
    waivers,
)
from gridsvc.services.handing import Part
from gridsvc.services.request import SolveRequest
from gridsvc.store import Database
from gridsvc.store.records import Idempotency, PlanRecord
from tests.services.board import ANNA, BO
from tests.services.series import draft, ground, out, publish, stored

PLANNER = Principal("cui", frozenset({"plans:read", "plans:write"}))


@pytest.fixture
def tiling(database: Database) -> str:
    return ground(database)


@pytest.fixture
def plan(database: Database, tiling: str) -> str:
    """A draft at revision 2."""
    return draft(database, tiling, "aabbcc")


def take(
    database: Database, plan: str, action: Any, who: Principal = ANNA, reason: str = "", **more: Any
) -> PlanRecord:
    revision = more.pop("revision", None) or stored(database, plan).revision
    return review.take(database, who, plan, action, revision, reason=reason or None, **more)


def approve(database: Database, plan: str) -> int:
    take(database, plan, "submit")
    return take(database, plan, "approve", BO).revision


def steps(database: Database, plan: str) -> list[tuple[str, str, str, str | None]]:
    return [(s.action, s.after, s.actor, s.reason) for s in review.history(database, ANNA, plan)]


def test_a_plan_goes_from_draft_to_publication(database: Database, plan: str) -> None:
    assert take(database, plan, "submit", reason="spring").status == "submitted"
    assert take(database, plan, "approve", BO).status == "approved"
    publish(database, plan, 4, reason="agreed")
    assert plans.get(database, ANNA, plan).status == "published"
    assert steps(database, plan) == [
        ("submit", "submitted", "anna", "spring"),
        ("approve", "approved", "bo", None),
        ("publish", "published", "anna", "agreed"),
    ]
    with database.read(SYSTEM) as reader:
        actions = [(entry.action, entry.actor, entry.reason) for entry in reader.audit_log(3)]
        events = {
            e.kind: e.payload for e in reader.outbox(0, 100) if e.kind in {"plan.submitted", "plan.approved"}
        }
    assert actions[1:] == [("plan.approve", "bo", None), ("plan.submit", "anna", "spring")]
    assert events["plan.approved"] == {"plan": plan, "revision": 4, "status": "approved", "actor": "bo"}
    assert events["plan.submitted"]["actor"] == "anna"


def test_a_rejection_says_why_and_leaves_a_draft(database: Database, plan: str) -> None:
    take(database, plan, "submit")
    with pytest.raises(InvalidInput, match="needs a reason"):
        take(database, plan, "reject", BO, " ")
    assert take(database, plan, "reject", BO, "c is too large").status == "draft"
    assert steps(database, plan)[-1] == ("reject", "draft", "bo", "c is too large")
    moves.move(database, ANNA, plan, 4, [Part(["x004y000"], "b")])


@pytest.mark.parametrize("approved", [False, True])
def test_a_plan_is_recalled_at_any_step_before_publication(
    database: Database, plan: str, approved: bool
) -> None:
    take(database, plan, "submit")
    if approved:
        take(database, plan, "approve", BO)
    assert take(database, plan, "recall").status == "draft"
    assert take(database, plan, "submit").status == "submitted"


def changes(database: Database, plan: str, other: str, revision: int) -> Iterator[Any]:
    """All that changes a plan."""
    yield lambda: moves.move(database, ANNA, plan, revision, [Part(["x004y000"], "b")])
    yield lambda: moves.undo(database, ANNA, plan, revision)
    yield lambda: rebasing.rebase(database, ANNA, plan, revision)
    yield lambda: branches.merge(database, ANNA, plan, revision, other)
    yield lambda: branches.describe(database, ANNA, plan, revision, name="other")
    yield lambda: carveouts.put(database, ANNA, plan, revision, ())
    yield lambda: assignments.assign(database, ANNA, plan, revision)
    yield lambda: waivers.waive(database, ANNA, plan, "contiguity", "a", "because", revision)
    yield lambda: plans.solve(database, ANNA, plan)


@pytest.mark.parametrize("approved", [False, True])
def test_a_plan_under_review_is_not_changed(database: Database, tiling: str, approved: bool) -> None:
    first = draft(database, tiling, "aabbcc")
    publish(database, first, 2)
    plan = branches.branch(database, ANNA, first, "mine").id
    other = branches.branch(database, ANNA, plan, "theirs").id
    moves.move(database, ANNA, other, 1, [Part(["x002y000"], "a")])
    take(database, plan, "submit")
    if approved:
        take(database, plan, "approve", BO)
    before = stored(database, plan)
    for change in changes(database, plan, other, before.revision):
        with pytest.raises(Conflict) as refused:
            change()
        assert "recall" in (refused.value.cure or ""), refused.value
    after = stored(database, plan)
    assert (after.revision, after.labels.tolist()) == (before.revision, before.labels.tolist())


def test_who_may_do_what_is_data(database: Database, plan: str) -> None:
    take(database, plan, "submit", PLANNER)
    with pytest.raises(Forbidden, match="do not let cui approve"):
        take(database, plan, "approve", PLANNER)
    with pytest.raises(Forbidden, match="company:write"):
        review.put_rules(database, PLANNER, review_rules_from_dict({}))
    eased = {"steps": {"approve": {"scopes": ["plans:write"], "actors": ["cui"]}}, "own_approval": ["cui"]}
    assert review.put_rules(database, ANNA, review_rules_from_dict(eased)) == 1
    with pytest.raises(Forbidden, match="do not let bo approve"):
        take(database, plan, "approve", BO)
    assert take(database, plan, "approve", PLANNER).status == "approved"
    assert review.put_rules(database, ANNA, review_rules_from_dict({})) == 2
    assert review.rules(database, PLANNER) == (2, review_rules_from_dict({}))


def test_who_submitted_does_not_approve_but_the_operator_of_the_machine_may(
    database: Database, plan: str
) -> None:
    take(database, plan, "submit")
    with pytest.raises(Forbidden, match="submitted themselves"):
        take(database, plan, "approve")
    take(database, plan, "recall", LOCAL)
    take(database, plan, "submit", LOCAL)
    take(database, plan, "approve", LOCAL)


def test_drafts_are_published_directly_unless_the_rules_require_approval(
    database: Database, tiling: str, plan: str
) -> None:
    publish(database, plan, 2)
    review.put_rules(database, ANNA, review_rules_from_dict({"approval": "required"}))
    second = draft(database, tiling, "aaabcc")
    with pytest.raises(Conflict, match="not approved"):
        publish(database, second, 2)
    take(database, second, "submit")
    with pytest.raises(Conflict, match="is submitted"):
        publish(database, second, 3)
    take(database, second, "approve", BO)
    assert publish(database, second, 4).n == 2


def test_a_rule_may_name_who_publishes(database: Database, plan: str) -> None:
    rules = {"steps": {"publish": {"scopes": ["plans:publish"], "actors": ["bo"]}}}
    review.put_rules(database, ANNA, review_rules_from_dict(rules))
    with pytest.raises(Forbidden, match="anna publish"):
        publish(database, plan, 2)


def test_an_approved_plan_takes_up_what_others_published_elsewhere(database: Database, tiling: str) -> None:
    publish(database, draft(database, tiling, "aabbcc"), 2)
    mine, theirs = draft(database, tiling, "aaabcc"), draft(database, tiling, "aabbbc")
    revision = approve(database, mine)
    publish(database, theirs, 2)
    publish(database, mine, revision)
    assert out(database, 3) == "aaabbc"
    assert steps(database, mine)[-1][:2] == ("publish", "published")
    assert stored(database, mine).status == "published"


def test_a_publication_refused_leaves_the_plan_approved(database: Database, tiling: str) -> None:
    publish(database, draft(database, tiling, "aabbcc"), 2)
    mine, theirs = draft(database, tiling, "aaabcc"), draft(database, tiling, "aaccbb")
    revision = approve(database, mine)
    publish(database, theirs, 2)
    with pytest.raises(Conflict):
        publish(database, mine, revision)
    assert (stored(database, mine).status, stored(database, mine).revision) == ("approved", revision)


def test_a_plan_is_retired_while_none_of_its_publications_counts(database: Database, tiling: str) -> None:
    def status(plan: str) -> str:
        listed = {record.id: record.status for record in plans.listing(database, ANNA, "board", None, 10)}
        assert listed[plan] == plans.get(database, ANNA, plan).status
        return listed[plan]

    first, second = draft(database, tiling, "aabbcc"), draft(database, tiling, "aabbcc", line="special")
    publish(database, first, 2)
    publish(database, second, 2)
    assert (status(first), status(second)) == ("published", "published")
    third = draft(database, tiling, "aabbbc")
    publish(database, third, 2)
    assert (status(first), status(second), status(third)) == ("retired", "published", "published")
    publishing.republish(database, ANNA, "board", 1)
    assert (status(first), status(third)) == ("published", "retired")


def test_a_step_is_taken_on_what_was_seen_and_once(database: Database, plan: str) -> None:
    with pytest.raises(StaleRevision):
        take(database, plan, "submit", revision=1)
    once = Idempotency("k", "d")
    first = take(database, plan, "submit", revision=2, idempotency=once)
    again = take(database, plan, "submit", revision=2, idempotency=once)
    assert (first.revision, again.revision, len(steps(database, plan))) == (3, 3, 1)
    with pytest.raises(Conflict, match="is submitted"):
        take(database, plan, "submit")
    with pytest.raises(StaleRevision):  # whoever sees the draft still is told to look again
        take(database, plan, "submit", revision=2)


def test_a_plan_without_cells_is_not_submitted(database: Database, tiling: str) -> None:
    empty = plans.create(database, ANNA, tiling, SolveRequest(2, ())).id
    with pytest.raises(Conflict, match="not solved"):
        take(database, empty, "submit", revision=1)


# --- any order of steps

ACTIONS = st.sampled_from(["submit", "approve", "reject", "recall", "move", "publish"])
TEAM = [ANNA, BO, PLANNER, LOCAL, Principal("dora", frozenset({"plans:read", "plans:review"}))]


def machine(database: Database, tiling: str) -> type[RuleBasedStateMachine]:
    class Reviews(RuleBasedStateMachine):
        """A plan under review against what one would expect on paper."""

        @initialize()
        def start(self) -> None:
            self.plan, self.revision = draft(database, tiling, "aabbcc", line="special"), 2
            self.status, self.submitter, self.at = "draft", "", "b"
            self.moved_last = True  # its cells came with the revision before

        @rule(action=ACTIONS, who=st.sampled_from(TEAM), stale=st.sampled_from([False, False, False, True]))
        def step(self, action: str, who: Principal, stale: bool) -> None:
            seen = self.revision - stale
            try:
                self._take(action, who, seen)
            except GridsvcError:
                assert not self._allowed(action, who, stale), (action, who, self.status)
            else:
                assert self._allowed(action, who, stale), (action, who, self.status)
                self._follow(action, who)
            now = stored(database, self.plan)
            assert (now.status, now.revision) == (self.status, self.revision)

        def _take(self, action: str, who: Principal, seen: int) -> None:
            if action == "move":
                moves.move(
                    database, who, self.plan, seen, [Part(["x002y000"], "a" if self.at == "b" else "b")]
                )
            elif action == "publish":
                publishing.publish(database, who, self.plan, seen)
            else:
                review.take(database, who, self.plan, action, seen, reason="so")  # type: ignore[arg-type]

        def _allowed(self, action: str, who: Principal, stale: bool) -> bool:
            scope = {"approve": "review", "reject": "review", "publish": "publish"}.get(action, "write")
            starts = {
                "submit": {"draft"},
                "move": {"draft"},
                "approve": {"submitted"},
                "reject": {"submitted", "approved"},
                "recall": {"submitted", "approved"},
                "publish": {"draft", "approved"},
            }
            own = action == "approve" and who.actor == self.submitter != "local"
            blind = stale and action != "move"  # moves are judged by their cells
            moved = action == "move" and stale and self.moved_last
            may = f"plans:{scope}" in who.scopes
            return may and self.status in starts[action] and not own and not blind and not moved

        def _follow(self, action: str, who: Principal) -> None:
            ends = {"submit": "submitted", "approve": "approved", "publish": "published", "move": "draft"}
            self.status = ends.get(action, "draft")
            self.revision += 1
            self.moved_last = action == "move"
            if action == "submit":
                self.submitter = who.actor
            if action == "move":
                self.at = "a" if self.at == "b" else "b"
            if action == "publish":  # what follows is another plan, on an own line, and so on
                self.start()

    return Reviews


def test_whatever_is_tried_in_whatever_order(database: Database, tiling: str) -> None:
    few = settings(
        max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine(database, tiling), settings=few)  # type: ignore[no-untyped-call]
