"""Things which take long to make, kept in memory and made once, however many threads ask at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sized
from typing import Any, Generic, TypeVar

__all__ = ["Kept"]

T = TypeVar("T", bound=Sized)
Key = tuple[Any, ...]


class Kept(Generic[T]):
    """Keeps what was asked for last; safe to share between threads.

    Parameters
    ----------
    most : int or None
        How many rows all of it together may have, the newest apart; no bound if None.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most, self._lock = most, threading.Lock()
        self._kept, self._being_made = dict[Key, T](), dict[Key, threading.Lock]()

    def get(self, key: Key, made: Callable[[], T]) -> T:
        """What is kept under a key; made if need be, while others who want the same wait."""
        found = self.peek(key)
        if found is not None:
            return found
        with self._lock:
            alone = self._being_made.setdefault(key, threading.Lock())
        with alone:
            found = self.peek(key)
            return self._put(key, made()) if found is None else found

    def peek(self, key: Key) -> T | None:
        """What is kept under a key; None if there is nothing."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept[key] = self._kept.pop(key)  # the last in the row goes last
            return self._kept[key]

    def like(self, start: Key) -> T | None:
        """What is kept under a key which begins so; None if there is nothing."""
        with self._lock:
            key = next((key for key in self._kept if key[: len(start)] == start), None)
        return None if key is None else self.peek(key)

    def _put(self, key: Key, value: T) -> T:
        with self._lock:
            self._being_made.pop(key, None)
            self._kept[key] = value
            while self._most is not None and len(self._kept) > 1 and self._rows() > self._most:
                del self._kept[next(iter(self._kept))]
        return value

    def _rows(self) -> int:
        return sum(map(len, self._kept.values()))
