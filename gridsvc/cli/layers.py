"""`gridsvc layers`: what is in a file, before it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gridsvc.cli.common import as_json, emit, in_path
from gridsvc.crs import normalise
from gridsvc.tiling.sources.guard import survey
from gridsvc.tiling.sources.rows import Choice

__all__ = ["layers"]


@click.command()
@click.argument("file", type=in_path)
@click.option("--layer", metavar="NAME", help="Look at this layer only.")
@click.option("--columns", metavar="A,B,...", help="Look at these columns only.")
@click.option("--lon", metavar="COLUMN", help="Of a table: column of the longitude or easting.")
@click.option("--lat", metavar="COLUMN", help="Of a table: column of the latitude or northing.")
@click.option("--wkt", metavar="COLUMN", help="Of a table: column of well-known text.")
@click.option("--crs", help="wgs84, gcj02, bd09 or EPSG:n; else what the file says.")
@click.option(
    "--crs-parameters",
    metavar="DX,DY,...",
    help="Seven parameters of the datum, where nobody has published them.",
)
@as_json
def layers(file: Path, crs: str | None, crs_parameters: str | None, *, json_: bool, **named: Any) -> None:
    """List the layers of a file: columns, kinds of geometry, coordinate system, extent and hints."""
    system = None if crs is None and crs_parameters is None else normalise(crs or "wgs84", crs_parameters)
    columns = named.pop("columns")
    choice = Choice(columns=None if columns is None else tuple(columns.split(",")), **named)
    found = survey(file, choice, system)
    lines = [line for one in found for line in _lines(one)]
    emit({"file": file.name, "layers": found}, lines, json_=json_)


def _lines(told: dict[str, Any]) -> list[str]:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in told["geometry"].items())
    system = told["crs"]
    how = f" ({system['transform']}" if system.get("transform") else ""
    how += (
        f", {system['accuracy_m']:g} m)" if how and system["accuracy_m"] is not None else ")" if how else ""
    )
    source = "declared" if system["declared"] else "from the file" if system["of_file"] else "assumed"
    lines = [
        f"layer {told['layer']}: {told['features']:,} rows ({kinds or 'none'})",
        f"  coordinates {system['name']}, {source}{how}",
    ]
    if told["extent_wgs84"]:
        west, south, east, north = told["extent_wgs84"]
        lines.append(f"  extent {west:.5f} to {east:.5f}, {south:.5f} to {north:.5f} (WGS-84)")
    lines += [
        f"  column {c['name']}: {c['type']}" + (f", {c['missing']:,} missing" if c["missing"] else "")
        for c in told["columns"]
    ]
    return lines + [f"  hint {hint['code']}: {hint['message']}" for hint in told["hints"]]
