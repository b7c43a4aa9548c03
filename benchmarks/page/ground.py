"""A round territory of H3 cells, published, and the same cells as plain polygons."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks.lookup.ground import WHO, grown, opened
from gridsvc.services.files import Balanced
from gridsvc.services.main_job import FileJob, publish_files
from gridsvc.teams.model import Department, Member, Person, Roster, Team
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.tiling import Tiling

__all__ = ["TERRITORY", "make", "tiled"]

TERRITORY = "disc"
_SEED = 20260601
_MIDDLE = (116.4, 39.9)
_RESOLUTION = 9
_KM2 = 0.0743  # of a cell there


def tiled(cells: int) -> Tiling:
    """About so many cells in a disc; each has some customers."""
    radius = float(np.sqrt(cells * _KM2 / np.pi)) / 111.2  # degrees of latitude
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    lon = _MIDDLE[0] + radius * np.cos(turn) / np.cos(np.radians(_MIDDLE[1]))
    disc = shapely.MultiPolygon([shapely.Polygon(np.c_[lon, _MIDDLE[1] + radius * np.sin(turn)])])
    tiling = tile_h3(disc, _RESOLUTION)
    customers = np.random.default_rng(_SEED).poisson(10, len(tiling)).astype(np.float64)
    return replace(tiling, columns={**tiling.columns, "customers": customers})


def make(folder: Path, cells: int, grids: int) -> int:
    """Publish a disc into a folder, unless it is there; gives the number of its cells."""
    tiling = tiled(cells)
    labels = grown(np.random.default_rng(_SEED), tiling, grids)
    (folder / "plain.geojson").parent.mkdir(parents=True, exist_ok=True)
    _write_plain(folder / "plain.geojson", tiling, labels)
    if (folder / "done").exists():
        return len(tiling)
    database = opened(folder)
    codes = np.array([f"{i + 1:03d}" for i in range(grids)], object)
    publish_files(
        database,
        WHO,
        FileJob(
            territory=TERRITORY,
            name="Disc",
            time_zone="Asia/Shanghai",
            boundary=None,
            tiling=tiling,
            codes=codes[labels],
            owners=dict.fromkeys(codes.tolist(), "T"),
            roster=_people(),
            balanced=Balanced((("customers", 0.5),)),
        ),
    )
    database.close()
    (folder / "done").touch()
    return len(tiling)


def _write_plain(path: Path, tiling: Tiling, labels: NDArray[np.int32]) -> None:
    features = (
        {"type": "Feature", "properties": {"g": int(label) % 7}, "geometry": json.loads(shape)}
        for shape, label in zip(shapely.to_geojson(tiling.geometry), labels, strict=True)
    )
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))


def _people() -> Roster:
    return Roster(
        (Department("m", "Marketing"),),
        (Person("P", "Ann", "m"),),
        (Team("T", "Team"),),
        (Member("T", "P", "lead", 0.5, 0.5),),
        fallback="T",
    )
