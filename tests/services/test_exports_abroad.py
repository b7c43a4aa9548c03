"""A territory over the 180th meridian, out of the store and into files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from gridsvc.crs import LocalPlane
from gridsvc.plans.plan import Grid, Plan
from gridsvc.services import exports
from gridsvc.services.exports import Source, Wanted
from gridsvc.store import Database
from gridsvc.store.records import MeasureRecord, Territory
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.tiling import Tiling
from tests.services.board import ANNA, put
from tests.store.builders import DAY_1

TAVEUNI = shapely.MultiPolygon(
    [shapely.box(179.6, -17.2, 180, -16.6), shapely.box(-180, -17.2, -179.7, -16.7)]
)


@dataclass(frozen=True)
class Fiji:
    database: Database
    plan: str
    tiling: Tiling

    def out(self, folder: Path, layer: Any, **wanted: Any) -> Path:
        fmt = wanted.get("format", "geojson")
        path = folder / f"{layer}.{fmt}"
        exports.write(
            self.database, ANNA, Source(self.plan), Wanted(layer, **{"format": "geojson", **wanted}), path
        )
        return path


@pytest.fixture(scope="module")
def fiji(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fiji]:
    """Three grids, each from the west to the east."""
    file = tmp_path_factory.mktemp("fiji") / "fiji.db"
    shutil.copy(migrated_file, file)
    database = Database.open(f"sqlite:///{file}")
    tiling = tile_h3(TAVEUNI, 6)
    ones = np.ones(len(tiling))
    with database.write(ANNA, "test") as uow:
        uow.territories.create(Territory("fiji", "Fiji", "Pacific/Fiji", TAVEUNI, DAY_1 - timedelta(days=1)))
        made = uow.tilings.add("fiji", tiling, params={}, coverage={})
        uow.tilings.put_measures(made, None, [MeasureRecord("customers", "customers=count", "", ones, DAY_1)])
    labels = np.digitize(tiling.y, np.quantile(tiling.y, [1 / 3, 2 / 3])).astype(np.int32)
    grids = tuple(Grid(code, f"Grid {code}", code) for code in "abc")
    plan = put(database, made, tiling, Plan(labels, grids), {"customers": ones}, report=False)
    yield Fiji(database, plan, tiling)
    database.close()


@pytest.mark.parametrize("clip", ["cells", "territory"])
@pytest.mark.parametrize("layer", ["grids", "cells", "teams"])
def test_each_layer_lies_on_both_sides(fiji: Fiji, tmp_path: Path, layer: str, clip: Any) -> None:
    document = json.loads(fiji.out(tmp_path, layer, clip=clip).read_text(encoding="utf-8"))
    found = np.array([shape(feature["geometry"]) for feature in document["features"]], object)
    there = ~shapely.is_empty(found)  # a cell may only touch the territory
    west, _, east, _ = shapely.bounds(shapely.get_parts(found[there])).T
    assert (west >= -180).all() and (east <= 180).all() and (east - west < 1).all()
    assert (document["bbox"][0] > 179, document["bbox"][2] < -179) == (True, True)
    area = float(shapely.area(LocalPlane(*fiji.tiling.origin).geometry(found)).sum())
    if clip == "cells":
        assert area == pytest.approx(float(fiji.tiling.area.sum()), rel=1e-5)
    else:
        assert shapely.symmetric_difference(shapely.union_all(found), TAVEUNI).area < 1e-12
        assert shapely.coverage_is_valid(found[there])
    told = [feature["properties"]["area_km2"] for feature in document["features"]]
    assert sum(told) * 1e6 == pytest.approx(area, rel=1e-5)


@pytest.mark.parametrize("fmt", ["gpkg", "fgb", "parquet", "kml"])
def test_other_formats_hold_no_longitude_past_180_either(fiji: Fiji, tmp_path: Path, fmt: Any) -> None:
    path = fiji.out(tmp_path, "cells", format=fmt)
    back = geopandas.read_parquet(path) if fmt == "parquet" else geopandas.read_file(path, layer="cells")
    assert len(back) == len(fiji.tiling)
    assert back.total_bounds[[0, 2]].tolist() == [-180.0, 180.0]
    assert shapely.is_valid(back.geometry.to_numpy()).all()


def test_another_system_places_them_too(fiji: Fiji, tmp_path: Path) -> None:
    """The map grid of Fiji has its own middle and knows no edge."""
    back = geopandas.read_parquet(fiji.out(tmp_path, "cells", format="parquet", crs="EPSG:3460"))
    assert back.geometry.area.sum() == pytest.approx(float(fiji.tiling.area.sum()), rel=1e-3)
    west, _, east, _ = back.total_bounds
    assert east - west < 150_000
