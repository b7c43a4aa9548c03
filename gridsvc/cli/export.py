"""`gridsvc export`: layers as files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import click

from gridsvc.cli.common import WHO, database_option, only_territory, opened, out_path
from gridsvc.errors import NotFound
from gridsvc.exchange.clip import Clip
from gridsvc.exchange.files import SUFFIXES
from gridsvc.exchange.layers import ExportLayer
from gridsvc.services import exports, publications
from gridsvc.store.database import Database

__all__ = ["export"]


@click.command()
@click.option("--format", "fmt", type=click.Choice(list(SUFFIXES)), default="geojson", show_default=True)
@click.option("--layer", type=click.Choice(get_args(ExportLayer)), default="grids", show_default=True)
@click.option("--territory", metavar="ID", help="Needed where several are published.")
@click.option("--publication", type=int, metavar="N", help="Else the newest.")
@click.option("--plan", metavar="ID", help="A plan, published or not, in place of a publication.")
@click.option("--crs", default="wgs84", show_default=True, help="EPSG:n, gcj02 or bd09 of the file.")
@click.option(
    "--clip",
    type=click.Choice(get_args(Clip)),
    default="cells",
    show_default=True,
    help="Cells as they are, or cut off at the border of the territory.",
)
@click.option("--bom", is_flag=True, help="Begin a CSV with the mark by which Excel knows UTF-8.")
@click.option("-o", "--output", type=out_path, required=True)
@database_option
def export(output: Path, database: str | None, **named: Any) -> None:
    """Write a layer of a publication or a plan as a file for other programs."""
    wanted = exports.Wanted(named["layer"], named["fmt"], named["crs"], named["clip"], named["bom"])
    with opened(database) as db:
        source = _source(db, named)
        manifest = exports.write(db, WHO, source, wanted, output)
    whole = f"plan {source.plan}" if source.plan else f"publication {source.n}"
    click.echo(f"{manifest['features']:,} {wanted.layer} of {whole} written to {output}")


def _source(db: Database, named: dict[str, Any]) -> exports.Source:
    """What the options name."""
    if named["plan"]:
        return exports.Source(named["plan"])
    territory = named["territory"] or only_territory(db)
    return exports.Source(territory=territory, n=named["publication"] or _newest(db, territory))


def _newest(db: Database, territory: str) -> int:
    record = publications.latest(db, WHO, territory)
    if record is None:
        raise NotFound(f"territory {territory!r} has no publication", cure="publish a plan first")
    return record.n
