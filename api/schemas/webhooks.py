"""Webhooks and their deliveries as they are asked for and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.schemas.common import Request, Slug
from gridsvc.store.deliveries import DeliveryStatus
from gridsvc.store.webhooks import WebhookStatus

__all__ = ["DeliveryOut", "NewWebhook", "ReplayOut", "WebhookChange", "WebhookOut"]

Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        description="Receiver; its host must be listed in GRIDSVC_WEBHOOK_ALLOW.",
    ),
]
Kinds = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]],
    Field(max_length=50, description="Kinds of events (`publication.published`) or families; empty: all."),
]


class NewWebhook(Request):
    """Who is to be told, and of what."""

    url: Url
    kinds: Kinds = []  # noqa: RUF012 - pydantic copies defaults
    territory: Annotated[Slug | None, Field(description="Only events of this territory.")] = None


class WebhookChange(Request):
    """What is to be changed of a webhook; what is not given stays."""

    url: Url | None = None
    kinds: Kinds | None = None
    territory: Annotated[Slug | None, Field(description="Null: of all territories.")] = None
    status: Annotated[
        Literal["active", "paused"] | None,
        Field(description="`active` also takes up a disabled one again, where it stopped."),
    ] = None
    rotate_secret: Annotated[
        bool, Field(description="Give it another secret; for a day both sign, so that you can exchange them.")
    ] = False


class WebhookOut(BaseModel):
    """A webhook."""

    id: str
    url: str
    kinds: list[str]
    territory: str | None
    status: WebhookStatus
    reason: Annotated[str | None, Field(description="Why it is disabled.")]
    seen: Annotated[int, Field(description="The last event that was looked at for it.")]
    former_secret_until: Annotated[
        datetime | None, Field(description="Until then the secret which was replaced signs too.")
    ]
    created_by: str
    recorded_at: datetime
    secret: Annotated[str | None, Field(description="Shown when it is made, and never again.")] = None


class DeliveryOut(BaseModel):
    """An event for a webhook, and how sending it went."""

    id: Annotated[str, Field(description="`webhook-id` of the message, each time it is sent.")]
    seq: Annotated[int, Field(description="Number of the event in the order of commits.")]
    type: str
    status: DeliveryStatus
    attempts: int
    next_at: datetime | None
    answer: Annotated[int | None, Field(description="Status of the last answer.")]
    fault: Annotated[str | None, Field(description="Why the last attempt got no answer.")]
    settled_at: datetime | None


class ReplayOut(BaseModel):
    """Events which are sent once more."""

    from_seq: int
    to_seq: int
