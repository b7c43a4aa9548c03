"""Taking a customer out of all tables: its rows go, and a mark stands where texts of others name it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Table, Text, and_, cast, delete, func, insert, or_, select, update

from gridsvc.store.handle import Handle
from gridsvc.store.seals import plain
from gridsvc.store.tables import (
    audit,
    audit_chain,
    company_documents,
    customer_changes,
    customer_states,
    customers,
    erasing,
    metadata,
    named_accounts,
    requests,
)
from gridsvc.store.trail import TrailWriter, record_of
from gridsvc.store.types import Json
from gridsvc.store.words import masked

__all__ = ["MARK", "Erased", "Eraser"]

MARK = "[erased]"

_WORDS = frozenset({"comment", "decision", "message", "reason", "text"})
"""Columns of free text: what people typed, or errors quoted to them."""

_DISTINCT = 5
"""Letters from which an id is looked for in all texts; a shorter one may be a number of something else."""

_NAMING = frozenset({"customer", "customers"})
"""Members of JSON in which even a short id is that of a customer."""


@dataclass
class Erased:
    """What was reached.

    Attributes
    ----------
    rows : dict of str to int
        Deleted rows by table.
    texts : dict of str to int
        Rows by table in whose texts the customer was named.
    audit_rows : list of (int, str)
        Sealed rows among them, each with the digest of what it is now.
    """

    rows: dict[str, int] = field(default_factory=dict)
    texts: dict[str, int] = field(default_factory=dict)
    audit_rows: list[tuple[int, str]] = field(default_factory=list)


class Eraser:
    """Erases within a unit of work."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._execute = handle.connection.execute

    def erase(self, territory: str, customer: str) -> Erased:
        """Take a customer of a territory out of the database, its key in the audit too.

        The caller is alone with messages about customers; see `ChangeWriter.begin`.
        """
        found = Erased()
        kept = self._keep_last_number(territory, customer)
        for table, column in (
            (customers, customers.c.id),
            (customer_changes, customer_changes.c.id),
            (customer_states, customer_states.c.id),
            (named_accounts, named_accounts.c.customer),
        ):
            gone = delete(table).where(table.c.territory == territory, column == customer)
            last = kept if table.name == customer_changes.name else 0
            _count(found.rows, table, self._execute(gone).rowcount + last)
        self._withdraw(territory, customer)
        self._execute(insert(erasing).values(id=1))
        for each in metadata.sorted_tables:
            if each.name != company_documents.name:
                self._mask(each, territory, customer, found)
        self._execute(delete(erasing))
        if TrailWriter(self._handle).forget("customer", territory, customer):
            found.rows["audit_keys"] = 1
        return found

    def _keep_last_number(self, territory: str, customer: str) -> int:
        """Let the last message stay as one of nobody, who is gone: imports look behind its number.

        Gives 1 if it was the customer's, else 0.
        """
        c = customer_changes.c
        last = select(func.max(c.no)).scalar_subquery()
        nobody = dict.fromkeys(("premise", "lon", "lat", "attributes"))
        own = c.territory == territory, c.id == customer, c.no == last
        stays = update(customer_changes).where(*own)
        return self._execute(stays.values(id="", valid_to=c.valid_from, cell=-1, **nobody)).rowcount

    def _withdraw(self, territory: str, customer: str) -> None:
        """Close open requests about the customer: there is nothing left to decide."""
        c = requests.c
        about = c.wish["customer"].as_string() == customer
        closed = {
            "state": "withdrawn",
            "decided_by": self._handle.actor,
            "decided_at": self._handle.clock(),
            "decision": "the customer was erased",
        }
        self._execute(
            update(requests).where(c.territory == territory, c.state == "open", about).values(closed)
        )

    def _mask(self, table: Table, territory: str, customer: str, found: Erased) -> None:
        columns = [
            column
            for column in table.c
            if isinstance(column.type, type(Json))
            or (column.name in _WORDS and isinstance(column.type, Text))
        ]
        if not columns:
            return
        key = list(table.primary_key.columns)
        naming = or_(*(_may_name(column, customer) for column in columns))
        where = and_(naming, table.c.territory == territory) if "territory" in table.c else naming
        reached = 0
        for row in self._execute(select(*key, *columns).where(where)).all():
            told = row._mapping
            values = {c.name: _without(told[c], customer) for c in columns if told[c] is not None}
            values = {name: value for name, value in values.items() if value != told[table.c[name]]}
            if values:
                own = and_(*(c == told[c] for c in key))
                self._execute(update(table).where(own).values(values))
                reached += 1
                if table is audit:
                    self._unseal(told[audit.c.id], found)
        _count(found.texts, table, reached)

    def _unseal(self, audit_id: int, found: Erased) -> None:
        """Take the salt from a sealed row, and note what the row is now."""
        c = audit_chain.c
        own = update(audit_chain).where(c.audit_id == audit_id).values(salt=None)
        if self._execute(own).rowcount:
            now = self._execute(select(audit).where(audit.c.id == audit_id)).one()
            found.audit_rows.append((audit_id, plain(record_of(now))))


def _count(counts: dict[str, int], table: Table, number: int) -> None:
    if number:
        counts[str(table.name)] = number


def _may_name(column: Column[Any], customer: str) -> Any:
    text = json.dumps(customer, ensure_ascii=False)[1:-1]
    return cast(column, Text).contains(text, autoescape=True)


def _without(value: Any, customer: str, member: str | None = None) -> Any:
    """A text or JSON value with a mark where it names the customer."""
    if isinstance(value, str):
        if member in _NAMING and value == customer:
            return MARK
        return masked(value, {customer: MARK}) if len(customer) >= _DISTINCT else value
    if isinstance(value, Mapping):
        return {_name(name, customer): _without(inner, customer, name) for name, inner in value.items()}
    return [_without(inner, customer, member) for inner in value] if isinstance(value, list) else value


def _name(name: str, customer: str) -> str:
    return MARK if name == customer and len(customer) >= _DISTINCT else name
