"""Who owned a customer or place between any two dates, by what was in force then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gridsvc.ownership.answer import Answer, Lang
from gridsvc.principal import Principal
from gridsvc.services.conduct import Place, owner_then
from gridsvc.services.desk import Desk
from gridsvc.store.database import Reader
from gridsvc.teams.model import Named

__all__ = ["Held", "dates_of", "history_of"]

_MOST = 200
"""Dates looked at; the earliest are left off."""

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Held:
    """The owner between two dates, between which nothing changes."""

    start: datetime
    end: datetime | None
    answer: Answer
    named: Named | None

    @property
    def team(self) -> str | None:
        """The team which owns it."""
        return None if self.answer.team is None else str(self.answer.team["id"])

    def same(self, other: Held) -> bool:
        """Whether nothing changed that a reader would see."""
        a, b = self.answer, other.answer
        here = a.rule == "name_list" or a.grid == b.grid  # by name the place does not matter
        return here and (a.status, a.rule, a.team, a.lead) == (b.status, b.rule, b.team, b.lead)


def dates_of(reader: Reader, territory: str, line: str, customer: str | None) -> tuple[list[datetime], int]:
    """When the owner may have changed, from the first publication on; how many dates were left off."""
    ends = reader.publications.ends(territory, line)
    starts = [reader.publications.get(territory, line, n).effective_at for n in ends]
    found, after = set(starts), 0
    while page := reader.rosters.list(territory, after, _PAGE):
        for head in page:
            found |= {head.valid_from, *reader.rosters.get(territory, head.r).boundaries}
        after = page[-1].r
    if customer is not None:
        found |= set(reader.changes.moments(territory, customer))
    dates = sorted(date for date in found if date >= min(starts))
    return dates[-_MOST:], max(0, len(dates) - _MOST)


def history_of(
    desk: Desk,
    who: Principal,
    territory: str,
    place: Place,
    line: str,
    dates: Sequence[datetime],
    lang: Lang,
) -> list[Held]:
    """The owner from each date to the next, equal ones put together."""
    held = list[Held]()
    ends: list[datetime | None] = [*dates[1:], None]
    for start, end in zip(dates, ends, strict=True):
        answer = owner_then(desk, who, territory, place, line, start, lang)
        now = Held(start, end, answer, _entry(desk, who, territory, place, start, answer))
        if held and held[-1].same(now):
            held[-1] = Held(held[-1].start, end, held[-1].answer, held[-1].named)
        else:
            held.append(now)
    return held


def _entry(
    desk: Desk, who: Principal, territory: str, place: Place, at: datetime, answer: Answer
) -> Named | None:
    if answer.rule != "name_list" or place.customer is None:
        return None
    with desk.database.read(who) as reader:
        found = reader.rosters.in_force(territory, at, datetime.now(UTC))
    return None if found is None else found[1].named_by_customer.get(place.customer)
