"""How long work tells where it stands and learns that it should stop."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "silent", "span"]


class Progress(Protocol):
    """Called with the share done and a few words.

    Raise `gridsvc.errors.Cancelled` inside to stop the work; nothing is left half done.
    """

    def __call__(self, share: float, message: str) -> None:
        """Report `share` (0 to 1) of the present step and what it is doing."""


def silent(share: float, message: str) -> None:
    """Report nothing."""


def span(progress: Progress, start: float, end: float) -> Progress:
    """Progress of a step which takes the share from `start` to `end` of the whole."""

    def part(share: float, message: str) -> None:
        progress(start + (end - start) * share, message)

    return part
