"""Peak memory of a process."""

from __future__ import annotations

import contextlib
from pathlib import Path

__all__ = ["forget_peak", "memory_mb"]

_STATUS = Path("/proc/self/status")


def forget_peak() -> None:
    """Start the peak anew, so that loading the inputs does not count."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def memory_mb(field: str) -> float:
    """``VmRSS`` (now) or ``VmHWM`` (peak) of this process.

    On Linux ``ru_maxrss`` would start from the memory of the process which started this one.
    """
    if not _STATUS.exists():  # macOS: only the peak is to be had, in bytes
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024
