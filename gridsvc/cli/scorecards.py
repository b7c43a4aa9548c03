"""`gridsvc scorecard` and `gridsvc loads`: what grids come to, and who carries how much."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import numpy as np
import orjson

from gridsvc.cli.common import (
    WHO,
    as_json,
    database_option,
    emit,
    only_territory,
    opened,
    out_path,
    percent,
    require_places,
)
from gridsvc.errors import InvalidInput
from gridsvc.exchange.files import replace_whole
from gridsvc.exchange.scorecards import card_page, load_page, sheets
from gridsvc.exchange.scorecards.load_report import LoadReport
from gridsvc.exchange.scorecards.report import Card
from gridsvc.exchange.scorecards.words import WORDS, Lang
from gridsvc.services import loads as loads_
from gridsvc.services import scorecards
from gridsvc.teams.loads import Split

__all__ = ["loads", "scorecard"]

_LISTED = 10
_CARDS: dict[str, Callable[[Any, Lang], bytes]] = {
    "json": lambda card, _: orjson.dumps(card.document(), option=orjson.OPT_INDENT_2),
    "csv": lambda card, _: sheets.card_csv(card).encode(),
    "xlsx": sheets.card_workbook,
    "html": lambda card, lang: card_page.page(card, lang).encode(),
}
_LOADS: dict[str, Callable[[Any, Lang], bytes]] = {
    "json": lambda report, _: orjson.dumps(report.document(), option=orjson.OPT_INDENT_2),
    "csv": lambda report, _: sheets.load_csv(report).encode(),
    "xlsx": sheets.load_workbook,
    "html": lambda report, lang: load_page.page(report, lang).encode(),
}
_lang = click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
_territory = click.option("--territory", metavar="ID", help="Needed where several are published.")
_line = click.option("--line", default="base", show_default=True)
_plan = click.option("--plan", metavar="ID", help="A draft instead of what is published.")
_output = click.option("-o", "--output", type=out_path, help="A file .html, .xlsx, .csv or .json.")


@click.command()
@_territory
@_line
@click.option("--publication", type=int, metavar="N", help="Else that in force.")
@_plan
@_lang
@_output
@database_option
@as_json
def scorecard(
    territory: str | None,
    line: str,
    publication: int | None,
    plan: str | None,
    lang: Lang,
    output: Path | None,
    database: str | None,
    *,
    json_: bool,
) -> None:
    """Say what each grid comes to, how it stands among the others, and its trend."""
    _require_form(output)
    with opened(database) as db:
        if plan is not None:
            card = scorecards.of_plan(db, WHO, plan)
        elif publication is not None:
            chosen = territory or only_territory(db)
            card = scorecards.of_publication(db, WHO, chosen, publication, line=line)
        else:
            card = scorecards.in_force_at(db, WHO, territory or only_territory(db), line=line)
    _write(output, _CARDS, card, lang)
    emit(card.document(), _card_lines(card), json_=json_)


@click.command()
@_territory
@_line
@click.option("--at", metavar="TIME", help="Such as 2026-12-01T08:00:00+08:00; else now.")
@_plan
@click.option("--before", type=int, metavar="N", help="Publication to compare with.")
@click.option(
    "--share",
    type=click.Choice(["team", "role"]),
    default="team",
    show_default=True,
    help="Deal a team's load out over all its members, or once over each role.",
)
@_lang
@_output
@database_option
@as_json
def loads(
    territory: str | None,
    line: str,
    at: str | None,
    plan: str | None,
    before: int | None,
    share: Split,
    lang: Lang,
    output: Path | None,
    database: str | None,
    *,
    json_: bool,
) -> None:
    """Say what each team and person carries, and how evenly it is dealt out."""
    _require_form(output)
    with opened(database) as db:
        chosen = territory or only_territory(db)
        report = loads_.report(
            db, WHO, chosen, line=line, at=_time(at), plan=plan, before=before, split=share
        )
    _write(output, _LOADS, report, lang)
    emit(report.document(), _load_lines(report), json_=json_)


def _time(text: str | None) -> datetime | None:
    cure = "write it as 2026-12-01T08:00:00+08:00"
    try:
        found = None if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{str(text)[:40]!r} is no time", field="--at", cure=cure) from None
    if found is not None and found.tzinfo is None:
        raise InvalidInput("a time without offset", field="--at", cure=cure)
    return found


def _require_form(output: Path | None) -> None:
    require_places(output=output)
    if output is not None and output.suffix.lower().removeprefix(".") not in _CARDS:
        raise InvalidInput(
            f"{output.name} tells no form of a report",
            field="--output",
            cure=f"end it with .{', .'.join(_CARDS)}",
        )


def _write(
    output: Path | None, forms: dict[str, Callable[[Any, Lang], bytes]], found: Any, lang: Lang
) -> None:
    if output is None:
        return
    content = forms[output.suffix.lower().removeprefix(".")](found, lang)
    replace_whole(output, lambda draft: _put(draft, content))


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _card_lines(card: Card) -> list[str]:
    words = WORDS["en"]
    lines = [f"{len(card.codes)} grids of {words.state(card.about)}"]
    lines += [f"  {words.figure(n, card.about)}: {v:,.10g}" for n, v in card.whole.items() if np.isfinite(v)]
    if card.score is not None:
        for g in card.order().tolist()[:_LISTED]:
            tied = " (tied)" if card.score.ranks.tied[g] else ""
            rank = int(card.score.ranks.rank[g])
            lines.append(f"  {rank}{tied}: {card.codes[g]} {card.names[g]}, score {card.score.total[g]:.1f}")
    return lines


def _load_lines(report: LoadReport) -> list[str]:
    words, about = WORDS["en"], report.now.about
    teams, people = report.team_rows(), report.person_rows()
    lines = [f"{sum(bool(r.id) for r in teams)} teams, {len(people)} people, {words.state(about)}"]
    for name, fair in report.now.fair_teams.items():
        if fair is not None:
            told = (
                f"mean {fair.mean:,.10g} a team, largest {fair.spread:.2f} times that, Gini {fair.gini:.2f}"
            )
            lines.append(f"  {words.figure(name, about)}: {told}")
    for row in (*teams, *people):
        if row.over:
            used = max(row.used.values(), default=0.0)
            lines.append(f"  {row.name} is above capacity: {', '.join(row.over)} ({percent(used)})")
    return lines
