"""What a caller sees: each statement of a caller with branches is narrowed to the rows of theirs.

It is done once, under all repositories, so that none of them can forget it. A statement reads tables by
name; in front of it stands, for each table it names, a common table expression of the same name with the
caller's rows only. What belongs to another territory is therefore not found, counted or joined, as if it had
never been written. Changes and deletions get the same condition on their own table (behind an expression the
embedded database does not say how many rows they met), and a row which names another territory is refused. A
table for which no rule is written has no rows at all.

Callers who see all pay nothing: their statements are left as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Select,
    Table,
    Update,
    and_,
    column,
    event,
    false,
    literal_column,
    or_,
    select,
    table,
    true,
)
from sqlalchemy.sql import visitors
from sqlalchemy.sql.selectable import SelectBase, TableClause

from gridsvc.errors import NotFound
from gridsvc.principal import Principal
from gridsvc.store import tables

__all__ = ["COMPANY", "HIDDEN", "bind", "no_such_territory"]

COMPANY = frozenset({"company_documents", "idempotency", "seq"})
"""Tables which tell of no territory, and are seen by everybody."""

HIDDEN = frozenset(
    {
        "audit",
        "audit_chain",
        "audit_waiting",
        "deliveries",
        "erasing",
        "keys",
        "outbox",
        "senders",
        "webhooks",
    }
)
"""Tables of the whole company, of which a caller with branches sees nothing; they may be added to."""

_BY_PARENT = {
    "cells": ("tiling_id", "tilings"),
    "measures": ("tiling_id", "tilings"),
    "plan_carve_outs": ("plan_id", "plans"),
    "plan_grids": ("plan_id", "plans"),
    "plan_moves": ("plan_id", "plans"),
    "plan_reviews": ("plan_id", "plans"),
    "request_comments": ("request_id", "requests"),
}
"""Tables whose rows belong to a row of another one: the column which names it, and that table."""

_NAMELESS = frozenset({"cells_rtree"})
"""Boxes of cells, which say nothing without the cells."""


def no_such_territory(territory: str) -> NotFound:
    """What is said of a territory which is not there, or not for the caller."""
    return NotFound(
        f"there is no territory {territory!r}", field="territory", cure="create it, or list those there are"
    )


def bind(connection: Connection, who: Principal, *, parts: bool = False) -> None:
    """Let a connection, until it is given back, see what a caller sees."""
    if who.branches is None:
        return
    seen = (who.territories or frozenset()) | (who.parts.keys() if parts else frozenset())
    sight = _Sight(seen, who.actor, "main" if connection.dialect.name == "sqlite" else None)
    event.listen(connection, "before_execute", sight.narrowed, retval=True)


class _Sight:
    """The territories a caller sees, on a database whose tables are in `schema`."""

    def __init__(self, territories: Iterable[str], actor: str, schema: str | None) -> None:
        self._territories, self._actor, self._schema = sorted(territories), actor, schema
        self._views: dict[str, CTE] = {}

    def narrowed(
        self,
        _connection: Connection,
        statement: Any,
        several: list[dict[str, Any]],
        parameters: dict[str, Any],
        _options: Mapping[str, Any],
    ) -> tuple[Any, list[dict[str, Any]], dict[str, Any]]:
        """A statement with the caller's rows in place of all."""
        if isinstance(statement, Insert):
            self._require_own(statement, [*several, parameters])
        elif isinstance(statement, Update | Delete):
            statement = statement.where(self._rule(statement.table))
        elif isinstance(statement, Select) and statement._for_update_arg is not None:
            # PostgreSQL locks no rows behind an expression: these are narrowed where they stand.
            return statement.where(*map(self._rule, _tables(statement))), several, parameters
        elif isinstance(statement, SelectBase):
            named = sorted(table.name for table in _tables(statement) if table.name not in _NAMELESS)
            statement = statement.add_cte(*map(self._view, named))
        return statement, several, parameters

    def _view(self, name: str) -> CTE:
        """The caller's rows of a table, under its name; the database reads it as part of the statement."""
        if name not in self._views:
            plain = self._plain(name)
            rows: Select[Any] = select(literal_column("*")).select_from(plain).where(self._rule(plain))
            self._views[name] = rows.cte(name).prefix_with("NOT MATERIALIZED")
        return self._views[name]

    def _plain(self, name: str) -> TableClause:
        """A table past any expression of its name."""
        columns = (column(c.name, c.type) for c in tables.metadata.tables[name].columns)
        return table(name, *columns, schema=self._schema)

    def _rule(self, plain: Any) -> ColumnElement[bool]:
        """Which rows of a table are the caller's."""
        name, c = plain.name, plain.c
        if name in COMPANY:
            return true()
        if name == "territories":
            return _one_of(c.id, self._territories)
        if name == "jobs":  # those of no territory are for whoever asked for them
            mine = and_(c.territory.is_(None), c.created_by == self._actor)
            return or_(_one_of(c.territory, self._territories), mine)
        if name in _BY_PARENT:
            column_name, parent = _BY_PARENT[name]
            above = self._plain(parent)
            return _one_of(c[column_name], select(above.c.id).where(self._rule(above)))
        if "territory" in c and name not in HIDDEN:
            return _one_of(c.territory, self._territories)
        return false()

    def _require_own(self, statement: Insert, several: Iterable[Mapping[str, Any]]) -> None:
        """Refuse to add rows which name another territory."""
        if statement.select is not None:
            raise NotImplementedError("what is copied from other rows is not narrowed")
        if "territory" not in statement.table.c:
            return
        rows = [statement.compile().params, *several]
        named = {value for row in rows for name, value in row.items() if name.startswith("territory")}
        for territory in sorted(named - {None, *self._territories}):
            raise no_such_territory(territory)


def _one_of(what: ColumnElement[str], values: list[str] | Select[Any]) -> ColumnElement[bool]:
    return what.in_(values)


def _tables(statement: Any) -> set[Table]:
    """The tables a statement names, wherever it does."""
    found: set[Table] = set()
    for element in visitors.iterate(statement):
        if isinstance(element, Table):
            found.add(element)
        elif isinstance(owner := getattr(element, "table", None), Table):
            found.add(owner)
    return found
