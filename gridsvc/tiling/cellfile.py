"""Cells from a file: what `gridsvc tile` wrote, or what other programs made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h3
import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput, UnknownColumn, UnreadableFile
from gridsvc.tiling.h3tiles import tile_cells
from gridsvc.tiling.hexes import is_h3
from gridsvc.tiling.load import rows_from_file
from gridsvc.tiling.planar import planar_tiling, repeated
from gridsvc.tiling.polytiles import tile_polygons
from gridsvc.tiling.read import polygon_layer
from gridsvc.tiling.table import read_table
from gridsvc.tiling.tiling import Adjacency, Tiling

__all__ = ["ATOM", "read_cells", "read_labels"]

ATOM = "atom"
"""Column of a file of cells: 1 for unsplittable polygons, which go before all other cells."""

_GROUND = {"x", "y", "area", "perimeter"}  # given together with edges, they count for H3 cells too


def read_cells(path: Path, edges: Path | None = None) -> Tiling:
    """Read cells with their measures as columns.

    A column `cell` names them. H3 indexes need no geometry (a CSV with all of ``x, y, area, perimeter`` and
    `edges` is taken as it stands all the same); other cells need polygons, or, in a CSV, columns
    ``x, y`` (metres) or ``lon, lat`` (degrees) together with `edges`. There ``area`` (square metres) and
    ``perimeter`` (metres) may be left out: cells then count as discs of equal size.

    Parameters
    ----------
    path : Path
        GeoParquet, GeoPackage, GeoJSON, Shapefile, FlatGeobuf or CSV.
    edges : Path, optional
        CSV ``a,b[,length]``, one row an adjacent pair; replaces the adjacency found from the cells.

    Raises
    ------
    UnreadableFile, UnknownColumn, InvalidInput, InvalidGeometry
        Naming the row and the cure.
    """
    tiling = _from_csv(path, edges) if path.suffix.lower() == ".csv" else _from_layer(path)
    return tiling if edges is None else _with_edges(tiling, edges)


def _from_layer(path: Path) -> Tiling:
    rows = rows_from_file(path)
    if "cell" not in rows.columns:
        raise _no_cell(path.name, list(rows.columns))
    names = rows.columns["cell"]
    if _all_h3(names):
        return _hexagons(names, _columns(rows.columns), path.name)
    return _with_atoms(tile_polygons(polygon_layer(rows, "cell", None)))


def _with_atoms(tiling: Tiling) -> Tiling:
    """Cells of a file with the column `ATOM` as they were when it was written."""
    flags = tiling.columns.get(ATOM)
    if flags is None or not np.issubdtype(flags.dtype, np.number) or not np.isin(flags, (0.0, 1.0)).all():
        return tiling
    atoms, others = flags == 1.0, tiling.ids[flags != 1.0].tolist()
    columns = {name: values for name, values in tiling.columns.items() if name != ATOM}
    found = replace(tiling, atoms=atoms if atoms.any() else None, columns=columns)
    if not atoms.any() or not _all_h3(others) or len({h3.get_resolution(name) for name in others}) > 1:
        return found
    return replace(found, kind="mixed", resolution=h3.get_resolution(others[0]))


def _columns(columns: dict[str, list[Any]]) -> dict[str, NDArray[Any]]:
    from gridsvc.tiling.read import column_array

    return {name: column_array(values) for name, values in columns.items() if name != "cell"}


def _all_h3(names: list[Any]) -> bool:
    return bool(names) and all(isinstance(name, str) and is_h3(name) for name in names)


def _hexagons(names: list[str], columns: dict[str, NDArray[Any]], source: str) -> Tiling:
    resolutions = {h3.get_resolution(name) for name in names}
    if len(resolutions) > 1:
        odd = next(i for i, n in enumerate(names, 1) if h3.get_resolution(n) != h3.get_resolution(names[0]))
        raise InvalidInput(
            "cells of different resolutions", source=source, row=odd, field="cell", cure="use one resolution"
        )
    ids = np.array([h3.str_to_int(name) for name in names], np.uint64)
    order = np.argsort(ids, kind="stable")
    twice = np.flatnonzero(np.diff(ids[order]) == 0)
    if len(twice):
        raise repeated(names[order[twice[0]]], int(order[twice[0] + 1]) + 1, source)
    return tile_cells(ids[order], {name: values[order] for name, values in columns.items()})


def _from_csv(path: Path, edges: Path | None) -> Tiling:
    frame = _csv(path)
    if "cell" not in frame.columns:
        raise _no_cell(path.name, list(frame.columns))
    if frame.empty:
        raise UnreadableFile(
            "holds no rows", source=path.name, cure="export it again with a row for each cell"
        )
    names = frame["cell"].tolist()
    columns = {name: _numbers_or_text(frame[name]) for name in frame.columns if name != "cell"}
    measured = edges is not None and columns.keys() >= _GROUND
    if _all_h3(names) and not measured:
        return _hexagons(names, columns, path.name)
    if edges is None:
        raise InvalidInput(
            "cells without geometry do not tell which of them touch",
            source=path.name,
            field="cell",
            cure="give --adjacency EDGES.csv with columns a,b[,length]",
        )
    return planar_tiling(names, columns, path.name)


def _csv(path: Path) -> Any:
    import pandas as pd

    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except pd.errors.EmptyDataError:
        raise UnreadableFile(
            "is empty", source=path.name, cure="export it again with a header and rows"
        ) from None
    except (OSError, ValueError):
        raise UnreadableFile(
            "cannot be read as CSV", source=path.name, cure="check the name and the form"
        ) from None


def _numbers_or_text(column: Any) -> NDArray[Any]:
    import pandas as pd

    numbers = pd.to_numeric(column.replace("", np.nan), errors="coerce")
    if (numbers.isna() & (column != "")).any():
        return np.asarray(column.to_numpy(object))
    # A code such as 00123 would lose its zeros as a number.
    if column.str.match(r"0\d").any():
        return np.asarray(column.to_numpy(object))
    return np.asarray(numbers, np.float64)


def _with_edges(tiling: Tiling, path: Path) -> Tiling:
    table = read_table(path)
    table.require("a", "b")
    row_of = {name: row for row, name in enumerate(tiling.names())}
    a, b = (table.rows_of(name, row_of) for name in ("a", "b"))
    own = np.flatnonzero(a == b)
    if len(own):
        cell = table.text("a")[own[0]]
        raise table.fault(int(own[0]), "b", f"cell {cell!r} beside itself", "take the row out")
    length = table.numbers("length", 1.0, least=0.0)
    low, high = np.minimum(a, b), np.maximum(a, b)
    _, once = np.unique(low * len(tiling) + high, return_index=True)
    return replace(tiling, adjacency=Adjacency.from_pairs(len(tiling), low[once], high[once], length[once]))


def read_labels(path: Path, tiling: Tiling) -> NDArray[np.object_]:
    """Read ``cell,grid`` as the grid code of each cell of `tiling`: object array of str, shape (n_cells,).

    Raises
    ------
    InvalidInput
        A cell is unknown, missing or named twice.
    """
    table = read_table(path)
    table.require("cell", "grid")
    rows = table.rows_of("cell", {name: row for row, name in enumerate(tiling.names())})
    values, counts = np.unique(rows, return_counts=True)
    if (counts > 1).any():
        again = np.flatnonzero(rows == values[counts > 1][0])[1]
        raise repeated(table.text("cell")[again], int(again) + 1, path.name)
    if len(values) < len(tiling):
        absent = np.setdiff1d(np.arange(len(tiling)), values)
        raise InvalidInput(
            f"{len(absent)} cells have no grid, {tiling.names()[absent[0]]} is the first",
            source=path.name,
            cure="give each cell a row",
        )
    grids = np.empty(len(tiling), object)
    grids[rows] = table.text("grid")
    blank = np.flatnonzero(grids == "")
    if len(blank):
        raise InvalidInput(
            f"cell {tiling.names()[blank[0]]} has no grid", source=path.name, field="grid", cure="fill it in"
        )
    return grids


def _no_cell(source: str, there: list[str]) -> UnknownColumn:
    return UnknownColumn(
        "there is no column 'cell'",
        source=source,
        field="cell",
        cure=f"name the column of the cells' ids 'cell'; there are {', '.join(map(str, there)) or 'none'}",
    )
