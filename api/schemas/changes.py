"""What changed between two publications or rosters, as it is shown."""

from __future__ import annotations

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
    total: Annotated[int, Field(description="Rows on all pages.")]
    items: Annotated[list[dict[str, Any]], Field(description="Rows; their members depend on `kind`.")]
    next: str | None = None
