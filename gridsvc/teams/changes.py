"""Small changes of a roster: one more named account, another lead. Each gives a new roster, checked."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from gridsvc.errors import InvalidInput
from gridsvc.teams.model import Member, Named, Roster
from gridsvc.teams.periods import Share, most_of
from gridsvc.teams.rules import check_roster

__all__ = ["with_lead", "with_named"]

_NAMED = 20


def with_named(roster: Roster, customer: str, team: str, reason: str) -> Roster:
    """The roster in which `team` owns `customer` by name, without end.

    Raises
    ------
    InvalidInput
        There is no such team. The customer is not quoted.
    """
    _require(team, [known.id for known in roster.teams], "team")
    others = tuple(entry for entry in roster.named if entry.customer != customer)
    made = replace(roster, named=(*others, Named(customer, team, reason)))
    check_roster(made)
    return made


def with_lead(roster: Roster, team: str, person: str, at: datetime) -> Roster:
    """The roster in which `person` leads `team` from `at` on; who led it, or stood in, stays as a member.

    A person who joins with it gives the team what time the others leave.

    Raises
    ------
    InvalidInput
        There is no such team or person.
    """
    _require(team, [known.id for known in roster.teams], "team")
    _require(person, [known.id for known in roster.people], "person")
    members = [
        _stepped_down(m) if m.team == team and _counts_after(m, at) else m
        for m in roster.members
        if (m.team, m.person) != (team, person) or m.counts(at) or not _counts_after(m, at)
    ]
    place = next(
        (i for i, m in enumerate(members) if (m.team, m.person) == (team, person) and m.counts(at)), None
    )
    if place is None:
        before = any((m.team, m.person) == (team, person) for m in members)
        time, kpi = _left(roster, person, "time_share", at), _left(roster, person, "kpi_share", at)
        members.append(Member(team, person, "lead", time, kpi, valid_from=at if before else None))
    else:
        members[place] = replace(members[place], role="lead", backup=False, valid_until=None)
    made = replace(roster, members=tuple(members))
    check_roster(made)
    return made


def _counts_after(member: Member, at: datetime) -> bool:
    return member.valid_until is None or at < member.valid_until


def _left(roster: Roster, person: str, share: Share, at: datetime) -> float:
    members = [m for m in roster.members if m.person == person and _counts_after(m, at)]
    home = roster.person_by_id[person].kpi_share if share == "kpi_share" else None
    return round(max(0.0, 1 - (home or 0.0) - most_of(members, share, at)[0]), 9)


def _stepped_down(member: Member) -> Member:
    return replace(member, role="member" if member.role == "lead" else member.role, acting=False)


def _require(name: str, known: list[str], field: str) -> None:
    if name not in known:
        listed = ", ".join(known[:_NAMED]) + (", ..." if len(known) > _NAMED else "")
        raise InvalidInput(
            f"there is no {field} {name[:40]!r} in the roster", field=field, cure=f"name one of {listed}"
        )
