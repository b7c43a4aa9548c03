"""Steps of review, and the documents which rule them: appended, never altered."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import func, insert, select, update

from gridsvc.errors import StaleRevision
from gridsvc.plans.review import Action, Reviewed, Status
from gridsvc.store.faults import unique
from gridsvc.store.handle import Handle
from gridsvc.store.publications import PublicationReader
from gridsvc.store.tables import company_documents, plan_reviews, plans, publications

__all__ = ["DocumentKind", "ReviewReader", "ReviewWriter"]

DocumentKind = Literal["calendar", "pack-rules", "review-rules", "scorecard", "team-rules"]


class ReviewReader:
    """Reads reviews and company documents."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def document(self, kind: DocumentKind) -> tuple[int, dict[str, Any]] | None:
        """The newest document of a kind with its revision; None before the first."""
        c = company_documents.c
        rows = select(c.revision, c.document).where(c.kind == kind).order_by(c.revision.desc()).limit(1)
        found = self._handle.connection.execute(rows).first()
        return None if found is None else (found.revision, found.document)

    def of_plan(self, plan: str, after: int | None = None, limit: int = 100) -> list[Reviewed]:
        """Steps of a plan, oldest first, at most `limit`, behind the revision `after`."""
        c = plan_reviews.c
        rows = select(*(column for column in c if column.name != "plan_id")).where(c.plan_id == plan)
        if after is not None:
            rows = rows.where(c.revision > after)
        found = self._handle.connection.execute(rows.order_by(c.revision).limit(limit))
        return [Reviewed(**row._mapping) for row in found]

    def submitter(self, plan: str) -> str | None:
        """Who submitted the plan last; None if nobody did."""
        c = plan_reviews.c
        rows = select(c.actor).where(c.plan_id == plan, c.action == "submit").order_by(c.revision.desc())
        return self._handle.connection.execute(rows.limit(1)).scalar()

    def retired(self, territory: str, line: str) -> frozenset[str]:
        """Plans of which no publication is in force or still to come."""
        now, c = self._handle.clock(), publications.c
        ends = PublicationReader(self._handle).ends(territory, line)
        rows = select(c.n, c.plan_id, c.effective_at).where(c.territory == territory, c.line == line)
        found = self._handle.connection.execute(rows).all()
        living = {p for n, p, start in found if (end := ends[n]) is None or end > max(now, start)}
        return frozenset(p for _, p, _ in found) - living


class ReviewWriter(ReviewReader):
    """Writes reviews and company documents."""

    def put_document(self, kind: DocumentKind, document: dict[str, Any]) -> int:
        """Write the next document of a kind, and return its revision."""
        c = company_documents.c
        last = select(func.coalesce(func.max(c.revision), 0)).where(c.kind == kind)
        revision: int = self._handle.connection.execute(last).scalar_one() + 1
        row = {
            "kind": kind,
            "revision": revision,
            "document": document,
            "recorded_by": self._handle.actor,
            "recorded_at": self._handle.clock(),
        }
        with unique("somebody else changed it at the same time", cure="look at it again, then repeat"):
            self._handle.connection.execute(insert(company_documents).values(row))
        return revision

    def turn(
        self, plan: str, action: Action, before: Status, after: Status, expected: int, reason: str | None
    ) -> int:
        """Take a plan a step on, and return the revision this makes.

        Raises
        ------
        StaleRevision
            It has moved on from revision `expected` or from status `before`.
        """
        p = plans.c
        seen = p.id == plan, p.revision == expected, p.status == before
        turned = update(plans).where(*seen).values(status=after, revision=expected + 1)
        if self._handle.connection.execute(turned).rowcount == 0:
            raise StaleRevision(
                f"the plan is no longer at revision {expected}",
                field="revision",
                cure="look at it again, then repeat with its new ETag",
            )
        self.note(plan, expected + 1, action, before, after, reason)
        return expected + 1

    def note(
        self, plan: str, revision: int, action: Action, before: Status, after: Status, reason: str | None
    ) -> None:
        """Write down a step which was taken."""
        row = {
            "plan_id": plan,
            "revision": revision,
            "action": action,
            "before": before,
            "after": after,
            "actor": self._handle.actor,
            "reason": reason,
            "recorded_at": self._handle.clock(),
        }
        self._handle.connection.execute(insert(plan_reviews).values(row))

    def reopen(self, plan: str, expected: int) -> None:
        """Make an approved plan a draft again within the transaction which publishes it.

        Only drafts can be written to, and what others published meanwhile is carried in.
        """
        p = plans.c
        seen = p.id == plan, p.revision == expected, p.status == "approved"
        self._handle.connection.execute(update(plans).where(*seen).values(status="draft"))
