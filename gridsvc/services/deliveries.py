"""Deliveries of events to webhooks: at least once, signed, tried for days; used by `gridsvc.sender`."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson

from gridsvc.errors import InvalidInput
from gridsvc.exchange.receivers import Receivers, Resolve, resolve
from gridsvc.exchange.signing import signed_headers
from gridsvc.principal import SCOPES, Principal
from gridsvc.store.database import Database, Reader
from gridsvc.store.deliveries import DeliveryRecord
from gridsvc.store.records import Event
from gridsvc.store.webhooks import WebhookRecord

if TYPE_CHECKING:
    from gridsvc.exchange.posting import Outcome

__all__ = ["Batch", "due", "fan_out", "forget_old", "hold", "let_go", "message", "record", "send", "waiting"]

_SYSTEM = Principal("webhook-sender", SCOPES)

SECONDS = 15.0
"""In which a receiver must have answered."""

_FIRST, _FACTOR, _LONGEST = 5.0, 3.0, 10 * 3600.0
_GIVEN_UP = timedelta(days=5)
_KEPT = timedelta(days=30)
_LOST_AFTER = 30.0
_EVENTS = 500
_AT_ONCE = 20
_GONE = 410

_IDS = frozenset(
    {
        "effective_at",
        "former_at",
        "former_roster",
        "import",
        "job",
        "kind",
        "line",
        "n",
        "plan",
        "request",
        "revision",
        "roster",
        "status",
        "territory",
        "tiling",
        "webhook",
    }
)
_COUNTS = frozenset(
    {
        "added",
        "cells",
        "customers",
        "ended",
        "grids",
        "leads",
        "left_out",
        "moved",
        "placed",
        "read",
    }
)
"""Members of events which are told, the latter as numbers only.

All others stay here: nobody looks whether new ones hold names.
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to be sent to a webhook now, with the events."""

    webhook: WebhookRecord
    parts: list[tuple[DeliveryRecord, Event]]


# --- whose turn it is


def waiting(db: Database) -> bool:
    """Whether there is anything to do; cheap, for each turn of those who do not send."""
    with db.read(_SYSTEM) as reader:
        active = reader.webhooks.active()
        if not active:
            return False
        head = reader.outbox_head()
        return any(webhook.seen < head for webhook in active) or reader.deliveries.any_due()


def hold(db: Database, name: str, gone: Callable[[str], bool]) -> bool:
    """Become or stay the one who sends for this database."""
    with db.read(_SYSTEM) as reader:
        if not reader.deliveries.free_for(name, gone, _LOST_AFTER):
            return False
    with db.write(_SYSTEM, "webhook.lease") as uow:
        return uow.deliveries.lease(name, gone, _LOST_AFTER)


def let_go(db: Database, name: str) -> None:
    """Let another send."""
    with db.write(_SYSTEM, "webhook.lease") as uow:
        uow.deliveries.let_go(name)


# --- what is to be sent


def fan_out(db: Database) -> None:
    """Note which new events are to be sent to which webhook."""
    with db.read(_SYSTEM) as reader:
        head = reader.outbox_head()
        behind = [w.id for w in reader.webhooks.active() if w.seen < head]
    for webhook in behind:
        with db.write(_SYSTEM, "webhook.fan-out") as uow:
            now = uow.webhooks.get(webhook)
            events = uow.outbox(now.seen, _EVENTS)
            wanted = [(e.id, e.kind) for e in events if _wants(uow, now, e)]
            uow.deliveries.add(webhook, wanted)
            if events:
                uow.webhooks.change(webhook, seen=events[-1].id)


def _wants(reader: Reader, webhook: WebhookRecord, event: Event) -> bool:
    if event.kind == "webhook.test":
        return bool(event.payload["webhook"] == webhook.id)
    if not _of_kind(webhook.kinds, event.kind):
        return False
    return webhook.territory is None or _territory(reader, event.payload) == webhook.territory


def _of_kind(kinds: list[str], kind: str) -> bool:
    family = kind.split(".", maxsplit=1)[0]
    return not kinds or bool({kind, family, f"{family}.*"} & set(kinds))


def _territory(reader: Reader, payload: Mapping[str, Any]) -> str | None:
    if "territory" not in payload and payload.get("plan") is not None:
        return reader.plans.bare(payload["plan"]).territory
    named: str | None = payload.get("territory")
    return named


def due(db: Database) -> list[Batch]:
    """What is to be sent now, a batch for each webhook."""
    with db.read(_SYSTEM) as reader:
        found = [(w, reader.deliveries.due(w.id, _AT_ONCE)) for w in reader.webhooks.active()]
        return [
            Batch(w, [(d, reader.outbox(d.event - 1, 1)[0]) for d in parts]) for w, parts in found if parts
        ]


def forget_old(db: Database) -> None:
    """Delete deliveries which were settled a month ago."""
    with db.write(_SYSTEM, "webhook.forget") as uow:
        uow.deliveries.forget_before(datetime.now(UTC) - _KEPT)


# --- sending


def message(event: Event) -> tuple[str, bytes]:
    """Id and body of an event, the same each time it is sent and for each webhook.

    The body has ids, counts and where to read more; names of people and customers are never in it.
    """
    told = {name: value for name, value in event.payload.items() if _is_told(name, value)}
    link = _link(event)
    body = {
        "type": event.kind,
        "timestamp": event.recorded_at.isoformat(),
        "seq": event.id,
        "data": told if link is None else {**told, "changes": link},
    }
    return f"evt_{event.id}", orjson.dumps(body)


def _is_told(name: str, value: Any) -> bool:
    """Lists and objects are left out: they are rows."""
    return (name in _IDS and isinstance(value, str | int)) or (name in _COUNTS and isinstance(value, int))


def _link(event: Event) -> str | None:
    """Where to read what changed."""
    payload = event.payload
    if event.kind == "publication.published" and payload["n"] > 1:
        pair = {"line": payload["line"], "from": payload["n"] - 1, "to": payload["n"]}
    elif event.kind == "roster.appended" and payload["roster"] > 1:
        pair = {"kind": "roster", "from": payload["roster"] - 1, "to": payload["roster"]}
    elif event.kind == "roster.lead-changed" and payload["former_roster"] > 0:
        moments = {"from_at": payload["former_at"], "to_at": payload["effective_at"]}
        pair = {"kind": "roster", "from": payload["former_roster"], "to": payload["roster"], **moments}
    else:
        return None
    return f"/v1/changes?{urlencode({'territory': payload['territory'], **pair})}"


def send(
    receivers: Receivers,
    webhook: WebhookRecord,
    event: Event,
    *,
    seconds: float = SECONDS,
    resolved: Resolve = resolve,
) -> Outcome:
    """Send an event once, to an address which is checked now."""
    from gridsvc.exchange.posting import Outcome, post  # only who has a webhook needs it

    now = datetime.now(UTC)
    keys = [webhook.secret]
    if webhook.former_secret is not None and webhook.former_until is not None and now < webhook.former_until:
        keys.append(webhook.former_secret)
    name, body = message(event)
    headers = {"Content-Type": "application/json", "User-Agent": "gridsvc-webhooks"}
    headers |= signed_headers(keys, name, now, body)
    try:
        target, addresses = receivers.located(webhook.url, resolved)
    except InvalidInput as error:
        return Outcome(None, error.message)
    except OSError:
        return Outcome(None, "the name of the host leads nowhere")
    return post(target, addresses, headers, body, seconds)


def record(db: Database, sent: DeliveryRecord, outcome: Outcome) -> bool:
    """Note how an attempt ended; gives whether the receiver took it."""
    status = outcome.status
    taken = status is not None and 200 <= status < 300
    with db.write(_SYSTEM, "webhook.sent") as uow:
        if taken:
            uow.deliveries.settle(sent, "delivered", status, None)
        elif sent.since + _GIVEN_UP < datetime.now(UTC):
            uow.deliveries.settle(sent, "failed", status, outcome.fault)
        else:
            uow.deliveries.postpone(sent, _wait(sent.attempts), status, outcome.fault)
        if status == _GONE:
            reason = "the receiver answered 410: it wants nothing more"
            uow.webhooks.change(sent.webhook_id, status="disabled", reason=reason)
            uow.audit(f"webhook/{sent.webhook_id}", None, {"status": "disabled", "answer": _GONE})
    return taken


def _wait(attempts: int) -> timedelta:
    """Until the next attempt: 5 s, 15 s, 45 s ... up to 10 hours, each give or take a half."""
    # The exponent is bounded, for powers of many attempts are no numbers any more.
    usual = min(_FIRST * _FACTOR ** min(attempts, 20), _LONGEST)
    return timedelta(seconds=usual * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
