"""Numbers which the processes of a machine count together, without a lock or a message between them.

Each process has a mapped file to itself, a seat, and adds to its numbers in memory; whoever wants the sums
reads all seats. A file outlives its process and the next one counts on in it, so that no sum goes back when a
process dies.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import math
import mmap
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import IO

__all__ = ["Tally"]

_log = logging.getLogger("gridsvc.tally")

_SEATS = 256
_WIDTH = 8


class Tally:
    """The numbers of one process, and the sums over all of this machine.

    Parameters
    ----------
    folder : Path
        Of the seats; where it cannot be written this process counts for itself alone.
    family : str
        What is counted.
    names : sequence of str
        One a number; processes with other names, as of another version, count apart.

    Attributes
    ----------
    numbers : memoryview of float64, one a name
        Those of this process, to be added to.
    """

    def __init__(self, folder: Path, family: str, names: Sequence[str]) -> None:
        digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:12]
        self._folder, self._family, self._stem = folder, family, f"{family}-{digest}-"
        self._size = len(names) * _WIDTH
        block = self._seated()
        self._alone = block is None
        self.numbers = memoryview(mmap.mmap(-1, self._size) if block is None else block).cast("d")

    def sums(self) -> list[float]:
        """Each number, summed over all seats."""
        seats = [] if self._alone else [path.read_bytes() for path in self._folder.glob(f"{self._stem}*")]
        form = struct.Struct(f"={self._size // _WIDTH}d")
        told = [form.unpack(seat) for seat in seats if len(seat) == self._size]
        return [math.fsum(column) for column in zip(*told, strict=True)] or list(self.numbers)

    def _seated(self) -> mmap.mmap | None:
        """Take the first free seat; None where there is none to be had."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sweep()
            for seat in range(_SEATS):
                with (self._folder / f"{self._stem}{seat}").open("a+b") as file:
                    if _locked(file):
                        # Room is taken first: on a full disk a write into a hole would kill the process.
                        os.posix_fallocate(file.fileno(), 0, self._size)
                        return mmap.mmap(
                            file.fileno(), self._size
                        )  # which keeps the lock as long as it lives
        except OSError as error:
            _log.warning("%s are counted by each process alone: %s", self._family, error.strerror)
        return None

    def _sweep(self) -> None:
        """Delete the seats of other versions in which nobody sits."""
        for path in self._folder.glob(f"{self._family}-*"):
            if not path.name.startswith(self._stem):
                with path.open("rb") as file:
                    if _locked(file):
                        path.unlink(missing_ok=True)


def _locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
