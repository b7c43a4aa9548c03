"""Big batches in a process of their own: one at a time, with compiled code, beside the workers' event loops.

Frames go over a Unix socket: the lengths of a header and a body, the header as JSON, the body. A caller whose
compute process is away does the work itself.
"""

from __future__ import annotations

import logging
import queue
import socket
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import orjson

from gridsvc import errors
from gridsvc.principal import Principal

__all__ = ["SOCKET", "Bytes", "Local", "Remote", "Work", "serve"]

_log = logging.getLogger("gridsvc.compute")

SOCKET = "compute"
Bytes = bytes | memoryview

_LENGTHS = struct.Struct("<IQ")
_PATIENCE = 60.0


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
        self._path, self._local = folder / SOCKET, local
        self._idle: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()

    def batch(
        self, who: Principal, body: Bytes, media_type: str, options: Mapping[str, Any]
    ) -> tuple[str, Bytes]:
        """As `gridsvc.services.batches.answer`."""
        asked = {
            "actor": who.actor,
            "scopes": sorted(who.scopes),
            "branches": None if who.branches is None else sorted(who.branches),
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
            connection.connect(str(self._path))
        except OSError:
            connection.close()
            raise
        return connection


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


def serve(url: str, folder: Path) -> None:
    """Answer on the folder's socket for ever."""
    from gridsvc.ownership.live import Live
    from gridsvc.services.keeping import Keeper
    from gridsvc.services.ownership import Desk
    from gridsvc.store.database import Database
    from gridsvc.tiling.compiled import warm

    desk = Desk(Database.open(url), Live(folder), Keeper(folder))
    warm()
    path = folder / SOCKET
    listener = socket.socket(socket.AF_UNIX)
    path.unlink(missing_ok=True)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(64)
    turn = threading.Lock()
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_attend, args=(connection, Local(desk), turn), daemon=True).start()


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
    branches = None if asked["branches"] is None else frozenset(asked["branches"])
    who = Principal(asked["actor"], frozenset(asked["scopes"]), branches)
    try:
        media_type, answer = work.batch(who, body, asked["media_type"], asked["options"])
    except errors.GridsvcError as error:
        return {"error": error.as_dict()}, b""
    except Exception:  # noqa: BLE001 - logged; the caller gets an error without internals
        _log.exception("a batch failed unexpectedly")
        return {"error": errors.GridsvcError("the batch could not be answered").as_dict()}, b""
    return {"media_type": media_type}, answer
