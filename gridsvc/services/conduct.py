"""Checking whether somebody acts inside their grid: a person, a customer or place, a date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gridsvc.errors import InvalidInput
from gridsvc.ownership.answer import Answer, Lang
from gridsvc.ownership.people import team_of
from gridsvc.principal import Principal
from gridsvc.services import ownership
from gridsvc.services.asking import moment_of, require_person, roster_at
from gridsvc.services.desk import Asked, Desk
from gridsvc.teams.conduct import Verdict, judge, memberships
from gridsvc.teams.masking import nameless
from gridsvc.teams.model import Roster

__all__ = ["Place", "check", "owner_then", "shown"]

_SAID: dict[Verdict, dict[Lang, str]] = {
    "inside": {
        "en": "{person} acts inside: {team} owns it.",
        "zh": "{person} 在本网格内：归属 {team}。",
    },
    "acting": {
        "en": "{person} acts inside, standing in for the lead of {team}, which owns it.",
        "zh": "{person} 以代理负责人身份在本网格内：归属 {team}。",
    },
    "by_name": {
        "en": "{person} acts inside: {team} owns the customer by name, wherever it is.",
        "zh": "{person} 可服务：该客户为 {team} 的名单制客户，不论位置。",
    },
    "outside": {
        "en": "{person} acts outside their grid: {team} owns it, led by {lead}.",
        "zh": "{person} 越出本网格：归属 {team}，负责人 {lead}。",
    },
    "no_membership": {
        "en": "{person} is in no team at that date; {team} owns it, led by {lead}.",
        "zh": "{person} 当日不在任何团队；归属 {team}，负责人 {lead}。",
    },
    "nobodys": {
        "en": "Nobody owns it at that date, so {person} acts in no grid.",
        "zh": "当日无归属方，{person} 不在任何网格内。",
    },
}


@dataclass(frozen=True, slots=True)
class Place:
    """A customer by its id, or a point in degrees of `crs`; one of the two."""

    customer: str | None = None
    lon: float | None = None
    lat: float | None = None
    crs: str = "wgs84"

    def require(self) -> None:
        """Raise `InvalidInput` unless it is one or the other."""
        point = self.lon is not None and self.lat is not None
        if (self.customer is not None) == point or (self.lon is None) != (self.lat is None):
            raise InvalidInput(
                "neither one customer nor one place", field="customer", cure="give customer, or lat and lon"
            )


def owner_then(
    desk: Desk, who: Principal, territory: str, place: Place, line: str, at: datetime, lang: Lang
) -> Answer:
    """The owner of a customer or place at a moment; also where that is nobody."""
    asked = Asked(territory, line, as_of=at, lang=lang, on_miss_status=True)
    if place.customer is not None:
        return ownership.customer(desk, who, place.customer, asked=asked)
    assert place.lon is not None and place.lat is not None  # noqa: S101 - `Place.require` has looked
    return ownership.point(desk, who, place.lon, place.lat, crs=place.crs, asked=asked)


def shown(answer: Answer) -> dict[str, Any]:
    """What is told of an owner."""
    names = (
        "status",
        "rule",
        "grid",
        "team",
        "lead",
        "why",
        "publication",
        "roster",
        "valid_from",
        "valid_to",
    )
    told = answer.as_dict()
    return {name: told[name] for name in names}


def check(
    desk: Desk,
    who: Principal,
    territory: str,
    person: str,
    place: Place,
    *,
    line: str = "base",
    at: str | datetime | None = None,
    lang: Lang = "en",
) -> dict[str, Any]:
    """Whether a person acts inside their grid; the owner is told in any case.

    Raises
    ------
    InvalidInput
        Neither a customer nor a place, or the roster has no such person.
    NotFound
        No roster or no publication was in force then.
    """
    who.require("roster:read")
    who.require("owner:read")
    place.require()
    with desk.database.read(who) as reader:
        moment = moment_of(reader, territory, at)
        number, roster = roster_at(reader, territory, moment)
    require_person(roster, number, person)
    answer = owner_then(desk, who, territory, place, line, moment, lang)
    verdict = judge(roster, person, None if answer.team is None else answer.team["id"], answer.rule)
    known = nameless(roster, who.scopes).person_by_id[person]
    words = {"person": known.name, "team": (answer.team or {}).get("name", "-")}
    return {
        "verdict": verdict,
        "person": {"id": person, "name": known.name, "department": known.department},
        "at": moment.isoformat(),
        "territory": territory,
        "memberships": [_place(roster, member.team, member) for member in memberships(roster, person)],
        "owner": shown(answer),
        "why": _SAID[verdict][lang].format(**words, lead=(answer.lead or {}).get("name", "-")),
    }


def _place(roster: Roster, team: str, member: Any) -> dict[str, Any]:
    until = member.valid_until
    return {
        "team": team_of(roster, team),
        "role": member.role,
        "acting": member.acting,
        "backup": member.backup,
        "valid_from": None if member.valid_from is None else member.valid_from.isoformat(),
        "valid_until": None if until is None else until.isoformat(),
    }
