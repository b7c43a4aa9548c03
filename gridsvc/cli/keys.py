"""`gridsvc keys`: who may ask the service."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from gridsvc.cli.common import WHO, as_json, database_option, emit, opened
from gridsvc.errors import InvalidInput
from gridsvc.principal import ROLES
from gridsvc.services import keys as service
from gridsvc.services.keys import Wanted
from gridsvc.store.keys import KeyRecord

__all__ = ["keys"]

_PAGE = 1000


@click.group()
def keys() -> None:
    """Make, list and revoke the keys by which programs and people are known."""


@keys.command()
@click.argument("name")
@click.option("--role", type=click.Choice(list(ROLES)), help="What the key may do.")
@click.option("--scope", "scopes", multiple=True, metavar="SCOPE", help="Instead of a role; may be repeated.")
@click.option(
    "--branch",
    "branches",
    multiple=True,
    metavar="TERRITORY[/CODE]",
    help="What the key sees: a territory, or a grid and all below it; may be repeated.  [default: all]",
)
@click.option(
    "--expires", metavar="WHEN", help="Days such as 90d, or a time with its offset.  [default: never]"
)
@database_option
@as_json
def create(
    name: str,
    role: str | None,
    scopes: Sequence[str],
    branches: Sequence[str],
    expires: str | None,
    database: str | None,
    *,
    json_: bool,
) -> None:
    """Make a key; it is shown this once."""
    until = None if expires is None else _time(expires)
    with opened(database) as db:
        wanted = Wanted(name, role, list(scopes) or None, list(branches) or None, until)
        record, key = service.create(db, WHO, wanted)
    lines = [key, f"the key of {name}: keep it now, it is not shown again"]
    emit(_document(record) | {"key": key}, lines, json_=json_)


@keys.command("list")
@database_option
@as_json
def list_(database: str | None, *, json_: bool) -> None:
    """List the keys, with those that are good no more."""
    found: list[KeyRecord] = []
    with opened(database) as db:
        while page := service.listing(db, WHO, found[-1].id if found else None, _PAGE):
            found += page
    documents = [_document(record) for record in found]
    emit({"keys": documents}, [_line(record) for record in found] or ["there are no keys"], json_=json_)


@keys.command()
@click.argument("name")
@database_option
@as_json
def revoke(name: str, database: str | None, *, json_: bool) -> None:
    """Let a key, by name or id, be good no more."""
    with opened(database) as db:
        record = service.revoke(db, WHO, name)
    emit(_document(record), [f"the key of {record.name} is good no more"], json_=json_)


def _time(text: str) -> datetime:
    days = re.fullmatch(r"([1-9][0-9]{0,4})d", text)
    if days:
        return datetime.now(UTC) + timedelta(days=int(days[1]))
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{text!r} is no time",
            field="--expires",
            cure="give days such as 90d, or 2026-12-01T00:00:00+08:00",
        ) from None


def _line(record: KeyRecord) -> str:
    rights = record.role or " ".join(record.scopes or ())
    return f"{record.begins}…  {record.name}  {rights}  {_state(record)}"


def _state(record: KeyRecord) -> str:
    if record.revoked_at is not None:
        return f"revoked {record.revoked_at:%Y-%m-%d}"
    if record.expires_at is not None and record.expires_at <= datetime.now(UTC):
        return f"expired {record.expires_at:%Y-%m-%d}"
    used = "never used" if record.used_at is None else f"last used {record.used_at:%Y-%m-%d %H:%M} UTC"
    return used if record.expires_at is None else f"{used}, expires {record.expires_at:%Y-%m-%d}"


def _document(record: KeyRecord) -> dict[str, Any]:
    names = ("id", "name", "begins", "role", "scopes", "created_by")
    times = ("recorded_at", "expires_at", "revoked_at", "used_at")
    return {name: getattr(record, name) for name in (*names, *times)}
