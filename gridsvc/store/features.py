"""Outlines for those who draw: cells by place or by row, published grids by code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, LargeBinary, and_, func, or_, select, type_coerce

from gridsvc.store.handle import Handle
from gridsvc.store.tables import cells, cells_rtree, measures, published_grids

__all__ = ["FeatureReader"]

Rows = NDArray[np.int64]
Box = tuple[float, float, float, float]

_CHUNK, _BLOCK = 1000, 10_000
_ROUNDED = 1e-4  # degrees; more than the index moves a side of any box on the globe


class FeatureReader:
    """Reads outlines."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def near(self, tiling: str, box: Box) -> tuple[Rows, NDArray[np.bool_]]:
        """Rows of the cells whose own box meets `box`, ascending, and which of these boxes lie inside it.

        Parameters
        ----------
        box : (west, south, east, north)
            WGS-84 degrees.
        """
        west, south, east, north = box
        if self._handle.postgres:
            g = cells.c.geometry
            window = func.ST_MakeEnvelope(west, south, east, north, 4326)
            inside: Any = and_(
                func.ST_XMin(g) >= west,
                func.ST_XMax(g) <= east,
                func.ST_YMin(g) >= south,
                func.ST_YMax(g) <= north,
            )
            rows = select(cells.c.row, inside).where(cells.c.tiling_id == tiling, g.op("&&")(window))
        else:
            t = cells_rtree.c
            # Boxes of the index are rounded outwards, so one which lies inside does so for certain.
            inside = and_(t.min_lon >= west, t.max_lon <= east, t.min_lat >= south, t.max_lat <= north)
            meets = and_(t.max_lon >= west, t.min_lon <= east, t.max_lat >= south, t.min_lat <= north)
            joined = cells.join(cells_rtree, cells.c.id == t.id)
            rows = select(cells.c.row, inside).select_from(joined).where(cells.c.tiling_id == tiling, meets)
        found = self._handle.connection.execute(rows).all()
        table = np.array([(row, bool(flag)) for row, flag in found], np.int64).reshape(-1, 2)
        table = table[np.argsort(table[:, 0])]
        return table[:, 0], table[:, 1].astype(np.bool_)

    def cells(self, tiling: str, rows: Rows) -> NDArray[np.object_]:
        """Outlines of cells by row, ascending: object array of shapely geometries, as long as `rows`."""
        blocks = [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]
        found = [wkb for block in blocks for wkb in self._block(tiling, block)]
        return np.asarray(shapely.from_wkb(np.array(found, object)), object)

    def blocks(self, tiling: str) -> Iterator[NDArray[np.object_]]:
        """Outlines of all cells by row, some thousands at a time."""
        count = select(func.count()).select_from(cells).where(cells.c.tiling_id == tiling)
        n = int(self._handle.connection.execute(count).scalar_one())
        for start in range(0, n, _BLOCK):
            yield self.cells(tiling, np.arange(start, min(start + _BLOCK, n)))

    def _block(self, tiling: str, rows: Rows) -> list[bytes]:
        c, first, last = cells.c, int(rows[0]), int(rows[-1])
        dense = last - first < 2 * len(rows)
        which: ColumnElement[bool] = c.row.between(first, last) if dense else c.row.in_(rows.tolist())
        outline = (
            func.ST_AsBinary(c.geometry, type_=LargeBinary)
            if self._handle.postgres
            else type_coerce(c.geometry, LargeBinary)
        )
        wanted = select(c.row, outline).where(c.tiling_id == tiling, which)
        by_row = dict(self._handle.connection.execute(wanted).all())
        return [by_row[row] for row in rows.tolist()]

    def outlines(self, territory: str, line: str, n: int) -> dict[str, Any]:
        """Outline of each grid of a publication by code, as it was published."""
        c = published_grids.c
        rows = select(c.code, c.geometry).where(c.territory == territory, c.line == line, c.n == n)
        found = self._handle.connection.execute(rows).all()
        return {row.code: row.geometry for row in found}

    def extent(self, tiling: str) -> Box | None:
        """West, south, east, north of a tiling's cells; None where it has none."""
        if not self._handle.postgres:
            return self._extent_by_index(tiling)
        g = cells.c.geometry
        low, high = (func.ST_XMin(g), func.ST_YMin(g)), (func.ST_XMax(g), func.ST_YMax(g))
        wanted = select(*map(func.min, low), *map(func.max, high)).where(cells.c.tiling_id == tiling)
        west, south, east, north = self._handle.connection.execute(wanted).one()
        return None if west is None else (west, south, east, north)

    def _extent_by_index(self, tiling: str) -> Box | None:
        """The index rounds boxes outwards, by up to a metre, so the cells at its rim are looked at."""
        t, joined = cells_rtree.c, cells.join(cells_rtree, cells.c.id == cells_rtree.c.id)
        mine = cells.c.tiling_id == tiling
        sides = func.min(t.min_lon), func.min(t.min_lat), func.max(t.max_lon), func.max(t.max_lat)
        found = self._handle.connection.execute(select(*sides).select_from(joined).where(mine)).one()
        if found[0] is None:
            return None
        west, south, east, north = found
        rim = or_(
            t.min_lon <= west + _ROUNDED,
            t.min_lat <= south + _ROUNDED,
            t.max_lon >= east - _ROUNDED,
            t.max_lat >= north - _ROUNDED,
        )
        outline = type_coerce(cells.c.geometry, LargeBinary)
        wanted = select(outline).select_from(joined).where(mine, rim)
        wkb = [bytes(one) for one in self._handle.connection.execute(wanted).scalars()]
        box = shapely.total_bounds(shapely.from_wkb(np.array(wkb, object))).tolist()
        return (box[0], box[1], box[2], box[3])

    def measured(self, tiling: str) -> int:
        """A number which grows whenever measures of a tiling are written; 0 before the first."""
        newest = select(func.coalesce(func.max(measures.c.id), 0)).where(measures.c.tiling_id == tiling)
        return int(self._handle.connection.execute(newest).scalar_one())
