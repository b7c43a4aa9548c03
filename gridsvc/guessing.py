"""Who asks for customers that do not exist: one who tries out ids is slowed down, before it is a list."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from gridsvc.errors import TooManyRequests
from gridsvc.principal import Principal

__all__ = ["EXEMPT", "Guesses"]

EXEMPT = "owner:sync"
"""The scope of systems which ask for whole lists of customers."""

_WINDOW = 3600.0
_MOST_CALLERS = 10_000


class Guesses:
    """Counts the unknown ids each caller has asked for within the last hour; safe to share between threads.

    An id counts once, however often it is asked for: a system which repeats itself does not guess. Of an id
    only its hash is kept, which is another in each process.

    Parameters
    ----------
    limit : int
        Unknown ids a caller may ask for in an hour; 0 sets no limit.
    """

    def __init__(self, limit: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._clock = limit, clock
        self._lock = threading.Lock()
        self._missed: OrderedDict[str, OrderedDict[int, float]] = OrderedDict()

    def require_rest(self, who: Principal) -> None:
        """Refuse a caller who has guessed too much, whatever they ask for now: a refusal must tell nothing.

        Raises
        ------
        TooManyRequests
            The details say after how many seconds the first guess is forgotten.
        """
        if (wait := self._wait(who)) > 0:
            raise TooManyRequests(
                f"more than {self._limit} unknown customers were asked for within an hour",
                cure=f"check the ids; a system which compares whole lists needs the scope {EXEMPT}",
                retry_after=math.ceil(wait),
            )

    def is_over(self, who: Principal) -> bool:
        """Whether `require_rest` would refuse."""
        return self._wait(who) > 0

    def note(self, who: Principal, customer: str) -> None:
        """Count an id which is unknown."""
        if self._free(who):
            return
        with self._lock:
            missed = self._missed.setdefault(who.actor, OrderedDict())
            self._missed.move_to_end(who.actor)
            missed.setdefault(hash(customer), self._clock())
            while len(self._missed) > _MOST_CALLERS:
                self._missed.popitem(last=False)

    def _free(self, who: Principal) -> bool:
        return self._limit == 0 or EXEMPT in who.scopes

    def _wait(self, who: Principal) -> float:
        """Seconds until the caller is below the limit again; 0 if they are."""
        if self._free(who):
            return 0.0
        with self._lock:
            missed = self._missed.get(who.actor)
            if missed is None:
                return 0.0
            now = self._clock()
            while missed and next(iter(missed.values())) <= now - _WINDOW:
                missed.popitem(last=False)
            return next(iter(missed.values())) + _WINDOW - now if len(missed) >= self._limit else 0.0
