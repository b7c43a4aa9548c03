"""Small changes of a roster: one more named account, another lead. Each gives a new roster, checked."""

from __future__ import annotations

from dataclasses import replace

from gridsvc.errors import InvalidInput
from gridsvc.teams.model import Member, Named, Roster
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


def with_lead(roster: Roster, team: str, person: str) -> Roster:
    """The roster in which `person` leads `team`; who led it, or stood in, stays as a member.

    Raises
    ------
    InvalidInput
        There is no such team or person.
    """
    _require(team, [known.id for known in roster.teams], "team")
    _require(person, [known.id for known in roster.people], "person")
    members = [_stepped_down(m) if m.team == team else m for m in roster.members]
    place = next((i for i, m in enumerate(members) if (m.team, m.person) == (team, person)), None)
    if place is None:
        members.append(Member(team, person, "lead"))
    else:
        members[place] = replace(members[place], role="lead", backup=False)
    made = replace(roster, members=tuple(members))
    check_roster(made)
    return made


def _stepped_down(member: Member) -> Member:
    return replace(member, role="member" if member.role == "lead" else member.role, acting=False)


def _require(name: str, known: list[str], field: str) -> None:
    if name not in known:
        listed = ", ".join(known[:_NAMED]) + (", ..." if len(known) > _NAMED else "")
        raise InvalidInput(
            f"there is no {field} {name[:40]!r} in the roster", field=field, cure=f"name one of {listed}"
        )
