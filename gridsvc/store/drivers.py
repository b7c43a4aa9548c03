"""Connections by the drivers alone, for what may not wait until the rest of the store is loaded."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    import psycopg

__all__ = ["UnreachableError", "to_embedded", "to_postgres"]

_BUSY_SECONDS = 5.0


class UnreachableError(OSError):
    """The database is away."""


def to_embedded(path: str) -> sqlite3.Connection:
    """A connection to the file, which must be there; threads may use it one after the other.

    Raises
    ------
    sqlite3.Error
    """
    address = f"file:{quote(path)}?mode=rw"
    return sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False)


def to_postgres(address: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection which commits each statement by itself; `address` as psycopg takes it.

    Raises
    ------
    psycopg.Error
    """
    import psycopg

    return psycopg.connect(address, autocommit=True, connect_timeout=5, tcp_user_timeout=5000)
