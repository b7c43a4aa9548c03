"""Two teams claim one customer or place: which rule decides, by which publication, since and until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from gridsvc.errors import InvalidInput
from gridsvc.ownership.answer import Answer, Lang
from gridsvc.ownership.people import team_of
from gridsvc.ownership.publication import rule_of
from gridsvc.ownership.snapshot import Snapshot
from gridsvc.principal import Principal
from gridsvc.services.asking import moment_of
from gridsvc.services.conduct import Place, owner_then, shown
from gridsvc.services.desk import Asked, Desk, stored_snapshot
from gridsvc.services.owner_history import Held, dates_of, history_of
from gridsvc.store.database import Reader
from gridsvc.teams.model import Named, Roster

__all__ = ["dispute"]

_RIGHT: dict[str, dict[Lang, str]] = {
    "right": {"en": "{team} is right: {why}", "zh": "{team} 有理：{why}"},
    "once": {
        "en": "{team} is not right then: it owned it {periods}, no longer at that date; {owner} does.",
        "zh": "{team} 当日无归属权：仅在 {periods} 期间归属该团队；当日归属 {owner}。",
    },
    "later": {
        "en": "{team} is not right yet: it owns it {periods}; {owner} does at that date.",
        "zh": "{team} 当日尚无归属权：{periods} 起归属该团队；当日归属 {owner}。",
    },
    "never": {
        "en": "{team} is not right: it owned it at no date; {owner} does.",
        "zh": "{team} 无理：从未归属该团队；当日归属 {owner}。",
    },
}

_NOBODY: dict[Lang, str] = {"en": "nobody", "zh": "无人"}


def dispute(
    desk: Desk,
    who: Principal,
    territory: str,
    place: Place,
    teams: Sequence[str],
    *,
    line: str = "base",
    at: str | datetime | None = None,
    lang: Lang = "en",
) -> dict[str, Any]:
    """Who owned it at each date by which rule, which rules apply at the date asked about, and who is right.

    Parameters
    ----------
    teams : sequence of str
        Those which claim it, in the order in which they are answered.

    Raises
    ------
    InvalidInput
        Neither a customer nor a place, no team, or one which no roster in force knows then.
    NotYetInForce
        Nothing was published then.
    """
    who.require("roster:read")
    who.require("owner:read")
    place.require()
    with desk.database.read(who) as reader:
        moment = moment_of(reader, territory, at)
        found = stored_snapshot(desk, reader, Asked(territory, line, as_of=moment))
        _require_teams(found.roster, teams)
        dates, left_off = dates_of(reader, territory, line, place.customer)
        truths = _truths(reader, found, place, moment)
    now = owner_then(desk, who, territory, place, line, moment, lang)
    if now.team is None:  # nobody knows the customer, or the place lies outside: no rule is for it
        truths = [{**truth, "applies": False, "decides": False} for truth in truths]
    history = history_of(desk, who, territory, place, line, dates, lang)
    return {
        "territory": territory,
        "line": line,
        "at": moment.isoformat(),
        "owner": shown(now),
        "rules": truths,
        "claims": [_claim(found.roster, team, now, history, moment, lang) for team in teams],
        "history": [_told(held) for held in history],
        "left_off": left_off,
    }


def _require_teams(roster: Roster, teams: Sequence[str]) -> None:
    if not teams:
        raise InvalidInput("no team claims it", field="team", cure="name the teams which do: team=a&team=b")
    for row, team in enumerate(teams, 1):
        if team not in roster.team_by_id:
            listed = ", ".join(list(roster.team_by_id)[:20])
            raise InvalidInput(
                f"there is no team {team[:40]!r} in the roster in force then",
                row=row,
                field="team",
                cure=f"name one of {listed}",
            )


# --- the order of truth at one date


def _truths(reader: Reader, found: Snapshot, place: Place, at: datetime) -> list[dict[str, Any]]:
    """What each rule says, the strongest first; the first which applies decides."""
    row, lon, lat = _where(reader, found, place, at)
    entry = None if place.customer is None else found.roster.named_by_customer.get(place.customer)
    over = found.overlay(lon, lat) if lon is not None and lat is not None else -1
    label = int(found.holdings.labels[row]) if row >= 0 else -1
    grid = found.holdings.grids[label] if label >= 0 else None
    carved: Any = found.holdings.overlays[over] if over >= 0 else None
    if carved is None and grid is not None and rule_of(grid) == "carve_out":
        carved = grid
    plain = grid if grid is not None and rule_of(grid) == "cell" else None
    fallback = found.roster.fallback
    rules = [
        {"rule": "name_list", **_by_name(found.roster, entry, at)},
        {"rule": "carve_out", **_by_grid(found.roster, carved, fallback)},
        {"rule": "cell", **_by_grid(found.roster, plain, None)},
        {"rule": "fallback", "applies": fallback is not None, "team": team_of(found.roster, fallback)},
    ]
    decides = next((i for i, rule in enumerate(rules) if rule["applies"]), None)
    return [{**rule, "decides": i == decides} for i, rule in enumerate(rules)]


def _where(
    reader: Reader, found: Snapshot, place: Place, at: datetime
) -> tuple[int, float | None, float | None]:
    if place.customer is not None:
        record = reader.customers.find(found.holdings.territory, place.customer, at)
        if record is None:
            return -1, None, None
        return record.cell if record.tiling == found.tiling else -1, record.lon, record.lat
    from gridsvc.crs import normalise, point_to_wgs84

    assert place.lon is not None and place.lat is not None  # noqa: S101 - `Place.require` has looked
    lon, lat = point_to_wgs84(place.lon, place.lat, normalise(place.crs))
    return found.places.row(lon, lat), lon, lat


def _by_name(roster: Roster, entry: Named | None, at: datetime) -> dict[str, Any]:
    if entry is None:
        return {"applies": False, "team": None, "reason": None, "until": None}
    until = None if entry.until is None else entry.until.isoformat()
    return {
        "applies": entry.counts(at),
        "team": team_of(roster, entry.team),
        "reason": entry.reason,
        "until": until,
    }


def _by_grid(roster: Roster, held: Any, otherwise: str | None) -> dict[str, Any]:
    if held is None:
        return {"applies": False, "team": None, "grid": None}
    return {
        "applies": True,
        "team": team_of(roster, held.team or otherwise),
        "grid": {"code": held.code, "name": held.name},
    }


# --- who is right


def _told(held: Held) -> dict[str, Any]:
    told = shown(held.answer)
    return {
        "from": held.start.isoformat(),
        "to": None if held.end is None else held.end.isoformat(),
        **{name: told[name] for name in ("status", "rule", "team", "lead", "grid", "publication", "roster")},
        "reason": None if held.named is None else held.named.reason,
    }


def _claim(
    roster: Roster, team: str, now: Answer, history: Sequence[Held], at: datetime, lang: Lang
) -> dict[str, Any]:
    mine = [held for held in history if held.team == team]
    right = now.team is not None and now.team["id"] == team
    kind = "right" if right else "never"
    if not right and mine:
        kind = "once" if mine[0].start <= at else "later"
    named = team_of(roster, team) or {"name": team}
    owner = _NOBODY[lang] if now.team is None else now.team["name"]
    words = {"team": named["name"], "owner": owner, "why": now.why}
    spans = _spans(mine)
    said = ", ".join(_span(*span, lang) for span in spans)
    return {
        "team": named,
        "right": right,
        "owned": [{"from": a.isoformat(), "to": None if b is None else b.isoformat()} for a, b in spans],
        "why": _RIGHT[kind][lang].format(**words, periods=said),
    }


def _spans(mine: Sequence[Held]) -> list[tuple[datetime, datetime | None]]:
    """When a team owned it; what follows without a gap is one time."""
    spans = [(held.start, held.end) for held in mine]
    starts = spans[:1] + [later for earlier, later in pairwise(spans) if earlier[1] != later[0]]
    ends = [earlier[1] for earlier, later in pairwise(spans) if earlier[1] != later[0]] + [
        end for _, end in spans[-1:]
    ]
    return [(start, end) for (start, _), end in zip(starts, ends, strict=True)]


def _span(start: datetime, end: datetime | None, lang: Lang) -> str:
    a, b = start.date().isoformat(), None if end is None else end.date().isoformat()
    if lang == "zh":
        return f"{a} 起" if b is None else f"{a} 至 {b}"
    return f"from {a} on" if b is None else f"from {a} to {b}"
