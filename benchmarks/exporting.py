"""``python -m benchmarks.exporting``: a plan's cells from the database to a file, beside plain geopandas."""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.memory import forget_peak, memory_mb
from benchmarks.report import circumstances, put_section
from gridsvc.principal import SYSTEM

__all__ = ["main", "measure", "prepare"]

_ROOT = Path(__file__).resolve().parents[1]
FORMATS = ("parquet", "fgb", "gpkg", "geojson")
_SLOWER, _LARGER = 1.2, 0.5


def prepare(folder: Path, cells: int) -> str:
    """Write a database with a plan of so many H3 cells into a folder; gives the plan's id."""
    import h3.api.basic_int as h3
    import shapely

    from gridsvc.plans.plan import Grid, Plan
    from gridsvc.principal import LOCAL
    from gridsvc.services import plans
    from gridsvc.services.request import SolveRequest
    from gridsvc.store.records import MeasureRecord, Territory
    from gridsvc.tiling.h3tiles import tile_cells

    around = h3.grid_disk(h3.latlng_to_cell(51.5, -0.1, 9), int(np.ceil((cells / 3) ** 0.5)))
    tiling = tile_cells(np.array(sorted(around), np.uint64)[:cells])
    rng, now = np.random.default_rng(1), datetime.now(UTC)
    values = {name: rng.gamma(2.0, 50.0, cells) for name in ("customers", "potential")}
    square = shapely.MultiPolygon([shapely.box(*shapely.total_bounds(tiling.geometry))])
    labels = np.digitize(tiling.x, np.quantile(tiling.x, np.linspace(0, 1, 101)[1:-1]))
    grids = tuple(Grid(f"{g:03d}", f"网格 {g:03d}", f"t{g % 40:02d}") for g in range(100))
    with _opened(folder) as db:
        db.upgrade()
        with db.write(LOCAL, "bench") as uow:
            uow.territories.create(Territory("bench", "Bench", "Europe/London", square, now))
            made = uow.tilings.add("bench", tiling, params={}, coverage={})
            records = [MeasureRecord(n, f"{n}=sum:{n}", "", v, now) for n, v in values.items()]
            uow.tilings.put_measures(made, None, records)
        plan = plans.create(db, LOCAL, made, SolveRequest(100, ())).id
        with db.write(LOCAL, "bench") as uow:
            uow.plans.save_solution(plan, Plan(labels.astype(np.int32), grids), None, 1)
    return plan


@contextmanager
def _opened(folder: Path) -> Iterator[Any]:
    from gridsvc.store.database import Database

    db = Database.open(f"sqlite:///{folder / 'bench.db'}")
    try:
        yield db
    finally:
        db.close()


def _ours(folder: Path, plan: str, fmt: str) -> None:
    from gridsvc.principal import LOCAL
    from gridsvc.services import exports

    wanted = exports.Wanted("cells", fmt)  # type: ignore[arg-type]
    with _opened(folder) as db:
        exports.write(db, LOCAL, exports.Source(plan), wanted, folder / f"ours.{fmt}")


def _theirs(folder: Path, plan: str, fmt: str) -> None:
    """The same rows in a frame, and the frame to a file."""
    import geopandas

    from gridsvc.exchange.layers import what_cells_say

    with _opened(folder) as db, db.read(SYSTEM) as reader:
        record = reader.plans.get(plan)
        tiling = reader.tilings.load(record.tiling)
        measures = {n: m.values for n, m in reader.tilings.measures(record.tiling).items()}
        from gridsvc.services.drafts import solved

        columns = {n: v[:] for n, v in what_cells_say(solved(record), tiling, measures).items()}
    frame = geopandas.GeoDataFrame(columns, geometry=tiling.geometry, crs=4326)
    path = folder / f"theirs.{fmt}"
    if fmt == "parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path, driver={"fgb": "FlatGeobuf", "gpkg": "GPKG", "geojson": "GeoJSON"}[fmt])


def _load() -> None:
    """All libraries, out of the collector's sight for both sides, so that only the work counts."""
    for name in (
        "geopandas",
        "pyarrow.parquet",
        "pyogrio",
        "gridsvc.services.exports",
        "gridsvc.services.plans",
    ):
        importlib.import_module(name)
    gc.freeze()


def measure(who: str, folder: Path, plan: str, fmt: str) -> dict[str, float]:
    """Seconds, CPU seconds and MB over what the libraries take, of this process."""
    _load()
    (folder / f"{who}.{fmt}").unlink(missing_ok=True)
    forget_peak()
    base, wall, cpu = memory_mb("VmRSS"), time.perf_counter(), time.process_time()
    (_ours if who == "ours" else _theirs)(folder, plan, fmt)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall": wall, "cpu": cpu, "added": memory_mb("VmHWM") - base}


def _child(who: str, folder: Path, plan: str, fmt: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.exporting", "--child", who, str(folder), plan, fmt]
    done = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _same(folder: Path, fmt: str) -> bool:
    """Whether both files hold the same rows and, to the format's digits, the same area."""
    import geopandas
    import shapely

    def read(path: Path) -> Any:
        return geopandas.read_parquet(path) if fmt == "parquet" else geopandas.read_file(path)

    def told(path: Path) -> tuple[int, set[str], float, float]:
        frame = read(path) if fmt != "gpkg" else geopandas.read_file(path, layer=0)
        return (
            len(frame),
            set(frame["cell"]),
            frame["customers"].sum(),
            shapely.area(frame.geometry.to_numpy()).sum(),
        )

    mine, yours = told(folder / f"ours.{fmt}"), told(folder / f"theirs.{fmt}")
    return mine[:2] == yours[:2] and np.allclose(mine[2:], yours[2:], rtol=1e-6)


def _line(folder: Path, plan: str, fmt: str, rounds: int) -> str:
    pairs = [[_child(who, folder, plan, fmt) for who in ("ours", "theirs")] for _ in range(rounds)]
    same = _same(folder, fmt)
    ratio = {n: statistics.median(a[n] / b[n] for a, b in pairs) for n in ("wall", "cpu", "added")}
    met = ratio["cpu"] <= _SLOWER and ratio["added"] <= _LARGER and same
    ours, theirs = ({n: statistics.median(p[at][n] for p in pairs) for n in ratio} for at in (0, 1))
    cells = [f"{ours[n]:.3g} / {theirs[n]:.3g} | {ratio[n]:.2f}" for n in ("cpu", "wall", "added")]
    return (
        f"| {fmt} | {' | '.join(cells)} | {'same' if same else '**differ**'} | {'yes' if met else '**no**'} |"
    )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cells", type=int, default=150_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=_ROOT / "docs")
    parser.add_argument("--child", nargs=4, metavar=("WHO", "FOLDER", "PLAN", "FORMAT"))
    asked = parser.parse_args(arguments)
    if asked.child:
        who, folder, plan, fmt = asked.child
        print(json.dumps(measure(who, Path(folder), plan, fmt)))
        return
    with tempfile.TemporaryDirectory(prefix="gridsvc-bench-") as name:
        plan = prepare(Path(name), asked.cells)
        lines = [_line(Path(name), plan, fmt, asked.rounds) for fmt in FORMATS]
    head = "| format | CPU s, ours / theirs | ratio | elapsed s | ratio | added MB | ratio | rows | met |"
    text = "\n".join([head, "|---|--:|--:|--:|--:|--:|--:|---|---|", *lines])
    print(text)
    about = (
        f"{asked.cells:,} H3 cells with eight columns from the embedded database to a file, beside "
        "`GeoDataFrame.to_file` (`to_parquet`) of the same rows; each in a fresh process, in turn. "
        "Added memory is the peak over what the libraries take. "
        "For both, the libraries are out of the garbage collector's sight (`gc.freeze`). "
        f"Asked: at most {_SLOWER} of the time and {_LARGER} of the memory."
    )
    put_section(
        asked.out / "benchmarks.md",
        "exporting",
        f"## Exports\n\n{circumstances(f'{asked.rounds} rounds')}\n\n{about}\n\n{text}",
    )


if __name__ == "__main__":
    main()
