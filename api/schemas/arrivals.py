"""Customers as they come and go: what is sent, which is read without these models, and the answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.schemas.common import Request
from api.schemas.owner import OwnerAnswer
from gridsvc.customers.messages import LIMIT

__all__ = ["BATCH_BODY", "ONE_BODY", "BatchTold", "Ended", "Told"]

Outcome = Literal["recorded", "repeated", "older"]


class _Message(Request):
    """The whole of what is to be known of a customer, from `valid_from` on."""

    source_updated_at: Annotated[
        datetime, Field(description="When the source made the change: of two messages the later counts.")
    ]
    valid_from: Annotated[datetime | None, Field(description="Now, if not given.")] = None
    valid_to: Annotated[datetime | None, Field(description="When the customer ends, if that is known.")] = (
        None
    )
    lon: float | None = None
    lat: float | None = None
    code: Annotated[str | None, Field(description="A cell, where there are no coordinates.")] = None
    premise: str | None = None
    values: dict[str, float | str | None] = Field(
        default_factory=dict, description="Columns which measures are made of."
    )


class _Row(_Message):
    id: Annotated[str, Field(min_length=1, max_length=512)]


class Told(BaseModel):
    """What became of a message, where it places the customer, and who owns it."""

    id: str
    outcome: Outcome
    verdict: str
    cure: str | None
    cell: str | None
    source_updated_at: datetime
    valid_from: datetime
    valid_to: datetime | None
    seq: int
    owner: OwnerAnswer | None


class Ended(BaseModel):
    """What became of the word that a customer is no more."""

    id: str
    outcome: Outcome
    seq: int
    valid_to: datetime


class Fault(BaseModel):
    """Why a row was refused."""

    detail: str
    field: str | None
    cure: str | None


class ToldRow(BaseModel):
    """What became of one row; of a refused one only `fault` says more."""

    row: int
    id: str | None
    outcome: Literal["recorded", "repeated", "older", "refused"]
    verdict: str | None
    cell: str | None
    status: str | None
    grid: str | None
    team: str | None
    rule: str | None
    fault: Fault | None


class BatchTold(BaseModel):
    """What became of a batch."""

    territory: str
    seq: int
    read: int
    recorded: int
    repeated: int
    older: int
    refused: int
    rows: list[ToldRow]


def _body(content: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": content}}


ONE_BODY = _body({"application/json": {"schema": _Message.model_json_schema()}})
"""The body of one message."""

BATCH_BODY = _body(
    {
        "application/json": {
            "schema": {"type": "array", "maxItems": LIMIT, "items": _Row.model_json_schema()}
        },
        "application/x-ndjson": {"schema": {"type": "string", "description": "One such object a line."}},
    }
)
"""The body of a batch."""
