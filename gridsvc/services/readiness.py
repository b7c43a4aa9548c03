"""Whether the service may be asked: the database answers, there is room to write, and the clock is right."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from gridsvc.errors import Conflict, OutOfService
from gridsvc.outages import RETRY_AFTER, disk_fault
from gridsvc.store.database import Database

__all__ = ["SKEW", "look", "require_room"]

_ROOM = 1 << 20
"""Bytes which must still fit: less than the smallest change needs for its log and its files."""

SKEW = 5.0
"""Seconds by which clocks of nodes may differ."""


def look(db: Database, folders: Iterable[Path]) -> int:
    """Make sure that the service can work; gives how many commits changed what lookups answer.

    Raises
    ------
    OutOfService
        With the `reason`: the database is away, a folder's disk is full or read-only, or the clock went back.
    """
    for folder in folders:
        require_room(folder)
    try:
        with db.probe() as reader:
            _require_clock(reader.figures.last_change())
            return reader.seq()
    except Conflict as busy:
        raise OutOfService(
            "somebody else holds the database",
            cure="end what keeps it locked, such as another program which has the file open",
            reason="database-busy",
            retry_after=RETRY_AFTER,
        ) from busy


def _require_clock(last: datetime | None) -> None:
    """Make sure that the last change is not of the future: what counts from when goes by the clock."""
    ahead = 0.0 if last is None else (last - datetime.now(UTC)).total_seconds()
    if ahead > SKEW:
        raise OutOfService(
            f"the clock stands {ahead:.0f} s before the last change",
            cure="set the clock right; nothing is lost, and what was published since counts again then",
            reason="clock-behind",
            retry_after=RETRY_AFTER,
        )


def require_room(folder: Path) -> None:
    """Make sure that files can be written in a folder.

    Raises
    ------
    OutOfService
        The disk is full or read-only, or the folder may not be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            os.posix_fallocate(probe.fileno(), 0, _ROOM)
    except OSError as error:
        raise disk_fault(error) or OutOfService(
            "a folder of the service cannot be written",
            cure="let the service's user write in GRIDSVC_DATA_DIR",
            reason="disk-read-only",
            retry_after=RETRY_AFTER,
        ) from None
