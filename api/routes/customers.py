"""Customers: import with a verdict for each row, the to-do list, and who lives in a cell or grid."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from api.deps import Caller, Db, KeyHeader, PageLimit, Questions, current_app
from api.probing import probe_customers
from api.schemas.common import Page
from api.schemas.owner import CustomerOut
from api.streams import Pieces, Wanted, WantedForm, described
from api.work import Prefer, answer_when_done, keep_upload, upload_digest
from gridsvc.errors import InvalidInput
from gridsvc.exchange.streams import stream_rows
from gridsvc.principal import Principal
from gridsvc.services import customers, imports, jobs, tilings
from gridsvc.services.desk import Desk
from gridsvc.store.records import Idempotency

__all__ = ["ImportOut", "router"]

router = APIRouter(prefix="/v1", tags=["customers"])


class ImportOut(BaseModel):
    """What an import did: placement rate first, rows by verdict, totals of the measures."""

    id: str
    tiling: str
    placement_rate: float
    read: int
    placed: int
    left_out: int
    verdicts: dict[str, dict[str, Any]]
    hints: list[dict[str, str]]
    measures: dict[str, dict[str, Any]]
    coverage: dict[str, Any]
    areas: dict[str, Any] | None = None
    todo: str


@router.post(
    "/tilings/{tiling}/customers", status_code=201, responses={202: {"description": "Queued as a job"}}
)
async def import_customers(
    tiling: str,
    request: Request,
    db: Db,
    who: Caller,
    file: Annotated[
        UploadFile, File(description="CSV, .xlsx, (Geo)Parquet, or points in any format of layers.")
    ],
    crs: Annotated[str | None, Form(description="wgs84, gcj02, bd09 or EPSG:n.")] = None,
    measure: Annotated[
        list[str], Form(description="`customers=count`, `potential=sum:COLUMN`; repeat for several.")
    ] = ["customers=count"],  # noqa: B006 - pydantic copies defaults
    id: Annotated[str | None, Form(description="Column of the customer id.")] = None,  # noqa: A002 - the field's name
    lon: Annotated[str | None, Form(description="Column of the longitude.")] = None,
    lat: Annotated[str | None, Form(description="Column of the latitude.")] = None,
    code: Annotated[str | None, Form(description="Column of a cell or area code.")] = None,
    place_key: Annotated[
        str | None, Form(description="Column which keeps the rows of one premise together.")
    ] = None,
    where: Annotated[
        list[str], Form(description="Keep rows with COLUMN=VALUE, >=, ...; repeat for several.")
    ] = [],  # noqa: B006
    missing: Annotated[Literal["refuse", "zero", "drop"], Form()] = "refuse",
    min_placed: Annotated[
        float, Form(ge=0, le=1, description="Refuse the file below this placement rate.")
    ] = 0.95,
    strict: Annotated[bool, Form(description="Refuse the file when any row is left out.")] = False,
    areas: Annotated[
        UploadFile | None, File(description="GeoJSON of the areas that area codes name.")
    ] = None,
    area_id: Annotated[str | None, Form(description="Property of `areas` that holds the code.")] = None,
    layer: Annotated[str | None, Form(description="The customers' layer, of a file with several.")] = None,
    areas_layer: Annotated[str | None, Form(description="That of `areas`.")] = None,
    key: KeyHeader = None,
    prefer: Prefer = None,
) -> Response:
    """Place customers on the cells of a tiling; the former import of this tiling is superseded as a whole."""
    app = current_app(request)
    record = await run_in_threadpool(tilings.get, db, who, tiling)
    params: dict[str, Any] = {
        "tiling": tiling,
        "area_id": area_id,
        "crs": crs,
        "measures": measure,
        "columns": {"id": id, "lon": lon, "lat": lat, "code": code, "place_key": place_key},
        "where": where,
        "missing": missing,
        "min_placed": min_placed,
        "strict": strict,
        "layers": {"file": layer, "areas": areas_layer},
    }
    uploads = {"file": file} if areas is None else {"file": file, "areas": areas}
    once = None if key is None else Idempotency(key, await run_in_threadpool(upload_digest, params, uploads))
    params["changes"] = await run_in_threadpool(imports.told_so_far, db, who)
    params["files"] = {
        name: await run_in_threadpool(keep_upload, app.settings, upload) for name, upload in uploads.items()
    }
    await probe_customers(params["files"], params["layers"])
    job = await run_in_threadpool(
        jobs.submit, db, who, "customers", record.territory, params, idempotency=once
    )
    return await answer_when_done(app, who, job, prefer, _import_out)


def _import_out(result: dict[str, Any]) -> ImportOut:
    return ImportOut(**result, todo=f"/v1/imports/{result['id']}/todo")


@router.get("/imports/{import_id}/todo", response_class=StreamingResponse)
def get_todo(import_id: str, db: Db, who: Caller) -> StreamingResponse:
    """The rows that need a human, as CSV: row, id, verdict, reason, cure."""
    return StreamingResponse(
        imports.todo_csv(db, who, import_id),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="todo.csv"'},
    )


_FORMS = described("id, premise, cell, verdict, lon and lat")

Territory = Annotated[str | None, Query(description="Required where several territories are published.")]
After = Annotated[str | None, Query(description="`next` of the page before; JSON only.")]


@router.get("/cells/{cell:path}/customers", response_model=Page[CustomerOut], responses=_FORMS)
def customers_in_cell(
    cell: str,
    desk: Questions,
    who: Caller,
    form: WantedForm,
    territory: Territory = None,
    after: After = None,
    limit: PageLimit = 100,
) -> Any:
    """Customers placed in a cell of the publication in force: a page, or all of them as a stream."""
    return _customers(desk, who, territory, customers.of_cell(cell), form, after, limit)


@router.get("/grids/{code}/customers", response_model=Page[CustomerOut], responses=_FORMS)
def customers_in_grid(
    code: str,
    desk: Questions,
    who: Caller,
    form: WantedForm,
    territory: Territory = None,
    after: After = None,
    limit: PageLimit = 100,
) -> Any:
    """Customers placed in a grid of the publication in force: a page, or all of them as a stream."""
    return _customers(desk, who, territory, customers.of_grid(code), form, after, limit)


def _customers(
    desk: Desk,
    who: Principal,
    territory: str | None,
    which: customers.Which,
    form: Wanted,
    after: str | None,
    limit: int,
) -> Any:
    if form == "json":
        return _page(customers.page(desk, who, territory, which, after, limit), limit)
    if after is not None:
        raise InvalidInput("a stream has no pages", field="after", cure="leave it out, or ask for JSON")
    chunks = customers.stream(desk, who, territory, which)
    rows = ([(c.id, c.premise, c.cell, c.verdict, c.lon, c.lat) for c in chunk] for chunk in chunks)
    return Pieces(stream_rows(form, _COLUMNS, rows), form, "customers", chunks.close)


_COLUMNS: dict[str, Literal["text", "number"]] = {
    "id": "text",
    "premise": "text",
    "cell": "text",
    "verdict": "text",
    "lon": "number",
    "lat": "number",
}


def _page(found: list[customers.Placed], limit: int) -> Page[CustomerOut]:
    items = [
        CustomerOut(id=c.id, premise=c.premise, cell=c.cell, verdict=c.verdict, lon=c.lon, lat=c.lat)
        for c in found
    ]
    return Page(items=items, next=found[-1].id if len(found) == limit else None)
