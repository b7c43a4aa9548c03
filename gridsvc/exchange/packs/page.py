"""A pack as one page to print: no script, no picture, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from zoneinfo import ZoneInfo

from gridsvc.exchange.packs.pack import Pack
from gridsvc.exchange.packs.tables import Sheet, Value, heading, sheets_of
from gridsvc.exchange.packs.words import WORDS, Lang

__all__ = ["POLICY", "page"]

_MOST = 1000
"""Rows of a table which are printed; a workbook has all."""

_STYLE = """
:root { --ink: #1c2733; --dim: #5d6b78; --line: #d5dbe1; --tone: #0b6bcb; }
* { box-sizing: border-box; }
html { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 62rem; color: var(--ink); background: #fff;
  font: 14px/1.45 "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif; }
h1 { margin: 0 0 .8rem; font-size: 1.6rem; line-height: 1.2; }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; break-after: avoid; }
p { margin: .3rem 0 .6rem; color: var(--dim); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
.note { margin: 0 0 1rem; padding: .4rem .7rem; border: 1px solid #d9a400; border-radius: 4px;
  background: #fff7dc; color: #6b5200; }
.private { border-color: #c0392b; background: #fdeceb; color: #7d1f16; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top;
  overflow-wrap: anywhere; }
thead th { border-bottom: 2px solid var(--ink); font-weight: 600; vertical-align: bottom; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.n { text-align: right; white-space: nowrap; }
@page { size: A4; margin: 14mm 12mm; }
@media print { body { padding: 0; max-width: none; font-size: 9.5pt; } h1 { font-size: 17pt; } }
"""


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


POLICY = (
    f"default-src 'none'; style-src 'sha256-{_hash(_STYLE)}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The content security policy to serve the page with: its own style and nothing else."""


def page(pack: Pack, lang: Lang, zone: ZoneInfo) -> str:
    """The pack as an HTML document."""
    words = WORDS[lang]
    title = f"{words['title']} · {pack.code}"
    notes = [("note", words["simulated"])] if pack.simulated else []
    notes += [("note private", words["private"])] if pack.customers is not None else []
    pairs = heading(pack, lang, zone)
    parts = [
        *(f'<div class="{kind}">{escape(text)}</div>' for kind, text in notes),
        f"<h1>{escape(title)}</h1>",
        "<dl>" + "".join(f"<dt>{escape(a)}</dt><dd>{_cell(b)}</dd>" for a, b in pairs) + "</dl>",
        *(_section(table, words["more"]) for table in sheets_of(pack, lang, zone)),
    ]
    tag = {"en": "en", "zh": "zh-Hans"}[lang]
    return (
        f'<!doctype html>\n<html lang="{tag}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _section(table: Sheet, more: str) -> str:
    title = f"<section>\n<h2>{escape(table.title)}</h2>\n"
    if not table.rows:
        return f"{title}<p>{escape(table.note or '')}</p>\n</section>"
    numbers = [_numeric(table, column) for column in range(len(table.header))]
    head = "".join(f"<th{_kind(n)}>{escape(t)}</th>" for t, n in zip(table.header, numbers, strict=True))
    body = "\n".join(
        "<tr>"
        + "".join(f"<td{_kind(n)}>{_cell(v)}</td>" for v, n in zip(row, numbers, strict=True))
        + "</tr>"
        for row in table.rows[:_MOST]
    )
    left = len(table.rows) - _MOST
    rest = f"\n<p>{escape(more.format(n=left))}</p>" if left > 0 else ""
    return (
        f'{title}<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n'
        f"</table></div>{rest}\n</section>"
    )


def _numeric(table: Sheet, column: int) -> bool:
    values = [row[column] for row in table.rows if row[column] is not None]
    return bool(values) and all(isinstance(value, int | float) for value in values)


def _kind(number: bool) -> str:
    return ' class="n"' if number else ""


def _cell(value: Value) -> str:
    if isinstance(value, float):
        return escape(f"{value:,.6f}".rstrip("0").rstrip("."))
    return escape(f"{value:,}" if isinstance(value, int) else str(value or ""))
