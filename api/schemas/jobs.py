"""Whole-plan work which is done as a job."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from api.schemas.common import Request
from api.schemas.wanted import Above, Code, LockWanted, MeasureWanted, Share, TargetWanted
from gridsvc.exchange.clip import Clip
from gridsvc.exchange.layers import ExportLayer
from gridsvc.services.exports import Format

__all__ = ["Realign", "Repair", "RepairOut", "WriteFile"]


class Realign(Request):
    """How a plan is to be realigned; what is not given stays as the plan was made."""

    name: Annotated[str, Field(max_length=200)] = ""
    max_disruption: Annotated[Share, Field(description="Share of the first measure that may move.")] = "10%"
    move_cost: Annotated[
        str | None, Field(description="Measure or column which says how much dearer each move is.")
    ] = None
    measures: Annotated[list[MeasureWanted] | None, Field(min_length=1)] = None
    targets: Annotated[list[TargetWanted] | None, Field(min_length=1, description="One a grid.")] = None
    locks: Annotated[list[LockWanted] | None, Field(min_length=1)] = None
    compactness: Annotated[float | None, Field(ge=0, le=100)] = None
    sweeps: Annotated[int | None, Field(ge=1, lt=2**31, description="Budget, whatever the machine.")] = None
    time_limit: Annotated[Above | None, Field(description="Seconds.")] = None
    seed: Annotated[int | None, Field(ge=0, lt=2**32)] = None
    choices: Annotated[
        bool, Field(description="Keep each option on offer as a draft; the job's result lists them.")
    ] = False


class Repair(Request):
    """Where moves are to be proposed."""

    base_revision: Annotated[int | None, Field(strict=True, ge=1, lt=2**31)] = None
    grids: Annotated[
        list[Code] | None,
        Field(min_length=1, description="Grids to look after; else all that are broken or outside."),
    ] = None


class RepairOut(BaseModel):
    """Moves which mend a plan; nothing is changed until they are sent to its moves."""

    plan: str
    revision: int
    moves: Annotated[list[dict[str, Any]], Field(description="As `moves` of POST /v1/plans/{plan}/moves.")]
    broken: Annotated[list[str], Field(description="Grids in pieces.")]
    outside: Annotated[list[str], Field(description="Grids outside their limits.")]
    still_outside: Annotated[list[str], Field(description="Those outside after the moves.")]
    grids: Annotated[list[dict[str, Any]], Field(description="Those touched, as they would be.")]


class WriteFile(Request):
    """A file to be written."""

    layer: ExportLayer = "grids"
    format: Format = "geojson"
    crs: Annotated[str, Field(description="wgs84, gcj02, bd09 or EPSG:n.")] = "wgs84"
    clip: Annotated[
        Clip,
        Field(description="`territory` cuts cells off at its border, each once, and joins the rest."),
    ] = "cells"
    bom: Annotated[bool, Field(description="Begin a CSV with the mark by which Excel knows UTF-8.")] = False
