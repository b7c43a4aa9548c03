"""How batches look in the API's description: their bodies are read without these models, for speed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.schemas.common import Request
from gridsvc.ownership.points import LIMIT

__all__ = ["BATCH_BODY", "BATCH_RESPONSES"]

_STREAM = "application/vnd.apache.arrow.stream"
_FILE = "application/vnd.apache.arrow.file"

Status = Literal["owned", "fallback", "outside", "invalid"]


class _Options(Request):
    territory: str | None = None
    line: str = "base"
    crs: str = "wgs84"
    as_of: datetime | None = None
    as_known: datetime | None = None
    min_seq: Annotated[int | None, Field(ge=0, lt=2**63)] = None
    strict: Annotated[bool, Field(description="Refuse the whole batch when one point is no place.")] = False
    lang: Literal["en", "zh"] | None = None


class BatchColumns(_Options):
    """Points as columns of equal length."""

    lat: Annotated[list[float | None], Field(max_length=LIMIT)]
    lon: Annotated[list[float | None], Field(max_length=LIMIT)]


class BatchPoint(Request):
    """A point."""

    lat: float | None
    lon: float | None


class BatchPoints(_Options):
    """Points as objects."""

    points: Annotated[list[BatchPoint], Field(max_length=LIMIT)]


class _Facts(BaseModel):
    territory: str
    publication: int
    roster: int | None
    seq: int


class BatchAnswers(_Facts):
    """Answers as columns, in the order of the points."""

    status: list[Status]
    cell: list[str | None]
    grid: list[str | None]
    team: list[str | None]
    rule: list[str | None]


class RowAnswer(BaseModel):
    """The answer for one point."""

    status: Status
    cell: str | None
    grid: str | None
    team: str | None
    rule: str | None


class PointsAnswers(_Facts):
    """Answers as objects, in the order of the points."""

    points: list[RowAnswer]


def _schema(*models: type[BaseModel]) -> list[dict[str, Any]]:
    return [_inlined(model.model_json_schema(mode="validation")) for model in models]


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without references, which would point into the wrong document."""
    known = schema.pop("$defs", {})

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            if "$ref" in value:
                return walk(known[value["$ref"].rpartition("/")[2]])
            return {name: walk(part) for name, part in value.items()}
        return [walk(part) for part in value] if isinstance(value, list) else value

    found: dict[str, Any] = walk(schema)
    return found


_BINARY = {"schema": {"type": "string", "format": "binary"}}


def _list_of(model: type[BaseModel]) -> dict[str, Any]:
    return {"type": "array", "maxItems": LIMIT, "items": _schema(model)[0]}


BATCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"anyOf": [*_schema(BatchColumns, BatchPoints), _list_of(BatchPoint)]}
            },
            _STREAM: _BINARY,
            _FILE: _BINARY,
        },
    }
}
"""The request's body."""

BATCH_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The owner of each point",
        "content": {
            "application/json": {
                "schema": {"anyOf": [*_schema(BatchAnswers, PointsAnswers), _list_of(RowAnswer)]}
            },
            _STREAM: _BINARY,
        },
    }
}
"""Its answer."""
