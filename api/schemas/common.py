"""Forms shared by several nouns."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from api.text import fault_in
from gridsvc.text import is_text

__all__ = ["GeoJson", "Page", "Request", "Slug"]

Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", examples=["london"])]

GeoJson = Annotated[
    dict[str, Any],
    Field(description='A GeoJSON geometry, Feature or FeatureCollection; in requests also `{"layer": ID}`.'),
]

Item = TypeVar("Item")


class Request(BaseModel):
    """A request body: unknown members are refused, so that a misspelt option is not silently ignored."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _plain_text(cls, document: Any) -> Any:
        if (name := fault_in(document)) is not None:
            raise ValueError(f"{name if is_text(name) else 'a name'} holds what is no text")
        return document


class Page(BaseModel, Generic[Item]):
    """One page of a list; pass `next` as `after` to go on, null at the end."""

    items: list[Item]
    next: str | None = None
