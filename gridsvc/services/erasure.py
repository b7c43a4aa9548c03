"""Forgetting a customer: everything of it which the service holds, in the database and in files."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from gridsvc.errors import Conflict, InvalidInput
from gridsvc.principal import SYSTEM, Principal
from gridsvc.services.desk import Desk, settle
from gridsvc.services.keeping import ROSTER
from gridsvc.services.layers import PREFIX
from gridsvc.store.database import Database, Reader
from gridsvc.store.erasing import MARK, Erased
from gridsvc.store.trail import ERASURES
from gridsvc.store.words import in_file

__all__ = ["NOT_REACHED", "Folders", "erase"]

NOT_REACHED = (
    "backups",
    "files which were exported, and packs which were made, and taken away",
    "what other systems read here before",
    "other machines' files of lookups, for up to a minute",
)
"""What the service cannot reach; the report says so."""

_UNFINISHED = 900.0
"""Seconds in which an upload may belong to a request which has not queued its job yet."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where files lie which may hold customers.

    Attributes
    ----------
    lookups : Path
        This machine's files of lookups.
    """

    uploads: Path
    exports: Path
    layers: Path
    lookups: Path


def erase(
    desk: Desk, who: Principal, territory: str, customer: str, reason: str, folders: Folders
) -> dict[str, Any]:
    """Take a customer out of all that the service holds, and tell what was reached.

    All of it goes at once, and a second time finds nothing. A file which is imported later and still has the
    customer brings it back.

    Returns
    -------
    dict
        ``rows`` deleted and ``texts`` masked by table, ``files`` deleted by kind, whether the database's file
        was ``rewritten``, ``not_reached``, and ``seq``.

    Raises
    ------
    InvalidInput
        Nobody says whom, or why.
    NotFound
        There is no such territory.
    Conflict
        A job which reads or writes customers is under way: it would bring the customer back.
    """
    who.require("customers:erase")
    for field, text in (("customer", customer), ("reason", reason)):
        if not text.strip():
            raise InvalidInput("there is nothing in it", field=field, cure="say whom to erase, and why")
    with desk.database.write(who, "customer.erase", reason=reason.strip()) as uow:
        uow.territories.get(territory)
        seq = uow.changes.begin()
        _require_quiet(uow, territory)
        whom = uow.trail.known("customer", territory, customer)
        uow.mask({customer: whom or MARK})
        found = uow.eraser.erase(territory, customer)
        uow.audit(f"{ERASURES}/{territory}", None, {"customer": whom, **_noted(found)})
        uow.emit("customer.erased", {"territory": territory, "seq": seq})
    settle(desk)
    files = _forget_files(desk.database, folders, customer)
    rewritten = desk.database.scrub(customer)
    return {
        "territory": territory,
        "seq": seq,
        "rows": found.rows,
        "texts": found.texts,
        "files": files,
        "rewritten": rewritten,
        "not_reached": list(NOT_REACHED),
    }


def _noted(found: Erased) -> dict[str, Any]:
    return {"deleted": found.rows, "masked": found.texts, "rows": [list(row) for row in found.audit_rows]}


def _require_quiet(reader: Reader, territory: str) -> None:
    waiting = reader.jobs.list(territory, limit=1000, status="queued")
    for job in [*waiting, *reader.jobs.running()]:
        wanted = job.params.get("wanted")
        writes = isinstance(wanted, dict) and wanted.get("layer") == "customers"
        if job.territory == territory and (job.kind == "customers" or writes):
            raise Conflict(
                f"job {job.id} reads or writes customers of the territory",
                field="territory",
                cure="wait until it has ended, or cancel it, and erase again",
                job=job.id,
            )


# --- files


def _forget_files(db: Database, folders: Folders, customer: str) -> dict[str, int]:
    kinds: dict[str, Iterable[Path]] = {
        "uploads": _abandoned(db, folders.uploads),
        "exports": {path.parent for path in _files(folders.exports, "*/*-customers*")},
        "layers": {path.parent for path in _files(folders.layers, "*/*") if _holds(path, customer)},
        "lookups": (path for path in _files(folders.lookups, "*.own") if _names(path, customer)),
    }
    return {kind: sum(_delete(path) for path in list(paths)) for kind, paths in kinds.items()}


def _files(folder: Path, pattern: str) -> Iterator[Path]:
    return (path for path in folder.glob(pattern) if path.is_file())


def _abandoned(db: Database, folder: Path) -> Iterator[Path]:
    """Uploads of which no job that waits or runs has any need."""
    with db.read(SYSTEM) as reader:
        needed = {Path(path).parent for params in reader.jobs.params_of_open() for path in _paths(params)}
    old = time.time() - _UNFINISHED
    return (p for p in _folders(folder) if p not in needed and p.stat().st_mtime < old)


def _folders(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _paths(params: dict[str, Any]) -> list[str]:
    return [str(path) for path in params.get("files", {}).values()]


def _holds(path: Path, customer: str) -> bool:
    """Whether a layer has the id as one of its values: as text in JSON, or as a bare number."""
    if in_file(path, orjson.dumps(customer).decode()):
        return True
    return customer.isdigit() and in_file(path, f":{customer}")


def _names(path: Path, customer: str) -> bool:
    return path.name.startswith((PREFIX, ROSTER)) and in_file(path, customer)


def _delete(path: Path) -> bool:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
    return not path.exists()
