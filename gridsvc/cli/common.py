"""Options, progress and output which commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from gridsvc.config import Settings
from gridsvc.errors import InvalidInput
from gridsvc.exchange.files import replace_whole
from gridsvc.principal import LOCAL, Principal
from gridsvc.progress import Progress
from gridsvc.services.imports import ImportOptions
from gridsvc.store.database import Database

__all__ = [
    "WHO",
    "as_json",
    "coverage_lines",
    "customer_options",
    "database_option",
    "emit",
    "import_options",
    "opened",
    "out_path",
    "percent",
    "placement_lines",
    "reported",
    "say",
    "write_csv",
    "write_json",
]

WHO: Principal = LOCAL

F = TypeVar("F", bound=Callable[..., Any])

out_path = click.Path(path_type=Path, dir_okay=False)
in_path = click.Path(path_type=Path)

as_json = click.option("--json", "json_", is_flag=True, help="Print machine-readable output.")

database_option = click.option(
    "--database", metavar="URL", help="Database; else GRIDSVC_DATABASE_URL, else the embedded file in var/."
)


def say(text: str = "") -> None:
    """Print a line for a person."""
    click.echo(text)


def emit(document: Mapping[str, Any], lines: Sequence[str], *, json_: bool) -> None:
    """Print `document` for programs or `lines` for people."""
    if json_:
        click.echo(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY).decode())
    else:
        for line in lines:
            say(line)


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{100 * share:.1f} %"


@contextmanager
def reported(title: str) -> Iterator[Progress]:
    """Show progress on the error stream: a bar on a terminal, nothing where nobody watches."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<38.38}"), BarColumn(30), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=1.0)

        def progress(share: float, message: str) -> None:
            bar.update(task, completed=share, description=f"{title}: {message}")

        yield progress


@contextmanager
def opened(url: str | None, *, upgrade: bool = False) -> Iterator[Database]:
    """The database named on the command line or in the environment, with the right tables."""
    settings = Settings.load()
    chosen = url or settings.url
    if chosen.startswith("sqlite:///"):
        Path(chosen.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    database = Database.open(chosen)
    try:
        if upgrade:
            database.upgrade()
        else:
            database.check()
        yield database
    finally:
        database.close()


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a CSV as a whole."""
    import csv

    def write(draft: Path) -> None:
        with draft.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)

    replace_whole(path, write)


def _write(path: Path, text: bytes) -> None:
    path.write_bytes(text)


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON file as a whole."""
    text = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)
    replace_whole(path, lambda draft: _write(draft, text))


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
    from gridsvc.customers.columns import Columns
    from gridsvc.customers.measures import parse_measure
    from gridsvc.customers.where import parse_where
    from gridsvc.tiling.read import read_polygons

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
