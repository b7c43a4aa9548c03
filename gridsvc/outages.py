"""What is away for a while: what a file which cannot be written says of the disk; how outages are logged."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from logging import Logger

from gridsvc.errors import OutOfService

__all__ = ["RETRY_AFTER", "Tried", "disk_fault"]

_DISK = {
    errno.ENOSPC: ("disk-full", "the disk is full", "make room; what was asked was not done"),
    errno.EDQUOT: ("disk-full", "the disk's quota is used up", "make room; what was asked was not done"),
    errno.EROFS: (
        "disk-read-only",
        "the disk is read-only",
        "mount it writable; what was asked was not done",
    ),
}
RETRY_AFTER = 5
"""Seconds after which what is away for now may be tried again."""


def disk_fault(fault: OSError) -> OutOfService | None:
    """The error for a file which could not be written; None where the disk is not to blame."""
    if fault.errno not in _DISK:
        return None
    reason, message, cure = _DISK[fault.errno]
    return OutOfService(message, cure=cure, reason=reason, retry_after=RETRY_AFTER)


class Tried:
    """Work which is tried again and again: an outage is logged once, and when it is over; all else each time.

    Parameters
    ----------
    log : Logger
    what : str
        What does not come about meanwhile.
    """

    def __init__(self, log: Logger, what: str) -> None:
        self._log, self._what, self._away = log, what, False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Try once; whatever is wrong ends here."""
        try:
            yield
        except OutOfService as error:
            if not self._away:
                self._log.warning("%s: %s; it is tried again", self._what, error.message)
            self._away = True
        except Exception:  # noqa: BLE001 - logged, and tried again
            self._log.exception("%s; it is tried again", self._what)
        else:
            if self._away:
                self._log.warning("%s: that is over", self._what)
            self._away = False
