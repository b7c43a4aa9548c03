"""Webhooks: who is told of changes, what was sent, and sending it again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api.deps import Caller, Db, Key, PageLimit, current_app
from api.schemas.common import Page
from api.schemas.webhooks import DeliveryOut, NewWebhook, ReplayOut, WebhookChange, WebhookOut
from gridsvc.exchange.receivers import Receivers
from gridsvc.services import webhooks
from gridsvc.services.webhooks import Change
from gridsvc.store.deliveries import DeliveryRecord
from gridsvc.store.webhooks import WebhookRecord

__all__ = ["router"]

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])


def _receivers(request: Request) -> Receivers:
    return Receivers.parse(current_app(request).settings.webhook_allow)


Allowed = Annotated[Receivers, Depends(_receivers)]


def _out(record: WebhookRecord, *, shown: bool = False) -> WebhookOut:
    return WebhookOut(
        id=record.id,
        url=record.url,
        kinds=record.kinds,
        territory=record.territory,
        status=record.status,
        reason=record.reason,
        seen=record.seen,
        former_secret_until=record.former_until,
        created_by=record.created_by,
        recorded_at=record.recorded_at,
        secret=record.secret if shown else None,
    )


@router.post("", status_code=201)
def create_webhook(
    body: NewWebhook, response: Response, allowed: Allowed, db: Db, who: Caller, key: Key
) -> WebhookOut:
    """Add a webhook; it is told of what happens from now on. Its secret is shown this once."""
    response.headers["Cache-Control"] = "no-store"
    made = webhooks.create(db, who, allowed, body.url, body.kinds, body.territory, idempotency=key)
    return _out(made, shown=True)


@router.get("")
def list_webhooks(
    db: Db,
    who: Caller,
    after: Annotated[str | None, Query(description="Go on behind this id.")] = None,
    limit: PageLimit = 100,
) -> Page[WebhookOut]:
    """Webhooks in the order they were made."""
    found = webhooks.listing(db, who, after, limit)
    return Page(items=[_out(record) for record in found], next=found[-1].id if len(found) == limit else None)


@router.get("/{webhook}")
def get_webhook(webhook: str, db: Db, who: Caller) -> WebhookOut:
    """A webhook."""
    return _out(webhooks.get(db, who, webhook))


@router.patch("/{webhook}")
def change_webhook(
    webhook: str, body: WebhookChange, response: Response, allowed: Allowed, db: Db, who: Caller
) -> WebhookOut:
    """Change a webhook, pause it, take it up again, or give it another secret, which is shown this once."""
    response.headers["Cache-Control"] = "no-store"
    every = body.territory is None and "territory" in body.model_fields_set
    change = Change(**body.model_dump(), every_territory=every)
    record = webhooks.update(db, who, allowed, webhook, change)
    return _out(record, shown=body.rotate_secret)


@router.delete("/{webhook}", status_code=204)
def delete_webhook(webhook: str, db: Db, who: Caller) -> None:
    """Delete a webhook; what waits for it is not sent any more."""
    webhooks.remove(db, who, webhook)


@router.get("/{webhook}/deliveries")
def list_deliveries(
    webhook: str,
    db: Db,
    who: Caller,
    after: Annotated[int | None, Query(ge=1, lt=2**63, description="Go on below this `seq`.")] = None,
    limit: PageLimit = 100,
) -> Page[DeliveryOut]:
    """What was or is to be sent to a webhook, newest first; kept for a month."""
    found = webhooks.deliveries(db, who, webhook, after, limit)
    more = str(found[-1].event) if len(found) == limit else None
    return Page(items=[_delivery(record) for record in found], next=more)


def _delivery(record: DeliveryRecord) -> DeliveryOut:
    return DeliveryOut(
        id=f"evt_{record.event}",
        seq=record.event,
        type=record.kind,
        status=record.status,
        attempts=record.attempts,
        next_at=record.next_at,
        answer=record.answer,
        fault=record.fault,
        settled_at=record.settled_at,
    )


@router.post("/{webhook}/test", status_code=202)
def test_webhook(webhook: str, request: Request, db: Db, who: Caller, key: Key) -> WebhookOut:
    """Send an event `webhook.test` to this webhook alone; its deliveries tell how that went."""
    found = webhooks.test(db, who, webhook, idempotency=key)
    current_app(request).supervisor.wake()
    return _out(found)


@router.post("/{webhook}/replay", status_code=202)
def replay_events(
    webhook: str,
    request: Request,
    db: Db,
    who: Caller,
    key: Key,
    from_seq: Annotated[int, Query(ge=1, lt=2**63, description="First event to be sent once more.")],
) -> ReplayOut:
    """Send all events from a number on once more, under their former ids."""
    last = webhooks.replay(db, who, webhook, from_seq, idempotency=key)
    current_app(request).supervisor.wake()
    return ReplayOut(from_seq=from_seq, to_seq=last)
