"""``python -m benchmarks``: run every section, compare answers, write the page."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.case import FULL, QUICK, Sizes
from benchmarks.catalogue import SECTIONS
from benchmarks.chart import draw
from benchmarks.inputs import prepare
from benchmarks.report import circumstances, put_section, tables
from benchmarks.rounds import run_case

__all__ = ["main", "run_section"]

_ROOT = Path(__file__).resolve().parents[1]
_TITLES = {"main-job": "The main job"}


def run_section(name: str, sizes: Sizes, out: Path, only: list[str] | None = None) -> None:
    """Run the cases of a section and write its part of ``out/benchmarks.md`` with a picture."""
    cases = [case for case in SECTIONS[name] if not only or case.name in only]
    with tempfile.TemporaryDirectory(prefix="gridsvc-bench-") as folder:
        work = Path(folder)
        prepare(work, sizes)
        results = {case.name: run_case(case, work, sizes.rounds) for case in cases}
        body = tables(cases, results, work)
    picture = f"img/benchmarks-{name}.png"
    draw(cases, results, out / picture)
    text = (
        f"## {_TITLES[name]}\n\n{circumstances(f'{sizes.rounds} rounds')}\n\n![Ratios]({picture})\n\n{body}"
    )
    put_section(out / "benchmarks.md", name, text)
    print(f"\n{text}\n\nwritten to {out / 'benchmarks.md'}")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, written to var/benchmarks")
    parser.add_argument(
        "--only", action="append", metavar="CASE", help="this case only, written to var/benchmarks"
    )
    parser.add_argument("--out", type=Path, help="folder for the page (docs)")
    options = parser.parse_args(arguments)
    # The page shows whole runs at full size; anything else must not replace it by accident.
    partial = options.quick or options.only
    out = options.out or _ROOT / ("var/benchmarks" if partial else "docs")
    for name in _TITLES:
        run_section(name, QUICK if options.quick else FULL, out, options.only)


if __name__ == "__main__":
    main()
