"""Tilings: cutting a territory into cells."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import to_wgs84
from gridsvc.errors import InvalidInput
from gridsvc.principal import Principal
from gridsvc.progress import Progress, silent
from gridsvc.store.database import Database
from gridsvc.store.records import Idempotency, MeasureRecord, TilingRecord
from gridsvc.tiling.barriers import Barriers, barriers_from_geojson, cut
from gridsvc.tiling.coverage import coverage_report
from gridsvc.tiling.h3tiles import suggest_resolution, tile_h3
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer, polygons_from_geojson
from gridsvc.tiling.tiling import Tiling

__all__ = [
    "CustomersAsOf",
    "customers_as_of",
    "get",
    "listing",
    "make_h3",
    "make_polygons",
    "measures",
    "run_job",
    "save",
]


def make_h3(
    boundary: shapely.MultiPolygon,
    resolution: int | None,
    *,
    for_grids: int | None = None,
    points: tuple[NDArray[np.float64], NDArray[np.float64], str] | None = None,
    barriers: Barriers | None = None,
    progress: Progress = silent,
) -> tuple[Tiling, dict[str, Any]]:
    """Cut `boundary` into H3 cells; without `resolution` the coarsest that suits `for_grids` is taken.

    Parameters
    ----------
    points : (lon, lat, crs), optional
        Customers, float64 degrees (NaN where unknown) in `crs`; a suggested resolution looks at how dense
        they are.

    Returns
    -------
    (tiling, params) : Tiling and dict
        `params` holds how it was made, with the table behind a suggested resolution.
    """
    params: dict[str, Any] = {"kind": "h3", "resolution": resolution}
    if resolution is None:
        if for_grids is None:
            raise InvalidInput(
                "a resolution can be suggested only for a number of grids",
                field="for-grids",
                cure="give --for-grids K, or a resolution",
            )
        suggestion = suggest_resolution(boundary, for_grids, *_wgs84(points), None)
        resolution = suggestion.resolution
        params |= {"resolution": resolution, "for_grids": for_grids, "suggestion": suggestion.table}
    tiling = tile_h3(boundary, resolution, progress=progress)
    return _with_barriers(tiling, barriers), params


def _wgs84(
    points: tuple[NDArray[np.float64], NDArray[np.float64], str] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return (np.zeros(0), np.zeros(0)) if points is None else to_wgs84(*points)


def make_polygons(
    layer: PolygonLayer, *, barriers: Barriers | None = None, progress: Progress = silent
) -> tuple[Tiling, dict[str, Any]]:
    """Take the polygons of a layer as cells."""
    tiling = tile_polygons(layer, progress=progress)
    return _with_barriers(tiling, barriers), {"kind": "polygons", "source": layer.source}


def _with_barriers(tiling: Tiling, barriers: Barriers | None) -> Tiling:
    return tiling if barriers is None else cut(tiling, barriers)


def save(
    db: Database,
    who: Principal,
    territory: str,
    tiling: Tiling,
    params: Mapping[str, Any],
    *,
    columns: tuple[str, ...] = (),
    idempotency: Idempotency | None = None,
) -> TilingRecord:
    """Store a tiling with its proof of coverage, and columns of its source layer as measures.

    Raises
    ------
    InvalidInput
        A column is not there or does not hold finite, non-negative numbers.
    """
    who.require("territories:write")
    with db.read() as reader:
        boundary = reader.territories.get(territory).boundary
    found = [_column_measure(tiling, name) for name in columns]
    coverage = coverage_report(tiling, boundary)
    with db.write(who, "tiling.create", idempotency=idempotency) as uow:
        tiling_id = uow.tilings.add(territory, tiling, params=dict(params), coverage=coverage)
        uow.tilings.put_measures(tiling_id, None, found)
        uow.audit(f"tiling/{tiling_id}", None, {"territory": territory, "cells": len(tiling)})
        uow.emit("tiling.created", {"territory": territory, "tiling": tiling_id})
        uow.respond(201, {"tiling": tiling_id})
    return get(db, who, tiling_id)


def _column_measure(tiling: Tiling, name: str) -> MeasureRecord:
    numbers = {n: c for n, c in tiling.columns.items() if np.issubdtype(c.dtype, np.number)}
    if name not in numbers:
        raise InvalidInput(
            f"no number column {name!r} in the layer",
            field="measures",
            cure=f"there are {', '.join(numbers) or 'none'}",
        )
    values = np.asarray(numbers[name], np.float64)
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0))
    if len(bad):
        raise InvalidInput(
            "a measure must be a finite number of 0 or more",
            field=name,
            row=int(bad[0]) + 1,
            cure="correct the layer's value",
            cell=tiling.names()[bad[0]],
        )
    return MeasureRecord(
        name=name,
        spec=f"column:{name}",
        unit="",
        values=values,
        largest=None,
        missing_share=0.0,
        as_of=datetime.now(UTC),
    )


def get(db: Database, who: Principal, tiling: str) -> TilingRecord:
    """A tiling's description, without its cells."""
    who.require("territories:read")
    with db.read() as reader:
        return reader.tilings.get(tiling)


def measures(db: Database, who: Principal, tiling: str) -> dict[str, MeasureRecord]:
    """The measures on a tiling, by name."""
    who.require("territories:read")
    with db.read() as reader:
        return reader.tilings.measures(tiling)


@dataclass(frozen=True, slots=True)
class CustomersAsOf:
    """Of what time the customers of a tiling are: the live import, and the last message since it."""

    import_id: str
    imported_at: datetime | None
    told_at: datetime | None


def customers_as_of(db: Database, who: Principal, tiling: TilingRecord) -> CustomersAsOf | None:
    """Of what time the customers of a tiling are; None where none were imported on it."""
    who.require("territories:read")
    with db.read() as reader:
        live = reader.customers.live_import(tiling.territory, tiling.id)
        if live is None:
            return None
        told = reader.changes.told_at(tiling.territory, live.behind)
    return CustomersAsOf(live.id, live.valid_from, told)


def listing(db: Database, who: Principal, territory: str) -> list[TilingRecord]:
    """Tilings of a territory."""
    who.require("territories:read")
    with db.read() as reader:
        reader.territories.get(territory)
        return list(reader.tilings.list(territory))


def run_job(
    db: Database, who: Principal, params: Mapping[str, Any], once: Idempotency, progress: Progress
) -> dict[str, Any]:
    """Do a queued tiling."""
    territory, crs = params["territory"], params["crs"]
    files = {name: json.loads(Path(path).read_bytes()) for name, path in params["files"].items()}
    barriers = barriers_from_geojson(files["barriers"], crs) if "barriers" in files else None
    if params["kind"] == "h3":
        with db.read() as reader:
            boundary = reader.territories.get(territory).boundary
        tiling, made = make_h3(
            boundary,
            params["resolution"],
            for_grids=params["for_grids"],
            barriers=barriers,
            progress=progress,
        )
    else:
        layer = polygons_from_geojson(files["polygons"], params["id_field"], crs)
        tiling, made = make_polygons(layer, barriers=barriers, progress=progress)
    record = save(db, who, territory, tiling, made, columns=tuple(params["measures"]), idempotency=once)
    return {"tiling": record.id}
