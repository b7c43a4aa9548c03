"""Instances: the public ones, the same generators with parameters nobody tuned on, and a few of our own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.balance.shared import CACHE, FOLDER, module

__all__ = ["INSTANCES", "load", "planted", "prepare"]

# Sales per customer at the two ends of a city, over those in its middle, as a power of e.
_DRIFT = 0.3
# How unevenly a year changes all measures together and each of its own, as spreads of powers of e: about
# one grid in four of a balanced plan stays inside 5 %.
_YEAR, _OWN_YEAR = 0.10, 0.03


def _public(name: str) -> Any:
    return module("territory_bench").CATALOGUE[name]()


def _planar(name: str, n: int, seed: int, ks: list[int]) -> Any:
    return module("territory_bench").planar(name, n, seed, ks)


def _city(name: str, res: int, rings: int, seed: int, ks: list[int], lat: float, lng: float) -> Any:
    return module("territory_bench").h3_city(name, res, rings, seed, ks, lat=lat, lng=lng)


def _london(name: str) -> Any:
    real = module("real_instances")
    return real.polygons() if name == "london983" else real.hexagons()


def _drifting() -> Any:
    """Sales which drift smoothly against customers, so that balance and compactness pull apart."""
    inst = _city("drift2k", 8, 28, 41, [20, 4], 41.02, 29.0)
    x = inst.xy[:, 0] / np.abs(inst.xy[:, 0]).max()
    sales = inst.cells["customers"] * 25.0 * np.exp(_DRIFT * np.sin(2.5 * np.pi * x))
    return _with_measures(inst, {"sales": sales.round(2)})


def _islands() -> Any:
    """A square cut in two by a river without a bridge."""
    inst = _planar("islands600", 600, 42, [15])
    west = inst.xy[:, 0] < 600.0
    inst.edges["barrier"] = (west[inst.u] != west[inst.v]).astype(int)
    inst.open = inst.edges["barrier"].to_numpy() == 0
    return inst


def _year_later() -> Any:
    """The public city of 20,000 cells after a year of growth here and decline there."""
    bench = module("territory_bench")
    inst = _public("city20k")
    indptr, indices = inst.csr()
    rng = np.random.default_rng(43)

    def change(spread: float) -> Any:
        return bench._field(rng, inst.xy, indptr, indices, 40, spread)

    common = change(_YEAR)
    columns = {name: inst.cells[name] * np.exp(common + change(_OWN_YEAR)) for name in inst.attrs}
    inst.name = "city20k-year"
    return _with_measures(inst, columns)


def _with_measures(inst: Any, columns: Mapping[str, Any]) -> Any:
    for name, values in columns.items():
        inst.cells[name] = values
    inst.w = inst.cells[inst.attrs].to_numpy(float)
    del inst.planted  # the plan it was made round is none of the new measures
    return inst


INSTANCES: Mapping[str, Callable[[], Any]] = {
    "planar500": lambda: _public("planar500"),
    "planar1000": lambda: _public("planar1000"),
    "city2k": lambda: _public("city2k"),
    "city20k": lambda: _public("city20k"),
    "city150k": lambda: _public("city150k"),
    "city500k": lambda: _public("city500k"),
    "london983": lambda: _london("london983"),
    "london_h3": lambda: _london("london_h3"),
    "planar500-new": lambda: _planar("planar500-new", 500, 311, [10, 20]),
    "planar1000-new": lambda: _planar("planar1000-new", 1000, 312, [50]),
    "shenzhen2k": lambda: _city("shenzhen2k", 8, 28, 321, [20, 4], 22.54, 114.06),
    "beijing20k": lambda: _city("beijing20k", 9, 88, 322, [200, 40], 39.91, 116.39),
    "lagos60k": lambda: _city("lagos60k", 9, 150, 323, [600, 120], 6.52, 3.37),
    "drift2k": _drifting,
    "islands600": _islands,
    "city20k-year": _year_later,
    "tiny200": lambda: _planar("tiny200", 200, 7, [8]),
    "tiny-city": lambda: _city("tiny-city", 8, 12, 8, [12, 4], 31.23, 121.47),
}


def prepare(name: str, cache: Path = CACHE) -> Path:
    """Folder of an instance; made unless it was made from the same source before."""
    folder, made_from = cache / "instances" / name, _source()
    stamp = folder / "made-from"
    if not stamp.exists() or stamp.read_text() != made_from:
        inst = INSTANCES[name]()
        inst.save(folder)
        if hasattr(inst, "planted"):
            table = pd.DataFrame({"cell_id": inst.cells["cell_id"], "grid_id": inst.planted})
            table.to_csv(folder / "planted.csv", index=False)
        stamp.write_text(made_from)
    return folder


def load(folder: Path, tolerance: float) -> Any:
    """The instance in a folder, judged by a tolerance (0.05 is 5 %)."""
    inst = module("territory_bench").Instance.load(folder)
    inst.tol = tolerance
    return inst


def planted(folder: Path, inst: Any, k: int) -> pd.DataFrame | None:
    """The plan an instance was made round: proof that a good one exists. No engine reads it."""
    file = folder / "planted.csv"
    if not file.exists():
        return None
    table = pd.read_csv(file, dtype={"cell_id": str})
    return table.assign(grid_id=table["grid_id"] * k // max(inst.ks))


def _source() -> str:
    files = [FOLDER / "territory_bench.py", FOLDER / "real_instances.py", Path(__file__)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files if file.exists())).hexdigest()
