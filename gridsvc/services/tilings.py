"""Tilings: cutting a territory into cells."""

from __future__ import annotations

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
from gridsvc.tiling.atoms import with_atoms
from gridsvc.tiling.barriers import Barriers, barriers_of, cut
from gridsvc.tiling.blocks import BlockOptions, blocks, checked_lines
from gridsvc.tiling.coverage import coverage_report
from gridsvc.tiling.faults import Inspection, inspect
from gridsvc.tiling.h3tiles import suggest_resolution, tile_h3
from gridsvc.tiling.load import Rows, rows_of_member
from gridsvc.tiling.mending import Repair, faulty_layer, repaired
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import PolygonLayer, polygon_layer
from gridsvc.tiling.tiling import Tiling

__all__ = [
    "CustomersAsOf",
    "customers_as_of",
    "get",
    "layer_of",
    "listing",
    "make_blocks",
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
    atoms: PolygonLayer | None = None,
    progress: Progress = silent,
) -> tuple[Tiling, dict[str, Any]]:
    """Cut `boundary` into H3 cells; without `resolution` the coarsest that suits `for_grids` is taken.

    Parameters
    ----------
    points : (lon, lat, crs), optional
        Customers, float64 degrees (NaN where unknown) in `crs`; a suggested resolution looks at how dense
        they are.
    atoms : PolygonLayer, optional
        Unsplittable polygons, laid over the cells.

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
    return _finished(tiling, params, atoms, barriers)


def _wgs84(
    points: tuple[NDArray[np.float64], NDArray[np.float64], str] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return (np.zeros(0), np.zeros(0)) if points is None else to_wgs84(*points)


def make_polygons(
    layer: PolygonLayer,
    *,
    barriers: Barriers | None = None,
    atoms: PolygonLayer | None = None,
    progress: Progress = silent,
) -> tuple[Tiling, dict[str, Any]]:
    """Take the polygons of a layer as cells, with unsplittable ones laid over them."""
    tiling = tile_polygons(layer, progress=progress)
    return _finished(tiling, {"kind": "polygons", "source": layer.source}, atoms, barriers)


def make_blocks(
    boundary: shapely.MultiPolygon,
    lines: NDArray[np.object_],
    options: BlockOptions | None = None,
    *,
    parents: PolygonLayer | None = None,
    barriers: Barriers | None = None,
    atoms: PolygonLayer | None = None,
    progress: Progress = silent,
) -> tuple[Tiling, dict[str, Any]]:
    """Cut `boundary` into street blocks along lines; see `gridsvc.tiling.blocks.blocks`."""
    progress(0.0, "cutting along lines")
    layer, report = blocks(boundary, lines, options, parents)
    return _finished(tile_polygons(layer, progress=progress), {"kind": "blocks", **report}, atoms, barriers)


def _finished(
    tiling: Tiling, params: dict[str, Any], atoms: PolygonLayer | None, barriers: Barriers | None
) -> tuple[Tiling, dict[str, Any]]:
    """Atoms first, as barriers are to part them too."""
    if atoms is not None:
        tiling, report = with_atoms(tiling, atoms)
        params = {**params, "atoms": report}
    return (tiling if barriers is None else cut(tiling, barriers)), params


def layer_of(
    rows: Rows, found: Inspection, id_field: str, crs: str | None, repair: Repair | None = None
) -> tuple[PolygonLayer, dict[str, Any]]:
    """The polygons of an inspected layer, repaired only if asked, with the report of what was found and done.

    Raises
    ------
    InvalidInput, InvalidGeometry
        A fault which forbids a tiling; `details` lists such faults.
    """
    report = found.report()
    if repair is not None:
        layer, done = repaired(rows, found, id_field, repair)
        return layer, {**report, "repair": done}
    try:
        layer = polygon_layer(rows, id_field, crs)
    except InvalidInput as error:
        error.details.setdefault("faults", [fault.record() for fault in found.fatal[:20]])
        raise
    if found.fatal:
        raise faulty_layer(found)
    return layer, report


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
    with db.read(who) as reader:
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
    with db.read(who) as reader:
        return reader.tilings.get(tiling)


def measures(db: Database, who: Principal, tiling: str) -> dict[str, MeasureRecord]:
    """The measures on a tiling, by name."""
    who.require("territories:read")
    with db.read(who) as reader:
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
    with db.read(who) as reader:
        live = reader.customers.live_import(tiling.territory, tiling.id)
        if live is None:
            return None
        told = reader.changes.told_at(tiling.territory, live.behind)
    return CustomersAsOf(live.id, live.valid_from, told)


def listing(db: Database, who: Principal, territory: str) -> list[TilingRecord]:
    """Tilings of a territory."""
    who.require("territories:read")
    with db.read(who) as reader:
        reader.territories.get(territory)
        return list(reader.tilings.list(territory))


def run_job(
    db: Database, who: Principal, params: Mapping[str, Any], once: Idempotency, progress: Progress
) -> dict[str, Any]:
    """Do a queued tiling."""
    job = _Job(db, who, params)
    tiling, made = job.tiling(progress)
    record = save(
        db, who, params["territory"], tiling, made, columns=tuple(params["measures"]), idempotency=once
    )
    return {"tiling": record.id}


class _Job:
    """A queued tiling: files as they were kept, and options."""

    def __init__(self, db: Database, who: Principal, params: Mapping[str, Any]) -> None:
        self._db, self._who, self._params = db, who, params
        self._files = {name: Path(path) for name, path in params["files"].items()}

    def tiling(self, progress: Progress) -> tuple[Tiling, dict[str, Any]]:
        """Cut it."""
        params, crs = self._params, self._params["crs"]
        barriers = barriers_of(self._rows("barriers"), crs) if "barriers" in self._files else None
        atoms, of_atoms = self._layer("atoms", params.get("atom_field") or "id")
        extras: dict[str, Any] = {"barriers": barriers, "atoms": atoms, "progress": progress}
        if params["kind"] == "h3":
            resolution, grids = params["resolution"], params["for_grids"]
            made = make_h3(self._boundary(), resolution, for_grids=grids, **extras)
        elif params["kind"] == "blocks":
            lines = checked_lines(self._rows("lines"), crs)
            parents, _ = self._layer("parents", params.get("parent_field") or "code")
            options = BlockOptions(least_m2=params.get("least_m2"))
            made = make_blocks(self._boundary(), lines, options, parents=parents, **extras)
        else:
            layer, found = self._layer("polygons", params["id_field"])
            assert layer is not None  # noqa: S101 - the request was checked
            made = make_polygons(layer, **extras)
            made[1]["layer"] = found
        if of_atoms is not None:
            made[1]["atoms"]["layer"] = of_atoms
        return made

    def _boundary(self) -> shapely.MultiPolygon:
        with self._db.read(self._who) as reader:
            return reader.territories.get(self._params["territory"]).boundary

    def _rows(self, name: str) -> Rows:
        return rows_of_member(self._files[name], name)

    def _layer(self, name: str, id_field: str) -> tuple[PolygonLayer | None, dict[str, Any] | None]:
        if name not in self._files:
            return None, None
        rows, crs = self._rows(name), self._params["crs"]
        policy = self._params.get("repair")
        repair = None if policy is None else Repair(overlaps=policy)
        return layer_of(rows, inspect(rows, id_field, crs), id_field, crs, repair)
