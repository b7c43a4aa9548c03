"""Rows of a table -> a cell and a verdict each.

The ladder: coordinates; else a cell or area code; else the other rows of the premise; else left out.
A code is used only where there are no usable coordinates: a point outside the territory stays outside,
because one of the two is wrong and a person must say which.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc import crs as crs_
from gridsvc.customers.areas import AreaIndex, most_frequent
from gridsvc.customers.placement import Elsewhere, Fault, Placement
from gridsvc.customers.read import Table
from gridsvc.customers.shift import Fits, shift_of
from gridsvc.customers.values import as_numbers, is_number
from gridsvc.customers.verdicts import Verdict
from gridsvc.tiling.tiling import Tiling

__all__ = ["Locate", "PlaceOptions", "place"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Locate = Callable[[Floats, Floats], NDArray[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class PlaceOptions:
    """How rows are placed.

    Attributes
    ----------
    selected : bool array, shape (n,), or None
        Rows to place (see `gridsvc.customers.where.select`); None places all.
    areas : AreaIndex or None
        What the codes of areas larger than a cell stand for.
    suspect_rows : int
        So many different premises on one exact coordinate make it suspect.
    """

    selected: Bools | None = None
    areas: AreaIndex | None = None
    suspect_rows: int = 50


class _Draft:
    """Verdicts and cells as they grow, rung by rung."""

    def __init__(self, table: Table) -> None:
        n = len(table)
        self.verdict = np.full(n, Verdict.MISSING_LOCATION, np.int8)
        self.cell = np.full(n, -1, np.int32)

    def having(self, *verdicts: Verdict) -> Bools:
        """Rows with one of the verdicts."""
        return np.isin(self.verdict, [int(v) for v in verdicts])

    def put(self, rows: NDArray[np.intp], verdict: Verdict, cells: NDArray[np.integer] | None = None) -> None:
        """Give rows a verdict, and a cell where they are placed."""
        self.verdict[rows] = verdict
        if cells is not None:
            self.cell[rows] = cells


def place(table: Table, tiling: Tiling, locate: Locate, options: PlaceOptions | None = None) -> Placement:
    """Give each row of a table a verdict, and a cell where it has one.

    Parameters
    ----------
    table : Table
    tiling : Tiling
    locate : callable
        WGS-84 ``(lon, lat)``, float64 arrays of shape (m,) within -180..180 and -90..90, to the row of
        the cell in `tiling`, int64 array of shape (m,); -1 outside.
    options : PlaceOptions, optional

    Returns
    -------
    Placement

    Notes
    -----
    Rows of one premise go to one cell: the one most of its rows with coordinates lie in (then, by
    codes), on a tie the cell which comes first in the tiling, whatever the order of the file. Of rows
    with the same id the first one stands.
    """
    options = options or PlaceOptions()
    draft = _Draft(table)
    _by_id(table, draft, options.selected)
    lon, lat = crs_.to_wgs84(table.lon, table.lat, table.crs)
    _by_coordinates(table, draft, lon, lat, locate)
    _by_code(table, draft, tiling, options.areas)
    _by_premise(table, draft)
    _mark_suspects(table, draft, lon, lat, options.suspect_rows)
    fits = _fitting(table, locate, options.areas)
    shift = shift_of(np.where(draft.having(Verdict.NOT_SELECTED), np.nan, lon), lat, table.crs, fits)
    return Placement(
        draft.verdict,
        draft.cell,
        lon,
        lat,
        _faults(table, draft.verdict, lon, lat),
        table.source,
        table.columns,
        () if shift is None else (shift.hint(),),
        _elsewhere(table, draft, lon, lat, options.areas),
    )


def _fitting(table: Table, locate: Locate, areas: AreaIndex | None) -> Fits:
    """Which points lie in the territory, and in the area whose code their row has."""

    def fits(lon: Floats, lat: Floats, rows: NDArray[np.intp]) -> Bools:
        inside: Bools = locate(lon, lat) >= 0
        if areas is None or table.code is None:
            return inside
        agree: Bools = inside & (areas.holds(table.code[rows], lon, lat) != 0)
        return agree

    return fits


def _elsewhere(
    table: Table, draft: _Draft, lon: Floats, lat: Floats, areas: AreaIndex | None
) -> Elsewhere | None:
    """The rows placed by coordinates outside the area whose code they have."""
    if areas is None or table.code is None:
        return None
    rows = np.flatnonzero(draft.having(Verdict.PLACED))
    held = areas.holds(table.code[rows], lon[rows], lat[rows])
    return Elsewhere(int((held >= 0).sum()), rows[held == 0] + 1)


def _by_id(table: Table, draft: _Draft, selected: Bools | None) -> None:
    """Settle the rows which are not selected, have no id or repeat one."""
    import pandas as pd

    chosen = np.ones(len(table), bool) if selected is None else selected
    draft.put(np.flatnonzero(~chosen), Verdict.NOT_SELECTED)
    if table.columns.id is None:
        return
    rows = np.flatnonzero(chosen)
    ids = table.ids[rows]
    draft.put(rows[pd.Series(ids, dtype=object).duplicated().to_numpy()], Verdict.DUPLICATE_ID)
    draft.put(rows[ids == ""], Verdict.MISSING_ID)


def _usable(lon: Floats, lat: Floats) -> Bools:
    """Which points are on the globe; NaN is not."""
    on_globe: Bools = (np.abs(lon) <= 180.0) & (np.abs(lat) <= 90.0)
    return on_globe


def _by_coordinates(table: Table, draft: _Draft, lon: Floats, lat: Floats, locate: Locate) -> None:
    open_ = draft.having(Verdict.MISSING_LOCATION)
    given = open_ & (table.raw_bad | ~(np.isnan(table.lon) | np.isnan(table.lat)))
    usable = open_ & _usable(lon, lat)
    draft.put(np.flatnonzero(given & ~usable), Verdict.BAD_COORDINATE)
    rows = np.flatnonzero(usable)
    cells = locate(lon[rows], lat[rows])
    inside = cells >= 0
    draft.put(rows[inside], Verdict.PLACED, cells[inside])
    draft.put(rows[~inside], Verdict.OUTSIDE)
    rows = np.flatnonzero(draft.having(Verdict.OUTSIDE, Verdict.BAD_COORDINATE) & ~table.raw_bad)
    swapped_lon, swapped_lat = crs_.to_wgs84(table.lat[rows], table.lon[rows], table.crs)
    possible = _usable(swapped_lon, swapped_lat)
    rows = rows[possible]
    draft.put(rows[locate(swapped_lon[possible], swapped_lat[possible]) >= 0], Verdict.SWAPPED_AXES)


def _by_code(table: Table, draft: _Draft, tiling: Tiling, areas: AreaIndex | None) -> None:
    if table.code is None:
        return
    import pandas as pd

    rows = np.flatnonzero(draft.having(Verdict.MISSING_LOCATION, Verdict.BAD_COORDINATE) & (table.code != ""))
    codes = table.code[rows]
    names, ids = pd.Index(codes, dtype=object), pd.Index(tiling.names(), dtype=object)
    cells = ids.get_indexer(names.str.lower() if tiling.kind == "h3" else names)
    if tiling.kind == "mixed":  # H3 reads capitals too
        cells = np.where(cells >= 0, cells, ids.get_indexer(names.str.lower()))
    if areas is not None:
        by_area = areas.cells_for(
            codes, table.code, np.where(draft.verdict == Verdict.PLACED, draft.cell, -1)
        )
        cells = np.where(cells >= 0, cells, by_area)
    known = cells >= 0
    draft.put(rows[known], Verdict.PLACED_BY_CODE, cells[known])
    unknown = rows[~known]
    draft.put(unknown[draft.verdict[unknown] == Verdict.MISSING_LOCATION], Verdict.UNKNOWN_CODE)


def _by_premise(table: Table, draft: _Draft) -> None:
    if table.premise is None:
        return
    import pandas as pd

    # Coordinates outvote codes: rows placed by code follow those with coordinates, and lead the rest.
    for leading, following in (
        ((Verdict.PLACED,), (Verdict.PLACED_BY_CODE,)),
        ((Verdict.PLACED_BY_CODE,), ()),
    ):
        lost = (Verdict.MISSING_LOCATION, Verdict.BAD_COORDINATE, Verdict.UNKNOWN_CODE)
        rows = np.flatnonzero(draft.having(*leading, *following, *lost) & (table.premise != ""))
        premise, _ = pd.factorize(pd.Index(table.premise[rows], dtype=object))
        leads = draft.having(*leading)[rows]
        chosen = most_frequent(premise[leads], draft.cell[rows[leads]], int(premise.max(initial=-1)) + 1)[
            premise
        ]
        moved = chosen >= 0
        draft.cell[rows[moved]] = chosen[moved]
        draft.put(rows[moved & ~leads], Verdict.PLACED_BY_PREMISE)


def _mark_suspects(table: Table, draft: _Draft, lon: Floats, lat: Floats, limit: int) -> None:
    import pandas as pd

    rows = np.flatnonzero(draft.verdict == Verdict.PLACED)
    points = pd.DataFrame({"lon": lon[rows], "lat": lat[rows]})
    # Few rows share a coordinate, so the exact count of premises is made on those only.
    crowded = points.duplicated(keep=False).to_numpy()
    rows, points = rows[crowded], points[crowded]
    unit = rows.astype(np.int64)
    if table.premise is not None:
        premise = table.premise[rows]
        unit = np.where(premise != "", -1 - pd.factorize(pd.Index(premise, dtype=object))[0], unit)
    where = points.assign(unit=unit).groupby(["lon", "lat"], sort=False)["unit"]
    draft.put(rows[(where.transform("nunique") >= limit).to_numpy(bool)], Verdict.SUSPECT_LOCATION)


def _faults(table: Table, verdict: NDArray[np.int8], lon: Floats, lat: Floats) -> tuple[Fault, ...]:
    """The verdicts which leave rows out, commonest first, each with its first row."""
    counts = np.bincount(verdict, minlength=max(Verdict) + 1)
    left_out = [v for v in Verdict if not v.placed and v is not Verdict.NOT_SELECTED and counts[v]]
    left_out.sort(key=lambda v: -counts[v])
    faults = []
    for v in left_out:
        first = int(np.argmax(verdict == v))
        field, what = _place_of_fault(table, v, first, (float(lon[first]), float(lat[first])))
        faults.append(Fault(v, int(counts[v]), first + 1, field, what))
    return tuple(faults)


def _place_of_fault(table: Table, verdict: Verdict, row: int, point: tuple[float, float]) -> tuple[str, str]:
    """The column at fault in a row, and what is wrong there: the kind of the value, never the value."""
    columns = table.columns
    if verdict in {Verdict.MISSING_ID, Verdict.DUPLICATE_ID}:
        return columns.id or "id", verdict.reason
    if verdict is Verdict.UNKNOWN_CODE:
        return columns.code or "code", verdict.reason
    if verdict is not Verdict.BAD_COORDINATE:
        return columns.lat or columns.code or "geometry", verdict.reason
    if columns.lon is None or columns.lat is None:
        return "geometry", "is not a point with finite coordinates on the globe"
    if not table.raw_bad[row]:
        only_lon = abs(point[0]) > 180.0 and abs(point[1]) <= 90.0
        return columns.lon if only_lon else columns.lat, "is out of range for the coordinate system"
    lon_bad = as_numbers(table.frame[columns.lon].iloc[[row]])[2][0]
    field = columns.lon if lon_bad else columns.lat
    number = is_number(str(table.frame[field].iloc[row]))
    return field, "is not a finite number" if number else "is text, not a number"
