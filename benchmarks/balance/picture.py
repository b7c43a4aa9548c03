"""Rows -> a picture: shape against worst deviation, and seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.balance.catalogue import Case
from benchmarks.balance.runs import OURS, PLANTED, Row

__all__ = ["draw"]

_MOST = 4  # cases of a run in which none is marked
_OURS, _GREY = "#c4572b", "#8a8f98"
# Round numbers of deviations and seconds, and of shapes.
_ROUND = (
    (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000),
    (1, 1.1, 1.2, 1.3, 1.5, 1.75, 2, 2.5, 3, 4, 6, 10, 20),
)
_LEAST_SECONDS, _LEAST_DEVIATION = 0.01, 0.1  # of a second, per cent: where the axes begin


def draw(rows: Sequence[Row], file: Path) -> None:
    """A line a case: left, shape against worst deviation; right, seconds; hollow where not valid."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    cases = _chosen(rows)
    colours = _colours(rows, plt.get_cmap("tab20"))
    figure, panels = plt.subplots(
        len(cases), 2, figsize=(11, 0.5 + 3.4 * len(cases)), squeeze=False, layout="constrained"
    )
    for case, (left, right) in zip(cases, panels, strict=True):
        solved = [row for row in rows if row.case is case and row.ok]
        _plans(left, case, solved, colours)
        _times(right, [row for row in solved if row.method != PLANTED], colours)
    panels[-1][0].set_xlabel("worst deviation of any grid and measure, % (dashed: the tolerance)", fontsize=8)
    panels[-1][1].set_xlabel("seconds (hollow: not valid)", fontsize=8)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=100)
    plt.close(figure)


def _chosen(rows: Sequence[Row]) -> list[Case]:
    """Those of the full run which tell most; of other runs the first few."""
    cases = list({id(row.case): row.case for row in rows}.values())
    return [case for case in cases if case.pictured] or cases[:_MOST]


def _colours(rows: Sequence[Row], palette: Any) -> dict[str, Any]:
    others = [m for m in dict.fromkeys(row.method for row in rows) if not m.startswith(OURS) and m != PLANTED]
    colours = {method: palette(i % 20) for i, method in enumerate(others)}
    ours = {row.method: _OURS for row in rows if row.method.startswith(OURS)}
    return colours | ours | {PLANTED: _GREY}


def _plans(axes: Any, case: Case, rows: Sequence[Row], colours: dict[str, Any]) -> None:
    for row in rows:
        x = max(100 * row.figures["dev_max"], _LEAST_DEVIATION)
        axes.plot(x, row.figures["shape"], **_dot(row, colours))
    front = sorted(
        (r.figures["dev_max"] * 100, r.figures["shape"]) for r in rows if r.method.startswith(OURS)
    )
    if case.front:
        axes.plot(*zip(*front, strict=True), color=_OURS, lw=0.8, alpha=0.6)
    axes.axvline(100 * case.tolerance, color=_GREY, lw=1, ls="--")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title(case.name, fontsize=10, loc="left", fontweight="bold")
    axes.set_ylabel("shape (1 = disc)", fontsize=8)
    _plain(axes)


def _times(axes: Any, rows: Sequence[Row], colours: dict[str, Any]) -> None:
    ordered = sorted(rows, key=lambda row: -row.figures["seconds"])
    for height, row in enumerate(ordered):
        axes.plot(max(row.figures["seconds"], _LEAST_SECONDS), height, **_dot(row, colours))
    axes.set_xscale("log")
    axes.set_ylim(-0.7, len(ordered) - 0.3)
    axes.set_yticks(range(len(ordered)), [row.method for row in ordered], fontsize=7)
    for tick, row in zip(axes.get_yticklabels(), ordered, strict=True):
        tick.set_fontweight("bold" if row.method == OURS else "normal")
    _plain(axes)


def _dot(row: Row, colours: dict[str, Any]) -> dict[str, Any]:
    """Ours large; the plan an instance was made round a cross; what is not valid hollow."""
    colour = colours[row.method]
    return {
        "marker": "x" if row.method == PLANTED else "o",
        "ls": "",
        "ms": 10 if row.method == OURS else 6,
        "color": colour,
        "mfc": colour if row.figures["valid"] else "none",
        "zorder": 3 if row.method == OURS else 2,
    }


def _plain(axes: Any) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    for axis in (axes.xaxis, axes.yaxis):
        if axis.get_scale() == "log":
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axis.set_minor_formatter(NullFormatter())
            low, high = sorted(axis.get_view_interval())
            axis.set_ticks([t for t in _ROUND[axis is axes.yaxis] if low <= t <= high])
    axes.tick_params(labelsize=7)
    axes.grid(axis="x", color="#e4e6ea", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
