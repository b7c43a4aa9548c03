"""The scheme by which a territory's new grids get their codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.plans.numbering import Numbering, Standard15, area_codes
from gridsvc.principal import Principal
from gridsvc.services.compare import customers_in
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import Idempotency
from gridsvc.tiling.check import checked_polygons
from gridsvc.tiling.load import rows_from_geojson
from gridsvc.tiling.tiling import Tiling

__all__ = ["KIND", "PLAIN", "Scheme", "get", "numbering_of", "put", "taken_codes"]

KIND = "codes"


@dataclass(frozen=True, slots=True)
class Scheme:
    """How new grids are numbered.

    Attributes
    ----------
    scheme : {"plain", "standard15"}
    column : str or None
        Column of the tilings which holds the area codes: 6, 9 or 12 digits a cell.
    areas : mapping or None
        GeoJSON FeatureCollection of areas instead, for tilings without such a column.
    property : str
        Property of `areas` which holds their code.
    """

    scheme: Literal["plain", "standard15"] = "plain"
    column: str | None = None
    areas: Mapping[str, Any] | None = None
    property: str = "code"


PLAIN = Scheme()


def get(db: Database, who: Principal, territory: str) -> Scheme:
    """The scheme of a territory."""
    who.require("territories:read")
    with db.read(who) as reader:
        reader.territories.get(territory)
        return _scheme(reader, territory)


def _scheme(reader: Reader, territory: str) -> Scheme:
    found = reader.rules.newest(territory, KIND)
    return PLAIN if found is None else Scheme(**found[1])


def put(
    db: Database, who: Principal, territory: str, scheme: Scheme, *, idempotency: Idempotency | None = None
) -> Scheme:
    """Choose the scheme of a territory. Grids which have a code keep it.

    Raises
    ------
    InvalidInput
        The scheme lacks its area codes, or they are no area codes; no tiling has the column.
    """
    who.require("territories:write")
    with db.read(who) as reader:
        reader.territories.get(territory)
        if idempotency is not None and reader.replay(who.actor, idempotency) is not None:
            return _scheme(reader, territory)
        _check(reader, territory, scheme)
        before = _scheme(reader, territory)
    body = {name: getattr(scheme, name) for name in ("scheme", "column", "areas", "property")}
    with db.write(who, "territory.codes", idempotency=idempotency) as uow:
        uow.rules.put(territory, KIND, body)
        uow.audit(f"territory/{territory}", _told(before), _told(scheme))
        uow.emit("territory.codes", {"territory": territory, "scheme": scheme.scheme})
        uow.respond(200, {"territory": territory})
    return scheme


def _told(scheme: Scheme) -> dict[str, Any]:
    source = "areas" if scheme.areas is not None else scheme.column
    return {"scheme": scheme.scheme, "source": source}


def _check(reader: Reader, territory: str, scheme: Scheme) -> None:
    given = [name for name in ("column", "areas") if getattr(scheme, name) is not None]
    if scheme.scheme == "plain":
        if given:
            raise InvalidInput(
                "plain numbers have no area codes", field=given[0], cure="leave it out, or choose standard15"
            )
        return
    if len(given) != 1:
        raise InvalidInput(
            "the scheme standard15 needs area codes, from one source",
            field="column",
            cure="give column, which names a column of the tiling with them, or areas, a layer of polygons",
        )
    if scheme.areas is not None:
        _layer(scheme)
        return
    tilings = [reader.tilings.plain(record.id) for record in reader.tilings.list(territory)]
    having = [tiling for tiling in tilings if scheme.column in tiling.columns]
    if not having:
        there = sorted({column for tiling in tilings for column in tiling.columns})
        raise InvalidInput(
            f"no tiling of the territory has a column {scheme.column!r}",
            field="column",
            cure=f"there are {', '.join(there)}" if there else "give areas, a layer of polygons with codes",
        )
    for tiling in having:
        _of_column(scheme, tiling)


def _of_column(scheme: Scheme, tiling: Tiling) -> list[str]:
    column = scheme.column or ""
    if column not in tiling.columns:
        raise InvalidInput(
            f"the tiling has no column {column!r}, from which grids get their codes",
            field="column",
            cure="choose another scheme with PUT /v1/territories/{id}/codes, or give areas instead",
        )
    return area_codes(tiling.columns[column].tolist(), tiling.names(), column)


def _layer(scheme: Scheme) -> tuple[NDArray[np.object_], list[str]]:
    """Outlines and codes of the areas.

    Raises
    ------
    InvalidInput
        It is no layer of polygons with codes.
    """
    rows = rows_from_geojson(scheme.areas, "areas")
    if not len(rows.geometry):
        raise InvalidInput(
            "there are no areas", field="areas", cure="give a FeatureCollection of polygons with codes"
        )
    outlines = checked_polygons(rows.geometry, "wgs84", "areas")
    names = [f"area {row}" for row in range(1, len(outlines) + 1)]
    values = rows.columns.get(scheme.property, [None] * len(outlines))
    try:
        return outlines, area_codes(values, names, scheme.property)
    except InvalidInput as error:
        said = error.message.removeprefix("cell ")
        raise InvalidInput(said, source="areas", field=scheme.property, cure=error.cure) from None


# --- numbering


def taken_codes(reader: Reader, territory: str, line: str) -> set[str]:
    """Codes which publications of a line have given to grids, whether they live or have ended."""
    return reader.lineage.codes((territory, line))


def numbering_of(reader: Reader, territory: str, line: str, tiling_id: str) -> Numbering | None:
    """What gives new grids their codes; None for plain numbers.

    Raises
    ------
    InvalidInput
        The tiling lacks the area codes of the territory's scheme.
    """
    scheme = _scheme(reader, territory)
    if scheme.scheme == "plain":
        return None
    if scheme.areas is None:
        tiling = reader.tilings.plain(tiling_id)
        areas = _of_column(scheme, tiling)
    else:
        tiling = reader.tilings.load(tiling_id)
        areas = _under(scheme, tiling)
    live = reader.customers.live_import(territory, tiling_id)
    heads = np.zeros(len(tiling)) if live is None else customers_in(reader, live, len(tiling))
    return Standard15(areas, heads, tiling.x, tiling.y, taken_codes(reader, territory, line))


def _under(scheme: Scheme, tiling: Tiling) -> list[str]:
    """Code of the area which holds a point of each cell, or is nearest to it."""
    outlines, codes = _layer(scheme)
    points = shapely.point_on_surface(tiling.geometry)
    nearest = shapely.STRtree(outlines).nearest(points)
    return [codes[area] for area in nearest.tolist()]
