"""Erasures as they are asked for and told of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from api.schemas.common import Request

__all__ = ["ErasureOut", "NewErasure"]


class NewErasure(Request):
    """Whom to forget, and why."""

    customer: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Annotated[
        str, Field(min_length=1, max_length=500, description="Stands in the audit; name nobody in it.")
    ]


class ErasureOut(BaseModel):
    """What was reached, and what cannot be; the customer is not named."""

    territory: str
    seq: Annotated[int, Field(description="Lookups with this `min_seq` know the customer no more.")]
    rows: Annotated[dict[str, int], Field(description="Deleted rows by table.")]
    texts: Annotated[dict[str, int], Field(description="Rows by table whose texts named the customer.")]
    files: Annotated[dict[str, int], Field(description="Deleted files by kind.")]
    rewritten: Annotated[bool, Field(description="Whether the embedded database's file was written anew.")]
    not_reached: list[str]
