"""Webhooks: who is told of changes; deliveries are in `gridsvc.services.deliveries`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from gridsvc.errors import Conflict, InvalidInput
from gridsvc.exchange.receivers import Receivers, Resolve, resolve
from gridsvc.exchange.signing import new_secret
from gridsvc.principal import Principal
from gridsvc.store.database import Database, UnitOfWork
from gridsvc.store.deliveries import DeliveryRecord
from gridsvc.store.records import Idempotency
from gridsvc.store.webhooks import WebhookRecord

__all__ = [
    "FAMILIES",
    "OVERLAP",
    "Change",
    "create",
    "deliveries",
    "get",
    "listing",
    "remove",
    "replay",
    "test",
    "update",
]

FAMILIES = ("publication", "roster", "customers", "territory", "tiling", "plan", "request", "job")
"""What events are about; their kinds are these, a full stop, and what happened."""

OVERLAP = timedelta(hours=24)
"""How long a secret which was replaced still signs."""

_MOST = 100
_KIND = re.compile(r"[a-z-]{1,40}(\.([a-z-]{1,40}|\*))?")


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be changed of a webhook; None stays.

    Attributes
    ----------
    every_territory : bool
        Tell it of all territories, whatever `territory` says.
    status : {"active", "paused"} or None
        Active makes a disabled one work again: it goes on where it stopped.
    rotate_secret : bool
        Give it another secret; both sign for a day.
    """

    url: str | None = None
    kinds: Sequence[str] | None = None
    territory: str | None = None
    every_territory: bool = False
    status: Literal["active", "paused"] | None = None
    rotate_secret: bool = False


def create(
    db: Database,
    who: Principal,
    receivers: Receivers,
    url: str,
    kinds: Sequence[str] = (),
    territory: str | None = None,
    *,
    idempotency: Idempotency | None = None,
    resolved: Resolve = resolve,
) -> WebhookRecord:
    """Add a webhook; it is told of all that happens from now on. Its secret is shown here, and never again.

    Raises
    ------
    InvalidInput
        The administrator's list does not have the host, or there are no such events.
    NotFound
        There is no such territory.
    Conflict
        There are as many as there may be.
    """
    who.require("webhooks:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return reader.webhooks.get(stored.body["webhook"])
    receivers.check(url, resolved)
    _require_kinds(kinds)
    with db.write(who, "webhook.create", idempotency=idempotency) as uow:
        if territory is not None:
            uow.territories.get(territory)
        if len(uow.webhooks.list(limit=_MOST)) == _MOST:
            raise Conflict(f"there are {_MOST} webhooks already", cure="delete one which is not needed")
        made = uow.webhooks.create(url, list(kinds), territory, new_secret(), uow.outbox_head())
        record = uow.webhooks.get(made)
        uow.audit(f"webhook/{made}", None, _audited(record))
        uow.respond(201, {"webhook": made})
    return record


def get(db: Database, who: Principal, webhook: str) -> WebhookRecord:
    """A webhook."""
    who.require("webhooks:read")
    with db.read(who) as reader:
        return reader.webhooks.get(webhook)


def listing(db: Database, who: Principal, after: str | None, limit: int) -> list[WebhookRecord]:
    """Webhooks in the order they were made, behind the id `after`."""
    who.require("webhooks:read")
    with db.read(who) as reader:
        return reader.webhooks.list(after, limit)


def update(
    db: Database,
    who: Principal,
    receivers: Receivers,
    webhook: str,
    change: Change,
    *,
    resolved: Resolve = resolve,
) -> WebhookRecord:
    """Change a webhook; where its secret was rotated, the new one is shown here and never again.

    Raises
    ------
    NotFound
        There is no such webhook or territory.
    InvalidInput
        As `create`.
    """
    who.require("webhooks:write")
    if change.url is not None:
        receivers.check(change.url, resolved)
    _require_kinds(change.kinds or ())
    with db.write(who, "webhook.update") as uow:
        before = uow.webhooks.get(webhook)
        if change.territory is not None:
            uow.territories.get(change.territory)
        values = _values(before, change)
        if values:
            uow.webhooks.change(webhook, **values)
        record = uow.webhooks.get(webhook)
        uow.audit(f"webhook/{webhook}", _audited(before), _audited(record) | _rotated(change))
    return record


def _values(before: WebhookRecord, change: Change) -> dict[str, Any]:
    named = {name: getattr(change, name) for name in ("url", "territory", "status")}
    values = {name: value for name, value in named.items() if value is not None}
    if change.kinds is not None:
        values["kinds"] = list(change.kinds)
    if change.every_territory:
        values["territory"] = None
    if change.status is not None:
        values["reason"] = None
    if change.rotate_secret:
        until = datetime.now(UTC) + OVERLAP
        values |= {"secret": new_secret(), "former_secret": before.secret, "former_until": until}
    return values


def remove(db: Database, who: Principal, webhook: str) -> None:
    """Delete a webhook; what waits for it is not sent any more."""
    who.require("webhooks:write")
    with db.write(who, "webhook.delete") as uow:
        uow.audit(f"webhook/{webhook}", _audited(uow.webhooks.get(webhook)), None)
        uow.webhooks.remove(webhook)


def deliveries(
    db: Database, who: Principal, webhook: str, before: int | None, limit: int
) -> list[DeliveryRecord]:
    """What was or is to be sent to a webhook, newest event first, of events below number `before`."""
    who.require("webhooks:read")
    with db.read(who) as reader:
        reader.webhooks.get(webhook)
        return reader.deliveries.list(webhook, before, limit)


def test(
    db: Database, who: Principal, webhook: str, *, idempotency: Idempotency | None = None
) -> WebhookRecord:
    """Send an event ``webhook.test`` to this webhook alone; gives the webhook as it was then.

    Raises
    ------
    Conflict
        It is paused or disabled.
    """
    who.require("webhooks:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:  # what has been sent since is not told, as the first answer did not
            return replace(reader.webhooks.get(webhook), seen=int(stored.body["seen"]))
    with db.write(who, "webhook.test", idempotency=idempotency) as uow:
        _require_active(uow, webhook)
        record = uow.webhooks.get(webhook)
        uow.emit("webhook.test", {"webhook": webhook})
        uow.respond(202, {"seen": record.seen})
    return record


def replay(
    db: Database, who: Principal, webhook: str, from_seq: int, *, idempotency: Idempotency | None = None
) -> int:
    """Send all events from a number on once more, under their former ids; gives the number of the last.

    Raises
    ------
    Conflict
        It is paused or disabled.
    InvalidInput
        There is no such event yet.
    """
    who.require("webhooks:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
    if stored is not None:
        return int(stored.body["last"])
    with db.write(who, "webhook.replay", idempotency=idempotency) as uow:
        _require_active(uow, webhook)
        last = uow.outbox_head()
        if from_seq > last:
            raise InvalidInput(
                f"there is no event {from_seq} yet, the latest is {last}",
                field="from_seq",
                cure="give the first number you miss",
            )
        record = uow.webhooks.get(webhook)
        uow.webhooks.change(webhook, seen=min(record.seen, from_seq - 1))
        uow.deliveries.again(webhook, from_seq)
        uow.audit(f"webhook/{webhook}", None, {"replay": from_seq})
        uow.respond(202, {"last": last})
    return last


def _require_active(uow: UnitOfWork, webhook: str) -> None:
    status = uow.webhooks.get(webhook).status
    if status != "active":
        raise Conflict(f"the webhook is {status}", field="webhook", cure="make it active first")


def _require_kinds(kinds: Sequence[str]) -> None:
    for row, kind in enumerate(kinds, 1):
        if not _KIND.fullmatch(kind) or kind.split(".")[0] not in FAMILIES:
            raise InvalidInput(
                f"there are no events {kind[:80]!r}",
                row=row,
                field="kinds",
                cure=f"name families ({', '.join(FAMILIES)}) or kinds such as publication.published",
            )


def _audited(record: WebhookRecord) -> dict[str, Any]:
    """What may be written down: neither secrets nor the URL's path, which may hold one."""
    host = record.url.split("/")[2]
    return {
        "host": host,
        "kinds": record.kinds,
        "territory": record.territory,
        "status": record.status,
    }


def _rotated(change: Change) -> dict[str, Any]:
    return {"secret": "rotated"} if change.rotate_secret else {}
