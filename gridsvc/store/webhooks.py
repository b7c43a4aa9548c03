"""Webhooks: who is told of changes, and the secrets by which they know it was us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import delete, insert, select, update

from gridsvc.errors import NotFound
from gridsvc.store.handle import Handle
from gridsvc.store.ids import new_id
from gridsvc.store.tables import deliveries, webhooks

__all__ = ["WebhookReader", "WebhookRecord", "WebhookStatus", "WebhookWriter"]

WebhookStatus = Literal["active", "paused", "disabled"]


@dataclass(frozen=True, slots=True)
class WebhookRecord:
    """A receiver of events.

    Attributes
    ----------
    kinds : list of str
        Kinds of events, or families of them; empty means all.
    territory : str or None
        Only events of this territory; None means all.
    secret, former_secret : str
        Sign what is sent; the former one until `former_until`.
    status : {"active", "paused", "disabled"}
        Paused by its owner, or disabled for a `reason`.
    seen : int
        The last event that was looked at for it.
    """

    id: str
    url: str
    kinds: list[str]
    territory: str | None
    secret: str = field(repr=False)
    former_secret: str | None = field(repr=False)
    former_until: datetime | None
    status: WebhookStatus
    reason: str | None
    seen: int
    created_by: str
    recorded_at: datetime


class WebhookReader:
    """Reads webhooks."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def get(self, webhook: str) -> WebhookRecord:
        """Return the webhook.

        Raises
        ------
        NotFound
            No webhook has this id.
        """
        found = self._handle.connection.execute(select(webhooks).where(webhooks.c.id == webhook)).first()
        if found is None:
            raise NotFound(
                f"there is no webhook {webhook!r}", field="webhook", cure="list the webhooks there are"
            )
        return WebhookRecord(**found._mapping)

    def list(self, after: str | None = None, limit: int = 100) -> list[WebhookRecord]:
        """Webhooks in the order they were made, at most `limit`, behind the id `after`."""
        rows = select(webhooks).order_by(webhooks.c.id).limit(limit)
        if after is not None:
            rows = rows.where(webhooks.c.id > after)
        return [WebhookRecord(**row._mapping) for row in self._handle.connection.execute(rows)]

    def active(self) -> Sequence[WebhookRecord]:
        """Those which are to be told, in the order they were made."""
        rows = select(webhooks).where(webhooks.c.status == "active").order_by(webhooks.c.id)
        return [WebhookRecord(**row._mapping) for row in self._handle.connection.execute(rows)]


class WebhookWriter(WebhookReader):
    """Writes webhooks."""

    def create(self, url: str, kinds: list[str], territory: str | None, secret: str, seen: int) -> str:
        """Add a webhook, which is told of events behind number `seen`; gives its id."""
        made = new_id("whk")
        row = {
            "id": made,
            "url": url,
            "kinds": kinds,
            "territory": territory,
            "secret": secret,
            "status": "active",
            "seen": seen,
            "created_by": self._handle.actor,
            "recorded_at": self._handle.clock(),
        }
        self._handle.connection.execute(insert(webhooks).values(row))
        return made

    def change(self, webhook: str, **values: Any) -> None:
        """Set members of a webhook."""
        self.get(webhook)
        self._handle.connection.execute(update(webhooks).where(webhooks.c.id == webhook).values(**values))

    def remove(self, webhook: str) -> None:
        """Delete a webhook with its deliveries."""
        self.get(webhook)
        connection = self._handle.connection
        connection.execute(delete(deliveries).where(deliveries.c.webhook_id == webhook))
        connection.execute(delete(webhooks).where(webhooks.c.id == webhook))
