"""The realignment report as one page to print: no script, no picture, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from html import escape

from gridsvc.exchange.comparison.report import AREA, Report
from gridsvc.exchange.comparison.words import WORDS, Lang, Words
from gridsvc.plans.compare import Amounts, GridChange, Sides
from gridsvc.plans.plan import Grid

__all__ = ["POLICY", "page"]

_STYLE = """
:root { --ink: #1c2733; --dim: #5d6b78; --line: #d5dbe1; --soft: #f2f5f7; --tone: #0b6bcb; }
* { box-sizing: border-box; }
html { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 75rem; color: var(--ink); background: #fff;
  font: 14px/1.45 "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif; }
h1 { margin: 0 0 .8rem; font-size: 1.6rem; line-height: 1.2; }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; break-after: avoid; }
p { margin: .3rem 0 .6rem; color: var(--dim); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--dim); } dd { margin: 0; }
.simulated { margin: 0 0 1rem; padding: .4rem .7rem; border: 1px solid #d9a400; border-radius: 4px;
  background: #fff7dc; color: #6b5200; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid var(--ink); font-weight: 600; vertical-align: bottom; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.n { text-align: right; white-space: nowrap; }
.was { color: var(--dim); } .was::after { content: "\\00a0\\2192\\00a0"; }
.same { color: var(--dim); }
.to { white-space: nowrap; }
small { display: block; color: var(--dim); font-size: .85em; }
.tag { display: inline-block; padding: 0 .4em; border-radius: 3px; background: var(--soft);
  color: var(--tone); font-size: .85em; }
svg { vertical-align: -1px; margin-left: .4rem; }
@page { size: A4; margin: 14mm 12mm; }
@page wide { size: A4 landscape; margin: 12mm; }
@media print {
  body { padding: 0; max-width: none; font-size: 9.5pt; }
  h1 { font-size: 17pt; }
  .wide { page: wide; font-size: 8.5pt; }
}
"""


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


POLICY = (
    f"default-src 'none'; style-src 'sha256-{_hash(_STYLE)}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
"""The content security policy to serve the page with: its own style and nothing else."""


def page(report: Report, lang: Lang = "en") -> str:
    """The report as an HTML document."""
    words = WORDS[lang]
    heading = [line for line in words.heading(report) if line[0]]
    title = f"{words['title']} · {report.territory_name or heading[0][1]}"
    parts = [
        f'<div class="simulated">{escape(words["simulated"])}</div>' if report.simulated else "",
        f"<h1>{escape(title)}</h1>",
        "<dl>" + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in heading) + "</dl>",
        _section(words["summary"], _summary(report, words)),
        _section(words["by_team"], _team_flows(report, words)),
        _section(words["by_grid"], _grid_flows(report, words)),
        _section(words["each_grid"], _grids(report, words), "wide"),
    ]
    tag = {"en": "en", "zh": "zh-Hans"}[lang]
    return (
        f'<!doctype html>\n<html lang="{tag}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )


def _section(title: str, content: str, kind: str = "") -> str:
    return f'<section class="{kind}">\n<h2>{escape(title)}</h2>\n{content}\n</section>'


def _table(header: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> str:
    """A table of ready cells; header cells are texts and whether a column holds numbers."""
    head = "".join(f"<th{_kind(number)}>{escape(text)}</th>" for text, number in header)
    body = "\n".join(
        "<tr>"
        + "".join(f"<td{_kind(h[1])}>{cell}</td>" for h, cell in zip(header, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _kind(number: bool) -> str:
    return ' class="n"' if number else ""


def _summary(report: Report, words: Words) -> str:
    found = report.comparison
    changed = sum(_differs(change) for change in found.grids)
    header = [
        ("", False),
        *((words[key], True) for key in ("total", "moved", "share", "handed_over", "share")),
    ]
    rows = []
    for label, name in words.amounts(report):
        whole, moved, handed = (
            _written(name, _amount(part, name)) for part in (found.total, found.moved, found.handed_over)
        )
        shares = [report.share(part, name) for part in (found.moved, found.handed_over)]
        rows.append([escape(label), whole, moved, _bar(shares[0]), handed, _bar(shares[1])])
    text = words["grids_kept"].format(changed=changed, grids=len(found.grids))
    return _table(header, rows) + f"\n<p>{escape(text)}</p>"


def _differs(change: GridChange) -> bool:
    return (
        change.before is None
        or change.after is None
        or any(sides.before != sides.after for sides in (change.cells, *change.values.values()))
    )


def _amount(part: Amounts, name: str | None) -> float:
    return part.cells if name is None else part.values[name]


def _bar(share: float | None) -> str:
    """A share in figures and as a bar."""
    if share is None:
        return "–"
    width = round(60 * min(share, 1.0), 1)
    return (
        f'{100 * share:.1f} %<svg width="60" height="9" role="presentation"><rect width="60" height="9" '
        f'fill="#e6ebef"/><rect width="{width}" height="9" fill="#0b6bcb"/></svg>'
    )


def _team_flows(report: Report, words: Words) -> str:
    flows = report.comparison.team_flows
    teams = {grid.team for c in report.comparison.grids for grid in (c.before, c.after) if grid is not None}
    if not flows:
        return f"<p>{escape(words['no_team' if teams <= {None} else 'same_team'])}</p>"
    rows = [
        [_team(report, words, f.source), _team(report, words, f.target), *_flow(report, f.amounts)]
        for f in flows
    ]
    return _table(_flow_header(report, words), rows)


def _team(report: Report, words: Words, team: str | None) -> str:
    if team is None:
        return f'<span class="same">{escape(words["nobody"])}</span>'
    named = report.team(team)
    return escape(named.name) + (f"<small>{escape(named.lead)}</small>" if named.lead else "")


def _grid_flows(report: Report, words: Words) -> str:
    flows = report.comparison.grid_flows
    if not flows:
        return f"<p>{escape(words['none'])}</p>"
    rows = [
        [
            _grid(words, report.grid(flow.source, after=False)),
            _grid(words, report.grid(flow.target, after=True)),
            *_flow(report, flow.amounts),
        ]
        for flow in flows
    ]
    return _table(_flow_header(report, words), rows)


def _grid(words: Words, grid: Grid | None) -> str:
    if grid is None:
        return f'<span class="same">{escape(words["nobody"])}</span>'
    name = f"<small>{escape(grid.name)}</small>" if grid.name and grid.name != grid.code else ""
    return f"<b>{escape(grid.code)}</b>{name}"


def _flow_header(report: Report, words: Words) -> list[tuple[str, bool]]:
    return [
        (words["from"], False),
        (words["to"], False),
        *((text, True) for text, _ in words.amounts(report)),
    ]


def _flow(report: Report, amounts: Amounts) -> list[str]:
    values = ((name, amounts.values[name]) for name in (*report.shown, AREA))
    return [_number(amounts.cells), *(_written(name, value) for name, value in values)]


def _grids(report: Report, words: Words) -> str:
    header = [(words["code"], False), (words["team"], False), (words["cells"], True)]
    header += [(words.label(report, name), True) for name in report.shown]
    header += [(f"{words.label(report, name)} {words['deviation']}", True) for name in report.aimed]
    header.append((words["shape"], True))
    rows = [_grid_row(report, words, change) for change in report.comparison.grids]
    return f"<p>{escape(words['shape_note'])}</p>\n" + _table(header, rows)


def _grid_row(report: Report, words: Words, change: GridChange) -> list[str]:
    state = "new" if change.before is None else "gone" if change.after is None else None
    tag = f' <span class="tag">{escape(words[state])}</span>' if state else ""
    before, after = (grid and grid.team for grid in (change.before, change.after))
    teams = [escape(report.team(team).name) if team else "–" for team in (before, after)]
    return [
        _grid(words, change.after or change.before) + tag,
        teams[1] if before == after else f'<span class="was">{teams[0]}</span>{teams[1]}',
        _both(change.cells, _number),
        *(_both(change.values[name], _number) for name in report.shown),
        *(_both(change.deviation[name], _signed) for name in report.aimed),
        _both(change.shape, _shape),
    ]


def _both(sides: Sides, written: Callable[[float | None], str]) -> str:
    before, after = (written(value) for value in (sides.before, sides.after))
    if before == after:
        return f'<span class="same">{after}</span>'
    return f'<span class="was">{before}</span>{after}'


def _written(name: str | None, value: float) -> str:
    return f"{value:,.2f}" if name == AREA else _number(value)


def _number(value: float | None) -> str:
    """Whole numbers as they are, large ones without fractions, small ones with a few digits."""
    if value is None:
        return "–"
    if abs(value) >= 1000 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:,.2f}" if abs(value) >= 1 else f"{value:,.3g}"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:+.1f} %"


def _shape(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
