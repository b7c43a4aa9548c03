"""How long work tells where it stands and learns that it should stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Progress", "Watch", "blind", "silent", "span"]


class Progress(Protocol):
    """Called with the share done and a few words.

    Raise `gridsvc.errors.Cancelled` inside to stop the work; nothing is left half done.
    """

    def __call__(self, share: float, message: str) -> None:
        """Report `share` (0 to 1) of the present step and what it is doing."""


class Watch(Protocol):
    """Called while a plan is being made; reads how it stands when it has time for it."""

    def __call__(self, labels: Callable[[], NDArray[np.int32]]) -> None:
        """Look: ``labels()`` gives each cell's grid in the plan as it comes about, -1 for none."""


def blind(labels: Callable[[], NDArray[np.int32]]) -> None:
    """Look at nothing."""


def silent(share: float, message: str) -> None:
    """Report nothing."""


def span(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a step which takes the share from `start` to `end` of the whole."""

    def part(share: float, message: str) -> None:
        progress(start + (end - start) * share, message)

    return part
