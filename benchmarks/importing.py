"""A customers' file -> three measures on H3 cells, against pandas with geopandas."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.case import Answer, Case, Contender, Disagreement
from benchmarks.inputs import load
from benchmarks.place import near_edge_only

__all__ = ["CASES"]

_MEASURES = ("customers=count", "kwh=sum:kwh", "sales=sum:sales")


def _load_ours(work: Path) -> Any:
    # What gridsvc imports only when a file is read is loaded here, as it is for the others.
    import pandas as pd  # noqa: F401
    import pyarrow.csv
    import pyarrow.parquet  # noqa: F401

    import gridsvc.customers as customers
    from gridsvc.tiling.locate import Locator

    return customers, Locator, load(work, "h3.tiling"), work / "customers.csv"


def _ours(inputs: Any) -> Any:
    customers, locator, tiling, path = inputs
    table = customers.read_customers(path)
    placement = customers.place(table, tiling, locator(tiling).rows)
    specs = [customers.parse_measure(text) for text in _MEASURES]
    return placement, customers.aggregate(table, placement, specs, len(tiling))


def _from_measures(_: Any, outcome: Any) -> Answer:
    placement, measures = outcome
    return {"rows": placement.cell.astype(np.int64), **{m.name: m.values for m in measures}}


def _load_pandas(work: Path) -> Any:
    import geopandas
    import pandas as pd

    return pd, geopandas, load(work, "h3.geometry"), work / "customers.csv"


def _pandas(engine: str, inputs: Any) -> Any:
    pd, geopandas, geometry, path = inputs
    rows = pd.read_csv(path, engine=engine).drop_duplicates("customer_id").dropna(subset=["lon", "lat"])
    points = geopandas.GeoDataFrame(
        rows, geometry=geopandas.points_from_xy(rows["lon"], rows["lat"], crs=4326)
    )
    joined = geopandas.sjoin(points, geopandas.GeoDataFrame(geometry=geometry, crs=4326), predicate="within")
    measures = joined.groupby("index_right").agg(
        customers=("customer_id", "size"), kwh=("kwh", "sum"), sales=("sales", "sum")
    )
    return joined, measures


def _from_frames(inputs: Any, outcome: Any) -> Answer:
    joined, measures = outcome
    n_rows = _count_rows(inputs[3])
    rows = np.full(n_rows, -1, np.int64)
    rows[joined.index.to_numpy()] = joined["index_right"].to_numpy()
    every = measures.reindex(range(len(inputs[2])), fill_value=0)
    return {"rows": rows, **{name: every[name].to_numpy(np.float64) for name in every}}


def _check(work: Path, ours: Answer, theirs: Answer) -> str:
    import pandas as pd

    points = pd.read_csv(work / "customers.csv", usecols=["lon", "lat"])
    remark = near_edge_only(
        load(work, "h3.geometry"),
        points["lon"].to_numpy(),
        points["lat"].to_numpy(),
        ours["rows"],
        theirs["rows"],
    )
    moved = ours["rows"] != theirs["rows"]
    excused = np.isin(np.arange(len(ours["kwh"])), [*ours["rows"][moved], *theirs["rows"][moved]])
    for name in ("customers", "kwh", "sales"):
        if (ours[name] != theirs[name])[~excused].any():
            raise Disagreement(f"{name} differs in a cell whose customers are the same")
    return f"{remark}; measures the same in every cell with the same customers"


def _count_rows(path: Path) -> int:
    return path.read_bytes().count(b"\n") - 1


def _about(work: Path) -> str:
    path = work / "customers.csv"
    rows = _count_rows(path)
    cells = len(load(work, "h3.geometry"))
    return f"CSV of {rows:,} rows ({path.stat().st_size / 1e6:.0f} MB), {cells:,} H3 cells, three measures"


CASES = (
    Case(
        "whole-import",
        "A customers' file, read, placed and measured",
        _about,
        (
            Contender("gridsvc.customers", _load_ours, _ours, _from_measures),
            Contender("pandas.read_csv + sjoin + groupby", _load_pandas, partial(_pandas, "c"), _from_frames),
            Contender(
                "the same with engine=pyarrow", _load_pandas, partial(_pandas, "pyarrow"), _from_frames
            ),
        ),
        _check,
    ),
)
