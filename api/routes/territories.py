"""Territories and their tilings."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.deps import Caller, Db, Key, PageLimit, current_app
from api.geojson_bodies import GeoJsonRoute
from api.given import keep_given, layer_file
from api.schemas.common import Page, Slug
from api.schemas.territories import (
    CustomersAsOf,
    NewTerritory,
    NewTiling,
    TerritoryDetail,
    TerritoryOut,
    TilingOut,
)
from api.work import Prefer, answer_when_done
from gridsvc.errors import InvalidInput
from gridsvc.exchange.geojson import geometry_dict
from gridsvc.principal import Principal
from gridsvc.services import jobs, territories, tilings
from gridsvc.store.records import Territory, TilingRecord
from gridsvc.tiling.read import boundary_from_geojson, read_boundary

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["territories"], route_class=GeoJsonRoute)


def _out(record: Territory) -> TerritoryOut:
    return TerritoryOut(
        id=record.id,
        name=record.name,
        time_zone=record.time_zone,
        customers_word=record.customers_word,
        simulated=record.simulated,
        recorded_at=record.recorded_at,
    )


@router.post("/territories", status_code=201)
def create_territory(
    body: NewTerritory,
    request: Request,
    db: Db,
    who: Caller,
    key: Key,
) -> TerritoryOut:
    """Add a territory by its outline."""
    layer = layer_file(current_app(request).settings, who, body.boundary, body.crs)
    record = territories.create(
        db,
        who,
        territory=body.id,
        name=body.name,
        boundary=read_boundary(layer, "wgs84") if layer else boundary_from_geojson(body.boundary, body.crs),
        time_zone=body.time_zone,
        customers_word=body.customers_word,
        simulated=body.simulated,
        idempotency=key,
    )
    return _out(record)


@router.get("/territories")
def list_territories(
    db: Db,
    who: Caller,
    after: Annotated[str | None, Query()] = None,
    limit: PageLimit = 100,
) -> Page[TerritoryOut]:
    """Territories in order of their id."""
    found = territories.listing(db, who, after, limit)
    return Page(items=[_out(r) for r in found], next=found[-1].id if len(found) == limit else None)


@router.get("/territories/{territory}")
def get_territory(territory: Slug, db: Db, who: Caller) -> TerritoryDetail:
    """A territory with its outline."""
    record = territories.get(db, who, territory)
    return TerritoryDetail(**_out(record).model_dump(), boundary=geometry_dict(record.boundary))


@router.post(
    "/territories/{territory}/tilings", status_code=201, responses={202: {"description": "Queued as a job"}}
)
async def create_tiling(
    territory: Slug,
    body: NewTiling,
    request: Request,
    db: Db,
    who: Caller,
    key: Key,
    prefer: Prefer = None,
) -> Response:
    """Cut the territory into cells; answers when done, or with a job under `Prefer: respond-async`."""
    _check_tiling(body)
    app = current_app(request)
    files = {
        name: keep_given(app.settings, who, value, body.crs)
        for name, value in _layers(body).items()
        if value is not None
    }
    params = {
        "territory": territory,
        "kind": body.kind,
        "resolution": None if body.resolution == "auto" else body.resolution,
        "for_grids": body.for_grids,
        "id_field": body.id_field,
        "crs": body.crs,
        "measures": list(body.measures),
        "parent_field": body.parent_field,
        "least_m2": body.least_m2,
        "atom_field": body.atom_field,
        "repair": body.repair,
        "files": files,
    }
    await run_in_threadpool(territories.get, db, who, territory)
    job = await run_in_threadpool(jobs.submit, db, who, "tile", territory, params, idempotency=key)

    def render(result: dict[str, str]) -> TilingOut:
        return _tiling(tilings.get(db, who, result["tiling"]), db, who)

    return await answer_when_done(app, who, job, prefer, render)


def _layers(body: NewTiling) -> dict[str, dict[str, Any] | None]:
    return {name: getattr(body, name) for name in ("polygons", "lines", "parents", "atoms", "barriers")}


def _check_tiling(body: NewTiling) -> None:
    if body.kind == "blocks" and body.lines is None:
        raise InvalidInput(
            "a tiling of street blocks needs the lines to cut along",
            field="lines",
            cure="give roads, rivers and railways as a FeatureCollection",
        )
    if body.kind == "h3" and body.resolution is None:
        raise InvalidInput(
            "an H3 tiling needs a resolution", field="resolution", cure='give 0 to 15 or "auto"'
        )
    if body.kind == "polygons" and (body.polygons is None or body.id_field is None):
        missing = "polygons" if body.polygons is None else "id_field"
        raise InvalidInput(
            "a polygon tiling needs the polygons and the property that names them",
            field=missing,
            cure="give polygons as a FeatureCollection and id_field",
        )


def _tiling(record: TilingRecord, db: Db, who: Principal) -> TilingOut:
    measures = tilings.measures(db, who, record.id)
    return TilingOut(
        id=record.id,
        territory=record.territory,
        kind=record.kind,
        resolution=record.resolution,
        cells=record.n_cells,
        params=record.params,
        coverage=record.coverage,
        measures={
            name: {
                "spec": m.spec,
                "total": round(float(m.values.sum()), 6),
                "missing_share": m.missing_share,
                "as_of": m.as_of,
            }
            for name, m in measures.items()
        },
        customers=_customers(tilings.customers_as_of(db, who, record)),
        recorded_at=record.recorded_at,
    )


def _customers(found: tilings.CustomersAsOf | None) -> CustomersAsOf | None:
    if found is None:
        return None
    return CustomersAsOf(import_=found.import_id, imported_at=found.imported_at, told_at=found.told_at)


@router.get("/territories/{territory}/tilings")
def list_tilings(territory: Slug, db: Db, who: Caller) -> Page[TilingOut]:
    """Tilings of a territory, newest first."""
    return Page(items=[_tiling(record, db, who) for record in tilings.listing(db, who, territory)])


@router.get("/tilings/{tiling}")
def get_tiling(tiling: str, db: Db, who: Caller) -> TilingOut:
    """A tiling with its proof of coverage."""
    return _tiling(tilings.get(db, who, tiling), db, who)
