"""What must hold at each moment: one place of a person in a team, shares up to 100 %, a lead in each team."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal

from gridsvc.errors import InvalidInput
from gridsvc.teams.model import Member, Person, Roster

__all__ = ["ALWAYS", "Share", "check_leads", "check_periods", "lead_gap", "most_of", "said"]

ALWAYS = datetime.min.replace(tzinfo=UTC)
"""Since when a membership without `valid_from` counts."""

_EVER = datetime.max.replace(tzinfo=UTC)
_ROUNDING = 1e-9  # ten times 0.1 is a whole

Share = Literal["time_share", "kpi_share"]
Rows = list[tuple[int, Member]]


def check_periods(roster: Roster) -> None:
    """Check that no person has two places in a team at once, nor more than 100 % of anything.

    Raises
    ------
    InvalidInput
        Naming the rows, since when, and the cure.
    """
    by_person: dict[str, Rows] = {}
    for row, member in enumerate(roster.members, 1):
        by_person.setdefault(member.person, []).append((row, member))
    for name, rows in by_person.items():
        _apart(rows)
        person = roster.person_by_id.get(name)
        _while_there(rows, person)
        for share in ("time_share", "kpi_share"):
            _at_most_all(rows, share, person)


def check_leads(roster: Roster, since: datetime) -> None:
    """Check that each team has a lead, or one who stands in, at each moment from `since` on.

    Raises
    ------
    InvalidInput
        Naming the first team without one, and from when until when.
    """
    for row, team in enumerate(roster.teams, 1):
        gap = lead_gap(roster, team.id, since)
        if gap is not None:
            raise InvalidInput(
                f"team {team.id!r} has no lead{_during(*gap)}",
                source="teams",
                row=row,
                field="lead",
                cure="add a member with the role lead for that time, or mark one as acting",
            )


def lead_gap(roster: Roster, team: str, since: datetime) -> tuple[datetime, datetime | None] | None:
    """The first time from `since` on in which nobody leads a team: from and until, None without end."""
    leads = [m for m in roster.members_by_team.get(team, ()) if m.leads]
    covered = since
    for member in sorted(leads, key=_start):
        if _start(member) > covered:
            return covered, _start(member)
        covered = max(covered, _end(member))
    return None if covered == _EVER else (covered, None)


def most_of(members: Sequence[Member], share: Share, since: datetime = ALWAYS) -> tuple[float, datetime]:
    """The most which a person's memberships come to at once from `since` on, and since when."""
    best, when = 0.0, since
    for moment in {since, *(start for member in members if (start := _start(member)) > since)}:
        total = sum(getattr(member, share) for member in members if member.counts(moment))
        if total > best or (total == best and moment < when):
            best, when = total, moment
    return best, when


def said(moment: datetime) -> str:
    """A moment as messages quote it."""
    return moment.astimezone(UTC).isoformat(timespec="minutes").replace("+00:00", "Z")


def _start(member: Member) -> datetime:
    return member.valid_from or ALWAYS


def _end(member: Member) -> datetime:
    return member.valid_until or _EVER


def _apart(rows: Rows) -> None:
    for (_, one), (later, other) in _neighbours(rows):
        if one.team == other.team and _start(other) < _end(one):
            dated = any((one.valid_from, one.valid_until, other.valid_from, other.valid_until))
            raise InvalidInput(
                f"{other.person!r} is in team {other.team!r} already"
                + (_during(_start(one), one.valid_until) if dated else ""),
                source="members",
                row=later,
                field="valid_from" if dated else "person",
                cure="end the one before the other begins" if dated else "keep one of the two rows",
            )


def _while_there(rows: Rows, person: Person | None) -> None:
    """No place goes on behind the day on which the person leaves."""
    gone = None if person is None else person.valid_until
    for row, member in rows if gone is not None else ():
        if gone is not None and _end(member) > gone:
            raise InvalidInput(
                f"{member.person!r} leaves at {said(gone)} but is in team {member.team!r} after that",
                source="members",
                row=row,
                field="valid_until",
                cure="end the place by then and name who comes next, or take the person's valid_until back",
            )


def _neighbours(rows: Rows) -> Iterator[tuple[tuple[int, Member], tuple[int, Member]]]:
    """Each place in a team with the person's next one there."""
    return pairwise(sorted(rows, key=lambda entry: (entry[1].team, _start(entry[1]), entry[0])))


def _at_most_all(rows: Rows, share: Share, person: Person | None) -> None:
    home = person.kpi_share if person is not None and share == "kpi_share" else None
    total, when = most_of([member for _, member in rows], share)
    if total + (home or 0.0) <= 1 + _ROUNDING:
        return
    together = [row for row, member in rows if member.counts(when)]
    what = "time" if share == "time_share" else "assessment"
    shown = ", ".join(f"{m.team} {100 * getattr(m, share):g} %" for _, m in rows if m.counts(when))
    own = "" if home is None else f" and {100 * home:g} % of the department"
    raise InvalidInput(
        f"the {what} of {rows[0][1].person!r} comes to {100 * (total + (home or 0.0)):g} %"
        f"{'' if when == ALWAYS else f' from {said(when)} on'} ({shown}{own})",
        source="members",
        row=together[-1],
        field=share,
        cure="lower a share until they come to at most 100 %, or end one of the memberships before",
    )


def _during(since: datetime, until: datetime | None) -> str:
    start = "" if since == ALWAYS else f" from {said(since)}"
    end = "" if until is None else f" until {said(until)}"
    return f"{start}{end}" if start or end else ", at any time"
