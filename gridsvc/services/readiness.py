"""Whether the service may be asked: the database answers, and there is room where it writes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from gridsvc.errors import OutOfService
from gridsvc.outages import RETRY_AFTER, disk_fault
from gridsvc.store.database import Database

__all__ = ["look", "require_room"]

_ROOM = 1 << 20
"""Bytes which must still fit: less than the smallest change needs for its log and its files."""


def look(db: Database, folders: Iterable[Path]) -> int:
    """Make sure that the service can work; gives how many commits changed what lookups answer.

    Raises
    ------
    OutOfService
        With the `reason`: the database is away, or a folder's disk is full or read-only.
    """
    for folder in folders:
        require_room(folder)
    with db.read() as reader:
        return reader.seq()


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
