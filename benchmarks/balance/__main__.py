"""``python -m benchmarks.balance``: our engine and its peers on the public instances, in one go.

``python -m benchmarks.balance optimal`` sets our engine beside published optima.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks.balance import command, optima_page
from benchmarks.balance.bar import COLD, SMALL_K
from benchmarks.balance.catalogue import FULL, QUICK, Case
from benchmarks.balance.instances import load, prepare
from benchmarks.balance.page import against_bar, by_case
from benchmarks.balance.picture import draw
from benchmarks.balance.runs import OURS, Row, Runner
from benchmarks.balance.shared import CACHE, ROOT
from benchmarks.report import circumstances, put_section

__all__ = ["main", "run_optima", "run_peers"]

_LIBRARIES = ("numpy", "scipy", "numba")
_QUICK_STATES = ("LA_county", "NH_tract")
_LEGEND = """Each run is a fresh process on one core. Seconds are those of solving alone: neither importing
the package nor loading compiled kernels counts, ours or theirs; `loading s` tells ours. The public scorer
judges everybody alike. *shape* is a grid's area inertia over that of a disc, mean of the grids (1 is a disc);
*wmoi* demand-weighted inertia in mean cell areas; *PP* Polsby-Popper; *cut* the share of adjacent pairs cut
apart. Shapes compare within one instance only. A plan is valid when every cell has one grid, there are as
many grids as asked for, and each is connected without crossing a barrier. Peers see one combined weight where
they take only one. The bar is what the engine was asked to reach before it was written; *other seed or city*
are instances of the same generators which nobody tuned on."""
_OPTIMA = f"""Real states with results proven or published by others (Validi, Buchanan and Lykhovyd 2022;
Validi and Buchanan 2022), population within half a per cent of even, {SMALL_K:g} s on one core for ours.
Inertia is rescored by great circles about each grid's best cell. The values of others, GerryChain's among
them, are as published and were not run here."""


def run_peers(cases: Sequence[Case], out: Path, runner: Runner, *, starts: bool = True) -> list[Row]:
    """Run cases and write the section ``balance`` of ``out/benchmarks.md`` with a picture.

    Parameters
    ----------
    starts : bool
        Measure a cold start first, and fill numba's cache as any solve before did for a user.
    """
    cold = runner.starts() if starts else None
    rows = [row for case in cases for row in runner.run(case)]
    (runner.cache / "results.json").write_text(
        json.dumps([{"case": r.case.name, "method": r.method, **r.figures} for r in rows], indent=1)
    )
    draw(rows, out / "img/benchmarks-balance.png")
    body = [
        "## Balance",
        circumstances(f"peers stopped after {runner.limit:g} s", _LIBRARIES),
        _LEGEND,
        _notes(rows, runner, cold),
        "![Shape against deviation, and seconds](img/benchmarks-balance.png)",
        "### Against the bar",
        against_bar(rows),
        "### Against the peers",
        by_case(rows),
    ]
    _write(out, "balance", "\n\n".join(body))
    return rows


def _notes(rows: Sequence[Row], runner: Runner, cold: float | None) -> str:
    """Versions of the peers, the cold start, and whether the command line agrees with the library."""
    versions = ", ".join(dict.fromkeys(row.figures["version"] for row in rows if "version" in row.figures))
    notes = [f"Peers: {versions or 'none'}."]
    if cold is not None:
        notes.append(f"A cold start, everything compiled, takes {cold:.1f} s (bar: {COLD:g} s).")
    case = rows[0].case
    if not rows[0].ok:
        return " ".join(notes)
    labels = pd.read_csv(runner.labels(case, OURS))["grid_id"].to_numpy()
    with tempfile.TemporaryDirectory(prefix="gridsvc-bench-") as folder:
        inst = load(prepare(case.instance, runner.cache), case.tolerance)
        same = command.same_grids(command.by_command(inst, case.k, Path(folder)), labels)
    how = "the same plan as" if same else "**another plan than**"
    return " ".join([*notes, f"`gridsvc balance` on {case.instance} as CSV gives {how} the library call."])


def run_optima(out: Path, cache: Path, only: Sequence[str] | None = None) -> list[optima_page.Result]:
    """Solve the states and write the section ``optima`` of ``out/benchmarks.md``."""
    work = cache / "optimal"
    work.mkdir(parents=True, exist_ok=True)
    results = optima_page.run(work, only)
    how = circumstances(f"{len(results)} runs", _LIBRARIES)
    _write(out, "optima", f"## Published optima\n\n{how}\n\n{_OPTIMA}\n\n{optima_page.text(results)}")
    return results


def _write(out: Path, section: str, text: str) -> None:
    put_section(out / "benchmarks.md", section, text)
    print(f"\n{text}\n\nwritten to {out / 'benchmarks.md'}")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.balance", description=__doc__)
    parser.add_argument("what", nargs="?", choices=["peers", "optimal"], default="peers")
    parser.add_argument("--quick", action="store_true", help="small sizes, written to var/benchmarks")
    parser.add_argument(
        "--only", action="append", metavar="INSTANCE", help="this one only, written to var/benchmarks"
    )
    parser.add_argument("--limit", type=float, default=90.0, metavar="SECONDS", help="for a peer (90)")
    parser.add_argument(
        "--peers-python",
        default=sys.executable,
        metavar="PYTHON",
        help="interpreter with the peers' packages",
    )
    parser.add_argument("--out", type=Path, help="folder for the page (docs)")
    options = parser.parse_args(arguments)
    if shutil.which(options.peers_python) is None:
        parser.error(f"--peers-python: there is no {options.peers_python}")
    # The page shows whole runs at full size; anything else must not replace it by accident.
    partial = options.quick or options.only
    out = options.out or ROOT / ("var/benchmarks" if partial else "docs")
    if options.what == "optimal":
        run_optima(out, CACHE, options.only or (_QUICK_STATES if options.quick else None))
        return
    cases = [
        case
        for case in (QUICK if options.quick else FULL)
        if not options.only or case.instance in options.only
    ]
    if not cases:
        parser.error(f"--only: the instances are {', '.join(dict.fromkeys(case.instance for case in FULL))}")
    limit = min(options.limit, 5.0) if options.quick else options.limit
    run_peers(cases, out, Runner(limit, options.peers_python))


if __name__ == "__main__":
    main()
