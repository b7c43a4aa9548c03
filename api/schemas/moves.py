"""Moves, branches and merges: what is asked and what is answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.schemas.common import Request

__all__ = [
    "Branch",
    "CellMoved",
    "Described",
    "Flow",
    "Hand",
    "HandOver",
    "Merge",
    "Merged",
    "MoveOut",
    "MoveWithCells",
    "Moved",
    "MovedReport",
    "NewGridWanted",
    "Step",
]

Reason = Annotated[str | None, Field(max_length=500)]
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")]
Seen = Annotated[
    int | None,
    Field(
        strict=True, ge=1, lt=2**31, description="The revision you have seen; without it the answer is 428."
    ),
]


NoGrid = Annotated[
    bool, Field(description="Out of every grid; only lines other than `base` can be published like that.")
]


class NewGridWanted(Request):
    """A grid to be made; its code is the next free number and its name follows from it unless given."""

    code: Code | None = None
    name: Annotated[str | None, Field(min_length=1, max_length=200)] = None


class Hand(Request):
    """Cells and the grid they are handed to."""

    cells: Annotated[list[str], Field(description="Ids; at most 100,000 in one request.")]
    to: Annotated[str | None, Field(description="Code of a grid of the plan.")] = None
    to_new: NewGridWanted | None = None
    to_none: NoGrid = False


class HandOver(Request):
    """Cells handed to another grid, or several such hand-overs in `moves`; all are made or none."""

    base_revision: Seen = None
    cells: Annotated[list[str] | None, Field(description="Ids; at most 100,000 in one request.")] = None
    to: Annotated[str | None, Field(description="Code of a grid of the plan.")] = None
    to_new: NewGridWanted | None = None
    to_none: NoGrid = False
    moves: list[Hand] | None = None
    reason: Reason = None
    drop_empty: Annotated[
        bool, Field(description="Leave grids which have no cells afterwards out of the plan.")
    ] = False


class Step(Request):
    """An undo or a redo."""

    base_revision: Seen = None
    reason: Reason = None


class MovedReport(BaseModel):
    """Figures after a change, as in the plan's report."""

    grids: Annotated[list[dict[str, Any]], Field(description="Grids which lost or gained cells.")]
    emptied: Annotated[list[str], Field(description="Those of them which have no cells now.")]
    overall: dict[str, Any]


class Moved(BaseModel):
    """What a change came to; `moved` counts cells which were elsewhere before."""

    revision: int
    moved: int
    report: MovedReport


class Merged(Moved):
    """What a merge came to; `conflicts` counts cells which both plans had changed."""

    conflicts: int
    carve_outs: Annotated[list[str], Field(description="Carve-outs both had changed, by their codes.")] = []


class Flow(BaseModel):
    """Cells which went from a grid to another; null is no grid."""

    from_: Annotated[str | None, Field(serialization_alias="from")]
    to: str | None
    cells: int


class MoveOut(BaseModel):
    """A line of a plan's history; `reverts` is the revision which an undo or redo took back."""

    revision: int
    kind: str
    actor: str
    reason: str | None
    recorded_at: datetime
    cells: int
    grids: list[Flow]
    reverts: int | None
    source: dict[str, Any] | None


class CellMoved(BaseModel):
    """A cell and the grids it left and came to; null is no grid."""

    cell: str
    from_: Annotated[str | None, Field(serialization_alias="from")]
    to: str | None


class MoveWithCells(MoveOut):
    """A line of a plan's history with its cells."""

    moved: list[CellMoved]


class Branch(Request):
    """A scenario made from a plan."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    comment: Annotated[str | None, Field(max_length=2000)] = None


class Described(Request):
    """Another name or comment; what is left out stays."""

    name: Annotated[str, Field(max_length=200)] = ""
    comment: Annotated[str | None, Field(max_length=2000)] = None


class Merge(Request):
    """The plan whose changes are brought in, and whose change counts where both changed a cell."""

    from_: Annotated[str, Field(alias="from")]
    prefer: Literal["mine", "theirs"] | None = None
    reason: Reason = None
