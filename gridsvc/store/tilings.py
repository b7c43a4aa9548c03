"""Tilings with their cells, and the measures on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import LargeBinary, Row, and_, func, insert, or_, select, type_coerce

from gridsvc.errors import InvalidInput, NotFound
from gridsvc.store import codec
from gridsvc.store.bulk import insert_columns
from gridsvc.store.handle import Handle
from gridsvc.store.ids import new_id
from gridsvc.store.records import CellRecord, MeasureRecord, TilingRecord
from gridsvc.store.tables import cells, cells_rtree, imports, measures, tilings
from gridsvc.store.types import to_wkb
from gridsvc.tiling.tiling import Adjacency, Tiling

__all__ = ["Box", "MeasuredThen", "TilingReader", "TilingWriter"]

Box = tuple[float, float, float, float]
"""West, south, east, north in WGS-84 degrees."""


@dataclass(frozen=True, slots=True)
class MeasuredThen:
    """A measure as it counted from `since` and before `until` (None: to now); a later one may hide it."""

    id: int
    name: str
    spec: str
    since: datetime
    until: datetime | None


_HEAD = [c for c in tilings.c if c.name != "arrays"]
_COLUMN = "column:"  # keeps a source layer's column apart from our own arrays


def _record(row: Row[*tuple[Any, ...]]) -> TilingRecord:
    named = dict(row._mapping)
    origin = (named.pop("origin_lon"), named.pop("origin_lat"))
    return TilingRecord(**named, origin=origin)


def _arrays(tiling: Tiling) -> dict[str, NDArray[Any]]:
    return {
        "ids": tiling.ids,
        "x": tiling.x,
        "y": tiling.y,
        "area": tiling.area,
        "perimeter": tiling.perimeter,
        "indptr": tiling.adjacency.indptr,
        "indices": tiling.adjacency.indices,
        "length": tiling.adjacency.length,
        **({} if tiling.atoms is None else {"atoms": tiling.atoms}),
        **{_COLUMN + name: np.asarray(array) for name, array in tiling.columns.items()},
    }


def _tiling(
    record: TilingRecord, arrays: Mapping[str, NDArray[Any]], geometry: NDArray[np.object_]
) -> Tiling:
    columns = {name.removeprefix(_COLUMN): a for name, a in arrays.items() if name.startswith(_COLUMN)}
    return Tiling(
        kind=record.kind,
        resolution=record.resolution,
        ids=arrays["ids"],
        geometry=geometry,
        x=arrays["x"],
        y=arrays["y"],
        area=arrays["area"],
        perimeter=arrays["perimeter"],
        adjacency=Adjacency(arrays["indptr"], arrays["indices"], arrays["length"]),
        origin=record.origin,
        columns=columns,
        atoms=arrays.get("atoms"),
    )


class TilingReader:
    """Reads tilings."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def get(self, tiling_id: str) -> TilingRecord:
        """Return the tiling without its arrays.

        Raises
        ------
        NotFound
            No tiling has this id.
        """
        found = self._handle.connection.execute(select(*_HEAD).where(tilings.c.id == tiling_id)).first()
        if found is None:
            raise NotFound(
                f"there is no tiling {tiling_id!r}", field="tiling", cure="make one, or list those there are"
            )
        return _record(found)

    def load(self, tiling_id: str) -> Tiling:
        """Return the whole tiling, equal to the one that was added."""
        return replace(self.plain(tiling_id), geometry=self._geometry(tiling_id))

    def plain(self, tiling_id: str) -> Tiling:
        """Return the tiling without outlines: its `geometry` holds None for each cell."""
        record = self.get(tiling_id)
        block = select(tilings.c.arrays).where(tilings.c.id == tiling_id)
        arrays = codec.unpack(self._handle.connection.execute(block).scalar_one())
        return _tiling(record, arrays, np.full(record.n_cells, None, object))

    def _geometry(self, tiling_id: str) -> NDArray[np.object_]:
        """Outlines in the order of rows, read as one block of WKB rather than shape by shape."""
        outline = cells.c.geometry
        raw = (
            func.ST_AsBinary(outline, type_=LargeBinary)
            if self._handle.postgres
            else type_coerce(outline, LargeBinary)
        )
        rows = select(raw).where(cells.c.tiling_id == tiling_id).order_by(cells.c.row)
        wkb = np.array(self._handle.connection.execute(rows).scalars().all(), dtype=object)
        return np.asarray(shapely.from_wkb(wkb), dtype=object)

    def cells_in_box(self, tiling_id: str, box: Box) -> list[CellRecord]:
        """Cells which meet `box`, by row."""
        rows = select(cells.c.row, cells.c.cell, cells.c.geometry).where(
            cells.c.tiling_id == tiling_id, self._near(box)
        )
        found = [CellRecord(*row) for row in self._handle.connection.execute(rows.order_by(cells.c.row))]
        window = shapely.box(*box)
        return [cell for cell in found if shapely.intersects(cell.geometry, window)]

    def _near(self, box: Box) -> Any:
        """Condition on the spatial index; boxes only, so the caller checks each hit exactly."""
        west, south, east, north = box
        if self._handle.postgres:
            return cells.c.geometry.op("&&")(func.ST_MakeEnvelope(west, south, east, north, 4326))
        tree = cells_rtree.c
        meets = and_(tree.max_lon >= west, tree.min_lon <= east, tree.max_lat >= south, tree.min_lat <= north)
        return cells.c.id.in_(select(tree.id).where(meets))

    def measures(self, tiling_id: str, import_id: str | None = None) -> dict[str, MeasureRecord]:
        """The newest of each measure of no import, or of the live one (of `import_id` instead if given)."""
        wanted = imports.c.status == "live" if import_id is None else imports.c.id == import_id
        rows = (
            select(measures)
            .outerjoin(imports, measures.c.import_id == imports.c.id)
            .where(measures.c.tiling_id == tiling_id, or_(measures.c.import_id.is_(None), wanted))
            .order_by(measures.c.id)
        )
        return {row.name: _measure(row) for row in self._handle.connection.execute(rows)}

    def as_of(self, tiling_id: str) -> dict[str, datetime]:
        """The time the newest of each measure speaks of, by name, as `measures` would give it."""
        rows = (
            select(measures.c.name, measures.c.as_of)
            .outerjoin(imports, measures.c.import_id == imports.c.id)
            .where(
                measures.c.tiling_id == tiling_id,
                or_(measures.c.import_id.is_(None), imports.c.status == "live"),
            )
        )
        found = self._handle.connection.execute(rows.order_by(measures.c.id))
        return {row.name: row.as_of for row in found}

    def imported_measures(self, tiling_id: str, import_id: str) -> dict[str, MeasureRecord]:
        """Measures as an import made them, whatever was measured anew since."""
        rows = select(measures).where(measures.c.tiling_id == tiling_id, measures.c.import_id == import_id)
        newest_first = rows.order_by(measures.c.id.desc())
        return {row.name: _measure(row) for row in self._handle.connection.execute(newest_first)}

    def measure_ids(self, tiling_id: str) -> tuple[int, ...]:
        """What tells whether `measures` would give something new: the ids of its rows."""
        rows = (
            select(measures.c.id)
            .outerjoin(imports, measures.c.import_id == imports.c.id)
            .where(
                measures.c.tiling_id == tiling_id,
                or_(measures.c.import_id.is_(None), imports.c.status == "live"),
            )
        )
        return tuple(self._handle.connection.execute(rows.order_by(measures.c.id)).scalars())

    def history(self, tiling_id: str) -> Sequence[MeasuredThen]:
        """Which measures counted when, the oldest first; those of an import while it was live."""
        rows = (
            select(measures.c.id, measures.c.name, measures.c.spec, measures.c.as_of)
            .add_columns(imports.c.valid_from, imports.c.valid_to)
            .outerjoin(imports, measures.c.import_id == imports.c.id)
            .where(
                measures.c.tiling_id == tiling_id,
                or_(measures.c.import_id.is_(None), imports.c.valid_from.is_not(None)),
            )
        )
        found = self._handle.connection.execute(rows.order_by(measures.c.id))
        return [
            MeasuredThen(
                row.id, row.name, row.spec, max(row.as_of, row.valid_from or row.as_of), row.valid_to
            )
            for row in found
        ]

    def values_of(self, measure_ids: Sequence[int]) -> dict[int, NDArray[np.float64]]:
        """Values of measures, by the ids of `history`: float64 arrays, shape (n_cells,)."""
        rows = select(measures.c.id, measures.c.data).where(measures.c.id.in_(measure_ids))
        return {row.id: codec.unpack(row.data)["values"] for row in self._handle.connection.execute(rows)}

    def list(self, territory: str) -> list[TilingRecord]:
        """Tilings of a territory, oldest first."""
        rows = select(*_HEAD).where(tilings.c.territory == territory).order_by(tilings.c.id)
        return [_record(row) for row in self._handle.connection.execute(rows)]


def _measure(row: Row[*tuple[Any, ...]]) -> MeasureRecord:
    arrays = codec.unpack(row.data)
    return MeasureRecord(
        name=row.name,
        spec=row.spec,
        unit=row.unit,
        values=arrays["values"],
        as_of=row.as_of,
        largest=arrays.get("largest"),
        missing_share=row.missing_share,
        import_id=row.import_id,
    )


class TilingWriter(TilingReader):
    """Writes tilings."""

    def add(
        self, territory: str, tiling: Tiling, *, params: Mapping[str, Any], coverage: Mapping[str, Any]
    ) -> str:
        """Write a tiling with all its cells, and return its id."""
        made = new_id("til")
        row = {
            "id": made,
            "territory": territory,
            "kind": tiling.kind,
            "resolution": tiling.resolution,
            "n_cells": len(tiling),
            "origin_lon": tiling.origin[0],
            "origin_lat": tiling.origin[1],
            "params": params,
            "coverage": coverage,
            "recorded_at": self._handle.clock(),
            "arrays": codec.pack(_arrays(tiling)),
        }
        self._handle.connection.execute(insert(tilings).values(row))
        self._add_cells(made, tiling)
        return made

    def _add_cells(self, made: str, tiling: Tiling) -> None:
        columns = {
            "row": range(len(tiling)),
            "cell": tiling.names(),
            "geometry": to_wkb(tiling.geometry, self._handle.connection.dialect).tolist(),
        }
        if self._handle.postgres:
            insert_columns(self._handle, cells, {"tiling_id": made}, columns)
            return
        # The R*Tree refers to cells by id; there is but one writer at a time, so the ids may be given here.
        first = self._handle.connection.execute(
            select(func.coalesce(func.max(cells.c.id), 0) + 1)
        ).scalar_one()
        ids = range(first, first + len(tiling))
        insert_columns(self._handle, cells, {"tiling_id": made}, {"id": ids, **columns})
        boxes = shapely.bounds(tiling.geometry)[:, [0, 2, 1, 3]].T.tolist()
        names = ("min_lon", "max_lon", "min_lat", "max_lat")
        insert_columns(self._handle, cells_rtree, {}, {"id": ids, **dict(zip(names, boxes, strict=True))})

    def put_measures(self, tiling_id: str, import_id: str | None, records: Iterable[MeasureRecord]) -> None:
        """Write measures; those of an import become visible when it goes live.

        Raises
        ------
        InvalidInput
            A measure has not one value a cell.
        """
        n = self.get(tiling_id).n_cells
        for record in records:
            if len(record.values) != n:
                raise InvalidInput(
                    f"{len(record.values)} values for {n} cells",
                    field=record.name,
                    cure="give one value a cell",
                )
            self._put(tiling_id, replace(record, import_id=import_id))

    def _put(self, tiling_id: str, record: MeasureRecord) -> None:
        arrays = {"values": record.values}
        if record.largest is not None:
            arrays["largest"] = record.largest
        row = {
            "tiling_id": tiling_id,
            "import_id": record.import_id,
            "name": record.name,
            "spec": record.spec,
            "unit": record.unit,
            "missing_share": record.missing_share,
            "as_of": record.as_of,
            "recorded_at": self._handle.clock(),
            "data": codec.pack(arrays),
        }
        self._handle.connection.execute(insert(measures).values(row))
