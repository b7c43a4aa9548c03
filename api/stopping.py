"""Learning of a stop when it is asked for, and not only when all requests have ended."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType

__all__ = ["on_stop"]


def on_stop(act: Callable[[], None]) -> None:
    """Let the running loop `act` when the process is told to end, before the server's own handler runs.

    Servers wait for open requests before they tell the application; streams would keep them waiting.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # signals come to the main thread only: this server is run inside another program
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        _put_before(number, lambda: loop.call_soon_threadsafe(act))


def _put_before(number: signal.Signals, act: Callable[[], object]) -> None:
    before = signal.getsignal(number)
    if not callable(before):
        return

    def handle(caught: int, frame: FrameType | None) -> None:
        act()
        before(caught, frame)

    signal.signal(number, handle)
