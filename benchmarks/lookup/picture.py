"""What service and arrays found -> a picture of CPU time, ours beside the others'."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["draw", "rows"]

_OURS, _GREY = "#1b6ca8", "#8a8f98"

Row = tuple[str, float]


def rows(results: Mapping[str, Any]) -> dict[str, list[Row]]:
    """Title of a panel -> name and figure of each row; panels without figures are left out."""
    panels: dict[str, list[Row]] = {}
    if results.get("service"):
        median = results["service"]["median"]
        panels["A point over HTTP, µs CPU a request (32 connections)"] = [
            (name, (t.get("c32") or t["c1"])["cpu_us"]) for name, t in median["point"].items()
        ]
        panels["100,000 points over HTTP, ns CPU a point"] = [
            (f"{name}, {case.removeprefix('batch-')}" if name == "gridsvc" else name, t["cpu_ns_per_pt"])
            for case, targets in median.items()
            if case.startswith("batch")
            for name, t in targets.items()
        ]
    for case in ("lookup-h3", "lookup-areas") if results.get("arrays") else ():
        found = results["arrays"][case]
        panels[f"{found['title']}, in one process, ns CPU a point"] = [
            (name, 1e9 * seconds / found["points"]) for name, seconds in found["cpu_s"].items()
        ]
    return panels


def draw(results: Mapping[str, Any], file: Path) -> None:
    """A panel each, the least on top, on a scale by tens."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    panels = rows(results)
    if not panels:
        return
    heights = [len(listed) + 1.2 for listed in panels.values()]
    figure, axes = plt.subplots(
        len(panels),
        1,
        figsize=(9, 0.32 * sum(heights) + 0.6),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for panel, (title, listed) in zip(axes[:, 0], panels.items(), strict=True):
        _panel(panel, title, sorted(listed, key=lambda row: -row[1]))
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _panel(axes: Any, title: str, listed: list[Row]) -> None:
    names, values = zip(*listed, strict=True)
    colours = [_OURS if name.startswith("gridsvc") else _GREY for name in names]
    # Dots: on a scale by tens, lengths would mean nothing.
    axes.scatter(values, names, color=colours, s=60, zorder=2)
    for name, value in listed:
        axes.annotate(
            f"{value:,.0f}", (value, name), xytext=(8, 0), textcoords="offset points", va="center", fontsize=8
        )
    axes.set_xscale("log")
    axes.set_ylim(-0.7, len(listed) - 0.3)
    axes.grid(axis="x", color="#e4e6ea", lw=0.8)
    axes.set_axisbelow(True)
    axes.set_xlim(min(values) / 3, max(values) * 2)
    axes.set_title(title, fontsize=9, loc="left", fontweight="bold")
    axes.tick_params(labelsize=8, length=0)
    axes.minorticks_off()
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.tick_params(axis="x", colors=_GREY)
    axes.spines[["top", "right", "left"]].set_visible(False)
