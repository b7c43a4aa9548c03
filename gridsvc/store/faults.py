"""What the databases complain about, as our own errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, StatementError

from gridsvc.errors import Conflict, GridsvcError, InvalidInput, NotFound

__all__ = ["is_duplicate", "translated", "unique"]

_DUPLICATE = {"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}
_FAULTS: tuple[tuple[set[str], type[GridsvcError], str, str], ...] = (
    (_DUPLICATE, Conflict, "the same key was written before", "choose another name or id"),
    (
        {"23503", "SQLITE_CONSTRAINT_FOREIGNKEY"},
        NotFound,
        "it refers to something that is not there",
        "create that first",
    ),
    (
        {"23000", "SQLITE_CONSTRAINT_TRIGGER"},
        Conflict,
        "what is on record is never changed",
        "write a new version",
    ),
    (
        {"40001", "40P01", "55P03", "SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", "SQLITE_LOCKED"},
        Conflict,
        "the database is busy with another change",
        "try again",
    ),
    (
        {"42501"},
        InvalidInput,
        "the database's user lacks a right",
        "let an administrator run CREATE EXTENSION postgis, and grant CREATE on the schema",
    ),
    (
        {"22021", "22P05", "22P02", "unencodable"},
        InvalidInput,
        "a text holds characters that cannot be stored",
        "remove control characters",
    ),
)
"""SQLSTATEs and SQLite's result codes, and what they mean to a caller."""


def _code(error: BaseException | None) -> str:
    """SQLSTATE on PostgreSQL, the name of the result code on SQLite."""
    found = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    return str(found or "")


def is_duplicate(error: DBAPIError) -> bool:
    """Whether a unique key was given twice."""
    return _code(error.orig) in _DUPLICATE


def _own(code: str) -> GridsvcError | None:
    """Our error for `code`; None where it is a bug or an outage, which must stay visible as such."""
    for codes, kind, message, cure in _FAULTS:
        if code in codes:
            return kind(message, cure=cure)
    return None


@contextmanager
def translated() -> Iterator[None]:
    """Raise our own errors for what the database refuses inside."""
    try:
        yield
    except (StatementError, UnicodeEncodeError) as error:
        # The drivers find text which is not Unicode before they ask the database.
        own = _own(_code(error.orig) if isinstance(error, StatementError) else "unencodable")
        if own is None:
            raise
        raise own from error


@contextmanager
def unique(message: str, *, cure: str) -> Iterator[None]:
    """Raise `Conflict` with this text where a unique key is given twice inside."""
    try:
        yield
    except DBAPIError as error:
        if not is_duplicate(error):
            raise
        raise Conflict(message, cure=cure) from error
