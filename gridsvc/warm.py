"""Compiling the engine in a process of its own: ``python -m gridsvc.warm``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from gridsvc.balance.cache import is_warm

__all__ = ["main", "warm_in_background"]

_AFTER = 3.0
"""Seconds a server has to itself when it starts."""


def warm_in_background() -> None:
    """Compile the engine, unless it has been, so that the first solve need not wait for it."""
    if is_warm():
        return
    subprocess.Popen([sys.executable, "-m", "gridsvc.warm"])


def main() -> None:
    """Wait a little, and compile."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a stop by hand is no reason for a traceback
    os.nice(10)
    time.sleep(_AFTER)
    from gridsvc.balance.cache import warm_engine

    warm_engine()


if __name__ == "__main__":
    main()
