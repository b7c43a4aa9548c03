"""Plans, solved by jobs."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.deps import Caller, Db, IfMatch, Key, PageLimit, current_app, etag
from api.expecting import expect_moves
from api.export import geojson_response
from api.geojson_bodies import GeoJsonRoute
from api.given import layer_file
from api.schemas.common import GeoJson, Page, Slug
from api.schemas.plans import PlanGrid, PlanOut, Started
from api.schemas.wanted import NewPlan
from api.wanted import from_plan_of, request_of
from api.work import job_out, keep_room
from gridsvc.crs import normalise
from gridsvc.exchange.layers import carve_outs_layer
from gridsvc.plans.carveouts import CarveOut, carve_outs_from_geojson, read_carve_outs
from gridsvc.plans.plan import Grid
from gridsvc.services import carveouts, plans
from gridsvc.store.records import PlanRecord

__all__ = ["plan_out", "router"]

router = APIRouter(
    prefix="/v1", tags=["plans"], route_class=GeoJsonRoute, dependencies=[Depends(expect_moves)]
)


def plan_out(record: PlanRecord) -> PlanOut:
    """A plan as the API shows it."""
    params = {name: value for name, value in record.params.items() if name != "barriers"}
    return PlanOut(
        id=record.id,
        territory=record.territory,
        line=record.line,
        level=record.level,
        parent=record.parent,
        tiling=record.tiling,
        name=record.name,
        comment=record.comment,
        branched_from=record.branched_from,
        branched_at=record.branched_at,
        base_publication=record.base_publication,
        origin=record.origin,
        status=record.status,
        revision=record.revision,
        seed=record.seed,
        engine_version=record.engine_version,
        params=params | {"barriers": record.params.get("barriers") is not None},
        solved=record.labels is not None,
        grids=len(record.grids),
        created_by=record.created_by,
        recorded_at=record.recorded_at,
    )


@router.post("/plans", status_code=202)
def create_plan(
    body: NewPlan,
    request: Request,
    response: Response,
    db: Db,
    who: Caller,
    key: Key,
) -> Started:
    """Start a solve: a draft plan and the job that balances it."""
    barriers = None
    if body.barriers is not None:
        layer = layer_file(current_app(request).settings, who, body.barriers, None)
        barriers = layer.read_text(encoding="utf-8") if layer else orjson.dumps(body.barriers).decode()
    record, job = plans.start(
        db,
        who,
        body.tiling,
        request_of(body),
        name=body.name,
        line=body.line,
        level=body.level,
        parent=body.parent,
        barriers=barriers,
        from_plan=from_plan_of(body),
        preview=lambda: keep_room(current_app(request).settings, "labels.npy"),
        idempotency=key,
    )
    current_app(request).supervisor.wake()
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return Started(plan=record.id, job=job_out(job))


@router.get("/plans")
def list_plans(
    territory: Slug,
    db: Db,
    who: Caller,
    after: Annotated[str | None, Query()] = None,
    limit: PageLimit = 100,
) -> Page[PlanOut]:
    """Plans of a territory."""
    found = plans.listing(db, who, territory, after, limit)
    return Page(items=[plan_out(r) for r in found], next=found[-1].id if len(found) == limit else None)


@router.get("/plans/{plan}")
def get_plan(plan: str, response: Response, db: Db, who: Caller) -> PlanOut:
    """A plan; its ETag is wanted by whole-plan operations as If-Match."""
    record = plans.get(db, who, plan)
    response.headers["ETag"] = etag(record.revision)
    return plan_out(record)


@router.get("/plans/{plan}/grids")
def get_grids(plan: str, response: Response, db: Db, who: Caller) -> Page[PlanGrid]:
    """Grids of a plan with totals, deviations, pieces and shapes as they are now."""
    opened, seen = plans.seen(db, who, plan)
    entries = {entry["code"]: entry for entry in opened.figures.entries(enumerate(opened.grids))}
    response.headers["ETag"] = etag(opened.head.revision)
    own = (grid for grid, mine in zip(opened.grids, seen, strict=True) if mine and grid.code in entries)
    return Page(items=[_grid(grid, entries[grid.code]) for grid in own])


def _grid(grid: Grid, entry: dict[str, Any]) -> PlanGrid:
    told = ("cells", "area_km2", "pieces", "shape", "pp", "targets", "deviation", "inside")
    return PlanGrid(
        code=grid.code,
        name=grid.name,
        team=grid.team,
        carve_out=grid.carve_out,
        parent=grid.parent,
        measures=entry["totals"],
        **{name: entry[name] for name in told if name in entry},
    )


@router.get("/plans/{plan}/cells", response_class=Response)
def get_cells(
    plan: str,
    db: Db,
    who: Caller,
    revision: Annotated[int | None, Query(ge=1, lt=2**31, description="Look back to this revision.")] = None,
) -> Response:
    """Cell and grid code of each cell, as CSV."""
    found, seen = plans.cells_of(db, who, plan, revision)
    text = "".join(["cell,grid\n", *(f"{cell},{grid}\n" for cell, grid in found)])
    return Response(text, media_type="text/csv; charset=utf-8", headers={"ETag": etag(seen)})


@router.get("/plans/{plan}/report")
def get_report(plan: str, response: Response, db: Db, who: Caller) -> dict[str, Any]:
    """The whole report of a solved plan, with its grids' figures as they are now."""
    report, revision = plans.report(db, who, plan)
    response.headers["ETag"] = etag(revision)
    return report


@router.put("/plans/{plan}/carve-outs", response_class=StreamingResponse)
def put_carve_outs(
    plan: str,
    body: GeoJson,
    request: Request,
    revision: IfMatch,
    db: Db,
    who: Caller,
    key: Key,
    crs: Annotated[str | None, Query(description="System of the coordinates, if not WGS-84.")] = None,
) -> StreamingResponse:
    """Replace what is carved out as polygons: features with `code`, `name`, `reason` and maybe `team`."""
    layer = layer_file(current_app(request).settings, who, body, crs)
    found = read_carve_outs(layer, "wgs84") if layer else carve_outs_from_geojson(body, crs)
    record = carveouts.put(db, who, plan, revision, found, idempotency=key)
    return _carve_outs(plan, record.carve_outs, record.revision, "wgs84")


@router.get("/plans/{plan}/carve-outs", response_class=StreamingResponse)
def get_carve_outs(plan: str, db: Db, who: Caller, crs: str = "wgs84") -> StreamingResponse:
    """What is carved out as polygons, as GeoJSON; its ETag is wanted to replace it."""
    return _carve_outs(plan, *carveouts.get(db, who, plan), crs)


def _carve_outs(plan: str, carve_outs: tuple[CarveOut, ...], revision: int, crs: str) -> StreamingResponse:
    manifest = {"plan": plan, "revision": revision, "layer": "carve_outs", "crs": normalise(crs)}
    response = geojson_response(carve_outs_layer(carve_outs), crs, f"{plan}-carve-outs", manifest)
    response.headers["ETag"] = etag(revision)
    return response
