"""Many rows at once: COPY on PostgreSQL, batches of prepared inserts on SQLite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice, repeat
from typing import Any

from sqlalchemy import ColumnElement, Dialect, Table, bindparam, column, func, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError

from gridsvc.store.handle import Handle
from gridsvc.store.types import Json

__all__ = ["CHUNK", "insert_columns", "insert_rows", "is_one_of"]

CHUNK = 20_000
"""Rows in one statement, and in one transaction of an import."""


def _prepared(table: Table, name: str, value: Any, dialect: Dialect) -> Any:
    """`value` as the driver takes it for this column."""
    processor = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
    return processor(value) if processor else value


def _copy(handle: Handle, table: Table, names: list[str], rows: Iterator[tuple[Any, ...]]) -> None:
    driver: Any = handle.connection.connection.driver_connection
    quoted = ", ".join(f'"{name}"' for name in names)
    statement = f'COPY "{table.name}" ({quoted}) FROM STDIN'
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except handle.connection.dialect.loaded_dbapi.Error as error:
        # COPY passes SQLAlchemy by; give its faults the form all others have.
        raise DBAPIError.instance(
            statement,
            None,
            error,
            handle.connection.dialect.loaded_dbapi.Error,
            dialect=handle.connection.dialect,
        ) from error


def _insert(
    handle: Handle, table: Table, names: list[str], rows: Iterator[tuple[Any, ...]], chunk: int
) -> None:
    quoted = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    statement = f'INSERT INTO "{table.name}" ({quoted}) VALUES ({marks})'
    while some := list(islice(rows, chunk)):
        handle.connection.exec_driver_sql(statement, some)


def insert_columns(
    handle: Handle, table: Table, constants: Mapping[str, Any], columns: Mapping[str, Sequence[Any]]
) -> None:
    """Insert one row for each position of `columns`.

    Parameters
    ----------
    constants : mapping of column name to value
        The same in each row.
    columns : mapping of column name to sequence, all of one length
        Values as the driver takes them: plain Python numbers, text, bytes or None.
    """
    dialect = handle.connection.dialect
    fixed = [repeat(_prepared(table, name, value, dialect)) for name, value in constants.items()]
    rows = zip(*fixed, *columns.values(), strict=False)  # the constants repeat for ever
    insert_rows(handle, table, [*constants, *columns], rows)


def insert_rows(
    handle: Handle, table: Table, names: list[str], rows: Iterator[tuple[Any, ...]], chunk: int = CHUNK
) -> None:
    """Insert `rows` of the columns `names`, with values as the driver takes them, `chunk` at a time."""
    if handle.postgres:
        _copy(handle, table, names, rows)
    else:
        _insert(handle, table, names, rows, chunk)


def is_one_of(
    handle: Handle, what: ColumnElement[Any], values: Sequence[int] | Sequence[str]
) -> ColumnElement[bool]:
    """Condition ``what IN values`` with one parameter, however many numbers or texts there are."""
    if handle.postgres:
        array = bindparam(None, list(values), ARRAY(what.type), unique=True)
        return what == func.any(array)
    listed = func.json_each(bindparam(None, list(values), Json, unique=True)).table_valued(column("value"))
    return what.in_(select(listed.c.value).where(true()))
