"""Names for processes, by which another process of the same machine can tell whether they still run."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

__all__ = ["gone", "own_name"]


def own_name() -> str:
    """A name no other process has: machine, process id, when it started, and a random part."""
    pid = os.getpid()
    return "/".join([socket.gethostname(), str(pid), _started(pid) or "?", uuid.uuid4().hex[:8]])


def gone(name: str) -> bool:
    """Whether the process of that name has ended; False for those of other machines, which we cannot see."""
    try:
        host, pid, started, _ = name.rsplit("/", 3)
        number = int(pid)
    except ValueError:
        return False
    if host != socket.gethostname():
        return False
    now = _started(number)
    # A process id is given out again after a while, but not together with the same start.
    return not _runs(number) if now is None else now != started


def _started(pid: int) -> str | None:
    """When a process started, in ticks since the machine did; None where the system does not say."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold blanks and brackets
    return None if fields[0] == "Z" else fields[19]


def _runs(pid: int) -> bool:
    if Path("/proc/self/stat").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
