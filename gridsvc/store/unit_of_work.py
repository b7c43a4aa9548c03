"""A consistent view for reading, and the one transaction in which a use case writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import func, insert, select

from gridsvc.errors import Conflict, InvalidInput
from gridsvc.store.changes import ChangeReader, ChangeWriter
from gridsvc.store.customers import CustomerReader, CustomerWriter
from gridsvc.store.deliveries import DeliveryReader, DeliveryWriter
from gridsvc.store.erasing import Eraser
from gridsvc.store.faults import unique
from gridsvc.store.features import FeatureReader
from gridsvc.store.figures import FigureReader
from gridsvc.store.handle import Handle
from gridsvc.store.handovers import HandoverReader, HandoverWriter
from gridsvc.store.jobs import JobReader, JobWriter
from gridsvc.store.keys import KeyReader, KeyWriter
from gridsvc.store.lineage import LineageReader, LineageWriter
from gridsvc.store.moves import MoveReader, MoveWriter
from gridsvc.store.plans import PlanReader, PlanWriter
from gridsvc.store.publications import PublicationReader, PublicationWriter
from gridsvc.store.records import AuditRecord, Event, Idempotency, StoredResponse
from gridsvc.store.requests import RequestReader, RequestWriter
from gridsvc.store.reviews import ReviewReader, ReviewWriter
from gridsvc.store.rosters import RosterReader, RosterWriter
from gridsvc.store.rules import RuleReader, RuleWriter
from gridsvc.store.tables import audit, idempotency, outbox, seq
from gridsvc.store.territories import TerritoryReader, TerritoryWriter
from gridsvc.store.tilings import TilingReader, TilingWriter
from gridsvc.store.trail import TrailReader, TrailWriter
from gridsvc.store.turns import TurnReader, TurnWriter
from gridsvc.store.webhooks import WebhookReader, WebhookWriter
from gridsvc.store.words import masked

__all__ = ["Reader", "UnitOfWork"]

_OUTBOX_LOCK = 0x6F757462  # an arbitrary number for PostgreSQL's advisory lock ('outb')


class Reader:
    """One consistent state of the database.

    Attributes
    ----------
    territories, tilings, customers, changes, plans, moves, rosters, publications, jobs, lineage, rules,
    reviews, requests, handovers, turns, features, keys, trail, figures
        The repositories.
    """

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self.territories = TerritoryReader(handle)
        self.tilings = TilingReader(handle)
        self.customers = CustomerReader(handle)
        self.changes = ChangeReader(handle)
        self.plans = PlanReader(handle)
        self.moves = MoveReader(handle)
        self.rosters = RosterReader(handle)
        self.publications = PublicationReader(handle)
        self.jobs = JobReader(handle)
        self.webhooks = WebhookReader(handle)
        self.deliveries = DeliveryReader(handle)
        self.keys = KeyReader(handle)
        self.lineage = LineageReader(handle)
        self.rules = RuleReader(handle)
        self.reviews = ReviewReader(handle)
        self.requests = RequestReader(handle)
        self.handovers = HandoverReader(handle)
        self.turns = TurnReader(handle)
        self.features = FeatureReader(handle)
        self.trail = TrailReader(handle)
        self.figures = FigureReader(handle)

    def seq(self) -> int:
        """How many commits changed what lookups answer."""
        return self._handle.connection.execute(select(seq.c.value)).scalar_one()

    def audit_log(self, limit: int = 100) -> list[AuditRecord]:
        """The latest audit rows, newest first."""
        rows = select(audit).order_by(audit.c.id.desc()).limit(limit)
        return [AuditRecord(**row._mapping) for row in self._handle.connection.execute(rows)]

    def outbox(self, after: int = 0, limit: int = 100) -> list[Event]:
        """Events in the order of commits, at most `limit`, behind the id `after`."""
        rows = select(outbox).where(outbox.c.id > after).order_by(outbox.c.id).limit(limit)
        return [Event(**row._mapping) for row in self._handle.connection.execute(rows)]

    def outbox_head(self) -> int:
        """Id of the latest event; 0 before the first."""
        return self._handle.connection.execute(select(func.coalesce(func.max(outbox.c.id), 0))).scalar_one()

    def replay(self, actor: str, request: Idempotency) -> StoredResponse | None:
        """The answer already given to this request; None if it is new.

        Raises
        ------
        InvalidInput
            The key was used with another body.
        """
        c = idempotency.c
        rows = select(c.digest, c.status, c.body, c.recorded_at).where(
            c.actor == actor, c.route == request.route, c.key == request.key
        )
        found = self._handle.connection.execute(rows).first()
        if found is None:
            return None
        if found.digest != request.digest:
            raise InvalidInput(
                "this idempotency key was used with another body",
                field="Idempotency-Key",
                cure="use a new key",
            )
        return StoredResponse(found.status, found.body, found.recorded_at)

    def require_new(self, actor: str, request: Idempotency) -> None:
        """Refuse a request that was already answered.

        Raises
        ------
        InvalidInput
            The key was used with another body.
        Conflict
            The same request came in between.
        """
        if self.replay(actor, request) is not None:
            raise Conflict("this request was already answered", cure="send it again to read the answer")


class UnitOfWork(Reader):
    """A change, its audit, its events and the answer to its request: all of them, or none.

    What is told to `audit`, `emit` and `respond` is written when the block is left normally.

    Attributes
    ----------
    actor : str
        Who makes it.
    reason : str or None
        Why.
    """

    territories: TerritoryWriter
    tilings: TilingWriter
    customers: CustomerWriter
    changes: ChangeWriter
    plans: PlanWriter
    moves: MoveWriter
    rosters: RosterWriter
    publications: PublicationWriter
    jobs: JobWriter
    webhooks: WebhookWriter
    deliveries: DeliveryWriter
    keys: KeyWriter
    lineage: LineageWriter
    rules: RuleWriter
    reviews: ReviewWriter
    requests: RequestWriter
    handovers: HandoverWriter
    turns: TurnWriter
    trail: TrailWriter

    def __init__(
        self,
        handle: Handle,
        action: str,
        *,
        idempotency: Idempotency | None = None,
        reason: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(handle)
        self.territories = TerritoryWriter(handle)
        self.tilings = TilingWriter(handle)
        self.customers = CustomerWriter(handle)
        self.changes = ChangeWriter(handle)
        self.plans = PlanWriter(handle)
        self.moves = MoveWriter(handle)
        self.rosters = RosterWriter(handle)
        self.publications = PublicationWriter(handle)
        self.jobs = JobWriter(handle)
        self.webhooks = WebhookWriter(handle)
        self.deliveries = DeliveryWriter(handle)
        self.keys = KeyWriter(handle)
        self.lineage = LineageWriter(handle)
        self.rules = RuleWriter(handle)
        self.reviews = ReviewWriter(handle)
        self.requests = RequestWriter(handle)
        self.handovers = HandoverWriter(handle)
        self.turns = TurnWriter(handle)
        self.trail = TrailWriter(handle)
        self.eraser = Eraser(handle)
        self._action, self._request_id = action, request_id
        self.actor, self.reason = handle.actor, reason
        self._masks: dict[str, str] = {}
        self._request = idempotency
        self._response: tuple[int, Any] | None = None
        self._audits: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []

    def audit(self, subject: str, before: Any, after: Any) -> None:
        """Note that `subject` went from `before` to `after` (JSON values; None: was not there)."""
        self._audits.append({"subject": subject, "before": before, "after": after})

    def mask(self, words: Mapping[str, str]) -> None:
        """Put digests in place of whom the reason names, before it goes into the audit."""
        self._masks.update(words)

    def emit(self, kind: str, payload: Any) -> None:
        """Tell other systems that something happened."""
        self._events.append({"kind": kind, "payload": payload})

    def respond(self, status: int, body: Any) -> None:
        """Keep the answer for a repeated request; without an idempotency key nothing is kept."""
        self._response = (status, body)

    def begin(self) -> None:
        """Refuse a request that was already answered; see `require_new`."""
        if self._request:
            self.require_new(self._handle.actor, self._request)

    def flush(self) -> None:
        """Write what was told to `audit`, `emit` and `respond`; the last step before the commit."""
        self._write_response()
        self._write_audits()
        self._write_events()

    def _write_response(self) -> None:
        if self._request is None:
            return
        if self._response is None:
            raise RuntimeError("a unit of work with an idempotency key must respond")
        status, body = self._response
        row = {
            "actor": self._handle.actor,
            "route": self._request.route,
            "key": self._request.key,
            "digest": self._request.digest,
            "status": status,
            "body": body,
            "recorded_at": self._handle.clock(),
        }
        with unique("this request was answered meanwhile", cure="send it again to read the answer"):
            self._handle.connection.execute(insert(idempotency).values(row))

    def _write_audits(self) -> None:
        common = {
            "recorded_at": self._handle.clock(),
            "actor": self._handle.actor,
            "action": self._action,
            "reason": self.reason and masked(self.reason, self._masks),
            "request_id": self._request_id,
        }
        if rows := [common | row for row in self._audits]:
            made = self._handle.connection.execute(insert(audit).returning(audit.c.id), rows)
            self.trail.note(list(made.scalars()))

    def _write_events(self) -> None:
        if self._events and self._handle.postgres:
            # Ids are handed out before the commit: without the lock a later id could become visible first,
            # and a reader that remembers the last id it saw would miss the other for ever.
            self._handle.connection.execute(select(func.pg_advisory_xact_lock(_OUTBOX_LOCK)))
        now = self._handle.clock()
        self._insert(outbox, [{"recorded_at": now, **event} for event in self._events])

    def _insert(self, table: Any, rows: Sequence[dict[str, Any]]) -> None:
        if rows:
            self._handle.connection.execute(insert(table), rows)
