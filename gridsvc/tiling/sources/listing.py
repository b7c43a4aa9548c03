"""What a layer holds, for people to see before they use it: columns, kinds of geometry, extent, hints."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import shapely

from gridsvc.crs import describe, to_wgs84
from gridsvc.errors import InvalidInput
from gridsvc.tiling.sources.hints import hints_of
from gridsvc.tiling.sources.rows import Rows

__all__ = ["listing"]


def listing(rows: Rows, crs: str | None = None) -> dict[str, Any]:
    """A layer in numbers and names, JSON-ready; no values of its rows.

    Parameters
    ----------
    crs : str, optional
        Declared by the caller; else what the file says, else WGS-84.

    Returns
    -------
    dict
        ``layer``, ``features``, ``geometry`` (kinds and how many of each), ``vertices``, ``columns``
        (``name``, ``type``, ``missing``), ``crs``, ``extent`` as given, ``extent_wgs84`` and ``hints``.
    """
    name = crs or rows.crs or "wgs84"
    bounds = _bounds(rows)
    system, faults = _system(name, bounds)
    return {
        "source": rows.source,
        "layer": rows.layer,
        "features": len(rows.geometry),
        "geometry": _kinds(rows),
        "vertices": int(shapely.get_num_coordinates(rows.geometry).sum()),
        "columns": [_column(column, values) for column, values in rows.columns.items()],
        "crs": {"declared": crs, "of_file": rows.crs, **system},
        "extent": bounds,
        "extent_wgs84": _extent(name, bounds) if not faults else None,
        "hints": [*rows.notes, *faults, *hints_of(rows, crs)],
    }


def _bounds(rows: Rows) -> list[float] | None:
    if not shapely.get_num_coordinates(rows.geometry).any():
        return None
    found = np.asarray(shapely.total_bounds(rows.geometry), np.float64)
    return [float(value) for value in found] if np.isfinite(found).all() else None


def _kinds(rows: Rows) -> dict[str, int]:
    names = {-1: "missing", 0: "Point", 1: "LineString", 2: "LinearRing", 3: "Polygon", 4: "MultiPoint"}
    names |= {5: "MultiLineString", 6: "MultiPolygon", 7: "GeometryCollection"}
    counted = Counter(shapely.get_type_id(rows.geometry).tolist())
    return {names.get(kind, "other"): count for kind, count in sorted(counted.items())}


def _column(name: str, values: list[Any]) -> dict[str, Any]:
    kinds = Counter(_type(value) for value in values if value is not None)
    missing = len(values) - sum(kinds.values())
    kind = "empty" if not kinds else next(iter(kinds)) if len(kinds) == 1 else "mixed"
    return {"name": name, "type": kind, "missing": missing}


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    return "number" if isinstance(value, float) else "text" if isinstance(value, str) else "other"


def _system(name: str, bounds: list[float] | None) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """How a system is taken to WGS-84 here, or a hint that it cannot be."""
    try:
        return describe(name, bounds), []
    except InvalidInput as error:
        text = f"{error.message}; {error.cure}"
        return {"name": name}, [
            {"code": "unknown-system", "message": text, "message_zh": "坐标系无法转换：" + text}
        ]


def _extent(name: str, bounds: list[float] | None) -> list[float] | None:
    if bounds is None:
        return None
    west, south, east, north = bounds
    side = np.linspace(0.0, 1.0, 21)
    x = np.concatenate([west + (east - west) * side] * 2 + [np.full(21, west), np.full(21, east)])
    y = np.concatenate([np.full(21, south), np.full(21, north)] + [south + (north - south) * side] * 2)
    lon, lat = to_wgs84(x, y, name)
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        return None
    return [float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())]
