"""`gridsvc doctor`: what the service needs, and what of it is missing."""

from __future__ import annotations

from pathlib import Path

import click

import gridsvc
from gridsvc.cli.common import as_json, database_option, emit
from gridsvc.config import Settings
from gridsvc.services import checkup
from gridsvc.services.checkup import Finding

__all__ = ["doctor"]

_PAGE = Path(gridsvc.__file__).parent.parent / "api" / "web" / "dist" / "index.html"


@click.command()
@database_option
@as_json
def doctor(database: str | None, *, json_: bool) -> None:
    """Look at what the service needs, and say what is missing."""
    settings = Settings.load()
    if database:
        settings = settings.model_copy(update={"database_url": database})
    found = [*checkup.look(settings), _page()]
    lines = [f"{finding.state:<8} {finding.name}: {finding.told}" for finding in found]
    faults = sum(finding.state == "missing" for finding in found)
    if faults:
        lines.append(f"{faults} of {len(found)} checks failed")
    emit({"ok": not faults, "checks": [finding.as_dict() for finding in found]}, lines, json_=json_)
    if faults:
        raise click.exceptions.Exit(2)


def _page() -> Finding:
    if _PAGE.is_file():
        return Finding("map page", "ok", "built")
    return Finding("map page", "missing", "is not built; make web (needs Node 20)")
