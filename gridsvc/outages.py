"""What a file which cannot be written says of the disk."""

from __future__ import annotations

import errno

from gridsvc.errors import OutOfService

__all__ = ["RETRY_AFTER", "disk_fault"]

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
