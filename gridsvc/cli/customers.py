"""Options for a customers' file, and its placement in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from gridsvc.cli.common import in_path, percent
from gridsvc.customers.columns import Columns
from gridsvc.customers.measures import parse_measure
from gridsvc.customers.where import parse_where
from gridsvc.errors import InvalidInput
from gridsvc.services.imports import ImportOptions
from gridsvc.tiling.read import read_polygons

__all__ = ["coverage_lines", "customer_options", "import_options", "placement_lines"]

F = TypeVar("F", bound=Callable[..., Any])

_CUSTOMER_OPTIONS = (
    click.option("--customers", type=in_path, help="CSV, GeoJSON, Parquet, GeoPackage: a row each."),
    click.option("--crs", help="wgs84, gcj02, bd09 or EPSG:n of the customers; else what the file says."),
    click.option("--id", "id_", metavar="COLUMN", help="Column of the customer id."),
    click.option("--lon", metavar="COLUMN", help="Column of the longitude."),
    click.option("--lat", metavar="COLUMN", help="Column of the latitude."),
    click.option("--code", metavar="COLUMN", help="Column of a cell or area code."),
    click.option("--areas", type=in_path, help="Polygons which the area codes name."),
    click.option("--area-id", metavar="COLUMN", default="code", show_default=True, help="Its code column."),
    click.option("--place-key", metavar="COLUMN", help="Keeps a premise together."),
    click.option("--measure", multiple=True, metavar="NAME=OP[:COLUMN]", help="OP: count, sum, ..."),
    click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Rows to take: = != < <= > >=."),
    click.option(
        "--missing", type=click.Choice(["refuse", "zero", "drop"]), default="refuse", show_default=True,
        help="What a row without a value means; refuse allows 2 % of them.",
    ),
    click.option("--min-placed", default="95%", show_default=True, help="Refuse a file below this rate."),
    click.option("--strict", is_flag=True, help="Refuse the file when any row is left out."),
)  # fmt: skip


def customer_options(command: F) -> F:
    """Give a command the options of a customers' file."""
    for option in reversed(_CUSTOMER_OPTIONS):
        command = option(command)
    return command


def _share(text: str) -> float:
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise InvalidInput(f"{text!r} is not a share", field="--min-placed", cure="write 95% or 0.95")
    return value


def import_options(named: Mapping[str, Any]) -> ImportOptions:
    """What the options of `customer_options` mean."""
    areas = named["areas"]
    return ImportOptions(
        measures=tuple(parse_measure(text) for text in named["measure"] or ("customers=count",)),
        columns=Columns(named["id_"], named["lon"], named["lat"], named["code"], named["place_key"]),
        crs=named["crs"],
        where=tuple(parse_where(text) for text in named["where"]),
        missing=named["missing"],
        min_placed=_share(named["min_placed"]),
        strict=named["strict"],
        areas=None if areas is None else read_polygons(areas, named["area_id"], None),
    )


def coverage_lines(coverage: Mapping[str, Any]) -> list[str]:
    """A proof of coverage as people read it."""
    gap, overlap, orphans = coverage["gap"], coverage["overlap"], coverage["orphans"]
    customers = "" if gap["customers"] is None else f" with {gap['customers']:,} customers"
    shared = "" if overlap["customers"] is None else f" with {overlap['customers']:,} customers"
    return [
        f"territory {coverage['territory_km2']:,.1f} km2: gaps {gap['km2']:,.3f} km2{customers}, "
        f"overlaps {overlap['km2']:,.3f} km2{shared}, {orphans['cells']:,} cells without neighbour"
    ]


def placement_lines(summary: Mapping[str, Any]) -> list[str]:
    """A placement as people read it: the rate first, then what was left out and why."""
    lines = [
        f"placement rate {percent(summary['placement_rate'])}: "
        f"{summary['placed']:,} of {summary['read']:,} rows placed, {summary['left_out']:,} left out"
    ]
    for slug, verdict in summary["verdicts"].items():
        if slug != "placed":
            lines.append(
                f"  {verdict['rows']:>7,}  {slug}: {verdict['reason']} (first: row {verdict['first_row']})"
            )
    return lines + [f"  hint: {hint['message']}" for hint in summary["hints"]]
