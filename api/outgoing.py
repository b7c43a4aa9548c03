"""What several connections send in one turn of the loop goes out together.

To hand bytes to the system wakes whoever waits for them, which costs as much as all else of a lookup. Where
connections take turns, their answers are therefore held until the loop has been through all of them, and go
out in a row: a client with many connections is woken once. Where one connection follows upon itself its
answers go out at once.
"""

from __future__ import annotations

import asyncio
from typing import Any

__all__ = ["Burst", "Outgoing"]

_MOST = 65_536
"""Bytes which a connection holds at most: beyond, its transport must know, to slow down who writes."""


class Burst:
    """What is held until the end of this turn of the loop."""

    def __init__(self) -> None:
        self._holding: list[Outgoing] = []
        self._last: Outgoing | None = None

    def follows(self, outgoing: Outgoing) -> bool:
        """Whether it was the last to write, and nothing is held; from now on it is the last."""
        alone = self._last is outgoing and not self._holding
        self._last = outgoing
        return alone

    def hold(self, outgoing: Outgoing, loop: asyncio.AbstractEventLoop) -> None:
        """Let it send what it holds at the end of this turn."""
        if not self._holding:
            loop.call_soon(self._end)
        self._holding.append(outgoing)

    def _end(self) -> None:
        holding, self._holding = self._holding, []
        for outgoing in holding:
            outgoing.flush()


class Outgoing:
    """Stands before the transport of a connection, which does all that is not told here."""

    def __init__(self, transport: asyncio.Transport, burst: Burst, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._burst, self._loop = transport, burst, loop
        self._held: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Send now, or at the end of this turn."""
        if not self._held:
            if self._burst.follows(self):
                self._transport.write(data)
                return
            self._burst.hold(self, self._loop)
        self._held.append(data)
        self._size += len(data)
        if self._size > _MOST:
            self.flush()

    def flush(self) -> None:
        """Send what is held."""
        if self._held:
            held, self._held, self._size = self._held, [], 0
            self._transport.write(b"".join(held))

    def close(self) -> None:
        """Send what is held, and close."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
