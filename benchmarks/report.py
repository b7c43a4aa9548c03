"""Results -> a section of docs/benchmarks.md, between its markers."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.case import Case
from benchmarks.rounds import Result

__all__ = ["circumstances", "put_section", "tables"]

_LIBRARIES = ("numpy", "shapely", "h3", "geopandas", "pandas", "pyarrow")
_HEAD = """# Benchmarks

Written by `make bench`; each section stands between markers and is replaced as a whole.

How it is measured: each contender runs in a fresh process, in turn with the others over several rounds, on
the same inputs, and its answer is compared with ours before anything is written. A ratio is ours over theirs,
taken round by round; below 1, ours takes less. Seconds and MB are medians; CPU seconds are those of all
threads. Added memory is the peak of the process less what libraries and inputs take.
**What counts are the ratios, measured on one machine in one go:** seconds of different machines, or of one
machine on different days, do not compare.
"""


def circumstances(how: str, libraries: Sequence[str] = _LIBRARIES) -> str:
    """A paragraph: when, how, with what, on what."""
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    load = f", load {os.getloadavg()[0]:.1f} at the end" if hasattr(os, "getloadavg") else ""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {_commit()}, {how}. "
        f"Python {platform.python_version()}, {versions}. "
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{load}."
    )


def _commit() -> str:
    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    try:
        return git("rev-parse", "--short", "HEAD") + (
            " (uncommitted)" if git("status", "--porcelain", "--", ".", ":!docs") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def tables(cases: Sequence[Case], results: Mapping[str, list[Result]], work: Path) -> str:
    """One Markdown table a case."""
    return "\n\n".join(_table(case, results[case.name], work) for case in cases)


def _table(case: Case, results: list[Result], work: Path) -> str:
    ours, *others = results
    lines = [
        f"### {case.title}",
        "",
        f"`{case.name}`: {case.about(work)}.",
        "",
        "| | CPU s | elapsed s | ratio CPU | ratio elapsed | peak MB | added MB | ratio peak | answers |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|",
        f"| **{ours.contender}** | {_figures(ours, '- | -', '-')} | |",
    ]
    lines += [
        f"| {r.contender} | {_figures(r, _ratios(ours, r, 'cpu_s', 'wall_s'), _ratios(ours, r, 'peak_mb'))} "
        f"| {r.agrees} |"
        for r in others
    ]
    return "\n".join(lines)


def _figures(result: Result, time_ratios: str, memory_ratio: str) -> str:
    cpu, wall = (f"{result.median(figure):.3g}" for figure in ("cpu_s", "wall_s"))
    peak, added = (f"{result.median(figure):.0f}" for figure in ("peak_mb", "added_mb"))
    return f"{cpu} | {wall} | {time_ratios} | {peak} | {added} | {memory_ratio}"


def _ratios(ours: Result, theirs: Result, *figures: str) -> str:
    return " | ".join(f"{statistics.median(ours.ratios(theirs, figure)):.2f}" for figure in figures)


def put_section(page: Path, name: str, text: str) -> None:
    """Replace the section between its markers, or add it at the end; make the page if there is none."""
    start, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    old = page.read_text(encoding="utf-8") if page.exists() else _HEAD
    before, found, rest = old.partition(start)
    after = rest.partition(end)[2] if found else "\n"
    before = before if found else f"{before.rstrip()}\n\n"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(f"{before}{start}\n{text.strip()}\n{end}{after}", encoding="utf-8")
