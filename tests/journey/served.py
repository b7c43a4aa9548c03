"""A real server for tests: `gridsvc serve` as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(database_url: str, folder: Path, workers: int = 1, *, access: str | None = None) -> Iterator[str]:
    """The address of a service on `database_url`, which must have its tables."""
    with served(database_url, folder, workers, access=access) as (base_url, _):
        yield base_url


@contextmanager
def served(
    database_url: str, folder: Path, workers: int = 1, *, access: str | None = None
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A service, its address and its process."""
    port = free_port()
    environment = {**os.environ, "GRIDSVC_DATA_DIR": str(folder), "GRIDSVC_DATABASE_URL": database_url}
    log = (folder / "serve.log").open("wb")
    command = [sys.executable, "-c", "from gridsvc.cli import main; main()", "serve", "--port", str(port)]
    command += ["--workers", str(workers), *([] if access is None else ["--access", access])]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait(process, port, folder / "serve.log")
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the service did not start: {log.read_text()}")
