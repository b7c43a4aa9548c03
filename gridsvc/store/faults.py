"""What the databases complain about, as our own errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gridsvc.errors import Conflict, GridsvcError, InvalidInput, NotFound, OutOfService
from gridsvc.outages import RETRY_AFTER

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

_OUTAGES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("53100", "SQLITE_FULL"), "disk-full", "the database's disk is full"),
    (("25006", "SQLITE_READONLY"), "database-read-only", "the database is read-only"),
    (("53300",), "database-busy", "the database takes no more connections"),
    (
        ("08", "57P", "58", "SQLITE_CANTOPEN", "SQLITE_IOERR"),
        "database-unreachable",
        "the database cannot be reached",
    ),
)
"""How codes begin which speak of the database's own state, and not of what was asked."""


def _code(error: BaseException | None) -> str:
    """SQLSTATE on PostgreSQL, the name of the result code on SQLite."""
    found = getattr(error, "sqlstate", None) or getattr(error, "sqlite_errorname", None)
    return str(found or "")


def is_duplicate(error: DBAPIError) -> bool:
    """Whether a unique key was given twice."""
    return _code(error.orig) in _DUPLICATE


def _own(code: str) -> GridsvcError | None:
    """Our error for `code`; None where it is a bug, which must stay visible as such."""
    for starts, reason, text in _OUTAGES:
        if code.startswith(starts):
            return _outage(reason, text)
    for codes, kind, message, cure in _FAULTS:
        if code in codes:
            return kind(message, cure=cure)
    return None


def _outage(reason: str, message: str) -> OutOfService:
    cure = "try again later; /readyz says when it is over"
    return OutOfService(message, cure=cure, reason=reason, retry_after=RETRY_AFTER)


def _is_broken_off(error: BaseException) -> bool:
    """Whether there is no connection: then there is nobody who could give a code."""
    if not isinstance(error, DBAPIError):
        return False
    nobody = type(error.orig).__name__ == "OperationalError" and not _code(error.orig)
    return error.connection_invalidated or nobody


def _is_unencodable(error: BaseException) -> bool:
    """Whether a driver itself found text which no database holds: not Unicode, or with NUL."""
    orig = error.orig if isinstance(error, StatementError) else error
    return isinstance(orig, UnicodeEncodeError) or (type(orig).__name__ == "DataError" and not _code(orig))


@contextmanager
def translated() -> Iterator[None]:
    """Raise our own errors for what the database refuses inside."""
    try:
        yield
    except PoolTimeout as error:
        raise _outage("database-busy", "all connections to the database are in use") from error
    except (StatementError, UnicodeEncodeError) as error:
        if _is_broken_off(error):
            raise _outage("database-unreachable", "the database cannot be reached") from error
        code = _code(error.orig) if isinstance(error, StatementError) else ""
        own = _own("unencodable" if _is_unencodable(error) else code)
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
