"""Looking at a plan while it is being made: the job leaves its labels in a file now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gridsvc.principal import Principal
from gridsvc.store.database import Database

__all__ = ["FILE", "Leaving", "labels_of"]

FILE = "preview"
"""Which of a job's files the labels are left in."""

_EVERY = 1.5
"""Seconds between two looks: as often as a page asks."""


class Leaving:
    """Leaves the labels in a file, replaced as a whole; a disk without room ends looking, not the work."""

    def __init__(self, path: Path) -> None:
        self._path, self._last = path, -_EVERY

    def __call__(self, labels: Callable[[], NDArray[np.int32]]) -> None:
        """Look, if it is time to."""
        now = time.monotonic()
        if now - self._last < _EVERY:
            return
        self._last = now
        made = self._path.with_name("making.npy")
        try:
            np.save(made, labels())
            made.replace(self._path)
        except OSError:
            self._last = np.inf


def labels_of(db: Database, who: Principal, job: str) -> NDArray[np.int32] | None:
    """The labels a job left last: int32 array, shape (n_cells,), -1 for none.

    None where there is nothing to look at: it has not begun to move borders, it has ended, or it makes no
    plan from scratch.

    Raises
    ------
    NotFound
        There is no such job.
    """
    who.require("plans:read")
    with db.read(who) as reader:
        params = reader.jobs.get(job).params
    try:
        found: NDArray[np.int32] = np.load(params["files"][FILE])
    except (KeyError, OSError):
        return None
    return found
