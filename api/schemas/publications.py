"""Gates and publications as they are shown, and what publishing asks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.schemas.common import Request

__all__ = ["GateOut", "PublicationOut", "Publish"]


class GateOut(BaseModel):
    """A rule and who offends against it."""

    name: str
    passed: bool
    blocking: bool
    message: str
    cure: str | None
    offenders: list[dict[str, Any]]


class Publish(Request):
    """When the plan comes into force."""

    effective_at: Annotated[
        datetime | None, Field(description="With an offset; now if not given. Never before the one in force.")
    ] = None
    reason: Annotated[str | None, Field(max_length=500)] = None


class PublicationOut(BaseModel):
    """An immutable version of who owns which cell."""

    territory: str
    line: str
    n: int
    plan: str
    tiling: str
    grids: int
    cells: int
    effective_at: datetime
    recorded_at: datetime
    published_by: str
    checksum: str
    summary: dict[str, Any]
