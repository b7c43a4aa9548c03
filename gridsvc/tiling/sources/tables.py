"""CSV files and workbooks whose rows have a place: two columns of coordinates, or well-known text."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.errors import ShapelyError

from gridsvc.errors import InvalidGeometry, InvalidInput, TooLarge, UnknownColumn
from gridsvc.tiling.sources.csvtext import read_csv
from gridsvc.tiling.sources.rows import Choice, Limits, Rows, starved
from gridsvc.tiling.sources.vector import pick
from gridsvc.tiling.workbook import read_rows, sheet_names

__all__ = ["read_table_layer", "read_workbook"]

# Usual names in order of preference, compared without case, blanks, `_` and `-`.
_USUAL = {
    "lon": ("lon", "lng", "long", "longitude", "经度", "x", "easting", "东坐标", "横坐标"),
    "lat": ("lat", "latitude", "纬度", "y", "northing", "北坐标", "纵坐标"),
    "wkt": ("wkt", "geometry", "geom", "thegeom", "wktgeom", "shape", "几何"),
}
_SRID = re.compile(r"^\s*SRID=(\d{4,6});", re.IGNORECASE)
_DEEP = 16
_CURE = "name the columns with --lon and --lat, or --wkt"


def read_table_layer(path: Path, kind: str, choice: Choice, limits: Limits) -> Rows:
    """Read a CSV or a sheet of a workbook; every column is text, also what looks like a formula.

    Raises
    ------
    UnreadableFile, UnknownColumn
        Damaged, or without a column that tells a place.
    InvalidGeometry
        A coordinate is no number, or a text is no geometry; with its row.
    """
    sheets = [path.stem] if kind == "csv" else _sheets(path)
    sheet = sheets[0] if choice.layer is None and sheets else pick(sheets, choice.layer, path.name)
    columns = read_csv(path) if kind == "csv" else read_workbook(path, sheet)
    limits.check_columns(list(columns), path.name)
    n = len(next(iter(columns.values()), ()))
    if n == 0:
        raise InvalidInput("has no data rows", source=path.name, cure="export it again with its rows")
    limits.check_features(n, path.name)
    crs = None
    if (wkt := _column(columns, "wkt", choice.wkt, path.name)) and not choice.lon:
        geometry, crs = _from_text(columns[wkt], wkt, path.name)
        used = {wkt}
    else:
        lon, lat = (_column(columns, role, getattr(choice, role), path.name) for role in ("lon", "lat"))
        if lon is None or lat is None:
            raise UnknownColumn(
                "no column tells where its rows lie",
                source=path.name,
                field="lat" if lon else "lon",
                cure=f"{_CURE}; the columns are: {', '.join(list(columns)[:40])}",
            )
        x, y = (_numbers(columns[name], name, path.name) for name in (lon, lat))
        geometry, used = _points(x, y), set[str]()
    rest: dict[str, list[Any]] = {
        name: [text or None for text in texts] for name, texts in columns.items() if name not in used
    }
    return limits.check(Rows(geometry, rest, crs, path.name, sheet, _sheets_left(sheets, choice)))


def _sheets(path: Path) -> list[str]:
    try:
        return sheet_names(path)
    except TooLarge as error:  # the file came; what is in it is at fault
        raise InvalidInput(error.message, source=path.name, cure=error.cure) from None


def _sheets_left(sheets: list[str], choice: Choice) -> tuple[dict[str, str], ...]:
    """Tells that there are further sheets, where none was named."""
    if len(sheets) < 2 or choice.layer is not None:
        return ()
    others = ", ".join(sheets[1:10])
    return (
        {
            "code": "first-sheet",
            "message": f"the sheet {sheets[0]!r} was read; name another with layer: {others}",
            "message_zh": f"已读取工作表“{sheets[0]}”；如需其他工作表，请用 layer 指明：{others}",
        },
    )


def read_workbook(path: Path, sheet: str | None = None) -> dict[str, list[str]]:
    """The columns of a workbook's sheet (the first) as text; a formula counts as the value stored with it."""
    try:
        rows = read_rows(path, sheet)
    except TooLarge as error:  # the file came; what is in it is at fault
        raise InvalidInput(error.message, source=path.name, cure=error.cure) from None
    if not rows:
        return {}
    width = max(len(row) for row in rows)
    header = [name.strip() or f"column {i}" for i, name in enumerate(rows[0], 1)]
    header += [f"column {i}" for i in range(len(header) + 1, width + 1)]
    twice = next((name for name, count in Counter(header).items() if count > 1), None)
    if twice is not None:
        raise InvalidInput(
            "two columns have this name", source=path.name, field=twice, cure="rename one of them"
        )
    return {name: [row[i] if i < len(row) else "" for row in rows[1:]] for i, name in enumerate(header)}


def _column(columns: dict[str, list[str]], role: str, named: str | None, source: str) -> str | None:
    if named is not None and named not in columns:
        there = ", ".join(list(columns)[:40])
        raise UnknownColumn(
            f"there is no column {named!r}", source=source, field=named, cure=f"the columns are: {there}"
        )
    plain = {re.sub(r"[\s_-]", "", name).casefold(): name for name in reversed(list(columns))}
    return named or next((plain[usual] for usual in _USUAL[role] if usual in plain), None)


def _numbers(texts: list[str], name: str, source: str) -> NDArray[np.float64]:
    """The column as numbers; NaN where empty."""
    try:
        return np.array([float(text) if text else np.nan for text in texts], np.float64)
    except ValueError:
        pass
    row = next(row for row, text in enumerate(texts, 1) if text and not _is_number(text))
    raise InvalidGeometry(
        "is text, not a number", source=source, row=row, field=name, cure="give decimal degrees or metres"
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _points(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.object_]:
    """A point a row; None where both coordinates are missing."""
    with np.errstate(invalid="ignore"):
        points = np.asarray(shapely.points(x, y), object)
    points[np.isnan(x) & np.isnan(y)] = None
    return points


def _from_text(texts: list[str], name: str, source: str) -> tuple[NDArray[np.object_], str | None]:
    codes = {m[1] for text in texts if (m := _SRID.match(text))}
    if len(codes) > 1:
        raise InvalidInput(
            "rows of several coordinate systems", source=source, field=name, cure="split the file by SRID"
        )
    bare = [_SRID.sub("", text) or None for text in texts]
    deep = next((row for row, t in enumerate(bare, 1) if t and t.upper().count("COLLECTION") > _DEEP), None)
    found = None if deep else np.asarray(shapely.from_wkt(bare, on_invalid="ignore"), object)
    if found is None:
        row: int | None = deep
    else:
        lost = shapely.is_missing(found) & np.array([text is not None for text in bare], bool)
        row = int(np.argmax(lost)) + 1 if lost.any() else None
    if row is not None and found is not None:
        _require_memory(bare[row - 1])
    if row is not None or found is None:
        raise InvalidGeometry(
            "is not well-known text",
            source=source,
            row=row,
            field=name,
            cure="give texts such as POINT (116.4 39.9); close each ring",
        )
    return np.asarray(shapely.force_2d(found), object), f"EPSG:{codes.pop()}" if codes else None


def _require_memory(text: str | None) -> None:
    """Tell a text which is no geometry from one for which no memory was left."""
    try:
        shapely.from_wkt(text)
    except ShapelyError as error:
        if starved(error):
            raise MemoryError from None
