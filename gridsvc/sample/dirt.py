"""Faults planted in the customer file on purpose, and the truth about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.sample.customers import Customers
from gridsvc.sample.landscape import Land
from gridsvc.sample.scale import COUNTY, Scale

__all__ = ["FAULTS", "Dirty", "make_dirty"]

FAULTS = {
    "no_coordinates": 600,
    "one_point": 300,
    "swapped_axes": 120,
    "bad_coordinates": 40,
    "outside": 25,
    "duplicate_id": 150,
}
"""Rows of each kind in a county; a city has more in proportion, but still 300 at least on one point."""

COLUMNS = ("id", "lon", "lat", "area_code", "premise", "kind", "kwh")
_NONSENSE = (
    ("999", "999"), ("112.9°E", "28.6°N"), ("N/A", "N/A"), ("待补", "待补"), ("112.91", "128.61"),
    ("-", "28.6"), ("412.88", "28.57"), ("112.93", ""),
)  # fmt: skip
_Row = tuple[str, ...]


@dataclass(frozen=True)
class Dirty:
    """The rows as delivered.

    Attributes
    ----------
    rows : list of tuples of str
        Values under `COLUMNS`.
    faults : mapping of fault to row numbers
        Rows are counted from 1, the first data row. A row has one fault at most, a missing use apart.
    """

    rows: list[_Row]
    faults: dict[str, list[int]]


def make_dirty(scale: Scale, land: Land, customers: Customers, rng: np.random.Generator) -> Dirty:
    """Spoil some rows, and repeat some others further down."""
    counts = _counts(scale)
    place = [(f"{lon:.6f}", f"{lat:.6f}") for lon, lat in customers.lonlat.tolist()]
    known = customers.tenths >= 0
    homes = np.array([kind == "residential" for kind in customers.kinds])
    # Only homes are spoilt, so that the large customers stay where tests expect them.
    picked = rng.permutation(np.flatnonzero(known & homes))[: sum(counts.values())]
    chosen = dict(zip(counts, np.split(picked, np.cumsum(list(counts.values()))[:-1]), strict=True))
    for row in chosen["no_coordinates"]:
        place[row] = ("", "")
    for row in chosen["one_point"]:
        place[row] = (f"{scale.lon:.6f}", f"{scale.lat:.6f}")
    for row in chosen["swapped_axes"]:
        place[row] = (place[row][1], place[row][0])
    for at, row in enumerate(chosen["bad_coordinates"]):
        place[row] = _NONSENSE[at % len(_NONSENSE)]
    for row, (lon, lat) in zip(
        chosen["outside"], _far(scale, land, len(chosen["outside"]), rng), strict=True
    ):
        place[row] = (f"{lon:.6f}", f"{lat:.6f}")
    use = ["" if tenth < 0 else f"{tenth // 10}.{tenth % 10}" for tenth in customers.tenths.tolist()]
    rows: list[_Row] = [
        (key, *spot, *rest)
        for key, spot, *rest in zip(
            customers.ids, place, customers.area_codes, customers.premises, customers.kinds, use, strict=True
        )
    ]
    faults = {name: rows_of for name, rows_of in chosen.items() if name != "duplicate_id"}
    return _with_duplicates(
        rows, chosen["duplicate_id"], faults | {"missing_kwh": np.flatnonzero(~known)}, rng
    )


def _counts(scale: Scale) -> dict[str, int]:
    """Faults of each kind in proportion to the customers; one pile of 300 as long as there are that many."""
    counts = {name: max(4, round(n * scale.customers / COUNTY.customers)) for name, n in FAULTS.items()}
    counts["one_point"] = min(max(counts["one_point"], 300), scale.customers // 20)
    return counts


def _far(scale: Scale, land: Land, count: int, rng: np.random.Generator) -> list[list[float]]:
    angle = rng.uniform(0, 2 * np.pi, count)
    away = scale.radius * rng.uniform(2.2, 3.5, count)
    spots = np.column_stack([away * np.cos(angle), away * np.sin(angle)])
    found: list[list[float]] = land.plane.to_degrees(spots).tolist()
    return found


def _with_duplicates(
    rows: list[_Row],
    repeated: NDArray[np.intp],
    faults: dict[str, NDArray[np.intp]],
    rng: np.random.Generator,
) -> Dirty:
    """Repeat rows further down, every second one with another use, and count all rows anew."""
    after = rng.integers(repeated + 1, len(rows) + 1)
    order = np.argsort(after, kind="stable")
    rows_before = np.arange(len(rows)) + np.searchsorted(after[order], np.arange(len(rows)), side="right")
    merged: list[_Row] = []
    again: list[int] = []
    start = 0
    for turn, at in enumerate(order.tolist()):
        merged += rows[start : after[at]]
        start = int(after[at])
        row = rows[repeated[at]]
        merged.append(row if turn % 2 else (*row[:-1], f"{0.9 * float(row[-1]):.1f}"))
        again.append(len(merged))
    merged += rows[start:]
    numbers = {name: sorted((rows_before[at] + 1).tolist()) for name, at in faults.items()}
    return Dirty(merged, numbers | {"duplicate_id": again})
