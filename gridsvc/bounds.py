"""How much memory and processor time a child process may take, kept by the system itself.

`gridsvc serve` and `gridsvc worker` hand the settings down in the environment, as children read no settings.
"""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

from gridsvc.errors import TooLarge

__all__ = ["CPU_MINUTES", "MEMORY_MB", "SPARE_FILES", "Bounds", "allow_files"]

CPU_MINUTES, MEMORY_MB = "GRIDSVC_JOB_CPU_MINUTES", "GRIDSVC_JOB_MEMORY_MB"

SPARE_FILES = 200
"""Open files which a worker needs beside its connections."""

_SHARE = 0.75
"""Of the machine's memory, or the container's, which one child may take unless the operator says."""

_CGROUP = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one child may take.

    Attributes
    ----------
    memory : int, bytes
    seconds : int
        Of processor time, for each job.
    """

    memory: int
    seconds: int

    @classmethod
    def inherited(cls) -> Bounds:
        """Those which whoever started this process was told of."""
        memory = int(os.environ.get(MEMORY_MB, "0")) * 1_000_000
        return cls(memory or int(_SHARE * _there()), round(60 * float(os.environ.get(CPU_MINUTES, "120"))))

    def hold(self) -> None:
        """Let this process have no more memory, and let no crash write what it holds to the disk."""
        _lower(resource.RLIMIT_DATA, self.memory)
        _lower(resource.RLIMIT_CORE, 0)

    def begin(self) -> None:
        """Let the work which begins now have its time; a process which goes on behind it is ended."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + self.seconds)

    def out_of_memory(self) -> TooLarge:
        """The error of work which needed more memory."""
        return TooLarge(
            f"this needs more than {self.memory // 1_000_000:,} MB of memory; nothing was changed",
            cure=f"give it less to do at once, or let the operator raise {MEMORY_MB}",
        )

    def out_of_time(self) -> TooLarge:
        """The error of work which needed more time."""
        return TooLarge(
            f"this needs more than {self.seconds:,} seconds of processor time; nothing was changed",
            cure=f"give it less to do at once, or let the operator raise {CPU_MINUTES}",
        )


def allow_files(needed: int) -> None:
    """Let this process and those it starts have so many files open, as far as the system lets them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _lower(what: int, to: int) -> None:
    """Set the limit which counts; the one above it stays, so that it may be raised again."""
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (to if hard == resource.RLIM_INFINITY else min(to, hard), hard))


def _there() -> int:
    """Memory of the machine, or of the container, in bytes."""
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(whole, int(_CGROUP.read_text()))
    except (OSError, ValueError):  # there is no such limit
        return whole
