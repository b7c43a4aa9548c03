"""`gridsvc customers erase`: forget a customer."""

from __future__ import annotations

import sys
from typing import Any

import click

from gridsvc.cli.common import (
    WHO,
    as_json,
    database_option,
    emit,
    kept,
    only_territory,
    opened,
    territory_option,
)
from gridsvc.config import Settings
from gridsvc.services import erasure
from gridsvc.services.desk import Desk
from gridsvc.services.erasure import Folders

__all__ = ["customers"]


@click.group("customers")
def customers() -> None:
    """What is done to single customers."""


@customers.command()
@click.argument("customer", required=False)
@click.option("--reason", required=True, help="Why; it stands in the audit, so name nobody in it.")
@territory_option
@database_option
@as_json
def erase(
    customer: str | None, reason: str, territory: str | None, database: str | None, *, json_: bool
) -> None:
    """Take a customer out of everything the service holds.

    Without CUSTOMER the id is read from standard input, where no list of processes shows it.
    """
    settings = Settings.load()
    chosen = settings.model_copy(update={"database_url": database or settings.url})
    whom = customer if customer is not None else sys.stdin.readline().strip()
    with opened(database) as db:
        desk = Desk(db, keeper=kept(database))
        folders = Folders(chosen.uploads, chosen.exports, chosen.layers, chosen.mapped)
        told = erasure.erase(desk, WHO, territory or only_territory(db), whom, reason, folders)
    emit(told, _lines(told), json_=json_)


def _lines(told: dict[str, Any]) -> list[str]:
    lines = [f"deleted {count:,} rows of {table}" for table, count in told["rows"].items() if count]
    lines += [f"masked {count:,} texts of {table}" for table, count in told["texts"].items()]
    lines += [f"deleted {count:,} {kind}" for kind, count in told["files"].items() if count]
    if told["rewritten"]:
        lines.append("wrote the database's file anew")
    return [*(lines or ["nothing was found"]), f"not reached: {'; '.join(told['not_reached'])}"]
