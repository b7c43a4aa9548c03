"""Cells -> outlines of grids, against geopandas' dissolve."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks.case import Answer, Case, Contender, Disagreement
from benchmarks.inputs import load

__all__ = ["CASES"]

_SAME = 1e-9  # relative difference of areas which is rounding


def _load_ours(layer: str, work: Path) -> Any:
    from gridsvc.exchange.dissolve import dissolve

    labels = load(work, f"{layer}.labels")
    return dissolve, load(work, f"{layer}.tiling"), labels, int(labels.max()) + 1


def _ours(inputs: Any) -> NDArray[np.object_]:
    dissolve, tiling, labels, k = inputs
    outlines: NDArray[np.object_] = dissolve(tiling, labels, k)
    return outlines


def _load_geopandas(layer: str, work: Path) -> Any:
    import geopandas

    return geopandas, load(work, f"{layer}.geometry"), load(work, f"{layer}.labels")


def _geopandas(method: str, inputs: Any) -> NDArray[np.object_]:
    geopandas, geometry, labels = inputs
    cells = geopandas.GeoDataFrame({"grid": labels}, geometry=geometry, crs=4326)
    outlines: NDArray[np.object_] = cells.dissolve("grid", method=method).geometry.to_numpy()
    return outlines


def _outlines(_: Any, outlines: NDArray[np.object_]) -> Answer:
    return {"outlines": np.asarray(outlines, object)}


def _check(_: Path, ours: Answer, theirs: Answer) -> str:
    a, b = ours["outlines"], theirs["outlines"]
    area = shapely.area(b)
    off = float(np.abs(shapely.area(a) / area - 1.0).max())
    apart = float((shapely.area(shapely.symmetric_difference(a, b)) / area).max())
    if not (len(a) == len(b) and off < _SAME and apart < _SAME and shapely.is_valid(a).all()):
        raise Disagreement(f"areas differ by {off:.1e}, symmetric difference {apart:.1e} of a grid")
    return f"areas within {off:.0e}, symmetric difference {apart:.0e} of a grid"


def _about(layer: str, work: Path) -> str:
    geometry, labels = load(work, f"{layer}.geometry"), load(work, f"{layer}.labels")
    vertices = shapely.get_num_coordinates(geometry).mean() - 1
    return f"{len(geometry):,} cells of {vertices:.0f} vertices on average to {labels.max() + 1:,} grids"


def _case(layer: str, title: str) -> Case:
    peer = partial(_load_geopandas, layer)
    methods = ("unary", "coverage", "disjoint_subset")
    return Case(
        f"dissolve-{layer}",
        title,
        partial(_about, layer),
        (
            Contender("gridsvc dissolve", partial(_load_ours, layer), _ours, _outlines),
            *(
                Contender(f"geopandas dissolve, {m}", peer, partial(_geopandas, m), _outlines)
                for m in methods
            ),
        ),
        _check,
        repeats=5,
    )


CASES = (_case("h3", "H3 cells to grids"), _case("mosaic", "Irregular polygons to grids"))
