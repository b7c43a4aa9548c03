"""`gridsvc backup`, `gridsvc restore`: the whole database in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gridsvc.cli.common import as_json, database_option, emit, opened
from gridsvc.errors import InvalidInput

__all__ = ["backup", "restore"]

_path = click.Path(path_type=Path, dir_okay=False)


def _rows(manifest: dict[str, Any]) -> str:
    tables = manifest["tables"]
    return f"{sum(told['rows'] for told in tables.values()):,} rows of {len(tables)} tables"


@click.command()
@click.option("-o", "--output", type=_path, help="The file to write.")
@click.option("--verify", type=_path, help="Only check this backup; needs no database.")
@database_option
@as_json
def backup(output: Path | None, verify: Path | None, database: str | None, *, json_: bool) -> None:
    """Write the whole database to one file, or check such a file."""
    if (output is None) == (verify is None):
        raise InvalidInput("say what to do", cure="give either --output or --verify")
    if verify is not None:
        from gridsvc.store.archive import verified

        manifest = verified(verify)
        emit(manifest, [f"{verify.name} is whole: {_rows(manifest)}"], json_=json_)
    elif output is not None:
        with opened(database) as db:
            manifest = db.backup(output)
        emit(manifest, [f"{_rows(manifest)} in {output.name}"], json_=json_)


@click.command()
@click.argument("file", type=_path)
@click.option("--database", required=True, help="Where to: an empty database.")
@as_json
def restore(file: Path, database: str, *, json_: bool) -> None:
    """Fill an empty database from a backup, and compare all of it with the file."""
    from gridsvc.store.database import Database

    manifest = Database.restore(database, file)
    emit(manifest, [f"{_rows(manifest)} restored, equal checksums"], json_=json_)
