"""The load report as one page to read and to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from gridsvc.exchange.scorecards.charts import Bar, bars
from gridsvc.exchange.scorecards.frame import document, heading, section, shown, table
from gridsvc.exchange.scorecards.load_report import LoadReport, Row, State
from gridsvc.exchange.scorecards.words import MARK, WORDS, Lang, Words
from gridsvc.teams.fairness import Fairness

__all__ = ["page"]

_CHARTED = 40


def page(report: LoadReport, lang: Lang = "en") -> str:
    """The load report as an HTML document."""
    words, about = WORDS[lang], report.now.about
    title = f"{words['load_report']} · {about.territory_name}"
    before = None if report.before is None else report.before.about
    teams, people = report.team_rows(), report.person_rows()
    kept = "" if report.least is None else words["kept_back"].format(n=report.least, mark=MARK)
    parts = [
        *heading(title, words, words.heading(about, report.parts, before), simulated=about.simulated),
        _over(teams + people, words),
        f"<p>{escape(kept)}</p>" if kept else "",
        section(words["fairness"], f"<p>{escape(words['fair_note'])}</p>" + _fairness(report, words)),
        section(words["teams"], _chart(report, teams, words) + _rows(report, teams, words)),
        section(
            words["people"],
            f"<p>{escape(words[f'split_{report.split}'])}</p>"
            + _chart(report, people, words)
            + _rows(report, people, words),
        ),
        section(words["departments"], _departments(report, words)),
    ]
    return document(title, words, parts)


def _over(rows: Sequence[Row], words: Words) -> str:
    names = [row.name for row in rows if row.over]
    if not names:
        return f"<p>{escape(words['over_none'])}</p>"
    listed = words["separator"].join(names[:_CHARTED])
    return f'<p class="over">{escape(words["over_some"].format(names=listed))}</p>'


def _fairness(report: LoadReport, words: Words) -> str:
    rows = []
    for kind in ("teams", "people"):
        for name in report.measures:
            found = _of(report.now, kind).get(name)
            former = None if report.before is None else _of(report.before, kind).get(name)
            if found is not None:
                label = f"{words[kind]}: {words.figure(name, report.now.about)}"
                rows.append([escape(label), *_indices(found, former, compared=report.before is not None)])
    return table(_index_header(words), rows)


def _of(state: State, kind: str) -> Mapping[str, Fairness | None]:
    return state.fair_teams if kind == "teams" else state.fair_people


def _index_header(words: Words) -> list[tuple[str, bool]]:
    return [
        (words["what"], False),
        *((words[n], True) for n in ("holders", "mean", "spread", "gini", "jain")),
    ]


def _indices(found: Fairness, former: Fairness | None, *, compared: bool) -> list[str]:
    cells = [f"{found.holders:,}", shown(found.mean)]
    for name in ("spread", "gini", "jain"):
        was = f"{getattr(former, name):.2f} → " if compared and former is not None else ""
        cells.append(f"{was}{getattr(found, name):.2f}")
    return cells


def _departments(report: LoadReport, words: Words) -> str:
    offices, rows = {person[2]: person[3] for person in report.people}, []
    for home, found in report.by_department().items():
        for name, fair in found.items():
            if fair is not None:
                label = f"{offices.get(home, home)}: {words.figure(name, report.now.about)}"
                rows.append([escape(label), *_indices(fair, None, compared=False)])
    return table(_index_header(words), rows) if rows else ""


def _chart(report: LoadReport, rows: Sequence[Row], words: Words) -> str:
    """Customers (else the first measure there is) of each, with what they can carry."""
    name = next((n for n in ("customers", "potential", "grids") if n in report.measures), "grids")
    known = [row for row in rows if row.id and np.isfinite(row.values[name])]
    if not known:
        return ""
    known = sorted(known, key=lambda row: -row.values[name])
    limit = {row.id: row.values[name] / row.used[name] for row in known if row.used.get(name, 0) > 0}
    ends = [row.values[name] for row in known] + [row.before.get(name, 0.0) for row in known]
    most = max([*ends, *(v for v in limit.values() if np.isfinite(v))])
    drawn = [
        Bar(row.name, [row.values[name]], shown(row.values[name]), limit.get(row.id), row.before.get(name))
        for row in known[:_CHARTED]
    ]
    label = words.figure(name, report.now.about)
    more = f" {words['more'].format(n=len(known) - _CHARTED)}" if len(known) > _CHARTED else ""
    return f"<p>{escape(label)} ({escape(words['capacity_key'])}){escape(more)}</p>" + bars(
        label, drawn, most
    )


def _rows(report: LoadReport, rows: Sequence[Row], words: Words) -> str:
    header = [(words["name"], False)]
    header += [(words.figure(name, report.now.about), True) for name in report.measures]
    header += [(words["used"], True), (words["mean_km"], True), (words["p90_km"], True)]
    timed = any(row.time is not None for row in rows)
    header += [(words["time"], True)] if timed else []
    return table(header, (_row(report, row, words, timed=timed) for row in rows))


def _row(report: LoadReport, row: Row, words: Words, *, timed: bool) -> list[str]:
    note = f"<small>{escape(row.note)}</small>" if row.note else ""
    cells = [f"{escape(row.name or words['no_team'])}{note}"]
    cells += [_both(row.before.get(name), row.values[name]) for name in report.measures]
    used = max(row.used.values(), default=float("nan"))
    over = [name for name in row.over if name != "time"]
    share = "∞" if used == np.inf else "–" if np.isnan(used) else f"{100 * used:.0f} %"
    named = words["separator"].join(words.figure(name, report.now.about) for name in over)
    cells.append(f'<span class="over">{share}<small>{escape(named)}</small></span>' if over else share)
    former = (None, None) if row.km_before is None else row.km_before
    cells += [_both(was, now) for was, now in zip(former, row.km, strict=True)]
    if timed:
        time = float("nan") if row.time is None else row.time
        told = "–" if np.isnan(time) else f"{100 * time:.0f} %"
        cells.append(f'<span class="over">{told}</span>' if "time" in row.over else told)
    return cells


def _both(was: float | None, now: float) -> str:
    text = shown(now)
    return text if was is None or shown(was) == text else f"{text}<small>{shown(was)} →</small>"
