"""Periods of memberships: ended, cut, taken over, stood in for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gridsvc.teams.model import Member, Person
from gridsvc.teams.periods import ALWAYS, Share, most_of

__all__ = ["goes_on", "seated", "stood_in", "without"]


def goes_on(member: Member, at: datetime) -> bool:
    """Whether a membership counts at `at` or later."""
    return member.valid_until is None or member.valid_until > at


def without(members: Sequence[Member], person: str, at: datetime) -> list[Member]:
    """All members, the leaver's periods ended."""
    kept = list[Member]()
    for member in members:
        if member.person != person or not goes_on(member, at):
            kept.append(member)
        elif member.valid_from is None or member.valid_from < at:
            kept.append(replace(member, valid_until=at))
    return kept


def seated(
    members: Sequence[Member], place: Member, person: Person, time: float | None, kpi: float | None
) -> tuple[list[Member], Member | None]:
    """The members with the successor's own periods cut where the new place stands, and that place.

    Parameters
    ----------
    time, kpi : float or None
        Shares, 0 to 1; None is what they had in the team, else the place's as far as other teams leave it.
    """
    own = [m for m in members if (m.team, m.person) == (place.team, person.id) and _meet(m, place)]
    if place.role != "lead" and any(m.role == "lead" for m in own):
        return list(members), None  # a lead does not become less
    kept = [part for m in members for part in (_around(m, place) if m in own else [m])]
    seat = replace(
        place,
        person=person.id,
        time_share=_share(kept, own, place, person, "time_share") if time is None else time,
        kpi_share=_share(kept, own, place, person, "kpi_share") if kpi is None else kpi,
    )
    return kept, seat


def _share(
    members: Sequence[Member], own: Sequence[Member], place: Member, person: Person, name: Share
) -> float:
    """What somebody had in the team; else what the leaver had, as far as their other teams leave it."""
    if own:
        return own[0].time_share if name == "time_share" else own[0].kpi_share
    others = [m for m in members if m.person == person.id and _meet(m, place)]
    home = (person.kpi_share or 0.0) if name == "kpi_share" else 0.0
    taken = most_of(others, name, place.valid_from or ALWAYS)[0]
    had = place.time_share if name == "time_share" else place.kpi_share
    return round(min(had, max(0.0, 1.0 - home - taken)), 9)


def stood_in(
    members: Sequence[Member], team: str, person: str, since: datetime, until: datetime
) -> list[Member]:
    """The members with who stands in marked for that time, or added where they have no place in the team."""
    seat = Member(team, person, "member", 0.0, 0.0, acting=True)
    seat = replace(seat, valid_from=since, valid_until=until)
    own = [m for m in members if (m.team, m.person) == (seat.team, seat.person) and _meet(m, seat)]
    if not own:
        return [*members, seat]
    marked = list[Member]()
    for member in members:
        here = [*_around(member, seat), replace(_within(member, seat), acting=True)]
        marked += here if member in own else [member]
    return marked


def _meet(a: Member, b: Member) -> bool:
    """Whether two periods have a moment in common."""
    return not _ends_before(a, b) and not _ends_before(b, a)


def _ends_before(a: Member, b: Member) -> bool:
    return a.valid_until is not None and b.valid_from is not None and a.valid_until <= b.valid_from


def _around(member: Member, cut: Member) -> list[Member]:
    """What is left of a member's period outside another."""
    parts = list[Member]()
    if cut.valid_from is not None and (member.valid_from is None or member.valid_from < cut.valid_from):
        parts.append(replace(member, valid_until=cut.valid_from))
    if cut.valid_until is not None and goes_on(member, cut.valid_until):
        parts.append(replace(member, valid_from=cut.valid_until))
    return parts


def _within(member: Member, cut: Member) -> Member:
    """A member for the part of the period which lies in another."""
    starts = [time for time in (member.valid_from, cut.valid_from) if time is not None]
    ends = [time for time in (member.valid_until, cut.valid_until) if time is not None]
    return replace(member, valid_from=max(starts, default=None), valid_until=min(ends, default=None))
