"""Handing a leaver's places to successors: one roster in, one roster out, nothing left without its lead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from gridsvc.errors import InvalidInput
from gridsvc.teams.model import Department, Member, Role, Roster
from gridsvc.teams.seats import goes_on, seated, stood_in, without

__all__ = ["SOURCE", "Leave", "Passed", "Successor", "handed_over", "require_no_loop", "standing_for"]

SOURCE = "successors"
"""What the list of successors is called in errors."""

_NAMED = 20


@dataclass(frozen=True, slots=True)
class Successor:
    """Who takes over which places of a leaver.

    Attributes
    ----------
    person : str
    team, role : str or None
        The places meant; None is every team, or every role, for which no narrower entry stands.
    start : datetime or None
        When they begin (UTC); None is when the leaver goes.
    acting : str or None
        Who leads the teams in between, where the successor begins later.
    time_share, kpi_share : float or None
        0 to 1; None is what they have in the team already, else what the leaver had, as far as their other
        teams leave it.
    """

    person: str
    team: str | None = None
    role: Role | None = None
    start: datetime | None = None
    acting: str | None = None
    time_share: float | None = None
    kpi_share: float | None = None


@dataclass(frozen=True, slots=True)
class Leave:
    """A person leaves for good at a moment (UTC).

    Attributes
    ----------
    heads : tuple of (str, str)
        Departments which the person heads, and who stands in from then on.
    """

    person: str
    at: datetime
    successors: tuple[Successor, ...] = ()
    heads: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Passed:
    """A place of a leaver, and who has it next.

    Attributes
    ----------
    at : datetime
        When the leaver gives it up.
    to : str or None
        None: nobody takes it over.
    start : datetime or None
        When the successor begins.
    acting : str or None
        Who leads from `at` to `start`.
    """

    team: str
    role: Role
    person: str
    at: datetime
    to: str | None = None
    start: datetime | None = None
    acting: str | None = None


def handed_over(roster: Roster, leave: Leave) -> tuple[Roster, tuple[Passed, ...]]:
    """The roster in which a person leaves and the successors have the places.

    A successor who is in the team already changes role and keeps the shares; who leads it already stays lead.
    Who stands in is given no share of time or assessment for it.

    Raises
    ------
    InvalidInput
        Naming field, cure and the successor's row: a person is not in the roster, the leaver again or gone by
        then; an entry means no place of the leaver, or one which another entry means as well; or a date does
        not fit.
    """
    places = _places(roster, leave)
    chosen = _chosen(places, leave, roster)
    members, passed = without(roster.members, leave.person, leave.at), list[Passed]()
    for number, place in enumerate(places):
        row, successor = chosen.get(number, (0, None))
        given = _passed(place, leave, successor, row)
        passed.append(given)
        if successor is None or given.start is None:
            continue
        person = roster.person_by_id[successor.person]
        taken, shares = replace(place, valid_from=given.start), (successor.time_share, successor.kpi_share)
        members, seat = seated(members, taken, person, *shares)
        if given.acting is not None:
            members = stood_in(members, place.team, given.acting, given.at, given.start)
        members = members if seat is None else [*members, seat]
    people = [replace(p, valid_until=leave.at) if p.id == leave.person else p for p in roster.people]
    departments = _headed(roster, leave)
    return replace(roster, departments=departments, people=tuple(people), members=tuple(members)), tuple(
        passed
    )


def require_no_loop(passed: Sequence[Passed]) -> None:
    """Make sure that no place comes back to who gave it up at the same moment.

    Raises
    ------
    InvalidInput
        It does; the message names the people in turn.
    """
    heirs: dict[tuple[str, Role, datetime], dict[str, str]] = {}
    for given in passed:
        if given.to is not None:
            heirs.setdefault((given.team, given.role, given.at), {})[given.person] = given.to
    for (team, _, at), to in heirs.items():
        for person in to:
            chain = [person]
            while chain[-1] in to and to[chain[-1]] not in chain:
                chain.append(to[chain[-1]])
            if chain[-1] in to:
                named = " -> ".join([*chain, to[chain[-1]]])
                raise InvalidInput(
                    f"the place in team {team!r} would go round in a circle at {at.isoformat()}: {named}",
                    source=SOURCE,
                    field="person",
                    cure="name somebody who does not give it up at that moment",
                )


def standing_for(
    roster: Roster, passed: Sequence[Passed], team: str, role: Role, person: str, at: datetime
) -> tuple[str, ...]:
    """Who had a place and who has it at a moment, from `person` on.

    The last of them counts in the team then, unless nobody took the place over or it ended. Somebody who
    came back is followed no further.
    """
    there = {m.person for m in roster.members if m.team == team and m.counts(at)}
    chain, stands_in = [person], False
    while chain[-1] not in there:
        mine = [p for p in passed if (p.team, p.person) == (team, chain[-1]) and p.at <= at]
        # Who stood in had another role, in which the place was passed on.
        last = max((p for p in mine if stands_in or p.role == role), key=lambda p: p.at, default=None)
        if last is None or last.to is None:
            break
        stands_in = last.acting is not None and last.start is not None and at < last.start
        heir = last.acting if last.acting is not None and stands_in else last.to
        if heir in chain:
            break
        chain.append(heir)
    return tuple(chain)


def _headed(roster: Roster, leave: Leave) -> tuple[Department, ...]:
    """The departments with those who stand in for their head, the leaver.

    Raises
    ------
    InvalidInput
        The leaver does not head a department which is named; or who is to stand in is not there.
    """
    acting = dict(leave.heads)
    mine = [d.id for d in roster.departments if d.head == leave.person]
    for row, (department, person) in enumerate(leave.heads, 1):
        if department not in mine:
            cure = f"name one of {', '.join(mine[:_NAMED])}" if mine else "leave it out"
            what = f"{leave.person!r} is not the head of {department[:40]!r}"
            raise _fault(what, row, "department", cure, "heads")
        _require_there(roster, person, leave, leave.at, ("heads", row, "person"))
    return tuple(replace(d, acting_head=acting.get(d.id, d.acting_head)) for d in roster.departments)


# --- who means what


def _places(roster: Roster, leave: Leave) -> list[Member]:
    """The leaver's places which would go on."""
    if leave.person not in roster.person_by_id:
        raise _unknown(roster, leave.person, "person", None)
    found = [m for m in roster.members if m.person == leave.person and goes_on(m, leave.at)]
    if not found and not any(d.head == leave.person for d in roster.departments):
        raise InvalidInput(
            f"{leave.person!r} is in no team from {leave.at.isoformat()} on",
            field="person",
            cure="check person and date; there is nothing to hand over",
        )
    return found


def _chosen(places: Sequence[Member], leave: Leave, roster: Roster) -> dict[int, tuple[int, Successor]]:
    """The row and entry which mean each place; the narrowest counts."""
    best: dict[int, tuple[int, int, Successor]] = {}
    for row, entry in enumerate(leave.successors, 1):
        _check(entry, row, leave, roster)
        meant = [i for i, place in enumerate(places) if _means(entry, place)]
        if not meant:
            raise _meaningless(entry, row, places, leave.person)
        if entry.acting is not None and not any(places[i].leads for i in meant):
            what = f"{leave.person!r} leads none of the teams meant"
            raise _fault(what, row, "acting", "leave it out; only a lead is stood in for")
        width = (entry.team is None) + (entry.role is None)
        for i in meant:
            other = best.get(i)
            if other is not None and other[0] == width:
                what = f"row {other[1]} means the place of {places[i].role} in team {places[i].team!r} too"
                raise _fault(what, row, "team", "name one successor for each place")
            if other is None or width < other[0]:
                best[i] = (width, row, entry)
    return {i: (row, entry) for i, (_, row, entry) in best.items()}


def _means(entry: Successor, place: Member) -> bool:
    return entry.team in {None, place.team} and entry.role in {None, place.role}


def _check(entry: Successor, row: int, leave: Leave, roster: Roster) -> None:
    start = entry.start or leave.at
    for field, person, begins in (("person", entry.person, start), ("acting", entry.acting, leave.at)):
        if person is not None:
            _require_there(roster, person, leave, begins, (SOURCE, row, field))
    if start < leave.at:
        what = f"begins at {start.isoformat()}, before {leave.person!r} goes"
        raise _fault(what, row, "from", f"begin at {leave.at.isoformat()} or later, or let them go earlier")
    if entry.acting is not None and start == leave.at:
        what = "nobody need stand in: the successor begins when the leaver goes"
        raise _fault(what, row, "acting", "leave it out, or give a later date as from")


def _require_there(
    roster: Roster, person: str, leave: Leave, at: datetime, place: tuple[str, int, str]
) -> None:
    source, row, field = place
    if person not in roster.person_by_id:
        raise _unknown(roster, person, field, row, source)
    if person == leave.person:
        raise _fault(f"{person!r} is the one who leaves", row, field, "name somebody else", source)
    gone = roster.person_by_id[person].valid_until
    if gone is not None and gone <= at:
        cure = "name somebody who is there, or take their valid_until back first"
        raise _fault(f"{person!r} left on {gone.date().isoformat()}", row, field, cure, source)


def _meaningless(entry: Successor, row: int, places: Sequence[Member], person: str) -> InvalidInput:
    there = ", ".join(f"{place.role} in {place.team}" for place in places[:_NAMED])
    field = "team" if entry.team is not None and entry.team not in {p.team for p in places} else "role"
    what = f"{person!r} has no such place to hand over"
    return _fault(what, row, field, f"name one of: {there}")


def _unknown(roster: Roster, person: str, field: str, row: int | None, source: str = SOURCE) -> InvalidInput:
    listed = ", ".join(list(roster.person_by_id)[:_NAMED])
    more = ", ..." if len(roster.people) > _NAMED else ""
    return InvalidInput(
        f"there is no person {person[:40]!r} in the roster",
        source=None if row is None else source,
        row=row,
        field=field,
        cure=f"add the person to the roster first, or name one of {listed}{more}",
    )


def _fault(what: str, row: int, field: str, cure: str, source: str = SOURCE) -> InvalidInput:
    return InvalidInput(what, source=source, row=row, field=field, cure=cure)


def _passed(place: Member, leave: Leave, successor: Successor | None, row: int) -> Passed:
    at = leave.at if place.valid_from is None else max(leave.at, place.valid_from)
    if successor is None:
        return Passed(place.team, place.role, leave.person, at)
    start = max(at, successor.start or leave.at)
    if place.valid_until is not None and start >= place.valid_until:
        what = f"the place in team {place.team!r} ends at {place.valid_until.isoformat()}"
        raise _fault(what, row, "from", "begin earlier, or leave this place out")
    acting = successor.acting if start > at and place.leads else None
    return Passed(place.team, place.role, leave.person, at, successor.person, start, acting)
