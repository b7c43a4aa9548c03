"""Who shows a key, by the drivers alone: for a server which has not loaded the rest of the store yet."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gridsvc.identity import BEGINS, Known, digest_of, principal_of
from gridsvc.store.drivers import UnreachableError, to_embedded, to_postgres

__all__ = ["QuickKeys"]

_COLUMNS = "name, person, role, scopes, branches, expires_at"
_GOOD = f"SELECT {_COLUMNS} FROM keys WHERE digest = %s AND revoked_at IS NULL"
_ANY = "SELECT 1 FROM keys WHERE person IS NULL LIMIT 1"


class QuickKeys:
    """Knows who shows a key; asks the database each time.

    Parameters
    ----------
    url : str
        Database.
    """

    def __init__(self, url: str) -> None:
        self._scheme, _, self._rest = url.partition("://")

    def authenticate(self, token: str) -> Known | None:
        """As `gridsvc.identity.Authenticator`; while the database is away nobody is known."""
        if not token.startswith(BEGINS):
            return None
        try:
            rows = self._rows(_GOOD, (digest_of(token),))
        except UnreachableError:
            return None
        found = _known(*rows[0]) if rows else None
        return None if found is None or found.until <= time.time() else found

    def any(self) -> bool:
        """Whether a key was ever made; sessions are none.

        Raises
        ------
        UnreachableError
            The database is away.
        """
        return bool(self._rows(_ANY, ()))

    def _rows(self, text: str, given: Sequence[Any]) -> list[Any]:
        if self._scheme == "sqlite":
            return _embedded(self._rest.removeprefix("/"), text.replace("%s", "?"), given)
        return _postgres(f"postgresql://{self._rest}", text, given)


def _embedded(path: str, text: str, given: Sequence[Any]) -> list[Any]:
    try:
        connection = to_embedded(path)
        try:
            return connection.execute(text, given).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise UnreachableError("the embedded database cannot be read") from error


def _postgres(address: str, text: str, given: Sequence[Any]) -> list[Any]:
    import psycopg

    try:
        with to_postgres(address) as connection:
            return connection.execute(text.encode(), given).fetchall()
    except psycopg.Error as error:
        raise UnreachableError("the database cannot be reached") from error


def _known(name: str, person: str | None, role: str | None, scopes: Any, branches: Any, ends: Any) -> Known:
    """A row: the embedded database has lists as JSON, and times as microseconds since 1970."""
    held, seen = (json.loads(value) if isinstance(value, str) else value for value in (scopes, branches))
    until = ends.timestamp() if isinstance(ends, datetime) else float("inf") if ends is None else ends / 1e6
    return Known(principal_of(name, person, role, held, seen), until)
