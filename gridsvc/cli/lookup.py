"""`gridsvc lookup`: who owns a place, a cell, a customer."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click
import orjson
from click.core import ParameterSource

from gridsvc import ownership as library
from gridsvc.cli.common import WHO, as_json, database_option, in_path, kept, opened, say
from gridsvc.customers.columns import Columns
from gridsvc.customers.read import read_customers
from gridsvc.errors import InvalidInput
from gridsvc.ownership.answer import Answer
from gridsvc.ownership.snapshot import Snapshot
from gridsvc.services import ownership
from gridsvc.services.desk import Asked, Desk, zone
from gridsvc.services.desk import snapshot as state_asked
from gridsvc.store.database import Database

__all__ = ["lookup"]

_LINES = 10_000
"""Lines of JSON which are written at once."""


# Without this a western longitude would be read as an option.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("lat", required=False)
@click.argument("lon", required=False)
@click.option("--cell", metavar="ID")
@click.option("--customer", metavar="ID")
@click.option(
    "--batch", type=in_path, metavar="FILE", help="CSV, GeoJSON or Parquet of points; prints a CSV row each."
)
@click.option("--crs", default="wgs84", show_default=True, help="wgs84, gcj02, bd09 or EPSG:n of the points.")
@click.option("--territory", metavar="ID", help="Needed where several are published.")
@click.option("--line", default="base", show_default=True, help="Line of business.")
@click.option(
    "--as-of", metavar="DATE", help="The time asked about, such as 2026-12-01 or 2026-12-01T08:00:00+08:00."
)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option(
    "--snapshot", type=in_path, metavar="FILE", help="Answer from a publication's snapshot, not a database."
)
@database_option
@as_json
@click.pass_context
def lookup(
    context: click.Context,
    lat: str | None,
    lon: str | None,
    cell: str | None,
    customer: str | None,
    batch: Path | None,
    crs: str,
    territory: str | None,
    line: str,
    as_of: str | None,
    lang: Any,
    snapshot: Path | None,
    database: str | None,
    *,
    json_: bool,
) -> None:
    """Say who owns a point (LAT LON), a cell, a customer, or many points, and why."""
    if sum([lat is not None, cell is not None, customer is not None, batch is not None]) != 1:
        raise InvalidInput("ask one question", cure="give LAT LON, or --cell, or --customer, or --batch")
    if snapshot is not None:
        _refuse_beside_snapshot(context)
        found, asked = library.open(snapshot).snapshot, Asked(lang=lang)
    else:
        with opened(database) as db:
            asked = Asked(territory, line, _time(db, territory, as_of), None, lang)
            desk = Desk(db, keeper=kept(database))
            if customer is not None:
                _show(ownership.customer(desk, WHO, customer, asked=asked), json_=json_)
                return
            found = state_asked(desk, WHO, asked)
    if batch is not None:
        _batch(found, batch, crs, json_=json_)
    elif cell is not None:
        _show(ownership.cell_in(found, cell, asked=asked), json_=json_)
    else:
        at = _degrees(lon, "LON"), _degrees(lat, "LAT")
        _show(ownership.point_in(found, *at, crs=crs, asked=asked), json_=json_)


_NOT_IN_A_FILE = {
    "customer": "it has no customers; ask a database",
    "territory": "it is of one territory; leave it out",
    "line": "it is of one line; leave it out",
    "as_of": "it is one publication; fetch the one in force then",
    "database": "one of them is enough",
}


def _refuse_beside_snapshot(context: click.Context) -> None:
    for name, reason in _NOT_IN_A_FILE.items():
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            why, _, cure = reason.partition("; ")
            raise InvalidInput(
                f"does not go with --snapshot: {why}",
                field=f"--{name.replace('_', '-')}",
                cure=cure or "leave it out",
            )


def _degrees(text: str | None, name: str) -> float:
    if text is None:
        raise InvalidInput(f"{name} is missing", cure="give LAT LON in degrees")
    try:
        return float(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a number", field=name, cure="give LAT LON in degrees") from None


def _time(db: Database, territory: str | None, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a date", field="--as-of", cure="write 2026-12-01") from None
    return time if time.tzinfo else time.replace(tzinfo=zone(db, WHO, territory))


def _show(answer: Answer, *, json_: bool) -> None:
    if json_:
        say(orjson.dumps(answer.as_dict()).decode())
        return
    say(answer.why)
    if answer.team is not None:
        say(f"team: {answer.team['name']} ({answer.team['id']})")
    if answer.lead is not None:
        say(
            f"lead: {answer.lead['name']} ({answer.lead['id']})"
            + (", acting" if answer.lead["acting"] else "")
        )


def _batch(state: Snapshot, path: Path, crs: str, *, json_: bool) -> None:
    table = read_customers(path, Columns(), crs=crs)
    found = state.batch(table.lon, table.lat, crs=table.crs)
    names = ("id", "status", "cell", "grid", "team", "rule")
    columns = (table.ids, found.status, found.cell, found.grid, found.team, found.rule)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    if json_:
        lines = (orjson.dumps(dict(zip(names, row, strict=True))) for row in rows)
        _write_lines(lines)
        return
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)


def _write_lines(lines: Iterator[bytes]) -> None:
    """Many at once: a million calls of `say` take seconds."""
    while some := list(islice(lines, _LINES)):
        say(b"\n".join(some).decode())
