"""Big batches in a process of their own: one at a time, with compiled code, beside the workers' event loops.

Frames go over a Unix socket: the lengths of a header and a body, the header as JSON, the body. A caller whose
compute process is away does the work itself.
"""

from __future__ import annotations

import logging
import os
import queue
import socket
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import orjson

from gridsvc import errors
from gridsvc.balance.cache import prepare_cache
from gridsvc.ownership.live import Live
from gridsvc.principal import Principal

__all__ = ["SOCKET", "Bytes", "Local", "Remote", "Work", "serve"]

_log = logging.getLogger("gridsvc.compute")

SOCKET = "compute"
Bytes = bytes | memoryview

_LENGTHS = struct.Struct("<IQ")
_PATIENCE = 60.0
_LATER = 3.0
"""Seconds a server has to itself when it starts: what is loaded here takes as much work as a worker."""


class Work(Protocol):
    """Answers batches."""

    def batch(
        self, who: Principal, body: Bytes, media_type: str, options: Mapping[str, Any]
    ) -> tuple[str, Bytes]:
        """As `gridsvc.services.batches.answer`."""


class Local:
    """Does the work in this process."""

    def __init__(self, desk: Any) -> None:
        self._desk = desk

    def batch(
        self, who: Principal, body: Bytes, media_type: str, options: Mapping[str, Any]
    ) -> tuple[str, Bytes]:
        """As `gridsvc.services.batches.answer`."""
        from gridsvc.services import batches

        return batches.answer(self._desk, who, body, media_type, options)


class Remote:
    """Has the work done by the compute process of this machine; by `local` where there is none.

    Safe to share between threads: each call has a connection to itself.
    """

    def __init__(self, folder: Path, local: Work) -> None:
        self._folder, self._local = folder, local
        self._idle: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()

    def batch(
        self, who: Principal, body: Bytes, media_type: str, options: Mapping[str, Any]
    ) -> tuple[str, Bytes]:
        """As `gridsvc.services.batches.answer`."""
        asked = {
            **who.as_dict(),
            "media_type": media_type,
            "options": dict(options),
        }
        try:
            head, answer = self._call(asked, body)
        except OSError:  # it is just starting, or starting again
            return self._local.batch(who, body, media_type, options)
        if "error" in head:
            raise errors.from_dict(head["error"])
        return head["media_type"], answer

    def close(self) -> None:
        """Close the connections which wait for the next batch."""
        while not self._idle.empty():
            self._idle.get().close()

    def _call(self, asked: dict[str, Any], body: Bytes) -> tuple[dict[str, Any], Bytes]:
        connection = self._connected()
        try:
            _send(connection, asked, body)
            found = _receive(connection)
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)
        return found

    def _connected(self) -> socket.socket:
        while True:
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                break
            if not _closed(connection):
                return connection
            connection.close()
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(_PATIENCE)
            with _address(self._folder) as address:
                connection.connect(address)
        except OSError:
            connection.close()
            raise
        return connection


@contextmanager
def _address(folder: Path) -> Iterator[str]:
    """A name of the folder's socket which is short enough: sockets take some hundred bytes."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        short = Path(f"/proc/self/fd/{opened}")
        yield str((short if short.exists() else folder) / SOCKET)
    finally:
        os.close(opened)


def _closed(connection: socket.socket) -> bool:
    """Whether the other side has gone: an idle connection has nothing to say."""
    connection.setblocking(False)
    try:
        connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        connection.settimeout(_PATIENCE)
        return False
    except OSError:
        return True
    return True


def _send(connection: socket.socket, head: dict[str, Any], body: Bytes) -> None:
    text = orjson.dumps(head)
    connection.sendall(_LENGTHS.pack(len(text), len(body)) + text)
    connection.sendall(body)


def _receive(connection: socket.socket) -> tuple[dict[str, Any], Bytes]:
    head, body = _LENGTHS.unpack(_read(connection, _LENGTHS.size))
    return orjson.loads(_read(connection, head)), _read(connection, body)


def _read(connection: socket.socket, count: int) -> memoryview:
    block = bytearray(count)
    view, at = memoryview(block), 0
    while at < count:
        got = connection.recv_into(view[at:])
        if not got:
            raise ConnectionResetError("the other side has gone")
        at += got
    return view


class _Later:
    """Does the work in the compute process. What it needs is loaded a moment after the start, or by need.

    Batches which come before the compiled code is there are answered with arrays.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._live = url, Live(folder)
        self._folder, self._compiled = folder, False
        self._opening = threading.Lock()
        self._local: Local | None = None

    def batch(
        self, who: Principal, body: Bytes, media_type: str, options: Mapping[str, Any]
    ) -> tuple[str, Bytes]:
        """As `gridsvc.services.batches.answer`."""
        local = self._opened()
        state = self._live.state() if self._compiled else None
        for line in () if state is None else state.lines.values():
            line.snapshot.places.warm()
        return local.batch(who, body, media_type, options)

    def _opened(self) -> Local:
        with self._opening:
            if self._local is None:
                from gridsvc.services.desk import Desk
                from gridsvc.services.keeping import Keeper
                from gridsvc.store.database import Database

                self._local = Local(Desk(Database.open_existing(self._url), self._live, Keeper(self._folder)))
            return self._local

    def load(self) -> None:
        """Load all that batches need; the server which starts goes first."""
        time.sleep(_LATER)
        try:
            self._opened()
            import gridsvc.services.batches

            prepare_cache()
            import gridsvc.tiling.compiled  # noqa: F401 - compiled as it is loaded, or taken from the cache

            self._compiled = True
        except Exception:  # noqa: BLE001 - logged; arrays do the work as well, if slower
            _log.exception("compiled code cannot be used")


def serve(url: str, folder: Path) -> None:
    """Answer on the folder's socket for ever."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / SOCKET).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    with _address(folder) as address:
        listener.bind(address)
    (folder / SOCKET).chmod(0o600)
    listener.listen(64)
    work, turn = _Later(url, folder), threading.Lock()
    threading.Thread(target=work.load, name="gridsvc-load", daemon=True).start()
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_attend, args=(connection, work, turn), daemon=True).start()


def _attend(connection: socket.socket, work: Work, turn: threading.Lock) -> None:
    with connection:
        while True:
            try:
                asked, body = _receive(connection)
            except OSError:
                return
            with turn:  # one after the other: together they would only wait for each other's interpreter
                head, answer = _answer(work, asked, body)
            try:
                _send(connection, head, answer)
            except OSError:
                return


def _answer(work: Work, asked: dict[str, Any], body: Bytes) -> tuple[dict[str, Any], Bytes]:
    try:
        media_type, answer = work.batch(Principal.of(asked), body, asked["media_type"], asked["options"])
    except errors.GridsvcError as error:
        return {"error": error.as_dict()}, b""
    except Exception:  # noqa: BLE001 - logged; the caller gets an error without internals
        _log.exception("a batch failed unexpectedly")
        return {"error": errors.GridsvcError("the batch could not be answered").as_dict()}, b""
    return {"media_type": media_type}, answer
