"""Handovers of leavers and grids, and the packs successors start from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, File, Query, Request, Response, UploadFile

from api.deps import Caller, Db, Key, Language, PageLimit, Questions, current_app
from api.schemas.common import Page, Slug
from api.schemas.handovers import HandoverOut, NewHandover, PackRulesIn, PackRulesOut
from gridsvc.errors import GridsvcError, TooLarge
from gridsvc.services import grid_handovers, handovers, pack_rules, packs
from gridsvc.services.desk import settle
from gridsvc.services.grid_handovers import MovedGrid
from gridsvc.services.handovers import Heir, Leaver, State
from gridsvc.store.handovers import HandoverRecord

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["handovers"])


_MOST_BYTES = 20 << 20


def _out(record: HandoverRecord, state: State, refused: GridsvcError | None = None) -> HandoverOut:
    told = dict(record.told)
    proof = told.pop("proof")
    names = ("territory", "kind", "effective_at", "reason", "person", "line", "grid", "roster", "plan")
    return HandoverOut(
        id=record.id or None,
        state=state,
        effect=told,
        proof=proof,
        refused=None if refused is None else refused.as_dict(),
        recorded_by=record.recorded_by or None,
        recorded_at=record.recorded_at if record.id else None,
        **{name: getattr(record, name) for name in names},
    )


@router.post(
    "/territories/{territory}/handovers",
    status_code=201,
    responses={200: {"model": HandoverOut, "description": "Shown only (`dry_run`)"}},
)
def hand_over(
    territory: Slug,
    body: NewHandover,
    request: Request,
    response: Response,
    desk: Questions,
    who: Caller,
    key: Key,
) -> HandoverOut:
    """Hand a leaver's places to successors, or a grid to another team; nothing is nobody's at any moment."""
    app, once, refused = current_app(request), None if body.dry_run else key, None
    if body.kind == "leaver":
        record = handovers.leave(
            desk.database, who, territory, _leaver(body), dry_run=body.dry_run, idempotency=once
        )
    else:
        wanted = MovedGrid(body.grid or "", body.team or "", body.reason, body.effective_at, body.line)
        options: dict[str, Any] = {"dry_run": body.dry_run, "and_publish": body.publish, "idempotency": once}
        folder = app.settings.published
        record, refused = grid_handovers.move_grid(
            desk.database, who, territory, wanted, folder=folder, **options
        )
    if body.dry_run:
        response.status_code = 200
        return _out(record, "shown")
    app.supervisor.wake()
    settle(desk)
    response.headers["Location"] = f"/v1/territories/{territory}/handovers/{record.id}"
    return _out(*handovers.get(desk.database, who, territory, record.id), refused)


def _leaver(body: NewHandover) -> Leaver:
    heirs = tuple(
        Heir(h.person, h.team, h.role, h.from_, h.acting, h.time_share, h.kpi_share) for h in body.successors
    )
    heads = tuple((given.department, given.person) for given in body.heads)
    return Leaver(body.person or "", heirs, body.reason, body.effective_at, body.base_roster, heads)


@router.get("/territories/{territory}/handovers")
def list_handovers(
    territory: Slug,
    db: Db,
    who: Caller,
    after: Annotated[str | None, Query(description="Go on behind this handover.")] = None,
    limit: PageLimit = 100,
) -> Page[HandoverOut]:
    """Handovers of a territory, oldest first: who or what, to whom, since when, and why."""
    found = handovers.listing(db, who, territory, after, limit)
    items = [_out(record, state) for record, state in found]
    return Page(items=items, next=found[-1][0].id if len(found) == limit else None)


@router.get("/territories/{territory}/handovers/{handover}")
def get_handover(territory: Slug, handover: str, db: Db, who: Caller) -> HandoverOut:
    """A handover with its effect and proof."""
    return _out(*handovers.get(db, who, territory, handover))


# --- packs

Form = Literal["json", "xlsx", "html"]
_TYPES: dict[Form, str] = {
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
}
_PACK: dict[int | str, dict[str, Any]] = {
    200: {"description": "The pack", "content": {kind: {} for kind in _TYPES.values()}}
}
Line = Annotated[str, Query(min_length=1, max_length=64)]
At = Annotated[
    str | None, Query(max_length=40, description="Date of the handover; the team before and after.")
]
Handover = Annotated[str | None, Query(max_length=100, description="Id of the handover; instead of `at`.")]
Format = Annotated[Form, Query(alias="format")]


@router.get("/territories/{territory}/grids/{grid}/pack", response_class=Response, responses=_PACK)
def get_pack(
    territory: Slug,
    grid: str,
    desk: Questions,
    who: Caller,
    lang: Language,
    form: Format = "json",
    line: Line = "base",
    at: At = None,
    handover: Handover = None,
) -> Response:
    """What a successor needs of a grid; customers only for those who may see them."""
    return _answer(packs.pack(desk, who, territory, grid, line=line, at=at, handover=handover), form, lang)


@router.post("/territories/{territory}/grids/{grid}/pack", response_class=Response, responses=_PACK)
def make_pack(
    territory: Slug,
    grid: str,
    desk: Questions,
    who: Caller,
    lang: Language,
    open_items: Annotated[
        UploadFile | None, File(description="CSV or XLSX, `customer` or `grid` a row.")
    ] = None,
    contacts: Annotated[
        UploadFile | None, File(description="CSV or XLSX, `customer` or `grid` a row.")
    ] = None,
    form: Format = "json",
    line: Line = "base",
    at: At = None,
    handover: Handover = None,
) -> Response:
    """The pack with open items and contacts from files, which are not kept; a verdict on each row."""
    uploads: dict[Any, UploadFile | None] = {"open_items": open_items, "contacts": contacts}
    with _kept(uploads) as files:
        made = packs.pack(desk, who, territory, grid, line=line, at=at, handover=handover, files=files)
    return _answer(made, form, lang)


@contextmanager
def _kept(uploads: dict[Any, UploadFile | None]) -> Iterator[list[packs.File]]:
    """The files in a folder which goes with the request: what is in them is nobody else's business."""
    with TemporaryDirectory(prefix="gridsvc-pack-") as folder:
        files = []
        for kind, upload in uploads.items():
            if upload is None:
                continue
            content = upload.file.read(_MOST_BYTES + 1)
            name = Path(upload.filename or kind).name[:100]
            if len(content) > _MOST_BYTES:
                raise TooLarge("more than 20 MB", source=name, cure="send the rows of this grid only")
            path = Path(folder) / f"{kind}{'.xlsx' if content[:2] == b'PK' else '.csv'}"
            path.write_bytes(content)
            files.append(packs.File(kind, path, name))
        yield files


def _answer(made: Any, form: Form, lang: Any) -> Response:
    pack, zone = made
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Language"}
    if form == "html":
        from gridsvc.exchange.packs.page import POLICY, page

        return Response(
            page(pack, lang, zone),
            media_type=_TYPES[form],
            headers={**headers, "Content-Security-Policy": POLICY, "Content-Language": lang},
        )
    if form == "xlsx":
        from gridsvc.exchange.packs.sheets import workbook

        headers["Content-Disposition"] = 'attachment; filename="pack.xlsx"'
        return Response(workbook(pack, lang, zone), media_type=_TYPES[form], headers=headers)
    return Response(orjson.dumps(pack.document()), media_type=_TYPES[form], headers=headers)


@router.get("/pack-rules")
def get_pack_rules(db: Db, who: Caller) -> PackRulesOut:
    """Which column of the customers holds their tier."""
    revision, rules = pack_rules.get(db, who)
    return PackRulesOut(revision=revision, **rules.as_dict())


@router.put("/pack-rules")
def put_pack_rules(body: PackRulesIn, db: Db, who: Caller) -> PackRulesOut:
    """Replace the rules of packs; the column counts from the next import of customers on."""
    wanted = pack_rules.pack_rules_from_dict(body.model_dump())
    return PackRulesOut(revision=pack_rules.put(db, who, wanted), **wanted.as_dict())
