"""Deliveries: which event is to be sent to which webhook, how that went, and who sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, insert, select, update

from gridsvc.store.handle import Handle
from gridsvc.store.tables import deliveries, senders, webhooks

__all__ = ["DeliveryReader", "DeliveryRecord", "DeliveryStatus", "DeliveryWriter"]

DeliveryStatus = Literal["waiting", "delivered", "failed"]


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """An event for a webhook.

    Attributes
    ----------
    event : int
        Its number in the order of commits.
    attempts : int
        How often it was sent.
    since : datetime
        When it was first to be sent; from then on the days are counted in which it is tried.
    next_at : datetime or None
        When it is sent next; None once it is settled.
    answer : int or None
        Status of the last answer.
    fault : str or None
        Why the last attempt got none.
    """

    webhook_id: str
    event: int
    kind: str
    status: DeliveryStatus
    attempts: int
    since: datetime
    next_at: datetime | None
    answer: int | None
    fault: str | None
    settled_at: datetime | None


class DeliveryReader:
    """Reads deliveries."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def list(self, webhook: str, before: int | None = None, limit: int = 100) -> list[DeliveryRecord]:
        """Deliveries of a webhook, newest event first; at most `limit`, of events below `before`."""
        rows = select(deliveries).where(deliveries.c.webhook_id == webhook)
        if before is not None:
            rows = rows.where(deliveries.c.event < before)
        newest = rows.order_by(deliveries.c.event.desc()).limit(limit)
        return [DeliveryRecord(**row._mapping) for row in self._handle.connection.execute(newest)]

    def due(self, webhook: str, limit: int) -> Sequence[DeliveryRecord]:
        """What is to be sent to a webhook now, in the order of events."""
        c = deliveries.c
        rows = select(deliveries).where(
            c.webhook_id == webhook, c.status == "waiting", c.next_at <= self._handle.clock()
        )
        first = rows.order_by(c.event).limit(limit)
        return [DeliveryRecord(**row._mapping) for row in self._handle.connection.execute(first)]

    def any_due(self) -> bool:
        """Whether anything is to be sent now to a webhook which is active."""
        c = deliveries.c
        rows = (
            select(c.event)
            .join(webhooks, webhooks.c.id == c.webhook_id)
            .where(webhooks.c.status == "active", c.status == "waiting", c.next_at <= self._handle.clock())
        )
        return self._handle.connection.execute(rows.limit(1)).first() is not None

    def free_for(self, name: str, gone: Callable[[str], bool], seconds: float) -> bool:
        """Whether nobody else sends who gave a sign of life within `seconds` and is not `gone`."""
        row = select(senders.c.holder, senders.c.beaten_at)
        holder, beaten = self._handle.connection.execute(row).one()
        if holder is None or holder == name or beaten is None:
            return True
        return beaten < self._handle.clock() - timedelta(seconds=seconds) or gone(holder)


class DeliveryWriter(DeliveryReader):
    """Writes deliveries."""

    def add(self, webhook: str, events: Sequence[tuple[int, str]]) -> None:
        """Note events, by number and kind, which are to be sent; those which are noted already stay."""
        c = deliveries.c
        numbers = [number for number, _ in events]
        known = select(c.event).where(c.webhook_id == webhook, c.event >= min(numbers, default=0))
        there = set(self._handle.connection.execute(known).scalars())
        now = self._handle.clock()
        rows = [
            {
                "webhook_id": webhook,
                "event": number,
                "kind": kind,
                "status": "waiting",
                "attempts": 0,
                "since": now,
                "next_at": now,
            }
            for number, kind in events
            if number not in there
        ]
        if rows:
            self._handle.connection.execute(insert(deliveries), rows)

    def again(self, webhook: str, first: int) -> None:
        """Send once more what was noted for events from number `first` on."""
        now = self._handle.clock()
        fresh = {"status": "waiting", "attempts": 0, "since": now, "next_at": now, "settled_at": None}
        c = deliveries.c
        self._update(c.webhook_id == webhook, c.event >= first, **fresh)

    def settle(
        self, sent: DeliveryRecord, status: DeliveryStatus, answer: int | None, fault: str | None
    ) -> None:
        """Note how an attempt ended after which none follows."""
        values = {"status": status, "next_at": None, "settled_at": self._handle.clock()}
        self._attempted(sent, answer, fault, **values)

    def postpone(self, sent: DeliveryRecord, wait: timedelta, answer: int | None, fault: str | None) -> None:
        """Note an attempt which failed, and how long it is to the next."""
        self._attempted(sent, answer, fault, next_at=self._handle.clock() + wait)

    def forget_before(self, moment: datetime) -> None:
        """Delete what was settled before a moment."""
        old = deliveries.c.settled_at < moment
        self._handle.connection.execute(delete(deliveries).where(old))

    def _attempted(self, sent: DeliveryRecord, answer: int | None, fault: str | None, **more: Any) -> None:
        c = deliveries.c
        values = {"attempts": c.attempts + 1, "answer": answer, "fault": fault, **more}
        # What somebody asked meanwhile to be sent again has another beginning, and stays to be sent.
        own = c.webhook_id == sent.webhook_id, c.event == sent.event, c.since == sent.since
        self._update(*own, **values)

    def _update(self, *where: Any, **values: Any) -> None:
        self._handle.connection.execute(update(deliveries).where(*where).values(**values))

    def lease(self, name: str, gone: Callable[[str], bool], seconds: float) -> bool:
        """Become or stay the one who sends; False while another does."""
        self._handle.connection.execute(select(senders.c.id).with_for_update())
        if not self.free_for(name, gone, seconds):
            return False
        values = {"holder": name, "beaten_at": self._handle.clock()}
        self._handle.connection.execute(update(senders).values(**values))
        return True

    def let_go(self, name: str) -> None:
        """Stop being the one who sends."""
        freed = update(senders).where(senders.c.holder == name).values(holder=None, beaten_at=None)
        self._handle.connection.execute(freed)
