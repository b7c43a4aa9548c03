"""Review: plans submitted, approved, rejected and recalled, by the company's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gridsvc.errors import Conflict, InvalidInput
from gridsvc.plans import review as rules_
from gridsvc.plans.review import Action, Reviewed, ReviewRules, after, review_rules_from_dict
from gridsvc.principal import Principal
from gridsvc.services.documents import Document
from gridsvc.services.rebasing import require_revision
from gridsvc.store.database import Database, Reader, UnitOfWork
from gridsvc.store.records import Idempotency, PlanRecord, PlanStatus

__all__ = [
    "finish",
    "history",
    "put_rules",
    "require_publishable",
    "rules",
    "rules_of",
    "shown",
    "take",
]

_PAST: dict[Action, str] = {
    "submit": "submitted",
    "approve": "approved",
    "reject": "rejected",
    "recall": "recalled",
}


def take(
    db: Database,
    who: Principal,
    plan: str,
    action: Action,
    revision: int,
    *,
    reason: str | None = None,
    idempotency: Idempotency | None = None,
) -> PlanRecord:
    """Take a plan a step of its review: submit, approve, reject or recall.

    Parameters
    ----------
    revision : int
        The plan as it was seen; each step makes a new one.
    reason : str or None
        A rejection needs one.

    Raises
    ------
    Forbidden
        The rules do not let `who` take this step, or want another pair of eyes.
    StaleRevision
        The plan has moved on from `revision`.
    Conflict
        The step does not start where the plan is, or the plan is not solved yet.
    InvalidInput
        A rejection without reason.
    """
    who.require("plans:read")
    said = (reason or "").strip() or None
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return reader.plans.get(plan)
    if action == "reject" and said is None:
        raise InvalidInput("a rejection needs a reason", field="reason", cure="say what is to be changed")
    with db.write(who, f"plan.{action}", reason=said, idempotency=idempotency) as uow:
        now = _turned(uow, who, plan, action, revision, said)
        uow.respond(200, {"plan": plan, "revision": now})
    with db.read(who) as reader:
        return reader.plans.get(plan)


def _turned(
    uow: UnitOfWork, who: Principal, plan: str, action: Action, revision: int, reason: str | None
) -> int:
    allowed, head = rules_of(uow), uow.moves.head(plan)
    allowed.require(who, action)
    require_revision(uow.plans.bare(plan), revision)
    before, now = head.status, after(action, head.status, plan)
    if not head.solved:
        raise Conflict("the plan is not solved yet", cure="wait for its job to be done", plan=plan)
    if action == "approve":
        allowed.require_other(who, uow.reviews.submitter(plan))
    made = uow.reviews.turn(plan, action, before, now, revision, reason)
    uow.audit(f"plan/{plan}", {"status": before, "revision": revision}, {"status": now, "revision": made})
    told = {"plan": plan, "revision": made, "status": now, "actor": who.actor}
    uow.emit(f"plan.{_PAST[action]}", told)
    return made


def require_publishable(reader: Reader, who: Principal, record: PlanRecord) -> None:
    """Make sure that the rules let `who` publish a plan as it is.

    Raises
    ------
    Forbidden
        They do not let `who` publish.
    Conflict
        They want it to be approved first; or it is under review, or published already.
    """
    allowed = rules_of(reader)
    allowed.require(who, "publish")
    rules_.require_publishable(allowed, record.status, record.id)


def finish(uow: UnitOfWork, plan: str, before: PlanStatus, revision: int, reason: str | None) -> None:
    """Make a locked draft published, the last step of its review; `before` is where it came from."""
    now = uow.plans.set_status(plan, "published", revision)
    uow.reviews.note(plan, now, "publish", before, "published", reason)


def history(
    db: Database, who: Principal, plan: str, after: int | None = None, limit: int = 100
) -> list[Reviewed]:
    """The steps a plan took, oldest first, behind the revision `after`."""
    who.require("plans:read")
    with db.read(who) as reader:
        reader.plans.bare(plan)
        return reader.reviews.of_plan(plan, after, limit)


def shown(reader: Reader, records: Sequence[PlanRecord]) -> list[PlanRecord]:
    """Plans as they are shown: a published one is retired when no publication of it counts any more.

    That is so by the clock, and until somebody publishes it again; so it is not stored.
    """
    series = {(record.territory, record.line) for record in records if record.status == "published"}
    retired = frozenset[str]().union(*(reader.reviews.retired(*one) for one in series))
    return [replace(record, status="retired") if record.id in retired else record for record in records]


_RULES = Document("review-rules", "plans:read", ReviewRules, review_rules_from_dict)


def rules_of(reader: Reader) -> ReviewRules:
    """The rules of review in force."""
    return _RULES.of(reader)


def rules(db: Database, who: Principal) -> tuple[int, ReviewRules]:
    """The revision of the rules of review, 0 for those by default, and the rules."""
    return _RULES.get(db, who)


def put_rules(db: Database, who: Principal, new: ReviewRules) -> int:
    """Replace the rules of review, and give their revision."""
    return _RULES.put(db, who, new)
