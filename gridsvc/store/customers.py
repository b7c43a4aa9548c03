"""Customers: staged in an import, seen by nobody until it goes live as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Row, Select, delete, insert, select, text, update

from gridsvc.errors import Conflict, NotFound
from gridsvc.store.bulk import insert_columns, is_one_of
from gridsvc.store.faults import unique
from gridsvc.store.handle import Handle
from gridsvc.store.ids import new_id
from gridsvc.store.records import CustomerRecord, CustomerRows, ImportRecord
from gridsvc.store.tables import customers, imports

__all__ = ["CustomerReader", "CustomerWriter"]

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

    def find(self, territory: str, customer_id: str) -> CustomerRecord | None:
        """The customer as the last live import knows it; None if no live import does."""
        rows = (
            _joined()
            .where(imports.c.territory == territory, imports.c.status == "live")
            .where(customers.c.id == customer_id, customers.c.kept)
            .order_by(imports.c.valid_from.desc(), imports.c.no.desc())
            .limit(1)
        )
        found = self._handle.connection.execute(rows).first()
        return None if found is None else _customer(found)

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

    def findings(self, import_id: str, after: int = 0, limit: int = 100) -> list[CustomerRecord]:
        """Rows a person must look at, by row of the source, at most `limit`, behind the row `after`."""
        rows = self._of(import_id).where(customers.c.todo, customers.c.row_no > after)
        page = rows.order_by(customers.c.row_no).limit(limit)
        return [_customer(row) for row in self._handle.connection.execute(page)]

    def _of(self, import_id: str) -> Select[*tuple[Any, ...]]:
        return _joined().where(customers.c.import_no == self._no(import_id))

    def index(self, import_id: str) -> tuple[NDArray[np.object_], NDArray[np.int32]]:
        """Ids (object) and cell rows (int32, -1 unplaced) of all kept customers, in the source's order."""
        ids, cells = self._columns(import_id, customers.c.id, customers.c.cell)
        return np.array(ids, dtype=object), np.array(cells, dtype=np.int32)

    def points(self, import_id: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lon and lat (float64 degrees, NaN where unknown) of all kept customers, in the order of `index`."""
        lon, lat = self._columns(import_id, customers.c.lon, customers.c.lat)
        return np.array(lon, dtype=np.float64), np.array(lat, dtype=np.float64)

    def _columns(self, import_id: str, *columns: Any) -> tuple[tuple[Any, ...], ...]:
        wanted = select(*columns).where(customers.c.import_no == self._no(import_id), customers.c.kept)
        rows = self._handle.connection.execute(wanted.order_by(customers.c.row_no)).fetchall()
        return tuple(zip(*rows, strict=True)) or tuple(() for _ in columns)


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
