"""Scorecards of grids, the load of teams and people, and what scorecards are made of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Query
from fastapi.responses import Response

from api.deps import Caller, Db, Language, Small
from api.reports import RESPONSES, Form, Format, rendered
from api.routes.publications import Number
from api.schemas.common import Slug
from api.schemas.scorecards import ScorecardIn, ScorecardOut
from gridsvc.errors import InvalidInput
from gridsvc.exchange.scorecards import card_page, frame, load_page, sheets
from gridsvc.exchange.scorecards.load_report import LoadReport
from gridsvc.exchange.scorecards.report import Card
from gridsvc.ownership.answer import Lang
from gridsvc.services import loads, scorecards
from gridsvc.teams.loads import Split
from gridsvc.teams.scorecard_rules import scorecard_rules_from_dict

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["scorecards"])

Seen = Annotated[str, Header(alias="If-None-Match", description="304 where nothing has changed since.")]
Bom = Annotated[bool, Query(description="Begin a CSV with the mark by which Excel knows UTF-8.")]


def _time(value: datetime | None, field: str) -> datetime | None:
    if value is not None and value.tzinfo is None:
        raise InvalidInput("a time without offset", field=field, cure="write it as 2026-12-01T08:00:00+08:00")
    return value


def _state(document: dict[str, Any], bom: bool) -> bytes:
    """What a report says, but for when it was made or asked."""
    told = {name: value for name, value in document.items() if name not in {"made_at", "at"}}
    return orjson.dumps([told, bom])


def _card(card: Card, form: Format, lang: Lang, bom: bool, name: str, seen: str) -> Response:
    makers: dict[Format, Callable[[], bytes | str]] = {
        "json": lambda: orjson.dumps(card.document()),
        "csv": lambda: sheets.card_csv(card, bom=bom),
        "xlsx": lambda: sheets.card_workbook(card, lang),
        "html": lambda: card_page.page(card, lang),
    }
    state = _state(card.document(), bom)
    return rendered(form, makers, name, lang, frame.POLICY, state=state, seen=seen)


def _loads(report: LoadReport, form: Format, lang: Lang, bom: bool, name: str, seen: str) -> Response:
    makers: dict[Format, Callable[[], bytes | str]] = {
        "json": lambda: orjson.dumps(report.document()),
        "csv": lambda: sheets.load_csv(report, bom=bom),
        "xlsx": lambda: sheets.load_workbook(report, lang),
        "html": lambda: load_page.page(report, lang),
    }
    state = _state(report.document(), bom)
    return rendered(form, makers, name, lang, frame.POLICY, state=state, seen=seen)


@router.get("/publications/{n}/scorecard", response_class=Response, responses=RESPONSES)
def scorecard_of_publication(
    n: Number,
    territory: Slug,
    db: Db,
    who: Caller,
    lang: Language,
    form: Form,
    small: Small,
    line: str = "base",
    bom: Bom = False,
    seen: Seen = "",
) -> Response:
    """The grids of a publication by figure, rank, score and trend; a past one as it was at its end."""
    card = scorecards.of_publication(db, who, territory, n, line=line, small=small)
    return _card(card, form, lang, bom, f"{territory}-{n}-scorecard", seen)


@router.get("/territories/{territory}/scorecard", response_class=Response, responses=RESPONSES)
def scorecard_in_force(
    territory: Slug,
    db: Db,
    who: Caller,
    lang: Language,
    form: Form,
    small: Small,
    line: str = "base",
    as_of: Annotated[datetime | None, Query(description="With its offset; now unless given.")] = None,
    bom: Bom = False,
    seen: Seen = "",
) -> Response:
    """The grids of the publication in force at a time, with the measures of that time."""
    time = _time(as_of, "as_of")
    card = scorecards.in_force_at(db, who, territory, line=line, as_of=time, small=small)
    return _card(card, form, lang, bom, f"{territory}-scorecard", seen)


@router.get("/plans/{plan}/scorecard", response_class=Response, responses=RESPONSES)
def scorecard_of_plan(
    plan: str,
    db: Db,
    who: Caller,
    lang: Language,
    form: Form,
    small: Small,
    bom: Bom = False,
    seen: Seen = "",
) -> Response:
    """The grids of a draft as they would be now, beside what their ground came to before."""
    return _card(scorecards.of_plan(db, who, plan, small=small), form, lang, bom, f"{plan}-scorecard", seen)


@router.get("/territories/{territory}/loads", response_class=Response, responses=RESPONSES)
def loads_of_territory(
    territory: Slug,
    db: Db,
    who: Caller,
    lang: Language,
    form: Form,
    small: Small,
    line: str = "base",
    at: Annotated[datetime | None, Query(description="With its offset; now unless given.")] = None,
    plan: Annotated[str | None, Query(description="A draft, beside the publication in force.")] = None,
    before: Annotated[
        int | None, Query(ge=1, lt=2**31, description="The publication to compare with.")
    ] = None,
    share: Annotated[
        Split, Query(description="Deal a team's load out over all its members, or once over each role.")
    ] = "team",
    bom: Bom = False,
    seen: Seen = "",
) -> Response:
    """What each team and person carries, how far they have to go, and how evenly it is dealt out."""
    time = _time(at, "at")
    found = loads.report(
        db, who, territory, line=line, at=time, plan=plan, before=before, split=share, small=small
    )
    return _loads(found, form, lang, bom, f"{territory}-loads", seen)


@router.get("/company/scorecard")
def get_scorecard_rules(db: Db, who: Caller) -> ScorecardOut:
    """Which measure plays which part in scorecards, and what counts how much."""
    revision, found = scorecards.get_rules(db, who)
    return ScorecardOut(revision=revision, **found.as_dict())


@router.put("/company/scorecard")
def put_scorecard_rules(body: ScorecardIn, db: Db, who: Caller) -> ScorecardOut:
    """Replace what scorecards are made of; what is left out is as by default."""
    wanted = scorecard_rules_from_dict(body.model_dump())
    return ScorecardOut(revision=scorecards.put_rules(db, who, wanted), **wanted.as_dict())
