"""How a territory's grids are numbered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from api.deps import Db, Key, Scope
from api.schemas.common import Slug
from api.schemas.levels import CodesOut, CodesWanted
from gridsvc.principal import Principal
from gridsvc.services import codes
from gridsvc.services.codes import Scheme

__all__ = ["router"]

router = APIRouter(prefix="/v1/territories", tags=["grids"])

Planner = Annotated[Principal, Depends(Scope("territories:write"))]
Reader = Annotated[Principal, Depends(Scope("territories:read"))]


def _codes_out(territory: str, found: Scheme) -> CodesOut:
    areas = None if found.areas is None else len(found.areas["features"])
    return CodesOut(territory=territory, scheme=found.scheme, column=found.column, areas=areas)


@router.put("/{territory}/codes")
def put_codes(territory: Slug, body: CodesWanted, db: Db, who: Planner, key: Key) -> CodesOut:
    """Choose how new grids get their codes; grids which have one keep it for life."""
    wanted = Scheme(body.scheme, body.column, body.areas, body.property)
    return _codes_out(territory, codes.put(db, who, territory, wanted, idempotency=key))


@router.get("/{territory}/codes")
def get_codes(territory: Slug, db: Db, who: Reader) -> CodesOut:
    """How new grids get their codes."""
    return _codes_out(territory, codes.get(db, who, territory))
