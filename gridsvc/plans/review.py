"""Review: the way of a plan from draft to publication, and who may take which step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from gridsvc.errors import Conflict, Forbidden, InvalidInput
from gridsvc.principal import SCOPES, Principal

__all__ = [
    "Action",
    "Approval",
    "ReviewRules",
    "Reviewed",
    "Rule",
    "Status",
    "after",
    "not_a_draft",
    "require_publishable",
    "review_rules_from_dict",
]

Status = Literal["draft", "submitted", "approved", "published", "retired", "cancelled"]
Action = Literal["submit", "approve", "reject", "recall", "publish"]
Approval = Literal["optional", "required"]

_STEPS: dict[Action, dict[Status, Status]] = {
    "submit": {"draft": "submitted"},
    "approve": {"submitted": "approved"},
    "reject": {"submitted": "draft", "approved": "draft"},
    "recall": {"submitted": "draft", "approved": "draft"},
    "publish": {"draft": "published", "approved": "published"},
}
_CURES: dict[Action, str] = {
    "submit": "only a draft is submitted; branch the plan, or recall it first",
    "approve": "submit the plan first",
    "reject": "only a submitted or approved plan is rejected",
    "recall": "only a submitted or approved plan is recalled; a draft can be changed as it is",
    "publish": "let it be approved, or recall it to publish it as a draft",
}
_ANYBODY = "*"
_MOST, _LONGEST = 1000, 200


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may take a step.

    Attributes
    ----------
    scopes : frozenset of str
        Any one of them is enough.
    actors : frozenset of str
        Who of those may; empty means all.
    """

    scopes: frozenset[str]
    actors: frozenset[str] = frozenset()

    def allows(self, who: Principal) -> bool:
        """Whether `who` may."""
        return bool(self.scopes & who.scopes) and (not self.actors or who.actor in self.actors)


def _rules() -> dict[Action, Rule]:
    return {
        "submit": Rule(frozenset({"plans:write"})),
        "approve": Rule(frozenset({"plans:review"})),
        "reject": Rule(frozenset({"plans:review"})),
        "recall": Rule(frozenset({"plans:write"})),
        "publish": Rule(frozenset({"plans:publish"})),
    }


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """A company's rules of review.

    Attributes
    ----------
    steps : mapping of action to Rule
    approval : {"optional", "required"}
        Whether a draft may be published without.
    own_approval : frozenset of str
        Actors who may approve what they submitted; ``*`` is everybody. The operator of a single machine has
        nobody else to ask.
    """

    steps: Mapping[Action, Rule] = field(default_factory=_rules)
    approval: Approval = "optional"
    own_approval: frozenset[str] = frozenset({"local"})

    def require(self, who: Principal, action: Action) -> None:
        """Raise `Forbidden` unless `who` may take the step."""
        if not self.steps[action].allows(who):
            raise Forbidden(
                f"the review rules do not let {who.actor} {action} plans",
                field="action",
                cure=f"ask somebody with {' or '.join(sorted(self.steps[action].scopes))} whom they let",
            )

    def require_other(self, who: Principal, submitter: str | None) -> None:
        """Raise `Forbidden` where `who` would approve what `who` submitted (four-eyes principle)."""
        if who.actor == submitter and not self.own_approval & {who.actor, _ANYBODY}:
            raise Forbidden(
                "nobody approves what they submitted themselves", field="action", cure="ask somebody else"
            )

    def as_dict(self) -> dict[str, Any]:
        """The rules as `review_rules_from_dict` reads them."""
        steps = {
            action: {"scopes": sorted(rule.scopes), "actors": sorted(rule.actors)}
            for action, rule in self.steps.items()
        }
        return {"steps": steps, "approval": self.approval, "own_approval": sorted(self.own_approval)}


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A step a plan took; `revision` is the one it made."""

    revision: int
    action: Action
    before: Status
    after: Status
    actor: str
    reason: str | None
    recorded_at: datetime


def after(action: Action, status: str, plan: str) -> Status:
    """The status a step leads to.

    Raises
    ------
    Conflict
        It does not start where the plan is.
    """
    ways: Mapping[str, Status] = {str(start): end for start, end in _STEPS[action].items()}
    if status not in ways:
        raise Conflict(f"the plan is {status}", field="status", cure=_CURES[action], plan=plan, status=status)
    return ways[status]


def not_a_draft(plan: str, status: str) -> Conflict:
    """The conflict about a change of a plan which is under review, published or given up."""
    if status in {"submitted", "approved"}:
        said, cure = f"the plan is {status}, so that nobody changes it", "recall it, then change it"
    else:
        said = f"the plan is {status} already, and a {status} plan is never changed"
        cure = "branch it, and change the branch"
    return Conflict(said, field="plan", cure=cure, plan=plan, status=status)


def require_publishable(rules: ReviewRules, status: str, plan: str) -> None:
    """Raise `Conflict` where a plan is published already, or not approved though the rules want it."""
    if status not in {"draft", "submitted", "approved"}:
        raise not_a_draft(plan, status)
    after("publish", status, plan)
    if rules.approval == "required" and status != "approved":
        raise Conflict(
            "the plan is not approved",
            field="status",
            cure="submit it, and let somebody approve it",
            plan=plan,
            status=status,
        )


def review_rules_from_dict(document: Mapping[str, Any]) -> ReviewRules:
    """Read rules; what is left out is as by default.

    ``{"steps": {"approve": {"scopes": ["plans:review"], "actors": ["anna"]}}, "approval": "required",
    "own_approval": ["local"]}``

    Raises
    ------
    InvalidInput
        There is no such step or scope, a step nobody could take, or a list is none.
    """
    steps = document.get("steps", {})
    if not isinstance(steps, Mapping):
        raise InvalidInput("not steps by their names", field="steps", cure='give {"approve": {...}}')
    made = _rules()
    for name, values in steps.items():
        if name not in get_args(Action):
            there = ", ".join(get_args(Action))
            raise InvalidInput(f"there is no step {str(name)[:40]!r}", field="steps", cure=f"use {there}")
        made[name] = _rule(values, f"steps.{name}", made[name])
    approval = document.get("approval", "optional")
    if approval not in get_args(Approval):
        raise InvalidInput("not a way of approval", field="approval", cure="say optional or required")
    own = _texts(document.get("own_approval", ["local"]), "own_approval")
    return ReviewRules(made, approval, frozenset(own))


def _rule(values: Any, field: str, default: Rule) -> Rule:
    if not isinstance(values, Mapping):
        raise InvalidInput("not a rule", field=field, cure='give {"scopes": [...], "actors": [...]}')
    scopes = _texts(values.get("scopes", sorted(default.scopes)), f"{field}.scopes")
    for row, scope in enumerate(scopes, 1):
        if scope not in SCOPES:
            raise InvalidInput(
                f"there is no scope {scope[:40]!r}",
                field=f"{field}.scopes",
                row=row,
                cure=f"use some of {', '.join(sorted(SCOPES))}",
            )
    if not scopes:
        raise InvalidInput("nobody could take this step", field=f"{field}.scopes", cure="name a scope")
    return Rule(frozenset(scopes), frozenset(_texts(values.get("actors", []), f"{field}.actors")))


def _texts(value: Any, field: str) -> Sequence[str]:
    if not isinstance(value, list) or not all(isinstance(entry, str) and entry.strip() for entry in value):
        raise InvalidInput("not a list of names", field=field, cure='give a list such as ["anna"]')
    if len(value) > _MOST or any(len(entry) > _LONGEST for entry in value):
        cure = f"give at most {_MOST:,} names of {_LONGEST} characters"
        raise InvalidInput("too long a list, or too long a name", field=field, cure=cure)
    return value
