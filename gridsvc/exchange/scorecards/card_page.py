"""The scorecard as one page to read and to print."""

from __future__ import annotations

from html import escape

import numpy as np

from gridsvc.exchange.scorecards.charts import Bar, bars, legend, spark
from gridsvc.exchange.scorecards.frame import document, figure_text, heading, section, shown, table
from gridsvc.exchange.scorecards.report import HIDDEN, Card, Tiers
from gridsvc.exchange.scorecards.words import MARK, WORDS, Lang, Words

__all__ = ["page"]

_CHARTED = 40


def page(card: Card, lang: Lang = "en") -> str:
    """The scorecard as an HTML document."""
    words = WORDS[lang]
    title = f"{words['scorecard']} · {card.about.territory_name}"
    lines = words.heading(card.about, card.parts)
    lacking = _lacking(card, words)
    kept = "" if card.least is None else words["kept_back"].format(n=card.least, mark=MARK)
    parts = [
        *heading(title, words, lines, simulated=card.about.simulated),
        section(
            words["summary"], _summary(card, words) + lacking + (f"<p>{escape(kept)}</p>" if kept else "")
        ),
        section(words["ranking"], _ranking(card, words)),
        section(words["each_grid"], _grids(card, words)),
    ]
    return document(title, words, parts)


def _lacking(card: Card, words: Words) -> str:
    named = []
    for name, needs in card.absent.items():
        wanted = words["separator"].join(words.figure(need, card.about) for need in needs)
        named.append(f"{words.figure(name, card.about)} ({wanted})")
    return f"<p>{escape(words['absent'])}: {escape('; '.join(named))}</p>" if named else ""


def _summary(card: Card, words: Words) -> str:
    header = [(words["grids"], True), *((words.figure(name, card.about), True) for name in card.figures)]
    hidden = card.least is not None
    row = [shown(len(card.codes))] + [figure_text(n, card.whole[n], hidden=hidden) for n in card.figures]
    if card.tiers is not None:
        header += _tier_header(card.tiers, words)
        row += _tier_cells(card.tiers, len(card.codes))
    return table(header, [row])


def _tier_header(tiers: Tiers, words: Words) -> list[tuple[str, bool]]:
    return [(f"{words['tiers']} {name}" if name else words["no_tier"], True) for name in tiers.names]


def _tier_cells(tiers: Tiers, g: int) -> list[str]:
    return [MARK if count == HIDDEN else f"{count:,}" for count in tiers.counts[g].tolist()]


def _ranking(card: Card, words: Words) -> str:
    score = card.score
    if score is None:
        return ""
    order = [g for g in card.order().tolist() if np.isfinite(score.total[g])]
    rows = [
        Bar(
            card.codes[g],
            [float(points[g]) for points in score.points.values()],
            f"{score.total[g]:.1f} · {_rank(card, g, words)}",
        )
        for g in order[:_CHARTED]
    ]
    names = [words.figure(name, card.about) for name in score.points]
    weights = (f"{words.figure(n, card.about)} {card.rules.weights.get(n, 0):g}" for n in score.points)
    note = words["score_note"].format(weights=words["separator"].join(weights))
    more = f"<p>{escape(words['more'].format(n=len(order) - _CHARTED))}</p>" if len(order) > _CHARTED else ""
    return f"<p>{escape(note)}</p>{legend(names)}{bars(words['ranking'], rows, 100.0)}{more}"


def _rank(card: Card, g: int, words: Words) -> str:
    ranks = card.score.ranks if card.score is not None else None
    return "" if ranks is None else _told(int(ranks.rank[g]), bool(ranks.tied[g]), words)


def _told(rank: int, tied: bool, words: Words) -> str:
    return f"{words['rank']} {rank}{' ' + words['tie'] if tied else ''}" if rank else ""


def _grids(card: Card, words: Words) -> str:
    header = [
        (words["grid"], False),
        (words["team"], False),
        (words["score"], True),
        (words["area_km2"], True),
    ]
    header += [(words.figure(name, card.about), True) for name in card.figures]
    header += [(f"{name} {words['deviation']}", True) for name in card.deviation]
    if card.tiers is not None:
        header += _tier_header(card.tiers, words)
    return table(header, (_row(card, g, words) for g in card.order().tolist()))


def _row(card: Card, g: int, words: Words) -> list[str]:
    hidden, team = bool(card.hidden[g]), card.teams[g]
    name = card.names[g] if card.names[g] != card.codes[g] else ""
    tag = f' <span class="tag">{escape(words["carved"])}</span>' if card.carved[g] else ""
    total = float("nan") if card.score is None else float(card.score.total[g])
    row = [
        f"<b>{escape(card.codes[g])}</b>{tag}" + (f"<small>{escape(name)}</small>" if name else ""),
        "–" if team is None else escape(team[1]),
        (f"{total:.1f}" if np.isfinite(total) else MARK if hidden else "–")
        + f"<small>{escape(_rank(card, g, words))}</small>",
        shown(float(card.area_km2[g])),
    ]
    for figure, values in card.figures.items():
        ranks = card.ranks[figure]
        told = _told(int(ranks.rank[g]), bool(ranks.tied[g]), words)
        text = figure_text(figure, float(values[g]), hidden=hidden)
        row.append(f"{text}<small>{escape(told)}</small>{_spark(card, g, figure, words)}")
    row += [f"{100 * v[g]:+.1f} %" if np.isfinite(v[g]) else "–" for v in card.deviation.values()]
    return row if card.tiers is None else row + _tier_cells(card.tiers, g)


def _spark(card: Card, g: int, figure: str, words: Words) -> str:
    if card.trend is None or figure not in card.trend.values:
        return ""
    title = f"{words['trend']} {card.codes[g]} {words.figure(figure, card.about)}"
    return spark(card.trend.values[figure][:, g], title)
