"""`gridsvc publish`: from files into the database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gridsvc.cli.common import (
    WHO,
    as_json,
    database_option,
    emit,
    in_path,
    kept,
    opened,
    percent,
    published_folder,
    reported,
)
from gridsvc.cli.customers import customer_options, import_options
from gridsvc.errors import InvalidInput, UnknownColumn
from gridsvc.plans.carveouts import SOURCE, read_carve_outs
from gridsvc.services import current, heads, main_job
from gridsvc.services.files import Balanced, read_report
from gridsvc.store.records import PublicationRecord
from gridsvc.teams.read import read_roster, read_teams
from gridsvc.tiling.cellfile import read_cells, read_labels
from gridsvc.tiling.read import read_boundary

__all__ = ["publish", "published"]


@click.command()
@click.argument("grids", type=in_path)
@click.argument("cells", type=in_path)
@click.argument("owners", type=in_path)
@click.option(
    "--territory", required=True, metavar="ID", help="Short name, such as london; made if it is new."
)
@click.option("--name", help="Its name for people.")
@click.option("--time-zone", default="Asia/Shanghai", show_default=True)
@click.option("--boundary", type=in_path, help="The territory's outline; else the union of the cells.")
@click.option(
    "--teams", type=in_path, required=True, help="CSV of teams, or a folder with the whole organisation."
)
@click.option("--report", type=in_path, help="Report of gridsvc balance: its measures and carve-outs.")
@click.option(
    "--carve-outs", type=in_path, help="Polygons owned apart: columns code, name, reason and, if known, team."
)
@customer_options
@database_option
@as_json
def publish(
    grids: Path, cells: Path, owners: Path, territory: str, database: str | None, *, json_: bool, **named: Any
) -> None:
    """Publish grids and their owners from files, so that lookups answer from them."""
    tiling = read_cells(cells)
    teams, carved = named["teams"], named["carve_outs"]
    request = main_job.FileJob(
        territory=territory,
        name=named["name"] or territory,
        time_zone=named["time_zone"],
        boundary=None if named["boundary"] is None else read_boundary(named["boundary"], None),
        tiling=tiling,
        codes=read_labels(grids, tiling),
        owners=_owners(owners),
        roster=read_roster(teams) if teams.is_dir() else read_teams(teams),
        balanced=Balanced() if named["report"] is None else read_report(named["report"]),
        customers=named["customers"],
        options=None if named["customers"] is None else import_options(named),
        carve_outs=() if carved is None else read_carve_outs(carved),
        carve_outs_source=SOURCE if carved is None else carved.name,
    )
    with opened(database, upgrade=True) as db, reported("publish") as progress:
        record = main_job.publish_files(db, WHO, request, progress)
        current.write(db, WHO, published_folder(database))
        heads.make_files(db, kept(database))
    emit(published(record), publication_lines(record), json_=json_)


def _owners(path: Path) -> dict[str, str]:
    import pandas as pd

    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError):
        raise InvalidInput("cannot be read as CSV", source=path.name, cure="give grid,team") from None
    for column in ("grid", "team"):
        if column not in frame.columns:
            raise UnknownColumn(f"there is no column {column!r}", source=path.name, cure="give grid,team")
    return dict(zip(frame["grid"], frame["team"], strict=True))


def published(record: PublicationRecord) -> dict[str, Any]:
    """A publication for programs."""
    return {
        "territory": record.territory,
        "line": record.line,
        "publication": record.n,
        "effective_at": record.effective_at.isoformat(),
        "checksum": record.checksum,
        **record.meta,
    }


def publication_lines(record: PublicationRecord) -> list[str]:
    """A publication as people read it."""
    meta = record.meta
    lines = [
        f"publication {record.n} of {record.territory}: {meta['grids']} grids, "
        f"{meta['cells']:,} cells, {meta['teams']} teams"
        + (f", {meta['carve_outs']} carved out" if meta.get("carve_outs") else "")
    ]
    lines += [f"  {m['name']}: worst deviation {percent(m['worst_deviation'])}" for m in meta["measures"]]
    if meta["customers"]:
        found = meta["customers"]
        lines.append(f"  customers placed: {found['placed']:,} of {found['read']:,}")
    return lines
