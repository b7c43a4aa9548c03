"""What planners will need is loaded once the first of them asks for plans."""

from __future__ import annotations

import threading
from functools import cache
from importlib import import_module

__all__ = ["expect_moves"]


async def expect_moves() -> None:
    """Load what the first move needs, beside the request which may come before it.

    It brings scipy: a start need not wait for that, nor the first move, and workers which only answer lookups
    need not hold it.
    """
    _begin()


@cache
def _begin() -> None:
    threading.Thread(target=import_module, args=("gridsvc.balance.metrics",), daemon=True).start()
