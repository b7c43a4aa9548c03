"""Grids which exist already, as their keepers have them: drawn polygons, or a list of who has what."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.errors import InvalidGeometry, InvalidInput, UnknownColumn, UnreadableFile
from gridsvc.tiling.check import checked_polygons
from gridsvc.tiling.load import rows_from_file
from gridsvc.tiling.table import read_table

__all__ = ["Drawn", "DrawnGrid", "Fields", "Listed", "read_drawn"]

Columns = Mapping[str, Sequence[Any]]

_LISTS = {".csv", ".xlsx", ".xlsm"}
_OLD_EXCEL = {".xls", ".xlsb", ".ods"}

# Usual names of columns, compared without case, blanks, `_` and `-`. In a list of customers or cells the
# short ones may speak of these.
_USUAL = {
    "code": ("code", "gridcode", "gridid", "编码", "网格编码", "网格编号", "网格代码"),
    "name": ("name", "gridname", "名称", "网格名称", "网格名"),
    "lead": ("lead", "gridlead", "leader", "leadname", "网格长", "负责人", "网格负责人"),
}
_SHORT = {"code", "编码", "name", "名称", "负责人"}
_KEYS: dict[Literal["cell", "customer"], tuple[str, ...]] = {
    "cell": ("cell", "cellid", "h3", "h3index", "h3cell", "单元", "单元编码", "基础单元"),
    "customer": (
        *("customer", "customerid", "custid", "customerno", "accountid", "accountno", "account", "meterid"),
        *("用户编号", "客户编号", "用户号", "客户号", "户号", "id"),
    ),
}


@dataclass(frozen=True, slots=True)
class Fields:
    """Which column of a file of grids means what.

    Attributes
    ----------
    grid : str
        Tells which rows are one grid.
    code, name, lead : str or None
        None looks for a usual name (``code``, ``name``, ``lead``, ``网格编码``, ``网格名称``, ``网格长``).
    """

    grid: str
    code: str | None = None
    name: str | None = None
    lead: str | None = None


@dataclass(frozen=True, slots=True)
class DrawnGrid:
    """One grid as it was; `name` and `lead` are empty where the file has none."""

    code: str
    name: str
    lead: str


@dataclass(frozen=True, slots=True)
class Drawn:
    """Grids as polygons.

    Attributes
    ----------
    grids : tuple of DrawnGrid
        In the order of their first row.
    shapes : object array of shapely (multi)polygons, shape (n_grids,), WGS-84
        The rows of one grid united.
    rows : int
    fields : Fields
        The columns that were used.
    """

    grids: tuple[DrawnGrid, ...]
    shapes: NDArray[np.object_]
    rows: int
    fields: Fields
    source: str
    crs: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Grids as a list of their cells or customers.

    Attributes
    ----------
    by : {"cell", "customer"}
    column : str
        Where the ids stand.
    keys : tuple of str, n_rows
        Ids of cells or customers.
    grid : int32 array, shape (n_rows,)
        Position in `grids` of each row's grid.
    """

    grids: tuple[DrawnGrid, ...]
    by: Literal["cell", "customer"]
    column: str
    keys: tuple[str, ...]
    grid: NDArray[np.int32]
    fields: Fields
    source: str

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.keys)


def read_drawn(path: Path, fields: Fields, crs: str | None = None) -> Drawn | Listed:
    """Read grids from a layer of polygons, or from a CSV or workbook ``cell,grid`` or ``customer,grid``.

    Rows with the same text in `fields.grid` are one grid.

    Parameters
    ----------
    crs : str or None
        Coordinate system of polygons; None takes the file's word, WGS-84 if it has none.

    Raises
    ------
    UnreadableFile, UnknownColumn, InvalidGeometry, InvalidInput
        Naming the row, the field and the cure.
    """
    if path.suffix.lower() in _OLD_EXCEL:
        raise UnreadableFile("is no workbook read here", source=path.name, cure="save it as .xlsx or as CSV")
    return _listed(path, fields) if path.suffix.lower() in _LISTS else _drawn(path, fields, crs)


def _drawn(path: Path, fields: Fields, crs: str | None) -> Drawn:
    rows = rows_from_file(path)
    if not len(rows.geometry):
        raise InvalidGeometry("holds no rows", source=path.name, cure="give a layer of polygons")
    used = _resolved(rows.columns, fields, path.name)
    system = crs or rows.crs or "wgs84"
    geometry = checked_polygons(rows.geometry, system, path.name)
    grids, owner = _grids(rows.columns, used, path.name)
    shapes = np.empty(len(grids), object)
    shapes[:] = [_united(geometry[owner == at]) for at in range(len(grids))]
    return Drawn(grids, shapes, len(geometry), used, path.name, system)


def _united(parts: NDArray[np.object_]) -> Any:
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)


def _listed(path: Path, fields: Fields) -> Listed:
    table = read_table(path)
    if not len(table):
        raise UnreadableFile("holds no rows", source=path.name, cure="give one row a cell or customer")
    used = _resolved(table.columns, fields, path.name, _SHORT)
    taken = {used.grid, used.code, used.name, used.lead}
    free = [name for name in table.columns if name not in taken]
    by: Literal["cell", "customer"] = "cell" if _found(_KEYS["cell"], free) else "customer"
    column = _found(_KEYS[by], free)
    if column is None:
        there = ", ".join(table.columns)
        cure = f"give a column cell, or one customer; there are {there}"
        raise UnknownColumn("no column tells cells or customers", source=path.name, cure=cure)
    keys = table.text(column)
    for row, key in enumerate(keys):
        if not key:
            raise table.fault(row, column, f"no {by} is named", "fill it in, or take the row out")
    grids, owner = _grids(table.columns, used, path.name)
    return Listed(grids, by, column, tuple(keys), owner, used, path.name)


def _resolved(columns: Columns, fields: Fields, source: str, ignored: Collection[str] = ()) -> Fields:
    """The fields with what is not named found among the columns, but for the `ignored` usual names."""
    for name in (fields.grid, fields.code, fields.name, fields.lead):
        if name is not None and name not in columns:
            raise UnknownColumn(
                f"there is no column {name!r}",
                source=source,
                field=name,
                cure=f"take one of: {', '.join(columns) or '(no columns)'}",
            )
    usual = {role: [n for n in names if n not in ignored] for role, names in _USUAL.items()}
    code = fields.code or _found(usual["code"], columns)
    if fields.code is None and (code is None or not _one_to_one(columns[code], columns[fields.grid])):
        code = fields.grid
    name, lead = fields.name or _found(usual["name"], columns), fields.lead or _found(usual["lead"], columns)
    return Fields(fields.grid, code, name, lead)


def _found(usual: Iterable[str], names: Iterable[str]) -> str | None:
    plain = {name.casefold().translate(_JOINTS): name for name in reversed(list(names))}
    return next((plain[name] for name in usual if name in plain), None)


_JOINTS = str.maketrans("", "", " _-")


def _one_to_one(a: Sequence[Any], b: Sequence[Any]) -> bool:
    pairs = {(_text(one), _text(other)) for one, other in zip(a, b, strict=True)}
    return len({one for one, _ in pairs} - {""}) == len({other for _, other in pairs}) == len(pairs)


def _grids(columns: Columns, fields: Fields, source: str) -> tuple[tuple[DrawnGrid, ...], NDArray[np.int32]]:
    """The grids, and each row's position among them."""
    keys = [_text(value) for value in columns[fields.grid]]
    first: dict[str, int] = {}
    for row, key in enumerate(keys):
        if not key:
            raise _fault("no grid is named", source, row, fields.grid, "fill it in, or take the row out")
        first.setdefault(key, row)
    parts = {}
    for role in ("code", "name", "lead"):
        column = getattr(fields, role)
        texts = [""] * len(keys) if column is None else [_text(value) for value in columns[column]]
        parts[role] = _one_each(keys, first, texts, (source, column or role))
    codes = {key: parts["code"][key] or key for key in first}
    _require_own_codes(codes, first, source, fields.code or fields.grid)
    position = {key: at for at, key in enumerate(first)}
    grids = tuple(DrawnGrid(codes[key], parts["name"][key], parts["lead"][key]) for key in first)
    return grids, np.array([position[key] for key in keys], np.int32)


def _text(value: Any) -> str:
    """A value as text; databases and workbooks keep whole numbers as 101.0."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _one_each(
    keys: Sequence[str], first: Mapping[str, int], texts: Sequence[str], where: tuple[str, str]
) -> dict[str, str]:
    """The one text of each grid's rows; rows may leave it out."""
    found: dict[str, tuple[str, int]] = {}
    for row, (key, text) in enumerate(zip(keys, texts, strict=True)):
        if not text:
            continue
        known, before = found.setdefault(key, (text, row))
        if known != text:
            raise _fault(
                f"grid {key} is {text!r} here and {known!r} in row {before + 1}",
                where[0],
                row,
                where[1],
                "give the rows of a grid the same, or name another column",
            )
    return {key: found[key][0] if key in found else "" for key in first}


def _require_own_codes(codes: Mapping[str, str], first: Mapping[str, int], source: str, field: str) -> None:
    seen: dict[str, str] = {}
    for key, code in codes.items():
        if seen.setdefault(code, key) != key:
            raise _fault(
                f"grids {seen[code]} and {key} have one code, {code!r}",
                source,
                first[key],
                field,
                "give each grid a code of its own, or take the code as the grid's field",
            )


def _fault(what: str, source: str, row: int, field: str, cure: str) -> InvalidInput:
    return InvalidInput(what, source=source, row=row + 1, field=field, cure=cure)
