"""The way of a plan through review, and who may take which step."""

from __future__ import annotations

import itertools
from typing import Any, get_args

import pytest

from gridsvc.errors import Conflict, Forbidden, InvalidInput
from gridsvc.plans.review import (
    Action,
    ReviewRules,
    Status,
    after,
    not_a_draft,
    require_publishable,
    review_rules_from_dict,
)
from gridsvc.principal import LOCAL, SCOPES, Principal

WAYS = {
    ("submit", "draft"): "submitted",
    ("approve", "submitted"): "approved",
    ("reject", "submitted"): "draft",
    ("reject", "approved"): "draft",
    ("recall", "submitted"): "draft",
    ("recall", "approved"): "draft",
    ("publish", "draft"): "published",
    ("publish", "approved"): "published",
}


@pytest.mark.parametrize(("action", "status"), list(itertools.product(get_args(Action), get_args(Status))))
def test_each_step_starts_where_it_may_and_nowhere_else(action: Any, status: Any) -> None:
    if (action, status) in WAYS:
        assert after(action, status, "pln_1") == WAYS[action, status]
        return
    with pytest.raises(Conflict, match=f"is {status}") as refused:
        after(action, status, "pln_1")
    assert refused.value.cure


def test_nothing_is_required_by_default_and_approval_where_the_rules_say_so() -> None:
    strict = ReviewRules(approval="required")
    require_publishable(ReviewRules(), "draft", "pln_1")
    require_publishable(strict, "approved", "pln_1")
    with pytest.raises(Conflict, match="not approved"):
        require_publishable(strict, "draft", "pln_1")
    with pytest.raises(Conflict, match="is submitted"):
        require_publishable(ReviewRules(), "submitted", "pln_1")
    with pytest.raises(Conflict, match="published already"):
        require_publishable(ReviewRules(), "published", "pln_1")


def test_a_plan_under_review_is_to_be_recalled_and_a_published_one_branched() -> None:
    assert "recall" in str(not_a_draft("p", "submitted")) and "recall" in str(not_a_draft("p", "approved"))
    assert "branch" in str(not_a_draft("p", "published"))


def test_the_operator_of_the_machine_may_do_all_and_others_what_their_scopes_say() -> None:
    rules = ReviewRules()
    planner = Principal("anna", frozenset({"plans:read", "plans:write"}))
    for action in get_args(Action):
        rules.require(LOCAL, action)
    rules.require(planner, "submit")
    for action in ("approve", "reject", "publish"):
        with pytest.raises(Forbidden, match=f"anna {action}"):
            rules.require(planner, action)  # type: ignore[arg-type]


def test_an_approval_needs_another_pair_of_eyes_unless_the_rules_let_one_do() -> None:
    anna = Principal("anna", SCOPES)
    with pytest.raises(Forbidden, match="submitted themselves"):
        ReviewRules().require_other(anna, "anna")
    ReviewRules().require_other(anna, "bo")
    ReviewRules().require_other(LOCAL, "local")
    for own in (["anna"], ["*"]):
        review_rules_from_dict({"own_approval": own}).require_other(anna, "anna")
    with pytest.raises(Forbidden):
        review_rules_from_dict({"own_approval": []}).require_other(LOCAL, "local")


def test_a_rule_names_scopes_and_maybe_actors() -> None:
    rules = review_rules_from_dict({"steps": {"approve": {"scopes": ["plans:publish"], "actors": ["bo"]}}})
    rules.require(Principal("bo", frozenset({"plans:publish"})), "approve")
    for who in (Principal("bo", frozenset({"plans:review"})), Principal("anna", SCOPES)):
        with pytest.raises(Forbidden, match="plans:publish"):
            rules.require(who, "approve")
    rules.require(Principal("anna", SCOPES), "submit")
    assert review_rules_from_dict(rules.as_dict()) == rules
    assert review_rules_from_dict({}) == ReviewRules()


@pytest.mark.parametrize(
    ("document", "field", "words"),
    [
        ({"steps": []}, "steps", "not steps"),
        ({"steps": {"aprove": {}}}, "steps", "'aprove'; use submit, approve"),
        ({"steps": {"approve": ["anna"]}}, "steps.approve", "not a rule"),
        ({"steps": {"approve": {"scopes": ["plans:all"]}}}, "steps.approve.scopes", "'plans:all'; use some"),
        ({"steps": {"approve": {"scopes": []}}}, "steps.approve.scopes", "nobody could"),
        ({"steps": {"approve": {"scopes": "plans:review"}}}, "steps.approve.scopes", "not a list"),
        ({"steps": {"approve": {"actors": [1]}}}, "steps.approve.actors", "not a list of names"),
        ({"steps": {"approve": {"actors": [" "]}}}, "steps.approve.actors", "not a list of names"),
        ({"approval": "maybe"}, "approval", "optional or required"),
        ({"approval": ["required"]}, "approval", "optional or required"),
        ({"own_approval": "anna"}, "own_approval", "not a list"),
        ({"own_approval": ["a" * 201]}, "own_approval", "too long"),
    ],
)
def test_what_are_no_rules_is_refused(document: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        review_rules_from_dict(document)
    assert refused.value.field == field
    assert words in str(refused.value)
    assert refused.value.cure
