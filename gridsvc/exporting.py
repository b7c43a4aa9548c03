"""Writes one export and ends: ``python -m gridsvc.exporting``, with a line of JSON on its standard input.

Formats which must go back in their file are written by libraries that an API worker does not carry. The child
opens the database named in its environment, and answers on its standard output: the manifest, or the error.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from gridsvc import errors, logs
from gridsvc.bounds import Bounds
from gridsvc.principal import Principal
from gridsvc.services import exports
from gridsvc.services.export_ground import Source
from gridsvc.store.database import Database

__all__ = ["answer", "main", "written"]

_TURNS = threading.BoundedSemaphore(2)
_WAIT, _LONGEST = 10.0, 900.0


def written(url: str, who: Principal, source: Source, wanted: exports.Wanted, path: Path) -> dict[str, Any]:
    """Have an export written by a child; gives the manifest.

    Raises
    ------
    Conflict
        As many are being written as may be at once.
    GridsvcError
        What is wrong with the question.
    """
    asked = {
        **who.as_dict(),
        "source": asdict(source),
        "wanted": asdict(wanted),
        "path": str(path),
    }
    if not _TURNS.acquire(timeout=_WAIT):
        raise errors.Conflict(
            "as many files are being written as may be at once",
            field="format",
            cure="try again later, or POST to /v1/plans/{plan}/exports for a job",
        )
    try:
        return _ask(url, orjson.dumps(asked))
    finally:
        _TURNS.release()


def _ask(url: str, asked: bytes) -> dict[str, Any]:
    told: dict[str, Any] = orjson.loads(_by_a_child(url, asked))
    if "error" in told:
        raise errors.from_dict(told["error"])
    return told


def _by_a_child(url: str, asked: bytes) -> bytes:
    command = [sys.executable, "-m", "gridsvc.exporting"]
    environment = {**os.environ, "GRIDSVC_DATABASE_URL": url}
    try:
        done = subprocess.run(  # noqa: S603 - this program itself
            command, input=asked, stdout=subprocess.PIPE, env=environment, timeout=_LONGEST, check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        raise errors.GridsvcError("the file could not be written") from None
    return done.stdout


def main() -> None:
    """Write the export asked for on the standard input."""
    logs.configure(logs.inherited())
    asked = sys.stdin.buffer.read()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else is printed goes where errors go
    Bounds.inherited().hold()
    gc.freeze()  # what is loaded stays: the collector need not walk through it again and again
    with answers:
        answers.write(answer(os.environ["GRIDSVC_DATABASE_URL"], asked))


def answer(url: str, line: bytes) -> bytes:
    """Do what a line asks; gives the line that tells the manifest, or the error."""
    asked = orjson.loads(line)
    database = Database.open_existing(url)
    try:
        source, wanted = Source(**asked["source"]), exports.Wanted(**asked["wanted"])
        told = exports.write(database, Principal.of(asked), source, wanted, Path(asked["path"]))
    except errors.GridsvcError as error:
        told = {"error": error.as_dict()}
    except MemoryError:
        told = {"error": Bounds.inherited().out_of_memory().as_dict()}
    finally:
        database.close()
    return orjson.dumps(told)


if __name__ == "__main__":
    main()
