"""Customers whose owner differs between two publications, found on arrays."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.ownership.snapshot import Snapshot
from gridsvc.store.changes import Standing
from gridsvc.store.database import Reader
from gridsvc.tiling.locate import Locator

__all__ = ["CUSTOMER_COLUMNS", "customer_changes"]

_SIDE = ("rule", "grid", "team")
CUSTOMER_COLUMNS = ("customer", *(f"{when}_{part}" for when in ("before", "after") for part in _SIDE))

_CHUNK = 50_000

Row = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class _Placed:
    """Some customers, each placed on one tiling.

    Attributes
    ----------
    ids : list of str
    tiling : str
        What `rows` are of.
    rows : int32 array, shape (n,)
        Row of the cell, -1 where there is none.
    lon, lat : float64 arrays, shape (n,), WGS-84 degrees
        NaN where the point is not known.
    there : bool array, shape (n,)
        False for those who have left.
    last : bool
        No other source of customers follows.
    """

    ids: list[str]
    tiling: str
    rows: NDArray[np.int32]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    there: NDArray[np.bool_]
    last: bool = False


def customer_changes(reader: Reader, before: Snapshot, after: Snapshot) -> list[Row]:
    """Customers of the territory as they are now whose owner is another; by id, see `CUSTOMER_COLUMNS`."""
    seen: set[str] = set()
    found: list[Row] = []
    sides = _Owners(before), _Owners(after)
    for placed in _customers(reader, before.holdings.territory):
        fresh = placed.there
        if seen:
            fresh = fresh & np.array([name not in seen for name in placed.ids], bool)
        if not placed.last:
            seen.update(placed.ids)  # of the last there may be millions
        found += _moved(placed, fresh, *sides, after.named)
    return sorted(found, key=lambda row: row[0] or "")


def _customers(reader: Reader, territory: str) -> Iterator[_Placed]:
    """All customers; of an id which comes again the first counts: what was told since the newest import."""
    imports = reader.customers.live_imports(territory)
    told = reader.changes.standing(territory, imports[0].behind if imports else 0, datetime.now(UTC))
    for tiling in sorted({state.tiling for state in told}):
        yield _told([state for state in told if state.tiling == tiling], tiling)
    for record in imports:
        for ids, cells, lon, lat in reader.customers.in_chunks(record.id, _CHUNK):
            there = np.ones(len(ids), bool)
            yield _Placed(ids, record.tiling, cells, lon, lat, there, last=record is imports[-1])


def _told(states: list[Standing], tiling: str) -> _Placed:
    """Those who came or moved one by one, and those who left."""
    lon, lat = (np.array([getattr(s, axis) for s in states], np.float64) for axis in ("lon", "lat"))
    cells, there = np.array([s.cell for s in states], np.int32), np.array([s.there for s in states], bool)
    return _Placed([s.id for s in states], tiling, cells, lon, lat, there)


class _Owners:
    """Owners of customers by one publication.

    Attributes
    ----------
    table : list of tuple
        Rule, grid and team of each owner's code; a customer has one even outside.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        owners, overlays = snapshot.owners, snapshot.holdings.overlays
        self.table: list[Row] = list(zip(owners.rule, owners.grid, owners.team, strict=True))
        polygons = np.array([overlay.polygon for overlay in overlays], dtype=object)
        self._overlays = Locator.of_polygons(polygons) if overlays else None

    def codes(self, placed: _Placed) -> NDArray[np.int64]:
        """Owner's code of each customer, as `Snapshot.customer` finds it; int64 array, shape (n,)."""
        found = self._snapshot
        rows: NDArray[Any] = placed.rows
        if placed.tiling != found.tiling:
            rows = found.places.rows(placed.lon, placed.lat)
        labels = found.holdings.labels.take(rows, mode="clip").astype(np.int64)
        codes = np.where((rows >= 0) & (labels >= 0), labels, found.holdings.fallback)
        if self._overlays is not None:
            over = self._overlays.rows(placed.lon, placed.lat)
            codes = np.where(over >= 0, over + found.holdings.first_overlay, codes)
        return codes


def _moved(
    placed: _Placed, fresh: NDArray[np.bool_], before: _Owners, after: _Owners, named: Container[str]
) -> Iterator[Row]:
    numbers: dict[Row, int] = {}
    keys = [
        np.array([numbers.setdefault(owner, len(numbers)) for owner in side.table])
        for side in (before, after)
    ]
    old, new = before.codes(placed), after.codes(placed)
    for at in np.flatnonzero(fresh & (keys[0][old] != keys[1][new])).tolist():
        # A name list goes before all places, and it is the same on both sides.
        if placed.ids[at] not in named:
            yield (placed.ids[at], *before.table[old[at]], *after.table[new[at]])
