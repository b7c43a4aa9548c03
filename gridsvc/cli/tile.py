"""`gridsvc tile`: territory -> cells, and customers on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import shapely

from gridsvc.cli.common import as_json, emit, in_path, out_path, percent, reported, write_json
from gridsvc.cli.customers import coverage_lines, customer_options, import_options, placement_lines
from gridsvc.customers.todo import write_todo
from gridsvc.errors import InvalidInput
from gridsvc.exchange.files import FORMATS, replace_whole, write_layer
from gridsvc.exchange.layers import Layer
from gridsvc.progress import Progress
from gridsvc.services import imports, tilings
from gridsvc.services.imports import ImportOptions, TakenIn
from gridsvc.tiling.barriers import read_barriers
from gridsvc.tiling.blocks import BlockOptions, checked_lines
from gridsvc.tiling.cellfile import ATOM
from gridsvc.tiling.check import union
from gridsvc.tiling.coverage import coverage_report
from gridsvc.tiling.faults import Inspection, inspect
from gridsvc.tiling.load import Choice, rows_from_file
from gridsvc.tiling.mending import POLICIES, Policy, Repair
from gridsvc.tiling.read import PolygonLayer, read_boundary
from gridsvc.tiling.sources.rows import EVERYTHING
from gridsvc.tiling.tiling import Tiling

__all__ = ["tile"]


@click.command()
@click.option("--boundary", type=in_path, help="Polygons whose union is the territory.")
@click.option("--h3-res", metavar="R|auto", help="H3 resolution 0 to 15, or auto together with --for-grids.")
@click.option("--for-grids", type=int, metavar="K", help="Number of grids meant, for --h3-res auto.")
@click.option("--polygons", type=in_path, help="Layer whose polygons become the cells.")
@click.option("--id-field", metavar="COLUMN", help="Column that names the polygons.")
@click.option(
    "--layer",
    metavar="NAME",
    help="Layer of polygons, else of blocks, else of boundary; of any other file write FILE::NAME.",
)
@click.option("--columns", metavar="A,B,...", help="Columns of the polygons which cells keep; else all.")
@click.option(
    "--layer-crs", metavar="CRS", help="Coordinate system of boundary and polygons; else what the file says."
)
@click.option(
    "--blocks",
    type=in_path,
    multiple=True,
    help="Roads, rivers, railways: the faces between them become the cells. May be given several times.",
)
@click.option("--parents", type=in_path, help="Areas no street block may cross; blocks get their codes.")
@click.option("--parent-field", default="code", metavar="COLUMN", help="Column that names them. [code]")
@click.option("--least-m2", type=float, help="Merge smaller street blocks; else a quarter of the median one.")
@click.option("--atoms", type=in_path, help="Estates and campuses: cells of their own, never split.")
@click.option("--atom-field", default="id", metavar="COLUMN", help="Column that names them. [id]")
@click.option(
    "--repair",
    type=click.Choice(sorted(POLICIES)),
    help="Repair polygons and atoms; ground of several goes to the one named.",
)
@click.option("--faults", type=out_path, help="Write all faults of the polygons as GeoJSON.")
@click.option("--barriers", type=in_path, help="Lines that part cells; points are crossings.")
@customer_options
@click.option("--todo", type=out_path, help="Write the rows that need a human as CSV.")
@click.option("--report", type=out_path, help="Write coverage, placement and measures as JSON.")
@click.option(
    "-o", "--output", type=out_path, required=True, help="Cells: .parquet, .gpkg, .geojson, .fgb or .csv."
)
@as_json
def tile(output: Path, todo: Path | None, report: Path | None, *, json_: bool, **named: Any) -> None:
    """Cut a territory into H3 cells, polygons or street blocks, and place customers on them."""
    fmt = _format(output)
    options = import_options(named) if named["customers"] is not None else None
    if options is None and named["measure"]:
        raise InvalidInput("measures need customers", field="--measure", cure="give --customers FILE")
    with reported("tile") as progress:
        tiling, boundary, params, taken = _cells(named, options, progress)
        points = () if taken is None else (taken.placement.lon, taken.placement.lat)
        coverage = coverage_report(tiling, boundary, *points)
    document = {"cells": len(tiling), **params, "coverage": coverage}
    if taken is not None:
        document |= {
            "placement": taken.placement.summary(),
            "measures": {
                m.name: {"spec": m.spec, "total": m.total, "missing_share": m.missing_share}
                for m in taken.measures
            },
        }
        if todo is not None:
            placed = taken
            replace_whole(todo, lambda draft: _todo(draft, placed))
    if report is not None:
        write_json(report, document)
    write_layer(output, _layer(tiling, taken), fmt)
    emit(document, _lines(document, tiling, taken), json_=json_)


def _todo(path: Path, taken: TakenIn) -> None:
    write_todo(path, taken.table, taken.placement)


def _format(output: Path) -> str:
    fmt = output.suffix.lower().lstrip(".")
    if fmt not in FORMATS:
        raise InvalidInput(
            f"cannot write {output.suffix or 'a file without suffix'}",
            field="--output",
            cure=f"use {', '.join('.' + name for name in FORMATS)}",
        )
    return fmt


def _cells(
    named: dict[str, Any], options: ImportOptions | None, progress: Progress
) -> tuple[Tiling, shapely.MultiPolygon, dict[str, Any], TakenIn | None]:
    crs, whole = named["layer_crs"], Choice(named["layer"])
    barriers = None if named["barriers"] is None else read_barriers(named["barriers"])
    layers = _Layers(crs, named["repair"], named["faults"])
    atoms = None if named["atoms"] is None else layers.read(named["atoms"], named["atom_field"])
    table = None if options is None else imports.read_file(named["customers"], options)
    if named["polygons"] is not None:
        if named["id_field"] is None:
            raise InvalidInput(
                "which column names the polygons?", field="--id-field", cure="give --id-field COLUMN"
            )
        choice = replace(whole, columns=_kept(named["columns"], named["id_field"]))
        layer = layers.read(named["polygons"], named["id_field"], choice)
        boundary = (
            union(layer.geometry) if named["boundary"] is None else read_boundary(named["boundary"], crs)
        )
        tiling, params = tilings.make_polygons(layer, barriers=barriers, atoms=atoms, progress=progress)
    elif named["blocks"]:
        boundary = _boundary_of_blocks(named["boundary"], crs)
        parents = None if named["parents"] is None else layers.read(named["parents"], named["parent_field"])
        tiling, params = tilings.make_blocks(
            boundary,
            np.concatenate([checked_lines(rows_from_file(path, whole), crs) for path in named["blocks"]]),
            BlockOptions(least_m2=named["least_m2"]),
            parents=parents,
            barriers=barriers,
            atoms=atoms,
            progress=progress,
        )
    elif named["boundary"] is not None:
        boundary = read_boundary(named["boundary"], crs, whole)
        resolution = _resolution(named["h3_res"])
        tiling, params = tilings.make_h3(
            boundary,
            resolution,
            for_grids=named["for_grids"],
            points=None if table is None else (table.lon, table.lat, table.crs),
            barriers=barriers,
            atoms=atoms,
            progress=progress,
        )
    else:
        raise InvalidInput(
            "what is to be cut?", field="--boundary", cure="give --boundary FILE or --polygons FILE"
        )
    taken = None if table is None or options is None else imports.take_in(table, tiling, options, progress)
    return tiling, boundary, {**params, **layers.told()}, taken


def _kept(columns: str | None, id_field: str) -> tuple[str, ...] | None:
    """The columns to read: those named, and that of the ids."""
    return None if columns is None else tuple(dict.fromkeys([id_field, *columns.split(",")]))


class _Layers:
    """Layers of polygons as they are read, with what was found in them."""

    def __init__(self, crs: str | None, policy: Policy | None, faults: Path | None) -> None:
        self._crs, self._faults = crs, faults
        self._repair = None if policy is None else Repair(overlaps=policy)
        self._found: list[Inspection] = []
        self._reports: list[dict[str, Any]] = []

    def read(self, path: Path, id_field: str, choice: Choice = EVERYTHING) -> PolygonLayer:
        """The polygons of a file; faults are written even where they forbid going on."""
        rows = rows_from_file(path, choice)
        found = inspect(rows, id_field, self._crs)
        self._found.append(found)
        if self._faults is not None:
            features = [one for each in self._found for one in each.geojson()["features"]]
            write_json(self._faults, {"type": "FeatureCollection", "features": features})
        layer, report = tilings.layer_of(rows, found, id_field, self._crs, self._repair)
        self._reports.append({"source": found.source, **report})
        return layer

    def told(self) -> dict[str, Any]:
        """What was found and repaired, for the report."""
        return {"layers": self._reports} if self._reports else {}


def _boundary_of_blocks(path: Path | None, crs: str | None) -> shapely.MultiPolygon:
    if path is None:
        raise InvalidInput("what is to be cut?", field="--boundary", cure="give --boundary FILE")
    return read_boundary(path, crs)


def _resolution(text: str | None) -> int | None:
    if text is None:
        raise InvalidInput(
            "which resolution?", field="--h3-res", cure="give 0 to 15, or auto with --for-grids K"
        )
    if text == "auto":
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(
            f"{text!r} is not a resolution", field="--h3-res", cure="give 0 to 15, or auto"
        ) from None


def _layer(tiling: Tiling, taken: TakenIn | None) -> Layer:
    columns: dict[str, Any] = {"cell": tiling.names(), **tiling.columns}
    if tiling.atoms is not None:
        columns[ATOM] = tiling.atoms.astype(np.int32)
    for measure in [] if taken is None else taken.measures:
        columns[measure.name] = measure.values
        columns[f"{measure.name}_largest"] = measure.largest
    return Layer("cells", tiling.geometry, columns)


def _lines(document: dict[str, Any], tiling: Tiling, taken: TakenIn | None) -> list[str]:
    coverage = document["coverage"]
    lines = [
        f"{len(tiling):,} cells"
        + (" from polygons" if tiling.resolution is None else f" of H3 resolution {tiling.resolution}"),
        *_layer_lines(document, tiling),
        *coverage_lines(coverage),
    ]
    for row in document.get("suggestion", ()):
        share = "-" if row["p99_share"] is None else f"{100 * row['p99_share']:.1f} %"
        chosen = " <" if row["resolution"] == tiling.resolution else ""
        lines.append(
            f"  resolution {row['resolution']}: about {row['cells']:,} cells, "
            f"{row['cells_per_grid']:,.0f} a grid, largest cells {share} of a target{chosen}"
        )
    if taken is not None:
        lines += placement_lines(document["placement"])
        lines += [
            f"measure {m.name} ({m.spec}): total {m.total:,.1f}"
            + (f", {percent(m.missing_share)} without a value" if m.missing_share else "")
            for m in taken.measures
        ]
    return lines


def _layer_lines(document: dict[str, Any], tiling: Tiling) -> list[str]:
    lines = []
    if tiling.atoms is not None:
        report = document["atoms"]
        lines.append(
            f"{report['atoms']:,} of them never split; {report['cut']:,} cells cut by them, "
            f"{report['dropped']['count']:,} taken whole"
        )
    for layer in document.get("layers", ()):
        counts = ", ".join(f"{n:,} {kind}" for kind, n in sorted(layer["counts"].items()))
        if counts:
            lines.append(f"{layer['source']}: faults: {counts}")
        if "repair" in layer:
            changed = layer["repair"]["changed"]
            lost, gained = (sum(row[way] for row in changed) for way in ("lost_m2", "gained_m2"))
            lines.append(
                f"{layer['source']}: repaired, {len(changed):,} features lost {lost:,.0f} m2 "
                f"and gained {gained:,.0f} m2"
            )
    return lines
