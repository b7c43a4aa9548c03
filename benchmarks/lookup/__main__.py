"""``python -m benchmarks.lookup [PART ...]``: run the parts, compare answers, write the page.

What each part found is kept, so that one of them can be run again by itself.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.case import Sizes as ArraySizes
from benchmarks.inputs import load, prepare
from benchmarks.lookup import behaviour
from benchmarks.lookup.arrays import CASES
from benchmarks.lookup.gates import judge
from benchmarks.lookup.ground import Ground, london
from benchmarks.lookup.load import loaded
from benchmarks.lookup.page import text
from benchmarks.lookup.picture import draw
from benchmarks.lookup.service import measure
from benchmarks.lookup.sizes import FULL, QUICK, Sizes
from benchmarks.lookup.visible import visible
from benchmarks.report import circumstances, put_section, tables
from benchmarks.rounds import run_case

__all__ = ["PARTS", "main", "run"]

_ROOT = Path(__file__).resolve().parents[2]
_LIBRARIES = ("numpy", "shapely", "h3", "geopandas", "fastapi", "uvicorn", "psycopg")


class _Bench:
    """The parts, over inputs which are made once."""

    def __init__(self, sizes: Sizes, work: Path) -> None:
        self.sizes, self.work = sizes, work

    @cached_property
    def _ground(self) -> Ground:
        return london(self.work / "london", self.sizes)

    def service(self) -> dict[str, Any] | None:
        return measure(self._ground, self.sizes, self.work)

    def arrays(self) -> dict[str, Any]:
        """Each contender in a process of its own, in turn with the others."""
        folder = self.work / "arrays"
        folder.mkdir()
        prepare(folder, _array_sizes(self.sizes))
        results = {case.name: run_case(case, folder, self.sizes.rounds) for case in CASES}
        found: dict[str, Any] = {"body": tables(CASES, results, folder)}
        for case in CASES:
            cpu = {result.contender: result.median("cpu_s") for result in results[case.name]}
            points = len(load(folder, f"{case.name.removeprefix('lookup-')}.points")[0])
            found[case.name] = {"title": case.title, "points": points, "cpu_s": cpu}
        shutil.rmtree(folder)
        return found

    def starts(self) -> dict[str, list[float]]:
        return behaviour.cold_starts(self.sizes, self.work)

    def memory(self) -> dict[str, Any]:
        return behaviour.memory(self._ground, self.sizes, self.work)

    def visible(self) -> dict[str, Any]:
        return visible(self.sizes, self.work)

    def load(self) -> dict[str, Any]:
        return loaded(self._ground, self.sizes)


PARTS = ("service", "arrays", "starts", "memory", "visible", "load")


def _array_sizes(sizes: Sizes) -> ArraySizes:
    return ArraySizes(
        points=10 * sizes.batch,
        resolution=sizes.resolution,
        polygons=300,
        grids=sizes.grids,
        rounds=sizes.rounds,
    )


def run(parts: list[str], sizes: Sizes, kept: Path, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Run parts and keep what they found in a folder; gives this and what others found before."""
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gridsvc-bench-") as folder:
        bench = _Bench(sizes, Path(folder))
        for name in parts:
            say(f"lookup: {name}")
            (kept / f"{name}.json").write_text(json.dumps(getattr(bench, name)(), indent=1))
    return {name: json.loads(path.read_text()) for name in PARTS if (path := kept / f"{name}.json").exists()}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lookup", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all if none is named"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, written to var/benchmarks")
    parser.add_argument("--rounds", type=int, help="how often all take their turn")
    parser.add_argument("--out", type=Path, help="folder for the page (docs)")
    options = parser.parse_args(arguments)
    strange = sorted(set(options.parts) - set(PARTS))
    if strange:
        parser.error(f"no part {strange[0]!r}; there are {', '.join(PARTS)}")
    sizes = QUICK if options.quick else FULL
    if options.rounds:
        sizes = sizes.with_rounds(options.rounds)
    kept = _ROOT / "var/benchmarks" / ("lookup-quick" if options.quick else "lookup")
    results = run(options.parts or list(PARTS), sizes, kept)
    # The page shows runs at full size; small ones must not replace it by accident.
    _write(results, sizes, options.out or _ROOT / ("var/benchmarks" if options.quick else "docs"))


def _write(results: dict[str, Any], sizes: Sizes, out: Path) -> None:
    draw(results, out / "img/benchmarks-lookup.png")
    section = text(results, circumstances(f"{sizes.rounds} rounds", _LIBRARIES))
    put_section(out / "benchmarks.md", "lookup", section)
    print(f"\n{section}\n\nwritten to {out / 'benchmarks.md'}")
    missed = [line.what for line in judge(results) if not line.met]
    print(f"not met: {'; '.join(missed)}" if missed else "all that was asked is met")


if __name__ == "__main__":
    main()
