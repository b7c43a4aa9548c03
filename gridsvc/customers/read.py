"""A customers' file as a table: ids, coordinates as given, codes and all other columns."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc import crs as crs_
from gridsvc.customers.columns import Columns
from gridsvc.customers.files import load_file
from gridsvc.customers.values import as_numbers, as_text
from gridsvc.errors import InvalidInput

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table", "read_customers"]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The rows of one file, in its order; nothing is dropped.

    Attributes
    ----------
    ids : object array of str, shape (n,)
        Opaque text; ``""`` where missing; row numbers from ``"1"`` if there is no id column.
    lon, lat : float64 array, shape (n,)
        In `crs`, as given; NaN where missing or not a finite number.
    raw_bad : bool array, shape (n,)
        A coordinate was given which is not a finite number (or a geometry which is not a point).
    code, premise : object array of str, shape (n,), or None
        ``""`` where missing; None without such a column.
    frame : DataFrame, n rows
        All columns of the file but the geometry; those of a CSV as text.
    source : str
        Name of the file, without its folder.
    crs : str
        Coordinate system of `lon` and `lat`, as `gridsvc.crs.normalise` names it.
    columns : Columns
        The columns used; `lon` and `lat` are None where the geometry gave them.
    """

    ids: NDArray[np.object_]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    raw_bad: NDArray[np.bool_]
    code: NDArray[np.object_] | None
    premise: NDArray[np.object_] | None
    frame: pd.DataFrame
    source: str
    crs: str
    columns: Columns

    def __len__(self) -> int:
        return len(self.ids)


def read_customers(source: Path, columns: Columns | None = None, *, crs: str | None = None) -> Table:
    """Read CSV (UTF-8, UTF-16 or GB 18030; every column as text), GeoJSON, (Geo)Parquet or GeoPackage.

    Parameters
    ----------
    source : Path
    columns : Columns, optional
        What is not named is looked for under its usual names. Naming `lon` and `lat` of a file with a
        geometry makes them count instead of it.
    crs : str, optional
        Coordinate system; if not given, that of the file, else WGS-84.

    Raises
    ------
    UnreadableFile
        No such file, empty, broken, or of a format not read here.
    UnknownColumn
        A named column is not in the file.
    InvalidInput
        No data rows, nothing that tells a location, shapes instead of points, unknown `crs`.
    """
    given = crs_.normalise(crs) if crs is not None else None
    frame, points, own_crs = load_file(Path(source))
    asked = columns or Columns()
    used = asked.resolve([str(name) for name in frame.columns], Path(source).name)
    if points is not None and asked.lon is None and asked.lat is None:
        used = Columns(used.id, None, None, used.code, used.place_key)
        lon, lat, raw_bad = _from_points(points)
    else:
        own_crs = None
        lon, lat, raw_bad = _from_columns(frame, used, Path(source).name)
    return Table(
        ids=as_text(frame[used.id]) if used.id else np.arange(1, len(frame) + 1).astype(str).astype(object),
        lon=lon,
        lat=lat,
        raw_bad=raw_bad,
        code=as_text(frame[used.code]) if used.code else None,
        premise=as_text(frame[used.place_key]) if used.place_key else None,
        frame=frame,
        source=Path(source).name,
        crs=given or own_crs or "wgs84",
        columns=used,
    )


Coordinates = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]


def _from_points(points: NDArray[np.object_]) -> Coordinates:
    x, y = shapely.get_x(points), shapely.get_y(points)
    finite = np.isfinite(x) & np.isfinite(y)
    raw_bad = ~finite & ~shapely.is_missing(points) & ~shapely.is_empty(points)
    return np.where(finite, x, np.nan), np.where(finite, y, np.nan), raw_bad


def _from_columns(frame: pd.DataFrame, used: Columns, source: str) -> Coordinates:
    if used.lon is None or used.lat is None:
        if used.code is None or used.lon is not None or used.lat is not None:
            absent = "lat" if used.lat is None and used.lon is not None else "lon"
            raise InvalidInput(
                f"no {absent} column found",
                source=source,
                cure=f"name it with --lon, --lat or --code; the columns are: {', '.join(frame.columns[:40])}",
                columns=list(frame.columns),
            )
        nothing = np.full(len(frame), np.nan)
        return nothing, nothing, np.zeros(len(frame), bool)
    lon, _, lon_bad = as_numbers(frame[used.lon])
    lat, _, lat_bad = as_numbers(frame[used.lat])
    return lon, lat, lon_bad | lat_bad
