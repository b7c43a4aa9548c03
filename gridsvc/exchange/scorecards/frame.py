"""What both pages share: style, policy, tables and numbers. No script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from gridsvc.exchange.scorecards.words import MARK, Words

__all__ = ["POLICY", "document", "figure_text", "heading", "section", "shown", "table"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2733; --dim: #5d6b78; --line: #d5dbe1; --soft: #eef2f5;
  --page: #fff; --c0: #0072b2; --c1: #e69f00; --c2: #009e73; --c3: #cc79a7; --c4: #56b4e9; --c5: #d55e00;
  --c6: #8a8a00; --c7: #7a5195; --warn: #b3420a; --note: #fff7dc; --note-ink: #6b5200; --note-line: #d9a400; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e4e9ee; --dim: #9aa8b5; --line: #35404b;
  --soft: #26303a; --page: #161c22;
  --c0: #3a9bd9; --c5: #f0813a; --c6: #c2c24a; --c7: #b08bd0; --warn: #ff9d66;
  --note: #3a3110; --note-ink: #f3dfa0; --note-line: #8f7213; } }
* { box-sizing: border-box; }
html { -webkit-print-color-adjust: exact; print-color-adjust: exact; background: var(--page); }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 84rem; color: var(--ink);
  background: var(--page);
  font: 14px/1.45 "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif; }
h1 { margin: 0 0 .8rem; font-size: 1.6rem; line-height: 1.2; }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; break-after: avoid; }
p { margin: .3rem 0 .6rem; color: var(--dim); }
p.over { color: var(--warn); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
.simulated { margin: 0 0 1rem; padding: .4rem .7rem; border: 1px solid var(--note-line); border-radius: 4px;
  background: var(--note); color: var(--note-ink); }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid var(--ink); font-weight: 600; vertical-align: bottom; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.n { text-align: right; white-space: nowrap; } th.n { white-space: normal; }
td:first-child { white-space: nowrap; }
small { display: block; color: var(--dim); font-size: .85em; }
.over { color: var(--warn); font-weight: 600; }
.tag { display: inline-block; padding: 0 .4em; border-radius: 3px; background: var(--soft);
  font-size: .85em; }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--ink); font-size: 11px; } svg text.dim { fill: var(--dim); }
.k0 { fill: var(--c0); } .k1 { fill: var(--c1); } .k2 { fill: var(--c2); } .k3 { fill: var(--c3); }
.k4 { fill: var(--c4); } .k5 { fill: var(--c5); } .k6 { fill: var(--c6); } .k7 { fill: var(--c7); }
.track { fill: var(--soft); } .tick { stroke: var(--ink); stroke-width: 1.5; }
.was { fill: var(--page); stroke: var(--ink); stroke-width: 1.2; }
.spark { fill: none; stroke: var(--c0); stroke-width: 1.5; } td svg { margin-left: auto; }
@page { size: A4 landscape; margin: 12mm; }
@media print { body { padding: 0; max-width: none; font-size: 8.5pt; } h1 { font-size: 17pt; }
  .scroll { overflow: visible; } }
"""


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


POLICY = (
    f"default-src 'none'; style-src 'sha256-{_hash(_STYLE)}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The content security policy to serve the pages with: their own style and nothing else."""


def document(title: str, words: Words, parts: Sequence[str]) -> str:
    """An HTML document of ready parts."""
    tag = {"en": "en", "zh": "zh-Hans"}[words.lang]
    return (
        f'<!doctype html>\n<html lang="{tag}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def heading(title: str, words: Words, lines: Iterable[tuple[str, str]], *, simulated: bool) -> list[str]:
    """The title and what the report is about."""
    return [
        f'<div class="simulated">{escape(words["simulated"])}</div>' if simulated else "",
        f"<h1>{escape(title)}</h1>",
        "<dl>" + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in lines) + "</dl>",
    ]


def section(title: str, content: str) -> str:
    """A part with its heading; nothing where it is empty."""
    return f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>" if content else ""


def table(header: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> str:
    """A table of ready cells; header cells are texts and whether a column holds numbers."""
    head = "".join(f'<th scope="col"{_kind(number)}>{escape(text)}</th>' for text, number in header)
    body = "\n".join(
        "<tr>"
        + "".join(f"<td{_kind(h[1])}>{cell}</td>" for h, cell in zip(header, row, strict=True))
        + "</tr>"
        for row in rows
    )
    whole = f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    return f'<div class="scroll">{whole}</div>'


def _kind(number: bool) -> str:
    return ' class="n"' if number else ""


_SHARES = frozenset({"penetration"})


def figure_text(name: str, value: float, *, hidden: bool = False) -> str:
    """A figure as people read it: shares in percent, large numbers without fractions."""
    if not np.isfinite(value):
        return MARK if hidden else "–"
    return f"{100 * value:.1f} %" if name in _SHARES else shown(value)


def shown(value: float) -> str:
    """Whole numbers as they are, large ones without fractions, small ones with a few digits."""
    if not np.isfinite(value):
        return "–"
    if abs(value) >= 1000 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:,.3g}"
