"""What came of an adoption, ready for JSON: defects first, then the cells worth a second look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gridsvc.crs import LocalPlane
from gridsvc.plans.adopt import Adopted
from gridsvc.plans.claims import AREA, CUSTOMERS, MAJORITY, NEIGHBOUR, NOBODY
from gridsvc.plans.survey import Spot
from gridsvc.tiling.tiling import Tiling

__all__ = ["SLIVER", "findings", "places"]

SLIVER = 1000.0
"""Square metres: a smaller defect without customers is only counted."""

_BY = {NOBODY: "nobody", CUSTOMERS: "customers", AREA: "area", NEIGHBOUR: "neighbour"}
_LISTED = 20  # rows of unknown customers


def findings(adopted: Adopted, tiling: Tiling, *, sliver: float = SLIVER) -> dict[str, Any]:
    """The report on an adoption.

    Returns
    -------
    dict
        ``gaps``, ``overlaps`` and ``apart`` (parts of a grid which lie apart) with where to zoom, most
        customers first; their totals in km2 and customers, small ones among them (``slivers``);
        ``minority``: cells whose grid has a share below ``majority``; ``filled`` and ``without_grid``: cells
        which no grid touches; ``without_cells``: grids which won no cell; ``by``: how many cells went to
        their grid by what.
    """
    found, allotment = adopted.survey, adopted.allotment
    spots = {"gap": found.gaps, "overlap": found.overlaps, "apart": found.apart}
    kept = {kind: [s for s in all_ if s.customers or s.area >= sliver] for kind, all_ in spots.items()}
    names = tiling.names()
    counts = np.bincount(allotment.by, minlength=len(_BY)).tolist()
    minority, filled = _minority(adopted, tiling, names), _filled(adopted, names)
    return {
        "grids": _grids(adopted, tiling),
        "customers_at": None if adopted.heads is None else "points" if adopted.exact else "middles of cells",
        "gap_km2": _km2(sum(s.area for s in found.gaps)),
        "gap_customers": found.gap_customers,
        "overlap_km2": _km2(sum(s.area for s in found.overlaps)),
        "overlap_customers": found.overlap_customers,
        "gaps": places(adopted, tiling, "gap", kept["gap"]),
        "overlaps": places(adopted, tiling, "overlap", kept["overlap"]),
        "apart": places(adopted, tiling, "apart", kept["apart"]),
        "slivers": {"below_m2": sliver} | {kind: _rest(spots[kind], kept[kind]) for kind in spots},
        "edge_km2": _km2(found.edge),
        "beyond_km2": _km2(found.beyond),
        "majority": MAJORITY,
        "minority_cells": len(minority),
        "minority": minority,
        "by": {name: counts[kind] for kind, name in _BY.items()},
        "filled": filled,
        "without_grid": [names[row] for row in np.flatnonzero(allotment.labels < 0).tolist()],
        "without_cells": [grid.code for grid in adopted.without_cells],
        "unknown_customers": {"count": len(adopted.unknown), "rows": list(adopted.unknown[:_LISTED])},
    }


def places(adopted: Adopted, tiling: Tiling, kind: str, spots: Sequence[Spot]) -> list[dict[str, Any]]:
    """Spots with an id, grids by code, and where they are in WGS-84 degrees."""
    plane = LocalPlane(*tiling.origin)
    out = []
    for number, spot in enumerate(spots, 1):
        west, south, east, north = spot.bounds
        corners = plane.unproject([west, east, east, west], [south, south, north, north])
        lon, lat = plane.unproject([spot.point[0]], [spot.point[1]])
        out.append(
            {
                "id": f"{kind}-{number}",
                "km2": _km2(spot.area),
                "customers": spot.customers,
                "grids": [adopted.drawn[grid].code for grid in spot.grids],
                "lon": _degrees(lon[0]),
                "lat": _degrees(lat[0]),
                "bbox": [_degrees(value) for pick in (np.min, np.max) for value in map(pick, corners)],
                **({} if spot.cells is None else {"cells": len(spot.cells)}),
            }
        )
    return out


def _degrees(value: float) -> float:
    return round(float(value), 6)


def _km2(square_metres: float) -> float:
    return round(float(square_metres) / 1e6, 6)


def _rest(spots: Sequence[Spot], kept: Sequence[Spot]) -> dict[str, Any]:
    small = sum(spot.area for spot in spots) - sum(spot.area for spot in kept)
    return {"count": len(spots) - len(kept), "km2": _km2(max(small, 0.0))}


def _grids(adopted: Adopted, tiling: Tiling) -> list[dict[str, Any]]:
    """All grids as they were, with what they have now."""
    labels, k = adopted.allotment.labels, len(adopted.drawn)
    placed = labels >= 0
    cells = np.bincount(labels[placed], minlength=k).tolist()
    area = np.bincount(labels[placed], tiling.area[placed], k).tolist()
    return [
        {"code": g.code, "name": g.name or g.code, "lead": g.lead or None, "cells": n, "km2": _km2(a)}
        for g, n, a in zip(adopted.drawn, cells, area, strict=True)
    ]


def _minority(adopted: Adopted, tiling: Tiling, names: Sequence[str]) -> list[dict[str, Any]]:
    allotment, claims = adopted.allotment, adopted.survey.claims
    rows = allotment.contested()
    wanted = np.flatnonzero(np.isin(claims.cell, rows))
    by_cell: dict[int, list[int]] = {row: [] for row in rows.tolist()}
    for at in wanted.tolist():
        by_cell[int(claims.cell[at])].append(at)
    lon, lat = LocalPlane(*tiling.origin).unproject(tiling.x[rows], tiling.y[rows])
    out = []
    for row, east, north in zip(rows.tolist(), lon.tolist(), lat.tolist(), strict=True):
        counted = bool(allotment.counted[row])
        values, left = (
            (claims.customers, claims.open_customers) if counted else (claims.area, claims.open_area)
        )
        whole = float(values[by_cell[row]].sum() + left[row])
        shares = {adopted.drawn[claims.grid[at]].code: _share(values[at], whole) for at in by_cell[row]}
        out.append(
            {
                "cell": names[row],
                "grid": adopted.drawn[allotment.labels[row]].code,
                "share": round(float(allotment.share[row]), 4),
                "by": _BY[int(allotment.by[row])],
                "share_of": "customers" if counted else "area",
                "customers": None if adopted.heads is None else int(adopted.heads[row]),
                "shares": dict(sorted(shares.items(), key=lambda pair: -pair[1])),
                "in_no_grid": _share(left[row], whole),
                "lon": _degrees(east),
                "lat": _degrees(north),
            }
        )
    return sorted(out, key=lambda entry: (-(entry["customers"] or 0), entry["share"]))


def _share(part: float, whole: float) -> float:
    return round(float(part) / whole, 4) if whole else 0.0


def _filled(adopted: Adopted, names: Sequence[str]) -> list[dict[str, Any]]:
    allotment, heads = adopted.allotment, adopted.heads
    found = [
        {
            "cell": names[row],
            "grid": adopted.drawn[allotment.labels[row]].code,
            "customers": None if heads is None else int(heads[row]),
        }
        for row in np.flatnonzero(allotment.by == NEIGHBOUR).tolist()
    ]
    return sorted(found, key=lambda entry: -(entry["customers"] or 0))
