"""Cells without outlines: points in a plane, with area and perimeter if they are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.errors import InvalidCoordinate, InvalidInput, UnknownColumn
from gridsvc.tiling.tiling import Adjacency, Tiling

__all__ = ["planar_tiling", "repeated"]

_PLANAR = ("x", "y", "area", "perimeter")


def planar_tiling(names: list[str], columns: dict[str, NDArray[Any]], source: str) -> Tiling:
    """Cells which are points with a size; which of them touch is told apart.

    Parameters
    ----------
    columns : dict of str to array, shape (n,)
        ``x, y`` in metres or ``lon, lat`` in degrees; ``area`` and ``perimeter`` if known; measures.

    Raises
    ------
    UnknownColumn, InvalidInput, InvalidCoordinate
        Naming the row and the cure.
    """
    given = _plane_columns(columns, source)
    order = np.array(sorted(range(len(names)), key=names.__getitem__), np.int64)
    ids = np.array(names, object)[order]
    twice = [i for i in range(1, len(ids)) if ids[i] == ids[i - 1]]
    if twice:
        raise repeated(ids[twice[0]], int(order[twice[0]]) + 1, source)
    n = len(ids)
    empty = np.zeros(0, np.int64)
    return Tiling(
        kind="polygons",
        resolution=None,
        ids=ids,
        geometry=np.full(n, shapely.Polygon(), dtype=object),
        x=given["x"][order],
        y=given["y"][order],
        area=given["area"][order],
        perimeter=given["perimeter"][order],
        adjacency=Adjacency.from_pairs(n, empty, empty, np.zeros(0)),
        origin=_centre(columns),
        columns={name: values[order] for name, values in columns.items()},
    )


def _plane_columns(columns: dict[str, NDArray[Any]], source: str) -> dict[str, NDArray[np.float64]]:
    if _in_degrees(columns):
        lon, lat = _degrees("lon", 180.0, columns, source), _degrees("lat", 90.0, columns, source)
        x, y = LocalPlane(float(lon.mean()), float(lat.mean())).project(lon, lat)
    else:
        x, y = _finite("x", columns, source), _finite("y", columns, source)
    # Without areas, equal discs: the engine then judges shapes by where the cells lie.
    spread = float(np.ptp(x) * np.ptp(y)) / max(len(x), 1) or 1.0
    area = _size("area", columns, source) if "area" in columns else np.full(len(x), spread)
    disc = 2.0 * np.sqrt(np.pi * area)
    perimeter = _size("perimeter", columns, source) if "perimeter" in columns else disc
    return {"x": x, "y": y, "area": area, "perimeter": perimeter}


def _centre(columns: dict[str, NDArray[Any]]) -> tuple[float, float]:
    """Centre of the local plane, lon and lat; of cells in metres nobody knows where on the earth they lie."""
    if not _in_degrees(columns):
        return 0.0, 0.0
    return float(columns["lon"].mean()), float(columns["lat"].mean())


def _in_degrees(columns: dict[str, NDArray[Any]]) -> bool:
    return {"lon", "lat"} <= columns.keys() and not {"x", "y"} <= columns.keys()


def _degrees(name: str, most: float, columns: dict[str, NDArray[Any]], source: str) -> NDArray[np.float64]:
    values = _finite(name, columns, source)
    bad = np.flatnonzero(np.abs(values) > most)
    if len(bad):
        raise InvalidCoordinate(
            f"{values[bad[0]]:g} is out of range",
            source=source,
            row=int(bad[0]) + 1,
            field=name,
            cure="give degrees, or metres as x and y",
        )
    return values


def _size(name: str, columns: dict[str, NDArray[Any]], source: str) -> NDArray[np.float64]:
    values = _finite(name, columns, source)
    bad = np.flatnonzero(values < 0)
    if len(bad):
        raise InvalidInput(
            f"{values[bad[0]]:g} is negative",
            source=source,
            row=int(bad[0]) + 1,
            field=name,
            cure="give square metres for area, metres for perimeter",
        )
    return values


def _finite(name: str, columns: dict[str, NDArray[Any]], source: str) -> NDArray[np.float64]:
    if name not in columns:
        raise UnknownColumn(
            f"there is no column {name!r}",
            source=source,
            field=name,
            cure=f"cells without geometry need {', '.join(_PLANAR)} in metres, or lon and lat",
        )
    try:
        values = columns[name].astype(np.float64)
    except ValueError:
        raise InvalidInput("holds text", source=source, field=name, cure="give numbers") from None
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise InvalidInput(
            "is not a number",
            source=source,
            row=int(bad[0]) + 1,
            field=name,
            cure="give a number for each cell",
        )
    return values


def repeated(cell: str, row: int, source: str) -> InvalidInput:
    """The error of a cell that stands twice; `row` is counted from 1."""
    return InvalidInput(
        f"cell {cell} comes a second time", source=source, row=row, field="cell", cure="keep each cell once"
    )
