"""The service's processes as the system sees them: memory, processor time and open files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gridsvc.exposition import Family

__all__ = ["SERVER", "families"]

SERVER = "GRIDSVC_SERVER_PID"
"""Names the process which started all others of a server."""

_PROC = Path("/proc")
_ROLES = {
    "gridsvc.node": "node",
    "gridsvc.jobs": "job",
    "gridsvc.exporting": "export",
    "gridsvc.warm": "warm",
}


@dataclass(frozen=True, slots=True)
class _Process:
    seconds: float  # of processor time, with that of children which have ended
    bytes: int
    files: int
    role: str


def families() -> list[Family]:
    """Memory and files by role, and the processor time of all; nothing where the system does not tell."""
    count = Family("gridsvc_processes", "gauge", "Processes of this server.")
    memory = Family("gridsvc_resident_bytes", "gauge", "Resident memory, shared pages counted in each.")
    files = Family("gridsvc_open_files", "gauge", "Open files and connections.")
    seconds = Family("gridsvc_cpu_seconds_total", "counter", "Processor time of this server's processes.")
    found = list(_family())
    for role in sorted({process.role for process in found}):
        own = [process for process in found if process.role == role]
        count.add(len(own), role=role)
        memory.add(sum(process.bytes for process in own), role=role)
        files.add(sum(process.files for process in own), role=role)
    if found:
        seconds.add(sum(process.seconds for process in found))
    return [count, memory, files, seconds]


def _family() -> Iterator[_Process]:
    """The server's first process and all which come from it."""
    if not _PROC.joinpath("self").exists():
        return
    parents = {int(path.name): _parent(path) for path in _PROC.iterdir() if path.name.isdigit()}
    root = int(os.environ.get(SERVER, os.getpid()))
    wanted = {root if root in parents else os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in wanted} - wanted:
        wanted |= more
    for pid in sorted(wanted):
        try:
            yield _look(pid)
        except (OSError, IndexError):
            continue  # it has ended meanwhile


def _parent(path: Path) -> int:
    try:
        return int((path / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _look(pid: int) -> _Process:
    path = _PROC / str(pid)
    fields = path.joinpath("stat").read_text().rpartition(")")[2].split()
    ticks = sum(int(field) for field in fields[11:15])
    return _Process(
        ticks / os.sysconf("SC_CLK_TCK"),
        int(fields[21]) * os.sysconf("SC_PAGE_SIZE"),
        sum(1 for _ in path.joinpath("fd").iterdir()),
        _role(path.joinpath("cmdline").read_bytes()),
    )


def _role(command: bytes) -> str:
    words = command.decode("utf-8", "replace").split("\0")
    return next((_ROLES[word] for word in words if word in _ROLES), "api")
