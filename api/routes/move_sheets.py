"""Sheets to mark moves in: out as a workbook, back with a verdict on each marked row."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from pydantic import BaseModel

from api.deps import Caller, Db, KeyHeader, Language, current_app, etag
from api.export import MEDIA_TYPES
from api.schemas.moves import Moved
from api.work import keep_upload, upload_digest
from gridsvc.services import move_sheets
from gridsvc.store.records import Idempotency

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["moves"])


class SheetVerdict(BaseModel):
    """What is said of a marked row; `grid` is the one its cell is in now."""

    row: int
    cell: str
    grid: str | None
    to: str
    verdict: str
    taken: bool
    reason: str
    reason_zh: str
    cure: str
    cure_zh: str


class SheetTaken(BaseModel):
    """What a sheet came to: marked rows by verdict, those refused first; `moved` is null of a dry run."""

    plan: str
    revision: int
    rows: dict[str, int]
    verdicts: list[SheetVerdict]
    moves: list[dict[str, str]]
    moved: Moved | None


@router.get(
    "/plans/{plan}/move-sheet",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPES["xlsx"]: {"schema": {"type": "string", "format": "binary"}}}}},
)
def get_move_sheet(
    plan: str,
    db: Db,
    who: Caller,
    lang: Language,
    branch: Annotated[str | None, Query(description="`parent` of the grids wanted.")] = None,
    grid: Annotated[list[str] | None, Query(description="Codes of the grids wanted; repeat it.")] = None,
) -> Response:
    """A workbook of cells to mark moves in: of a branch, of some grids, or of the whole plan."""
    revision, content = move_sheets.sheet(db, who, plan, branch=branch, grids=grid or (), lang=lang)
    headers = {
        "Content-Disposition": f'attachment; filename="moves-{plan}-{revision}.xlsx"',
        "ETag": etag(revision),
    }
    return Response(content, media_type=MEDIA_TYPES["xlsx"], headers=headers)


@router.post("/plans/{plan}/move-sheet")
def take_move_sheet(
    plan: str,
    request: Request,
    response: Response,
    db: Db,
    who: Caller,
    file: Annotated[UploadFile, File(description="The workbook, or CSV with its columns.")],
    dry_run: Annotated[bool, Form(description="Only judge the rows.")] = False,
    skip_refused: Annotated[
        bool, Form(description="Make the moves which hold, and leave the others.")
    ] = False,
    reason: Annotated[str | None, Form(max_length=500)] = None,
    key: KeyHeader = None,
) -> SheetTaken:
    """Judge the rows marked in a sheet, and make their moves as one."""
    asked: dict[str, Any] = {"plan": plan, "skip_refused": skip_refused, "reason": reason}
    once = None if key is None or dry_run else Idempotency(key, upload_digest(asked, {"file": file}))
    path = Path(keep_upload(current_app(request).settings, file))
    try:
        found = move_sheets.take_back(
            db,
            who,
            plan,
            path,
            path.name,
            dry_run=dry_run,
            skip_refused=skip_refused,
            reason=reason,
            idempotency=once,
        )
    finally:
        shutil.rmtree(path.parent, ignore_errors=True)
    response.headers["ETag"] = etag(found.revision)
    return SheetTaken.model_validate(found.as_dict(plan))
