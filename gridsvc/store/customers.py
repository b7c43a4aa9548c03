"""Customers: staged in an import, seen by nobody until it goes live as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Table,
    delete,
    false,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    union_all,
    update,
)

from gridsvc.errors import Conflict, NotFound
from gridsvc.store.bulk import insert_columns, is_one_of
from gridsvc.store.changes import ChangeReader, ChangeWriter, Standing, standing
from gridsvc.store.faults import unique
from gridsvc.store.handle import Handle
from gridsvc.store.ids import new_id
from gridsvc.store.records import CustomerRecord, CustomerRows, ImportRecord
from gridsvc.store.tables import customer_states, customers, imports

__all__ = ["CustomerReader", "CustomerWriter"]

_MANY = 5000
_IMPORT = [c for c in imports.c if c.name != "no"]
_CUSTOMER = (
    imports.c.id.label("import_id"),
    imports.c.tiling_id.label("tiling"),
    customers.c.row_no,
    customers.c.id,
    customers.c.premise,
    customers.c.verdict,
    customers.c.cell,
    customers.c.kept,
    customers.c.todo,
    customers.c.lon,
    customers.c.lat,
    customers.c.attributes,
)


def _import(row: Row[*tuple[Any, ...]]) -> ImportRecord:
    named = dict(row._mapping)
    return ImportRecord(tiling=named.pop("tiling_id"), **named)


def _customer(row: Row[*tuple[Any, ...]]) -> CustomerRecord:
    named = dict(row._mapping)
    return CustomerRecord(values=named.pop("attributes") or {}, **named)


def _numbers(column: NDArray[np.float64]) -> list[float | None]:
    """NaN as NULL, which SQLite would make of it anyway."""
    return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124


def _attributes(rows: CustomerRows) -> list[str | None]:
    """Further columns as one JSON object a row; NaN becomes null."""
    if not rows.values:
        return [None] * len(rows)
    names = list(rows.values)
    columns = [np.asarray(array).tolist() for array in rows.values.values()]
    return [orjson.dumps(dict(zip(names, row, strict=True))).decode() for row in zip(*columns, strict=True)]


class CustomerReader:
    """Reads imports and customers."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def get_import(self, import_id: str) -> ImportRecord:
        """Return the import.

        Raises
        ------
        NotFound
            No import has this id.
        """
        found = self._handle.connection.execute(select(*_IMPORT).where(imports.c.id == import_id)).first()
        if found is None:
            raise NotFound(
                f"there is no import {import_id!r}", field="import", cure="upload the customers again"
            )
        return _import(found)

    def live_import(self, territory: str, tiling: str | None = None) -> ImportRecord | None:
        """The live import of a territory: that on `tiling`, or the last to go live on any; or None."""
        rows = select(*_IMPORT).where(imports.c.territory == territory, imports.c.status == "live")
        if tiling is not None:
            rows = rows.where(imports.c.tiling_id == tiling)
        newest = rows.order_by(imports.c.valid_from.desc(), imports.c.no.desc()).limit(1)
        found = self._handle.connection.execute(newest).first()
        return None if found is None else _import(found)

    def live_imports(self, territory: str) -> list[ImportRecord]:
        """The live imports of a territory, one a tiling at most; the last to go live first."""
        rows = select(*_IMPORT).where(imports.c.territory == territory, imports.c.status == "live")
        newest = rows.order_by(imports.c.valid_from.desc(), imports.c.no.desc())
        return [_import(row) for row in self._handle.connection.execute(newest)]

    def in_chunks(
        self, import_id: str, size: int
    ) -> Iterator[tuple[list[str], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]]:
        """Ids, cell rows (-1 unplaced), lon and lat (degrees, NaN where unknown) of all kept customers.

        At most `size` at a time, so that millions need no more memory than that.
        """
        c = customers.c
        wanted = select(c.id, c.cell, c.lon, c.lat).where(c.import_no == self._no(import_id), c.kept)
        options = {"yield_per": size}
        for part in self._handle.connection.execute(wanted, execution_options=options).partitions(size):
            ids, cells, lon, lat = zip(*part, strict=True)
            yield list(ids), np.array(cells, np.int32), np.array(lon, np.float64), np.array(lat, np.float64)

    def _no(self, import_id: str) -> int:
        found = self._handle.connection.execute(
            select(imports.c.no).where(imports.c.id == import_id)
        ).scalar()
        if found is None:
            self.get_import(import_id)
        return int(found or 0)

    def find(
        self, territory: str, customer_id: str, at: datetime | None = None, known: datetime | None = None
    ) -> CustomerRecord | None:
        """The customer by the last message behind the newest live import, else by that or an older one.

        At another time, or as known then, by the imports and messages which counted there. None where the
        customer is unknown or gone.
        """
        time = None if at is None and known is None else min(at or known, known or at)  # type: ignore[type-var]
        newest, now = self._in_force(territory, time), self._handle.clock()
        behind = 0 if not newest else newest[0].behind
        told = ChangeReader(self._handle).told(territory, customer_id, behind, at or now, known or now)
        if told is not None:
            there, record = told
            return record if there else None
        rows = (
            _joined()
            .where(is_one_of(self._handle, imports.c.id, [record.id for record in newest]))
            .where(customers.c.id == customer_id, customers.c.kept)
            .order_by(imports.c.valid_from.desc(), imports.c.no.desc())
            .limit(1)
        )
        found = self._handle.connection.execute(rows).first()
        return None if found is None else _customer(found)

    def _in_force(self, territory: str, time: datetime | None) -> list[ImportRecord]:
        """Imports which were live at a time, the last first; those of now for none, and before the first."""
        if time is None:
            return self.live_imports(territory)
        c = imports.c
        then = select(*_IMPORT).where(c.territory == territory, c.status != "discarded", c.valid_from <= time)
        ordered = then.where(or_(c.valid_to.is_(None), c.valid_to > time))
        rows = self._handle.connection.execute(ordered.order_by(c.valid_from.desc(), c.no.desc()))
        return [_import(row) for row in rows] or self.live_imports(territory)

    def import_at(self, territory: str, tiling: str, time: datetime) -> ImportRecord | None:
        """The import of a tiling which was live at a time; None where there was none."""
        found = self._in_force(territory, time)
        return next((r for r in found if r.tiling == tiling and r.valid_from and r.valid_from <= time), None)

    def residents(
        self,
        territory: str,
        tiling: str,
        cell_rows: Sequence[int],
        after: str | None = None,
        limit: int = 100,
    ) -> list[CustomerRecord]:
        """Customers of some cells as they are now, by id, at most `limit`, behind the id `after`.

        They are those of the live import of the tiling, with what was told of customers since.
        """
        live, now = self.live_import(territory, tiling), self._handle.clock()
        numbers = [int(row) for row in cell_rows]
        behind = 0 if live is None else live.behind
        parts = [_came(territory, tiling, behind, now).where(self._is_in(customer_states.c.cell, numbers))]
        if live is not None:
            stayed = self._of(live.id).where(customers.c.kept, self._is_in(customers.c.cell, numbers))
            parts.append(stayed.where(~_told_of(territory, behind, now)))
        names = [part.selected_columns["id"] for part in parts]
        if after is not None:
            parts = [part.where(name > after) for part, name in zip(parts, names, strict=True)]
        first = [p.order_by(n).limit(limit).subquery() for p, n in zip(parts, names, strict=True)]
        rows = union_all(*(select(part) for part in first)).subquery()
        page = select(rows).order_by(rows.c.id).limit(limit)
        return [_customer(row) for row in self._handle.connection.execute(page)]

    def _is_in(self, cell: ColumnElement[int], numbers: Sequence[int]) -> ColumnElement[bool]:
        return is_one_of(self._handle, cell, numbers)

    def in_cell(
        self, import_id: str, cell_row: int, after: str | None = None, limit: int = 100
    ) -> list[CustomerRecord]:
        """Customers of one cell, by id, at most `limit`, behind the id `after`."""
        return self.in_cells(import_id, [cell_row], after, limit)

    def in_cells(
        self, import_id: str, cell_rows: Sequence[int], after: str | None = None, limit: int = 100
    ) -> list[CustomerRecord]:
        """Customers of some cells, by id, at most `limit`, behind the id `after`."""
        numbers = [int(row) for row in cell_rows]
        inside = is_one_of(self._handle, customers.c.cell, numbers)
        rows = self._of(import_id).where(customers.c.kept, inside).order_by(customers.c.id).limit(limit)
        if after is not None:
            rows = rows.where(customers.c.id > after)
        return [_customer(row) for row in self._handle.connection.execute(rows)]

    def imported(self, import_id: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
        """Ids and cell rows of all kept customers as they were imported."""
        ids, cells = self._columns(import_id, customers.c.id, customers.c.cell)
        return ids, cells

    def cells_of(self, import_id: str, ids: Sequence[str]) -> dict[str, int]:
        """Cell row of those of these customers whom an import has, by id."""
        number, found = self._no(import_id), dict[str, int]()
        for at in range(0, len(ids), _MANY):
            among = is_one_of(self._handle, customers.c.id, ids[at : at + _MANY])
            rows = select(customers.c.id, customers.c.cell)
            rows = rows.where(customers.c.import_no == number, customers.c.kept, among)
            found.update((name, cell) for name, cell in self._handle.connection.execute(rows))
        return found

    def valued(self, import_id: str, cell_rows: Sequence[int]) -> list[tuple[str, int, dict[str, Any]]]:
        """Id, cell row and further columns of an import's customers in some cells."""
        c = customers.c
        inside = is_one_of(self._handle, c.cell, cell_rows)
        rows = select(c.id, c.cell, c.attributes).where(c.import_no == self._no(import_id), c.kept, inside)
        return [(name, cell, values or {}) for name, cell, values in self._handle.connection.execute(rows)]

    def tally(
        self, record: ImportRecord, column: str, at: datetime
    ) -> tuple[NDArray[np.int32], NDArray[np.int64], tuple[str, ...]]:
        """Cell row of each placed customer at a time, by what was told by then, and its text in a column.

        Returns
        -------
        (cells, places, texts) : int32 and int64 arrays, shape (n,), and tuple of str
            A customer's text is that at its place in `texts`, which are ascending; empty where it has none.
        """
        told = select(customer_states.c.no).where(*standing(record.territory, record.behind, at))
        own = customers.c.import_no == self._no(record.id), customers.c.kept
        parts = [_texts(customers, column).where(*own)]
        if self._handle.connection.execute(told.limit(1)).first() is not None:
            parts[0] = parts[0].where(~_told_of(record.territory, record.behind, at))
            here = customer_states.c.there, customer_states.c.tiling_id == record.tiling
            since = standing(record.territory, record.behind, at)
            parts.append(_texts(customer_states, column).where(*since, *here))
        rows = [row for part in parts for row in self._handle.connection.execute(part).fetchall()]
        cells, values = zip(*rows, strict=True) if rows else ((), ())
        plain = {value: _plain(value) for value in set(values)}
        texts = tuple(sorted(set(plain.values())))
        place = {value: texts.index(text) for value, text in plain.items()}
        places = np.fromiter(map(place.__getitem__, values), np.int64, len(values))
        return np.array(cells, np.int32), places, texts

    def findings(self, import_id: str, after: int = 0, limit: int = 100) -> list[CustomerRecord]:
        """Rows a person must look at, by row of the source, at most `limit`, behind the row `after`."""
        rows = self._of(import_id).where(customers.c.todo, customers.c.row_no > after)
        page = rows.order_by(customers.c.row_no).limit(limit)
        return [_customer(row) for row in self._handle.connection.execute(page)]

    def _of(self, import_id: str) -> Select[*tuple[Any, ...]]:
        return _joined().where(customers.c.import_no == self._no(import_id))

    def index(self, import_id: str) -> tuple[NDArray[np.object_], NDArray[np.int32]]:
        """Ids (object) and cell rows (int32, -1 unplaced) of all customers, in the source's order.

        A live import gives them as they are now: behind those who stayed come those told of since.
        """
        told, came = self._told_since(import_id)
        ids, cells = self._columns(import_id, customers.c.id, customers.c.cell)
        kept = [at for at, name in enumerate(ids) if name not in told] if told else range(len(ids))
        names = [*(ids[at] for at in kept), *(state.id for state in came)]
        rows = [*(cells[at] for at in kept), *(state.cell for state in came)]
        return np.array(names, dtype=object), np.array(rows, dtype=np.int32)

    def points(self, import_id: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lon and lat (float64 degrees, NaN where unknown) of all customers, in the order of `index`."""
        told, came = self._told_since(import_id)
        ids, lon, lat = self._columns(import_id, customers.c.id, customers.c.lon, customers.c.lat)
        kept = [at for at, name in enumerate(ids) if name not in told] if told else range(len(ids))
        x = [*(lon[at] for at in kept), *(state.lon for state in came)]
        y = [*(lat[at] for at in kept), *(state.lat for state in came)]
        return np.array(x, dtype=np.float64), np.array(y, dtype=np.float64)

    def _told_since(self, import_id: str) -> tuple[set[str], list[Standing]]:
        """Whom messages since a live import tell of, and those of them who are there."""
        record = self.get_import(import_id)
        if record.status != "live":
            return set(), []
        changes = ChangeReader(self._handle)
        told = changes.standing(record.territory, record.behind, self._handle.clock())
        there = [s if s.tiling == record.tiling else replace(s, cell=-1) for s in told if s.there]
        return {state.id for state in told}, there

    def _columns(self, import_id: str, *columns: Any) -> tuple[tuple[Any, ...], ...]:
        wanted = select(*columns).where(customers.c.import_no == self._no(import_id), customers.c.kept)
        rows = self._handle.connection.execute(wanted.order_by(customers.c.row_no)).fetchall()
        return tuple(zip(*rows, strict=True)) or tuple(() for _ in columns)


def _came(territory: str, tiling: str, behind: int, now: datetime) -> Select[*tuple[Any, ...]]:
    """Customers by what was told of them, in the columns of `_CUSTOMER`."""
    c = customer_states.c
    columns = (
        literal("").label("import_id"),
        c.tiling_id.label("tiling"),
        c.no.label("row_no"),
        *(c.id, c.premise, c.verdict, c.cell, true().label("kept"), false().label("todo")),
        *(c.lon, c.lat, c.attributes),
    )
    return select(*columns).where(*standing(territory, behind, now), c.there, c.tiling_id == tiling)


def _told_of(territory: str, behind: int, now: datetime) -> ColumnElement[bool]:
    """Whether a message tells of the customer of an import's row."""
    told = select(customer_states.c.no).where(*standing(territory, behind, now))
    return told.where(customer_states.c.id == customers.c.id).exists()


def _texts(table: Table, column: str) -> Select[*tuple[Any, ...]]:
    """Cells of placed customers with one of their further columns as text."""
    text_ = table.c.attributes[column].as_string()
    return select(table.c.cell, text_).where(table.c.cell + 0 >= 0)  # in the order of rows, not by an index


def _plain(value: Any) -> str:
    """A column's value as text; a whole number is the same whether it was kept with a fraction or not."""
    return "" if value is None else str(value).removesuffix(".0")


def _joined() -> Select[*tuple[Any, ...]]:
    return select(*_CUSTOMER).join(imports, customers.c.import_no == imports.c.no)


class CustomerWriter(CustomerReader):
    """Writes imports and customers; `gridsvc.store.staging` gives each step its own transaction."""

    def begin_import(self, territory: str, tiling: str, source: str, params: Mapping[str, Any]) -> str:
        """Open an import of the file called `source`, and return its id."""
        made = new_id("imp")
        row = {
            "id": made,
            "territory": territory,
            "tiling_id": tiling,
            "source": source,
            "params": params,
            "status": "staging",
            "recorded_at": self._handle.clock(),
        }
        self._handle.connection.execute(insert(imports).values(row))
        return made

    def stage(self, import_id: str, rows: CustomerRows) -> None:
        """Add rows to an import that is not live yet.

        Raises
        ------
        Conflict
            The import is closed, a row number comes twice, or an id is kept twice.
        """
        record = self._staging(import_id)
        now = self._handle.clock()
        constants = {
            "territory": record.territory,
            "import_no": self._no(import_id),
            "valid_from": now,
            "valid_to": None,
            "recorded_at": now,
        }
        columns = {
            "row_no": rows.row_no.tolist(),
            "id": rows.id.tolist(),
            "premise": [None] * len(rows) if rows.premise is None else rows.premise.tolist(),
            "verdict": rows.verdict.tolist(),
            "cell": rows.cell.tolist(),
            "kept": rows.kept.tolist(),
            "todo": rows.todo.tolist(),
            "lon": _numbers(rows.lon),
            "lat": _numbers(rows.lat),
            "attributes": _attributes(rows),
        }
        with unique("a row number or a customer id comes twice in the import", cure="keep each id once"):
            insert_columns(self._handle, customers, constants, columns)

    def _staging(self, import_id: str) -> ImportRecord:
        record = self.get_import(import_id)
        if record.status != "staging":
            raise Conflict(f"the import is {record.status}", field="import", cure="upload the file again")
        return record

    def flip(self, import_id: str, summary: Mapping[str, Any]) -> int:
        """Make the import the live one of its territory and tiling, and return the new commit count."""
        # Planners that know nothing of the new rows would walk the whole import for the customers of a cell.
        self._handle.connection.execute(text("ANALYZE customers"))
        count = self._handle.bump_seq()
        record, now = self._staging(import_id), self._handle.clock()
        former = (imports.c.territory == record.territory, imports.c.tiling_id == record.tiling)
        closed = update(imports).where(*former, imports.c.status == "live")
        self._handle.connection.execute(closed.values(status="superseded", valid_to=now))
        opened = update(imports).where(imports.c.id == import_id)
        self._handle.connection.execute(opened.values(status="live", summary=summary, valid_from=now))
        hidden = min(live.behind for live in self.live_imports(record.territory))
        ChangeWriter(self._handle).forget(record.territory, hidden)
        return count

    def discard_abandoned(self, seconds: float) -> None:
        """Discard imports which were begun more than `seconds` ago and never finished: their process died."""
        old = self._handle.clock() - timedelta(seconds=seconds)
        rows = select(imports.c.id).where(imports.c.status == "staging", imports.c.recorded_at < old)
        for import_id in self._handle.connection.execute(rows).scalars().all():
            self.discard(import_id)

    def discard_of(self, job: str) -> None:
        """Discard what a job was taking in when its process died."""
        rows = select(imports.c.id, imports.c.params).where(imports.c.status == "staging")
        for import_id, params in self._handle.connection.execute(rows).all():
            if params.get("job") == job:
                self.discard(import_id)

    def discard(self, import_id: str) -> None:
        """Close an import which is not to go live, and delete its rows."""
        self._staging(import_id)
        number = self._no(import_id)
        self._handle.connection.execute(delete(customers).where(customers.c.import_no == number))
        self._handle.connection.execute(
            update(imports).where(imports.c.no == number).values(status="discarded")
        )
