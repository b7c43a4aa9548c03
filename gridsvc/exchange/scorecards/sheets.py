"""Scorecard and load report as CSV and as workbooks; no text of them can act as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from gridsvc.exchange.books import Value, as_bytes, fill
from gridsvc.exchange.scorecards.load_report import LoadReport, Row
from gridsvc.exchange.scorecards.report import HIDDEN, Card, number
from gridsvc.exchange.scorecards.words import MARK, WORDS, Lang, Words
from gridsvc.exchange.texts import inert

__all__ = ["card_csv", "card_workbook", "load_csv", "load_workbook"]


def card_csv(card: Card, *, bom: bool = False) -> str:
    """One row a grid, with figure, rank and percentile; `bom`: the mark by which Excel knows UTF-8."""
    header = ["grid", "name", "team", "team_name", "carve_out", "cells", "area_km2", "score", "score_rank"]
    for name in card.figures:
        header += [name, f"{name}_rank", f"{name}_percentile"]
    header += [f"{name}_deviation" for name in card.deviation]
    header += [] if card.tiers is None else [f"tier_{name or 'none'}" for name in card.tiers.names]
    return _csv(header, (_card_row(card, g) for g in range(len(card.codes))), bom=bom)


def _csv(header: Sequence[Value], rows: Iterable[Sequence[Value]], *, bom: bool) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in (header, *rows):
        writer.writerow([inert(value) if isinstance(value, str) else value for value in row])
    return ("\ufeff" if bom else "") + text.getvalue()


def _card_row(card: Card, g: int) -> list[Value]:
    team = card.teams[g] or (None, None)
    row: list[Value] = [card.codes[g], card.names[g], *team, "yes" if card.carved[g] else "no"]
    row += [number(card.cells[g]), number(card.area_km2[g])]
    score = card.score
    row += [None, None] if score is None else [number(score.total[g]), int(score.ranks.rank[g]) or None]
    for name, values in card.figures.items():
        ranks = card.ranks[name]
        row += [number(values[g]), int(ranks.rank[g]) or None, number(ranks.percentile[g])]
    row += [number(values[g]) for values in card.deviation.values()]
    return row if card.tiers is None else row + _tiers(card, g)


def _tiers(card: Card, g: int) -> list[Value]:
    counts = [] if card.tiers is None else card.tiers.counts[g].tolist()
    return [MARK if count == HIDDEN else count for count in counts]


def load_csv(report: LoadReport, *, bom: bool = False) -> str:
    """One row a team and one a person, with what each had before where that is compared."""
    compared = report.before is not None
    header = [
        "kind",
        "id",
        "name",
        "department",
        *report.measures,
        "used",
        "over",
        "mean_km",
        "p90_km",
        "time_share",
    ]
    if compared:
        header += [*(f"{name}_before" for name in report.measures), "mean_km_before", "p90_km_before"]
    homes = {person[0]: person[2] for person in report.people}
    rows: list[tuple[str, Row, str | None]] = [("team", row, None) for row in report.team_rows()]
    rows += [("person", row, homes[row.id]) for row in report.person_rows()]
    return _csv(header, ([kind, *_load_row(report, row, home)] for kind, row, home in rows), bom=bom)


def _load_row(report: LoadReport, row: Row, home: str | None) -> list[Value]:
    cells: list[Value] = [row.id or None, row.name, home, *(number(row.values[n]) for n in report.measures)]
    cells += [number(max(row.used.values(), default=None)), " ".join(row.over)]
    cells += [*map(number, row.km), number(row.time)]
    if row.km_before is not None:
        cells += [*(number(row.before[n]) for n in report.measures), *map(number, row.km_before)]
    return cells


# --- workbooks


def card_workbook(card: Card, lang: Lang = "en") -> bytes:
    """Sheets: what and how much in all; each grid; what the scores are made of; trends."""
    from openpyxl import Workbook

    words = WORDS[lang]
    book = Workbook()
    book.active.title = words["summary"][:31]
    fill(book.active, (words["scorecard"], ""), _card_heading(card, words))
    fill(book.create_sheet(words["grids"]), _card_header(card, words), _card_rows(card))
    if card.score is not None:
        header = [words["grid"], words["score"], words["rank"]]
        header += [f"{words['points']}: {words.figure(name, card.about)}" for name in card.score.points]
        fill(book.create_sheet(words["score"]), header, _points(card))
    if card.trend is not None:
        header = [words["grid"], words["what"], *(f"{m.at:%Y-%m-%d %H:%M}" for m in card.trend.moments)]
        fill(book.create_sheet(words["trend"]), header, _trends(card, words))
    return as_bytes(book)


def _card_heading(card: Card, words: Words) -> Iterable[Sequence[Value]]:
    if card.about.simulated:
        yield (words["simulated"],)
    yield from words.heading(card.about, card.parts)
    if card.least is not None:
        yield (words["kept_back"].format(n=card.least, mark=MARK),)
    yield ()
    yield (words["grids"], len(card.codes))
    for name, value in card.whole.items():
        yield (words.figure(name, card.about), number(value))
    if card.tiers is not None:
        for name, count in zip(card.tiers.names, _tiers(card, len(card.codes)), strict=True):
            yield (f"{words['tiers']} {name}" if name else words["no_tier"], count)


def _card_header(card: Card, words: Words) -> list[str]:
    header = [words["grid"], words["name"], words["team"], words["team"], words["carved"], words["cells"]]
    header += [words["area_km2"], words["score"], words["rank"]]
    for name in card.figures:
        label = words.figure(name, card.about)
        header += [label, f"{label} {words['rank']}", f"{label} {words['percentile']}"]
    header += [f"{name} {words['deviation']}" for name in card.deviation]
    names = () if card.tiers is None else card.tiers.names
    return header + [f"{words['tiers']} {name}" if name else words["no_tier"] for name in names]


def _card_rows(card: Card) -> Iterable[list[Value]]:
    return (_card_row(card, g) for g in card.order().tolist())


def _points(card: Card) -> Iterable[list[Value]]:
    score = card.score
    assert score is not None  # noqa: S101 - asked for only then
    for g in card.order().tolist():
        points = [number(values[g]) for values in score.points.values()]
        yield [card.codes[g], number(score.total[g]), int(score.ranks.rank[g]) or None, *points]


def _trends(card: Card, words: Words) -> Iterable[list[Value]]:
    trend = card.trend
    assert trend is not None  # noqa: S101 - asked for only then
    for g in card.order().tolist():
        for name, values in trend.values.items():
            yield [card.codes[g], words.figure(name, card.about), *(number(v) for v in values[:, g])]


def load_workbook(report: LoadReport, lang: Lang = "en") -> bytes:
    """Sheets: what and how evenly; teams; people."""
    from openpyxl import Workbook

    words = WORDS[lang]
    book = Workbook()
    book.active.title = words["fairness"][:31]
    fill(book.active, (words["load_report"], ""), _load_heading(report, words))
    for key, rows in (("teams", report.team_rows()), ("people", report.person_rows())):
        fill(book.create_sheet(words[key]), _load_header(report, words), _load_rows(report, rows))
    return as_bytes(book)


def _load_heading(report: LoadReport, words: Words) -> Iterable[Sequence[Value]]:
    about = report.now.about
    if about.simulated:
        yield (words["simulated"],)
    yield from words.heading(about, report.parts, None if report.before is None else report.before.about)
    yield (words[f"split_{report.split}"],)
    yield ()
    indices = ("holders", "mean", "spread", "gini", "jain")
    yield ("", "", *(words[name] for name in indices))
    for state in (report.now, report.before):
        if state is not None:
            for kind, found in (("teams", state.fair_teams), ("people", state.fair_people)):
                for name, fair in found.items():
                    if fair is not None:
                        label = f"{words[kind]}: {words.figure(name, about)}"
                        yield (label, words.state(state.about), *(number(getattr(fair, i)) for i in indices))


def _load_header(report: LoadReport, words: Words) -> list[str]:
    measures = [words.figure(name, report.now.about) for name in report.measures]
    header = ["id", words["name"], words["department"], *measures, words["used"], words["over"]]
    header += [words["mean_km"], words["p90_km"], words["time"]]
    if report.before is not None:
        header += [f"{words['before']}: {name}" for name in (*measures, words["mean_km"], words["p90_km"])]
    return header


def _load_rows(report: LoadReport, rows: Sequence[Row]) -> Iterable[list[Value]]:
    return (_load_row(report, row, row.note or None) for row in rows)
