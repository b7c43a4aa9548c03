"""One reader of events a process, and any number of streams fed by it.

The reader looks into the database four times a second while somebody listens, and keeps what is new. A stream
is a number: the last event it sent. What comes behind that it takes from the reader, or from the database
where the reader did not keep it; so a slow client costs no memory, and one that comes back misses nothing.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import dropwhile
from typing import TypeVar

from gridsvc.outages import Tried
from gridsvc.services.events import Log, Told, Wanted

__all__ = ["HEARTBEAT", "Feed"]

_log = logging.getLogger("gridsvc.api")

HEARTBEAT = 15.0
"""Seconds without an event after which a stream gives a sign of life."""

_POLL = 0.25
_PAGE = 500
_KEPT = 5_000

Answer = TypeVar("Answer")


class Feed:
    """Events for the streams of this process."""

    def __init__(self, log: Log) -> None:
        self._log = log
        # A thread of its own: streams neither wait for the requests' threads nor take one from them.
        self._thread = ThreadPoolExecutor(1, "gridsvc-feed")
        self._kept: deque[Told] = deque()
        self._start = self._head = 0
        self._progress: dict[str, tuple[int, Told]] = {}
        self._version = self._listeners = 0
        self._reader: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._closed = False
        self._tried = Tried(_log, "events cannot be read")

    def close(self) -> None:
        """End all streams."""
        self._closed = True
        self._tell()

    def end(self) -> None:
        """End all streams and wait for the thread."""
        self.close()
        self._thread.shutdown()

    async def stream(self, wanted: Wanted, last: int | None) -> AsyncIterator[Told | None]:
        """What is wanted of all that happens behind event `last` (None: from now on).

        Yields
        ------
        Told or None
            First ``ready`` with the number to go on from, or ``reset`` if `last` is not known here, as when a
            backup was restored and what the client has may be wrong; None as a sign of life.
        """
        with self._listening():
            head = await self._ask(self._log.head)
            at = head if last is None else min(last, head)
            yield Told(at, "ready" if last is None or last <= head else "reset", {})
            seen = 0
            while not self._closed:
                news = self._news
                events = await self._behind(at)
                for told in events:
                    at = told.id or at
                    if told in wanted:
                        yield told
                for version, told in sorted(self._progress.values(), key=lambda entry: entry[0]):
                    if version > seen and told in wanted:
                        yield told
                    seen = max(seen, version)
                if not events and await _silent(news):
                    yield None

    async def _behind(self, at: int) -> list[Told]:
        if at < self._start:
            return await self._ask(self._log.after, at, _PAGE)
        return list(dropwhile(lambda told: (told.id or 0) <= at, self._kept))

    @contextmanager
    def _listening(self) -> Iterator[None]:
        self._listeners += 1
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())
        try:
            yield
        finally:
            self._listeners -= 1

    async def _read(self) -> None:
        """Keep what is new, until nobody listens."""
        self._kept.clear()
        self._start = sys.maxsize  # until it is known, streams look into the database
        self._start = self._head = await self._ask(self._log.head)
        self._tell()
        try:
            while self._listeners and not self._closed:
                await self._look()
                await asyncio.sleep(_POLL)
        finally:
            self._reader = None

    async def _look(self) -> None:
        with self._tried.turn():  # streams must outlive a database that is away for a while
            events, running = await self._ask(self._log.now, self._head, _PAGE)
            self._keep(events)
            if self._move_on(running) or events:
                self._tell()

    def _keep(self, events: list[Told]) -> None:
        self._kept.extend(events)
        self._head = events[-1].id or self._head if events else self._head
        while len(self._kept) > _KEPT:
            self._start = self._kept.popleft().id or self._start

    def _move_on(self, running: list[Told]) -> bool:
        """Note how far the jobs are; gives whether any went on."""
        before = self._progress
        self._progress = {}
        for told in running:
            version, old = before.get(told.payload["job"], (0, None))
            if told != old:
                self._version += 1
                version = self._version
            self._progress[told.payload["job"]] = version, told
        return self._progress != before

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _ask(self, question: Callable[..., Answer], *arguments: object) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, question, *arguments)


async def _silent(news: asyncio.Event) -> bool:
    try:
        await asyncio.wait_for(news.wait(), HEARTBEAT)
    except TimeoutError:
        return True
    return False
