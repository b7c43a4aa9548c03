"""Moves of a plan's cells, undo and redo, the history; branches and merges."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response

from api.deps import Caller, Db, IfMatch, Key, PageLimit, etag
from api.routes.plans import plan_out
from api.schemas.common import Page
from api.schemas.moves import (
    Branch,
    CellMoved,
    Described,
    Flow,
    Hand,
    HandOver,
    Merge,
    Merged,
    Moved,
    MoveOut,
    MoveWithCells,
    Step,
)
from api.schemas.plans import PlanOut
from gridsvc.errors import InvalidInput, PreconditionMissing
from gridsvc.services import branches, moves
from gridsvc.services.handing import NewGrid, Part
from gridsvc.store.records import MoveRecord

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["moves"])


@router.post("/plans/{plan}/moves")
def move_cells(plan: str, body: HandOver, response: Response, db: Db, who: Caller, key: Key) -> Moved:
    """Hand cells to another grid; refused whole where somebody else changed one of them since."""
    done = moves.move(
        db,
        who,
        plan,
        _seen(body.base_revision),
        _parts(body),
        reason=body.reason,
        drop_empty=body.drop_empty,
        idempotency=key,
    )
    return _moved(done, response)


@router.post("/plans/{plan}/undo")
def undo(plan: str, body: Step, response: Response, db: Db, who: Caller, key: Key) -> Moved:
    """Take back your own latest move; refused where others changed its cells since."""
    base = _seen(body.base_revision)
    return _moved(moves.undo(db, who, plan, base, reason=body.reason, idempotency=key), response)


@router.post("/plans/{plan}/redo")
def redo(plan: str, body: Step, response: Response, db: Db, who: Caller, key: Key) -> Moved:
    """Make the move again which you took back last."""
    base = _seen(body.base_revision)
    return _moved(moves.redo(db, who, plan, base, reason=body.reason, idempotency=key), response)


def _seen(revision: int | None) -> int:
    if revision is None:
        raise PreconditionMissing(
            "this changes cells which others may have changed",
            field="base_revision",
            cure="send the revision of the plan you have seen as base_revision",
        )
    return revision


def _parts(body: HandOver) -> list[Part]:
    whole = Hand(cells=body.cells or [], to=body.to, to_new=body.to_new, to_none=body.to_none)
    if body.moves is None:
        return [_part(whole, "")]
    if body.cells is not None or whole != Hand(cells=[]):
        raise InvalidInput(
            "cells are given twice", field="moves", cure="give cells and to, or moves, but not both"
        )
    return [_part(hand, f"moves.{number}.") for number, hand in enumerate(body.moves)]


def _part(hand: Hand, where: str) -> Part:
    ways = (hand.to is not None) + (hand.to_new is not None) + hand.to_none
    if ways != 1:
        said = "there is no grid to move to" if ways == 0 else "there are two grids to move to"
        raise InvalidInput(
            said, field=f"{where}to", cure="give the code of a grid in to, or to_new, or to_none"
        )
    new = hand.to_new
    return Part(hand.cells, hand.to if new is None else NewGrid(new.code, new.name))


def _moved(done: dict[str, Any], response: Response) -> Moved:
    response.headers["ETag"] = etag(done["revision"])
    return Moved.model_validate(done)


@router.get("/plans/{plan}/moves")
def list_moves(
    plan: str,
    db: Db,
    who: Caller,
    after: Annotated[int | None, Query(ge=0, lt=2**31, description="Go on behind this revision.")] = None,
    limit: PageLimit = 100,
    order: Annotated[Literal["oldest", "newest"], Query(description="What comes first.")] = "oldest",
) -> Page[MoveOut]:
    """What changed cells of a plan, with author, time and reason."""
    found = moves.history(db, who, plan, after, limit, newest=order == "newest")
    return Page(
        items=[MoveOut(**_line(record)) for record in found],
        next=str(found[-1].revision) if len(found) == limit else None,
    )


@router.get("/plans/{plan}/moves/{revision}")
def get_move(plan: str, revision: Annotated[int, Path(ge=1, lt=2**31)], db: Db, who: Caller) -> MoveWithCells:
    """One change with its cells."""
    record, cells = moves.cells_of(db, who, plan, revision)
    moved = [CellMoved(cell=cell, from_=before, to=after) for cell, before, after in cells]
    return MoveWithCells(**_line(record), moved=moved)


def _line(record: MoveRecord) -> dict[str, Any]:
    told = asdict(record)
    told["cells"] = told.pop("n_cells")
    told["grids"] = [Flow(from_=flow["from"], to=flow["to"], cells=flow["cells"]) for flow in record.grids]
    return told


@router.post("/plans/{plan}/branch", status_code=201)
def branch_plan(plan: str, body: Branch, response: Response, db: Db, who: Caller, key: Key) -> PlanOut:
    """Start a scenario: a new draft from the plan as it is now."""
    record = branches.branch(db, who, plan, body.name, body.comment, idempotency=key)
    response.headers["ETag"] = etag(record.revision)
    response.headers["Location"] = f"/v1/plans/{record.id}"
    return plan_out(record)


@router.patch("/plans/{plan}")
def describe_plan(
    plan: str, body: Described, revision: IfMatch, response: Response, db: Db, who: Caller
) -> PlanOut:
    """Give a draft another name or comment."""
    words = body.model_dump(exclude_unset=True)
    if not words:
        raise InvalidInput("nothing is to be changed", field="name", cure="give a name or a comment")
    record = branches.describe(db, who, plan, revision, **words)
    response.headers["ETag"] = etag(record.revision)
    return plan_out(record)


@router.post("/plans/{plan}/merge")
def merge_plans(
    plan: str, body: Merge, revision: IfMatch, response: Response, db: Db, who: Caller, key: Key
) -> Merged:
    """Bring in, cell by cell, what another plan of the same origin changed."""
    done = branches.merge(
        db,
        who,
        plan,
        revision,
        body.from_,
        prefer=body.prefer,
        reason=body.reason,
        idempotency=key,
    )
    response.headers["ETag"] = etag(done["revision"])
    return Merged.model_validate(done)
