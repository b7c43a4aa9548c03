"""A service of ours while it runs, and its API workers one by one."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.lookup.caller import GUARDED, Caller, key_for
from benchmarks.lookup.ground import url_of
from tests.journey.served import free_port

__all__ = ["ROOT", "Running", "ask", "running"]

ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 120.0  # seconds until it answers


@dataclass(frozen=True)
class Running:
    """A service, its processes, and how long it took until the first right answer.

    Attributes
    ----------
    process : Popen
        Parent of all its processes.
    seconds : float
        From its start until the first right answer was there.
    key : str
        With which it may be asked.
    """

    port: int
    process: subprocess.Popen[bytes]
    seconds: float
    key: str

    def connection(self) -> Caller:
        """A connection of its own."""
        return Caller(self.port, self.key)

    @contextmanager
    def worker_connections(self, workers: int) -> Iterator[dict[int, Caller]]:
        """A connection to each API worker, by the worker's process id; as many are tried as it takes.

        Raises
        ------
        RuntimeError
            Some worker took none of a hundred.
        """
        found: dict[int, Caller] = {}
        with ExitStack() as tried:
            for _ in range(100):
                connection = tried.enter_context(closing(self.connection()))
                ask(connection, "/readyz")  # now a worker has taken it
                found.setdefault(self._taker(connection), connection)
                if len(found) == workers:
                    yield found
                    return
        raise RuntimeError(f"only {len(found)} of {workers} workers take connections")

    def _taker(self, connection: Caller) -> int:
        """Process at the other end of a connection."""
        import psutil

        own = connection.sock.getsockname()[1]
        parent = psutil.Process(self.process.pid)
        return next(
            process.pid
            for process in (parent, *parent.children(recursive=True))
            if any(end.raddr and end.raddr.port == own for end in _tcp(process))
        )


def _tcp(process: Any) -> list[Any]:
    import psutil

    try:
        found: list[Any] = process.net_connections("tcp")
    except psutil.NoSuchProcess:
        return []
    return found


def ask(connection: Caller, path: str) -> Any:
    """The JSON document at a path."""
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise OSError(f"{path}: {answer.status}")
    return json.loads(body)


@contextmanager
def running(folder: Path, question: str, grid: str, workers: int = 1) -> Iterator[Running]:
    """Serve the database in a folder to whoever has a key, and wait for the first right answer.

    Parameters
    ----------
    question, grid : str
        A path, and the code of the grid in the right answer to it.
    """
    port, url = free_port(), url_of(folder)
    key = key_for(url)
    named = {"GRIDSVC_DATA_DIR": str(folder), "GRIDSVC_DATABASE_URL": url}
    environment = {**os.environ, **named, **GUARDED}
    command = [sys.executable, "-c", "from gridsvc.cli import main; main()", "serve"]
    command += ["--port", str(port), "--workers", str(workers)]
    with (folder / "serve.log").open("wb") as log:
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            _until(process, Caller(port, key), question, grid)
            yield Running(port, process, time.perf_counter() - began, key)
        finally:
            process.terminate()
            process.wait(30)


def _until(process: subprocess.Popen[bytes], connection: Caller, question: str, grid: str) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            if ask(connection, question)["grid"]["code"] == grid:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.005)
        finally:
            connection.close()
    raise RuntimeError("the service gave no right answer; see serve.log")
