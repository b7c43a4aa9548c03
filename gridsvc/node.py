"""The process which each machine has once beside its API workers: ``python -m gridsvc.node``.

It keeps the files which lookups map up to date, and answers big batches with compiled code, so that neither
memory nor time of the workers goes into that. `gridsvc serve` starts it and starts it again if it dies; when
its standard input ends, whoever started it has gone, and it goes too.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from gridsvc import logs
from gridsvc.compute import serve
from gridsvc.watcher import Watcher

__all__ = ["Node", "main"]

_AGAIN = 0.2


class Node:
    """The process, as whoever needs it sees it: started, and started again.

    Parameters
    ----------
    url : str
        Database.
    folder : Path
        Of the mapped files.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._environment = {**os.environ, "GRIDSVC_DATABASE_URL": url, "GRIDSVC_MAPPED": str(folder)}
        self._stopped = False
        self._process = self._start()
        threading.Thread(target=self._watch, name="gridsvc-node", daemon=True).start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "gridsvc.node"]
        return subprocess.Popen(command, env=self._environment, stdin=subprocess.PIPE)  # noqa: S603 - ours

    def _watch(self) -> None:
        while not self._stopped:
            self._process.wait()
            if not self._stopped:
                _let_go(self._process)
                time.sleep(_AGAIN)
                self._process = self._start()

    def stop(self) -> None:
        """End it."""
        self._stopped = True
        self._process.terminate()
        self._process.wait()
        _let_go(self._process)


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """Close our end of a process which has ended."""
    if process.stdin is not None:
        process.stdin.close()


def main() -> None:
    """Watch and compute until the standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a stop by hand reaches the server, which ends us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    logs.configure(logs.inherited())
    url, folder = os.environ["GRIDSVC_DATABASE_URL"], Path(os.environ["GRIDSVC_MAPPED"])
    Watcher(url, folder).start()
    threading.Thread(target=serve, args=(url, folder), name="gridsvc-compute", daemon=True).start()
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
