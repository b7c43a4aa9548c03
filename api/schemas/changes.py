"""What changed between two publications or rosters, as it is shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from gridsvc.services.changes import ChangeKind

__all__ = ["ChangesOut"]


class ChangesOut(BaseModel):
    """A page of changes; pass `next` as `after` to go on, null at the end."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    territory: str
    line: str
    kind: ChangeKind
    before: Annotated[int, Field(alias="from", description="Number of the earlier publication or roster.")]
    after: Annotated[int, Field(alias="to", description="Number of the later one.")]
    before_at: Annotated[
        datetime | None, Field(alias="from_at", description="As of when the earlier roster's leads are told.")
    ] = None
    after_at: Annotated[
        datetime | None,
        Field(alias="to_at", description="The same of the later one; send it as the next `from_at`."),
    ] = None
    total: Annotated[int, Field(description="Rows on all pages.")]
    items: Annotated[list[dict[str, Any]], Field(description="Rows; their members depend on `kind`.")]
    next: str | None = None
