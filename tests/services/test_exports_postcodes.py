"""Real postcodes of London as customers: out of the store in every format, and none is lost or moved."""

from __future__ import annotations

import csv
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest
import shapely

from gridsvc.customers.columns import Columns
from gridsvc.plans.plan import Grid, Plan
from gridsvc.services import exports, imports
from gridsvc.services.exports import Source, Wanted
from gridsvc.services.imports import ImportOptions
from gridsvc.store import Database
from gridsvc.store.records import Territory
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.hexes import index_points
from tests.services.board import ANNA, put
from tests.store.builders import DAY_1

SIZE = int(os.environ.get("GRIDSVC_PROOF_POSTCODES", "5000"))
RESOLUTION = 7
NAMES = (
    '=HYPERLINK("http://x","y")',
    "+44 20",
    "@SUM(A1:A9)",
    "-1+1",
    "'=quoted",
    "\t=tab",
    "<b>R&D</b>",
    "网格, 一\n二",
)


@dataclass(frozen=True)
class London:
    database: Database
    plan: str
    postcodes: pd.DataFrame
    """Index `id`; `lon`, `lat`, `premise`, and `cell` and `grid_name` as they must come back."""

    def out(self, folder: Path, fmt: Any) -> Path:
        path = folder / f"customers.{'zip' if fmt == 'shp' else fmt}"
        exports.write(self.database, ANNA, Source(self.plan), Wanted("customers", fmt), path)
        return path


@pytest.fixture(scope="module")
def london(
    shared_data: Path, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[London]:
    """A sample on cells whose grids have names which a spreadsheet would run."""
    folder = tmp_path_factory.mktemp("postcodes")
    everything = pd.read_parquet(shared_data / "london_postcodes.parquet", columns=["id", "lon", "lat"])
    chosen = everything.sample(min(SIZE, len(everything)), random_state=7).sort_values("id")
    chosen["premise"] = "=" + chosen["id"]
    chosen.to_csv(folder / "postcodes.csv", index=False)
    around = shapely.box(*chosen[["lon", "lat"]].min(), *chosen[["lon", "lat"]].max()).buffer(0.01)
    territory = shapely.MultiPolygon([around])
    tiling = tile_h3(territory, RESOLUTION)
    shutil.copy(migrated_file, folder / "london.db")
    database = Database.open(f"sqlite:///{folder / 'london.db'}")
    with database.write(ANNA, "test") as uow:
        uow.territories.create(
            Territory("london", "London", "Europe/London", territory, DAY_1 - timedelta(days=1))
        )
        made = uow.tilings.add("london", tiling, params={}, coverage={})
    imports.put_file(
        database, ANNA, made, folder / "postcodes.csv", ImportOptions((), Columns(place_key="premise"))
    )
    grids = tuple(Grid(f"{at:03d}", name) for at, name in enumerate(NAMES))
    labels = (np.arange(len(tiling)) % len(NAMES)).astype(np.int32)
    plan = put(database, made, tiling, Plan(labels, grids), {}, report=False)
    rows = np.searchsorted(tiling.ids, index_points(chosen.lon.to_numpy(), chosen.lat.to_numpy(), RESOLUTION))
    names = np.array(tiling.names(), object)
    expected = chosen.assign(cell=names[rows], grid_name=[NAMES[row % len(NAMES)] for row in rows])
    yield London(database, plan, expected.set_index("id"))
    database.close()


def quiet(text: Any) -> Any:
    """A text of a CSV as it was, by the rule which the manual tells."""
    return text[1:] if isinstance(text, str) and re.match(r"'+[=+\-@\t\r\n]", text) else text


def read(path: Path, fmt: str) -> pd.DataFrame:
    """Rows with `lon` and `lat`, by programs of others."""
    if fmt == "csv":
        with path.open(encoding="utf-8", newline="") as file:
            rows = [{name: quiet(value) for name, value in row.items()} for row in csv.DictReader(file)]
        frame = geopandas.GeoDataFrame(rows, geometry=shapely.from_wkt([row["wkt"] for row in rows]))
    elif fmt == "xlsx":
        with path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True)
            header, *rows = book.worksheets[0].iter_rows(values_only=True)
        return pd.DataFrame(rows, columns=header)
    elif fmt == "parquet":
        frame = geopandas.read_parquet(path)
    else:
        frame = pyogrio.read_dataframe(f"/vsizip/{path}" if fmt == "shp" else path, layer="customers")
    return frame.assign(lon=frame.geometry.x, lat=frame.geometry.y)


@pytest.mark.parametrize("fmt", ["geojson", "gpkg", "fgb", "parquet", "shp", "kml", "csv", "xlsx"])
def test_postcodes_come_back_as_customers(london: London, tmp_path: Path, fmt: str) -> None:
    back = read(london.out(tmp_path, fmt), fmt)
    found = back.set_index("id").loc[london.postcodes.index]
    assert len(back) == len(london.postcodes)
    for name in ("premise", "cell", "grid_name"):
        assert found[name].tolist() == london.postcodes[name].tolist(), name
    for name in ("lon", "lat"):
        np.testing.assert_allclose(found[name], london.postcodes[name], rtol=0, atol=1e-12)


def test_no_name_of_a_grid_runs_in_a_spreadsheet(london: London, tmp_path: Path) -> None:
    with london.out(tmp_path, "csv").open(encoding="utf-8", newline="") as file:
        shown = {row["grid_name"] for row in csv.DictReader(file)}
    assert len(shown) == len(NAMES)
    assert not [text for text in shown if text[0] in "=+-@\t\r\n"]
    with zipfile.ZipFile(london.out(tmp_path, "xlsx")) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
