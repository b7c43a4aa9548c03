"""The audit as it is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

__all__ = ["AuditOut", "HeadOut"]


class AuditOut(BaseModel):
    """A change: who made it, of what, from what to what, and why.

    People and customers are named by digests, such as `customer:5b1c...`: the same one has the same digest
    until it is erased.
    """

    id: int
    seq: Annotated[int | None, Field(description="Number in the chain; null until it is sealed.")]
    recorded_at: datetime
    actor: str
    action: str
    subject: str
    before: Any
    after: Any
    reason: str | None
    request_id: Annotated[
        str | None, Field(description="`X-Request-Id` of the request, or `job:` and its id.")
    ]


class HeadOut(BaseModel):
    """The end of the chain: keep `digest` elsewhere, and `gridsvc audit verify --head` finds it again."""

    seq: int
    digest: str
    waiting: Annotated[int, Field(description="Rows which are not sealed yet.")]
