"""How a territory is divided level by level, and how its grids are numbered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import Caller, Db, Key, PageLimit
from api.geojson_bodies import GeoJsonRoute
from api.schemas.common import Page, Slug
from api.schemas.levels import CodesOut, CodesWanted, LevelOut, LevelsOut, LevelsWanted, UnitOut
from gridsvc.errors import InvalidInput
from gridsvc.plans.levels import Level
from gridsvc.principal import Principal
from gridsvc.services import codes, levels, tree
from gridsvc.services.codes import Scheme
from gridsvc.store.database import Database

__all__ = ["router"]

router = APIRouter(prefix="/v1/territories", tags=["grids"], route_class=GeoJsonRoute)

Line = Annotated[Slug, Query(description="Line of business.")]


def _as_of(
    as_of: Annotated[datetime | None, Query(description="With an offset; now if not given.")] = None,
) -> datetime | None:
    if as_of is not None and as_of.tzinfo is None:
        raise InvalidInput("a time without offset", field="as_of", cure="write 2026-12-01T00:00:00+08:00")
    return as_of


AsOf = Annotated[datetime | None, Depends(_as_of)]


def _codes_out(territory: str, found: Scheme) -> CodesOut:
    areas = None if found.areas is None else len(found.areas.get("features", [found.areas]))
    return CodesOut(territory=territory, scheme=found.scheme, column=found.column, areas=areas)


@router.put("/{territory}/codes")
def put_codes(territory: Slug, body: CodesWanted, db: Db, who: Caller, key: Key) -> CodesOut:
    """Choose how new grids get their codes; grids which have one keep it for life."""
    wanted = Scheme(body.scheme, body.column, body.areas, body.property)
    return _codes_out(territory, codes.put(db, who, territory, wanted, idempotency=key))


@router.get("/{territory}/codes")
def get_codes(territory: Slug, db: Db, who: Caller) -> CodesOut:
    """How new grids get their codes."""
    return _codes_out(territory, codes.get(db, who, territory))


@router.put("/{territory}/levels")
def put_levels(territory: Slug, body: LevelsWanted, db: Db, who: Caller, key: Key) -> LevelsOut:
    """Say which levels the territory has; each names the one above it."""
    wanted = [Level(level.id, level.names.model_dump(), level.parent) for level in body.levels]
    levels.put(db, who, territory, wanted, idempotency=key)
    return _levels_out(db, who, territory)


@router.get("/{territory}/levels")
def get_levels(territory: Slug, db: Db, who: Caller, line: Line = "base", as_of: AsOf = None) -> LevelsOut:
    """The levels from the top down, with what is in force of each and its sums."""
    return _levels_out(db, who, territory, line, as_of)


def _levels_out(
    db: Database, who: Principal, territory: str, line: str = "base", as_of: datetime | None = None
) -> LevelsOut:
    found = tree.tree(db, who, territory, line, as_of)
    return LevelsOut(
        territory=territory,
        levels=[
            LevelOut(
                id=state.level.id,
                names=dict(state.level.names),
                parent=state.level.parent,
                line=state.series,
                publication=None if state.record is None else state.record.n,
                valid_from=None if state.record is None else state.record.effective_at,
                grids=grids,
                totals=totals,
            )
            for state, totals, grids in found
        ],
    )


@router.get("/{territory}/levels/{level}")
def get_level(
    territory: Slug,
    level: Slug,
    db: Db,
    who: Caller,
    line: Line = "base",
    as_of: AsOf = None,
    after: Annotated[str | None, Query(description="Go on behind this code.")] = None,
    limit: PageLimit = 100,
) -> Page[UnitOut]:
    """The grids of a level by code, each with its parent and its sums."""
    found = tree.units(db, who, territory, level, line, as_of, after, limit)
    items = [
        UnitOut(code=u.code, name=u.name, parent=u.parent, team=u.team, cells=u.cells, totals=u.totals)
        for u in found
    ]
    return Page(items=items, next=found[-1].code if len(found) == limit else None)
