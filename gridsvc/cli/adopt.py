"""`gridsvc adopt`: grids somebody drew or listed -> cells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import shapely

from gridsvc.cli.common import (
    as_json,
    csv_writer,
    emit,
    in_path,
    json_writer,
    out_path,
    percent,
    reported,
    require_places,
)
from gridsvc.crs import LocalPlane
from gridsvc.customers.columns import Columns
from gridsvc.errors import InvalidInput
from gridsvc.exchange.files import FORMATS, replace_together, write_layer
from gridsvc.exchange.layers import Layer
from gridsvc.plans.adopt import Adopted
from gridsvc.plans.drawn import Fields
from gridsvc.plans.findings import SLIVER, findings, places
from gridsvc.services import imports
from gridsvc.services.adoption import AdoptOptions, Customers, origin_of, take_over
from gridsvc.services.imports import ImportOptions
from gridsvc.tiling.cellfile import read_cells
from gridsvc.tiling.read import read_boundary
from gridsvc.tiling.tiling import Tiling

__all__ = ["adopt"]

_SHOWN = 5


@click.command()
@click.argument("cells", type=in_path)
@click.option(
    "--grids", type=in_path, required=True, help="Polygons, or a CSV or .xlsx cell,grid or customer,grid."
)
@click.option(
    "--grid-field", default="grid", show_default=True, metavar="NAME", help="Tells the grids apart."
)
@click.option("--code-field", metavar="NAME", help="Column of the code; else a usual name.")
@click.option("--name-field", metavar="NAME", help="Column of the name; else a usual name.")
@click.option("--lead-field", metavar="NAME", help="Column of the lead; else a usual name.")
@click.option("--crs", help="wgs84, gcj02, bd09 or EPSG:n of the grids; else what the file says.")
@click.option("--boundary", type=in_path, help="The territory; else the cells' ground.")
@click.option("--adjacency", type=in_path, metavar="EDGES.csv", help="Where the cells have no geometry.")
@click.option("--customers", type=in_path, help="A row each: cells then go by customers.")
@click.option("--customers-crs", metavar="CRS", help="Of the customers; else what the file says.")
@click.option("--id", "id_", metavar="COLUMN", help="Column of the customer id.")
@click.option("--lon", metavar="COLUMN", help="Column of the longitude.")
@click.option("--lat", metavar="COLUMN", help="Column of the latitude.")
@click.option("--code", metavar="COLUMN", help="Column of a customer's cell.")
@click.option("--place-key", metavar="COLUMN", help="Keeps a premise together.")
@click.option(
    "--fill/--no-fill",
    default=True,
    show_default=True,
    help="Give cells no grid touches to the neighbour with the longest border.",
)
@click.option("--sliver", default=SLIVER, show_default=True, metavar="M2", help="Only count smaller defects.")
@click.option("--defects", type=out_path, help="Write gaps, overlaps and parts which lie apart as a layer.")
@click.option("--report", type=out_path, help="Write the report as JSON.")
@click.option("-o", "--output", type=out_path, required=True, help="cell,grid as CSV.")
@as_json
def adopt(
    cells: Path,
    grids: Path,
    defects: Path | None,
    report: Path | None,
    output: Path,
    *,
    json_: bool,
    **named: Any,
) -> None:
    """Take existing grids over: what is wrong with them, and each cell to the grid with most of it."""
    require_places(output=output, report=report, defects=defects)
    suffix = _suffix(defects)
    fields = Fields(named["grid_field"], named["code_field"], named["name_field"], named["lead_field"])
    options = AdoptOptions(fields, named["crs"], named["fill"], named["sliver"])
    with reported("adopt") as progress:
        tiling = read_cells(cells, named["adjacency"])
        boundary = None if named["boundary"] is None else read_boundary(named["boundary"], None)
        source, adopted = take_over(
            grids, tiling, options, boundary=boundary, customers=_customers(tiling, named), progress=progress
        )
    found = {
        "origin": origin_of(grids, source, datetime.now(UTC)),
        **findings(adopted, tiling, sliver=options.sliver),
    }
    replace_together(_files(tiling, adopted, found, output, report))
    if defects is not None:
        write_layer(defects, _defects(adopted, tiling), suffix)
    emit(found, _lines(found), json_=json_)


def _suffix(defects: Path | None) -> str:
    suffix = "geojson" if defects is None else defects.suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise InvalidInput(
            f"{suffix or 'no suffix'} is no format of layers",
            field="--defects",
            cure=f"end it with .{', .'.join(FORMATS)}",
        )
    return suffix


def _customers(tiling: Tiling, named: dict[str, Any]) -> Customers | None:
    if named["customers"] is None:
        return None
    columns = Columns(named["id_"], named["lon"], named["lat"], named["code"], named["place_key"])
    options = ImportOptions((), columns, named["customers_crs"], min_placed=0.0)
    taken = imports.take_in(imports.read_file(named["customers"], options), tiling, options)
    placed = taken.placement.cell >= 0
    place = taken.placement
    return Customers(
        taken.table.ids[placed], place.cell[placed].astype(np.int64), place.lon[placed], place.lat[placed]
    )


def _files(
    tiling: Tiling, adopted: Adopted, found: dict[str, Any], output: Path, report: Path | None
) -> dict[Path, Callable[[Path], None]]:
    codes, labels = [grid.code for grid in adopted.plan.grids], adopted.plan.labels.tolist()
    rows = [(name, codes[label]) for name, label in zip(tiling.names(), labels, strict=True) if label >= 0]
    files = {output: csv_writer(("cell", "grid"), rows)}
    return files if report is None else {**files, report: json_writer(found)}


def _defects(adopted: Adopted, tiling: Tiling) -> Layer:
    """All defects, small ones too, as areas; those of lists are their cells."""
    survey, plane = adopted.survey, LocalPlane(*tiling.origin)
    shapes, entries = [], []
    for kind, spots in (("gap", survey.gaps), ("overlap", survey.overlaps), ("apart", survey.apart)):
        entries += places(adopted, tiling, kind, spots)
        shapes += [
            shapely.union_all(tiling.geometry[spot.cells])
            if spot.outline is None
            else shapely.transform(spot.outline, plane.unproject, interleaved=False)
            for spot in spots
        ]
    columns: dict[str, Any] = {
        name: [entry[name] for entry in entries] for name in ("id", "km2", "customers")
    }
    columns["grids"] = [", ".join(entry["grids"]) for entry in entries]
    geometry = np.empty(len(shapes), object)
    geometry[:] = shapes
    return Layer("defects", geometry, columns)


def _lines(found: dict[str, Any]) -> list[str]:
    """An adoption as people read it: defects first."""
    origin, by = found["origin"], found["by"]
    lines = [f"{len(found['grids'])} grids from {origin['file']} ({origin['rows']:,} rows, {origin['kind']})"]
    middles = " (in cells with their middle there)" if found["customers_at"] == "middles of cells" else ""
    for kind, plural in (("gap", "gaps"), ("overlap", "overlaps")):
        customers = found[f"{kind}_customers"]
        people = "" if customers is None else f" with {customers:,} customers{middles}"
        lines.append(f"  {plural}: {found[f'{kind}_km2']:,.3f} km2{people}, {_count(found, kind, plural)}")
        lines += _spots(found[plural])
    if found["apart"] or found["slivers"]["apart"]["count"]:
        lines += [
            f"  parts which lie apart from their grid: {_count(found, 'apart', 'apart')}",
            *_spots(found["apart"]),
        ]
    lines.append(
        f"  cells: {by['customers']:,} by customers, {by['area']:,} by area, {by['neighbour']:,} touched by "
        f"no grid given to a neighbour, {by['nobody']:,} left without a grid"
    )
    lines.append(
        f"  {found['minority_cells']:,} cells give their grid less than {percent(found['majority'])}"
    )
    lines += [
        f"    {e['cell']} to {e['grid']}: {percent(e['share'])} of its {e['share_of']}{_customers_of(e)}"
        for e in found["minority"][:_SHOWN]
    ]
    if found["without_cells"]:
        lines.append(f"  won no cell: {', '.join(found['without_cells'])}")
    if found["unknown_customers"]["count"]:
        lines.append(
            f"  {found['unknown_customers']['count']:,} rows name customers nobody knows "
            f"(first: row {found['unknown_customers']['rows'][0]})"
        )
    return lines


def _count(found: dict[str, Any], kind: str, plural: str) -> str:
    small = found["slivers"][kind]
    rest = f", and {small['count']:,} below {found['slivers']['below_m2']:,.10g} m2" if small["count"] else ""
    return f"{len(found[plural]):,} listed{rest}"


def _spots(spots: list[dict[str, Any]]) -> list[str]:
    lines = []
    for spot in spots[:_SHOWN]:
        where = f"{' '.join(spot['grids'])}, at {spot['lon']:.5f},{spot['lat']:.5f}"
        lines.append(f"    {spot['id']}: {spot['km2']:,.3f} km2{_customers_of(spot)}, {where}")
    return lines + ([f"    and {len(spots) - _SHOWN:,} more in the report"] if len(spots) > _SHOWN else [])


def _customers_of(entry: dict[str, Any]) -> str:
    return "" if entry["customers"] is None else f", {entry['customers']:,} customers"
