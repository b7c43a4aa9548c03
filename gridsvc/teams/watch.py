"""What a search looks at between two steps: it tells where it stands, and learns when to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from time import perf_counter
from typing import Generic, TypeVar

from gridsvc.progress import Progress, silent, span

__all__ = ["Watch"]

_OFTEN = 0.1  # seconds between two looks while a solver works
_LEAST = 0.01  # seconds a solver is given where none are left: it takes none for no limit

T = TypeVar("T")


@dataclass(slots=True)
class _Clock:
    until: float = inf
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Watch:
    """Progress of a search, and the time after which it takes the best so far."""

    progress: Progress = silent
    clock: _Clock = field(default_factory=_Clock)

    @classmethod
    def starting(cls, progress: Progress, time_limit: float | None) -> Watch:
        """A watch which runs from now on; without a limit it never ends."""
        return cls(progress, _Clock(inf if time_limit is None else perf_counter() + time_limit))

    @property
    def truncated(self) -> bool:
        """Whether the search was told that its time is over."""
        return self.clock.truncated

    def part(self, start: float, end: float) -> Watch:
        """The same watch for a step which takes the share from `start` to `end`."""
        return Watch(span(self.progress, start, end), self.clock)

    def over(self, share: float, message: str) -> bool:
        """Tell progress; gives whether the time is over."""
        self.progress(share, message)
        if perf_counter() >= self.clock.until:
            self.clock.truncated = True
        return self.clock.truncated

    def solved(self, solve: Callable[[float | None], T], share: float, message: str) -> T:
        """What a solver answers, called with the seconds it has; it can be left while it works.

        The solver works in a thread of its own, so that Ctrl-C and a cancelled job are heeded. Who leaves it
        lets it end by its own budget.
        """
        left = self.clock.until - perf_counter()
        work = _Work(solve, None if left == inf else max(left, _LEAST))
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        working = True
        while working:
            thread.join(_OFTEN)
            working = thread.is_alive()
            self.over(share, message)
        return work.answer()


class _Work(Generic[T]):
    """A call whose answer, or error, is kept for whoever waits for it."""

    def __init__(self, solve: Callable[[float | None], T], seconds: float | None) -> None:
        self.solve, self.seconds = solve, seconds
        self.found: list[T] = []
        self.error: BaseException | None = None

    def __call__(self) -> None:
        try:
            self.found.append(self.solve(self.seconds))
        except BaseException as error:  # noqa: BLE001 - raised again where the answer is asked for
            self.error = error

    def answer(self) -> T:
        if self.error is not None:
            raise self.error
        return self.found[0]
