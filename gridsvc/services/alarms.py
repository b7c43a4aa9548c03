"""Drift looked for by itself: a job looks where customers came in since a publication."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gridsvc.errors import NotFound
from gridsvc.principal import SCOPES, Principal
from gridsvc.progress import Progress
from gridsvc.services import drift, jobs
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import Idempotency, JobRecord

__all__ = ["KIND", "look_due", "run_job"]

KIND = "drift"

_SYSTEM = Principal("job-runner", SCOPES)
_PAUSE = timedelta(minutes=1)


def look_due(db: Database) -> None:
    """Queue a look in each territory where customers came in since, at most once a minute.

    Since is since the publication in force was recorded, and since the last look was queued.
    """
    with db.read(_SYSTEM) as reader:
        due = list(_due(reader))
    for territory, _ in due:
        with db.write(_SYSTEM, "drift.look") as uow:
            # Of two who come here one waits, and sees the other's job; and what was told earlier is there.
            uow.changes.begin()
            for lines in (lines for name, lines in _due(uow) if name == territory):
                jobs.enqueue(uow, _SYSTEM, KIND, territory, {"lines": lines})


def run_job(
    db: Database, who: Principal, params: Mapping[str, Any], _once: Idempotency, progress: Progress
) -> dict[str, Any]:
    """Do a queued look; a second attempt looks anew, and tells nothing twice.

    Returns
    -------
    dict
        ``drifted`` and ``looked_at``: territory and line of each which was found to have drifted, and of all.
    """
    drifted: list[list[str]] = []
    seen: list[list[str]] = []
    for territory, line in params["lines"]:
        progress(len(seen) / len(params["lines"]), "looking at what came in")
        try:
            found = drift.notice(db, who, territory, line=line)
        except NotFound:
            continue  # its tiling has no import any more, so there is nothing to compare
        seen.append([territory, line])
        if found:
            drifted.append([territory, line])
    return {"drifted": drifted, "looked_at": seen}


def _due(reader: Reader) -> Iterator[tuple[str, list[list[str]]]]:
    """Territories to look at, each with its lines; territory and line are a pair."""
    lines = reader.publications.lines()
    for territory in dict.fromkeys(territory for territory, _ in lines):
        last = reader.jobs.newest(KIND, territory)
        if _rests(last):
            continue
        looked = None if last is None else last.recorded_at
        mine = [line for name, line in lines if name == territory]
        if concerned := [[territory, line] for line in mine if _concerned(reader, territory, line, looked)]:
            yield territory, concerned


def _rests(last: JobRecord | None) -> bool:
    """Whether the last look still goes on, or is too near to be followed by another."""
    if last is None:
        return False
    return last.status in {"queued", "running"} or datetime.now(UTC) - last.recorded_at < _PAUSE


def _concerned(reader: Reader, territory: str, line: str, looked: datetime | None) -> bool:
    """Whether customers came in whom nobody has looked at, while an alarm of the line would still be news."""
    now = datetime.now(UTC)
    record = reader.publications.in_force(territory, line, now, now)
    if record is None or drift.is_told(reader, record):
        return False
    live = reader.customers.live_import(territory, record.tiling)
    if live is None:
        return False
    since = record.recorded_at if looked is None else max(record.recorded_at, looked)
    told, begun = reader.changes.told_at(territory, live.behind), reader.changes.last_start(territory, now)
    times = (live.valid_from, told, begun)  # the last are those told of ahead of their day
    return any(time is not None and time > since for time in times)
