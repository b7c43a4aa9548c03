"""Charts as SVG, drawn by hand: shapes take their colours from the page's style, texts are escaped.

The colours are those of Okabe and Ito, which people who confuse red and green can tell apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bar", "bars", "legend", "spark"]

_ROW, _LABEL, _VALUE, _WIDTH = 18, 150, 110, 1000
_COLOURS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart.

    Attributes
    ----------
    parts : sequence of float
        Lengths beside each other, in the chart's unit; each has its colour.
    text : str
        Behind the bar.
    tick, was : float or None
        A line across the bar, and a hollow dot.
    """

    label: str
    parts: Sequence[float]
    text: str
    tick: float | None = None
    was: float | None = None


def bars(title: str, rows: Sequence[Bar], most: float) -> str:
    """Horizontal bars, `most` units wide."""
    high = _ROW * len(rows) + 4
    scale = (_WIDTH - _LABEL - _VALUE) / most if most > 0 else 0.0
    drawn = "".join(_bar(at, row, scale, most) for at, row in enumerate(rows))
    return (
        f'<svg viewBox="0 0 {_WIDTH} {high}" width="{_WIDTH}" height="{high}" role="img" '
        f'aria-label="{escape(title, quote=True)}">{drawn}</svg>'
    )


def _bar(at: int, row: Bar, scale: float, most: float) -> str:
    top, x = at * _ROW + 2, float(_LABEL)
    label = row.label if len(row.label) <= 22 else row.label[:21] + "…"
    out = [
        f'<text x="{_LABEL - 8}" y="{top + 12}" text-anchor="end">{escape(label)}</text>',
        f'<rect class="track" x="{_LABEL}" y="{top + 2}" width="{_n(most * scale)}" height="{_ROW - 6}"/>',
    ]
    for colour, part in enumerate(row.parts):
        width = max(part, 0.0) * scale if np.isfinite(part) else 0.0
        out.append(
            f'<rect class="k{colour % _COLOURS}" x="{_n(x)}" y="{top + 2}" '
            f'width="{_n(width)}" height="{_ROW - 6}"/>'
        )
        x += width
    if row.tick is not None and np.isfinite(row.tick):
        there = _n(_LABEL + row.tick * scale)
        out.append(f'<line class="tick" x1="{there}" x2="{there}" y1="{top}" y2="{top + _ROW - 2}"/>')
    if row.was is not None and np.isfinite(row.was):
        out.append(f'<circle class="was" cx="{_n(_LABEL + row.was * scale)}" cy="{top + 8}" r="4"/>')
    out.append(
        f'<text class="dim" x="{_n(_LABEL + most * scale + 8)}" y="{top + 12}">{escape(row.text)}</text>'
    )
    return "".join(out)


def legend(names: Sequence[str]) -> str:
    """What the colours stand for, in the order of the parts."""
    out, x = [], 0
    for colour, name in enumerate(names):
        out.append(f'<rect class="k{colour % _COLOURS}" x="{x}" y="3" width="11" height="11"/>')
        out.append(f'<text x="{x + 16}" y="13">{escape(name)}</text>')
        x += 34 + sum(7 if ord(char) < 0x2E80 else 12 for char in name)
    return f'<svg viewBox="0 0 {max(x, 1)} 18" width="{max(x, 1)}" height="18">{"".join(out)}</svg>'


_SPARK = (84, 20)


def spark(values: NDArray[np.float64], title: str) -> str:
    """A line of a trend from the left to the right, shape (n,); breaks where a value is not known."""
    known = np.isfinite(values)
    if known.sum() < 2:
        return ""
    width, high = _SPARK
    low, top = float(values[known].min()), float(values[known].max())
    span = top - low
    x = 3 + np.arange(len(values)) * (width - 6) / (len(values) - 1)
    y = np.full(len(values), high / 2) if span <= 0 else high - 3 - (values - low) * (high - 6) / span
    runs: list[list[str]] = [[]]
    for at in range(len(values)):
        if known[at]:
            runs[-1].append(f"{_n(float(x[at]))},{_n(float(y[at]))}")
        elif runs[-1]:
            runs.append([])
    lines = "".join(f'<polyline class="spark" points="{" ".join(run)}"/>' for run in runs if len(run) > 1)
    last = int(np.flatnonzero(known)[-1])
    dot = f'<circle class="k5" cx="{_n(float(x[last]))}" cy="{_n(float(y[last]))}" r="2.2"/>'
    return (
        f'<svg viewBox="0 0 {width} {high}" width="{width}" height="{high}" role="img" '
        f'aria-label="{escape(title, quote=True)}">{lines}{dot}</svg>'
    )


def _n(value: float) -> str:
    return f"{value:.1f}"
