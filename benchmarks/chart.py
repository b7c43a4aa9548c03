"""Results -> a picture: ours over theirs, time and memory."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.case import Case
from benchmarks.rounds import Result

__all__ = ["draw"]

_FIGURES = {"cpu_s": "CPU time", "peak_mb": "peak memory"}
_ROUND = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_LESS, _MORE, _GREY = "#1b6ca8", "#c4572b", "#8a8f98"


def draw(cases: Sequence[Case], results: Mapping[str, list[Result]], file: Path) -> None:
    """One row a rival: a dot for each round, a large one for the median; left of 1, ours takes less."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    rows = [(case, results[case.name][0], rival) for case in cases for rival in results[case.name][1:]]
    figure, (left, right) = plt.subplots(
        1, 2, sharex=True, sharey=True, figsize=(11, 1.4 + 0.32 * len(rows) + 0.3 * len(cases))
    )
    heights = _heights(rows)
    for axes, (figure_name, title) in zip((left, right), _FIGURES.items(), strict=True):
        _panel(axes, rows, heights, figure_name, _ticks(rows))
        axes.set_title(f"{title}, gridsvc over the other", fontsize=10, loc="left")
    left.set_yticks(heights, [rival.contender for _, _, rival in rows], fontsize=8)
    for case in cases:
        top = max(h for h, (c, _, _) in zip(heights, rows, strict=True) if c is case)
        left.text(
            -0.02,
            top + 0.75,
            case.title,
            transform=left.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=9,
            fontweight="bold",
        )
    left.set_ylim(min(heights) - 0.7, max(heights) + 1.3)
    figure.text(
        0.99,
        0.005,
        "small dots: single rounds; left of the line, gridsvc takes less",
        ha="right",
        fontsize=8,
        color=_GREY,
    )
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _heights(rows: Sequence[tuple[Case, Result, Result]]) -> list[float]:
    """Top to bottom, with room above each case for its title."""
    heights, y = [], 0.0
    for i, (case, _, _) in enumerate(rows):
        y -= 1.0 if i and rows[i - 1][0] is case else 2.2
        heights.append(y)
    return heights


def _panel(
    axes: Any,
    rows: Sequence[tuple[Case, Result, Result]],
    heights: list[float],
    figure: str,
    ticks: list[float],
) -> None:
    for (_, ours, rival), y in zip(rows, heights, strict=True):
        ratios = ours.ratios(rival, figure)
        middle = statistics.median(ratios)
        colour = _LESS if middle <= 1.0 else _MORE
        axes.plot(ratios, [y] * len(ratios), "o", ms=3.5, color=colour, alpha=0.35, mew=0)
        axes.plot(middle, y, "o", ms=7, color=colour)
        axes.annotate(
            f"{middle:.2f}",
            (middle, y),
            xytext=(0, 6),
            textcoords="offset points",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4},
            ha="center",
            fontsize=7.5,
        )
    axes.axvline(1.0, color=_GREY, lw=1)
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.minorticks_off()
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#e4e6ea", lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _ticks(rows: Sequence[tuple[Case, Result, Result]]) -> list[float]:
    """Round ratios within what was measured, and 1."""
    every = [r for _, ours, rival in rows for figure in _FIGURES for r in ours.ratios(rival, figure)]
    return [t for t in _ROUND if t == 1.0 or min(every) / 1.5 <= t <= max(every) * 1.5]
