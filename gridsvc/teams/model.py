"""Departments, people and the virtual teams which own grids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Literal

__all__ = ["Department", "Member", "Named", "Person", "Role", "Roster", "Team"]

Role = Literal["lead", "enterprise", "vip", "maintenance", "member"]


@dataclass(frozen=True)
class Department:
    """A home department of the organisation chart.

    Attributes
    ----------
    head, acting_head : str or None
        The superior of its people, and who stands in while there is no head or the head has left.
    """

    id: str
    name: str
    parent: str | None = None
    head: str | None = None
    acting_head: str | None = None


@dataclass(frozen=True)
class Person:
    """Someone who may be lent to a team.

    Attributes
    ----------
    department : str
        Home department, whose head stays this person's superior.
    lon, lat : float or None
        Base location, WGS-84 degrees.
    capacity : float
        Share of a full post, 1.0 is full time.
    languages : tuple of str
        What the person speaks, as the company writes it.
    kpi_share : float or None
        Share of the person's assessment, 0 to 1, which stays with the home department; None is what the
        teams leave of it.
    valid_until : datetime or None
        The person has left for good from this moment on (UTC); None is without end.
    """

    id: str
    name: str
    department: str
    skills: tuple[str, ...] = ()
    lon: float | None = None
    lat: float | None = None
    capacity: float = 1.0
    languages: tuple[str, ...] = ()
    kpi_share: float | None = None
    valid_until: datetime | None = None

    def has_left(self, at: datetime) -> bool:
        """Whether the person has left by a moment."""
        return self.valid_until is not None and self.valid_until <= at


@dataclass(frozen=True)
class Team:
    """A virtual team.

    Attributes
    ----------
    lon, lat : float or None
        Base location, WGS-84 degrees.
    capacity : mapping of measure name to float
        What the team can carry, in the measure's unit; a measure not named is unlimited.
    level : str
        Level of the territory the team works on.
    """

    id: str
    name: str
    lon: float | None = None
    lat: float | None = None
    capacity: Mapping[str, float] = field(default_factory=dict)
    level: str = "grid"


@dataclass(frozen=True)
class Member:
    """A person's place in a team.

    Attributes
    ----------
    time_share, kpi_share : float
        0 to 1, of the person's time and of the person's assessment.
    acting : bool
        Stands in for the lead.
    backup : bool
    valid_from, valid_until : datetime or None
        The membership counts from the one moment and before the other (UTC); None is without bound.
    """

    team: str
    person: str
    role: Role
    time_share: float = 1.0
    kpi_share: float = 1.0
    acting: bool = False
    backup: bool = False
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    @property
    def leads(self) -> bool:
        """Whether it is the lead's place, or that of one who stands in."""
        return self.role == "lead" or self.acting

    def counts(self, at: datetime) -> bool:
        """Whether the membership counts at a moment."""
        begun = self.valid_from is None or self.valid_from <= at
        return begun and (self.valid_until is None or at < self.valid_until)


@dataclass(frozen=True)
class Named:
    """A named account: a customer owned by name, wherever it is.

    Attributes
    ----------
    customer : str
        Id of the customer; private, so never part of a message or a log (`repr` leaves it out).
    until : datetime or None
        The entry counts before this moment (UTC); None is without end.
    """

    customer: str = field(repr=False)
    team: str
    reason: str
    until: datetime | None = None

    def counts(self, at: datetime) -> bool:
        """Whether the entry counts at a moment."""
        return self.until is None or at < self.until


@dataclass(frozen=True)
class Roster:
    """Team -> people at one time; `fallback` names the team that owns what no grid team does."""

    departments: tuple[Department, ...]
    people: tuple[Person, ...]
    teams: tuple[Team, ...]
    members: tuple[Member, ...]
    fallback: str | None = None
    named: tuple[Named, ...] = ()

    @cached_property
    def team_by_id(self) -> dict[str, Team]:
        """Teams by their id."""
        return {team.id: team for team in self.teams}

    @cached_property
    def person_by_id(self) -> dict[str, Person]:
        """People by their id."""
        return {person.id: person for person in self.people}

    @cached_property
    def members_by_team(self) -> dict[str, tuple[Member, ...]]:
        """Members of each team, in the order given."""
        found: dict[str, list[Member]] = {team.id: [] for team in self.teams}
        for member in self.members:
            found[member.team].append(member)
        return {team: tuple(members) for team, members in found.items()}

    @cached_property
    def named_by_customer(self) -> dict[str, Named]:
        """Named accounts by their customer's id."""
        return {entry.customer: entry for entry in self.named}

    @cached_property
    def boundaries(self) -> tuple[datetime, ...]:
        """The moments at which members or named accounts begin or end to count, the earliest first."""
        times = {time for member in self.members for time in (member.valid_from, member.valid_until)}
        return tuple(sorted(time for time in times | {entry.until for entry in self.named} if time))

    def at(self, moment: datetime) -> Roster:
        """The roster with only the members and named accounts which count at `moment`."""
        members = tuple(member for member in self.members if member.counts(moment))
        return replace(self, members=members, named=tuple(n for n in self.named if n.counts(moment)))

    def left_by(self, at: datetime) -> set[str]:
        """The people who have left by a moment."""
        return {person.id for person in self.people if person.has_left(at)}

    def line_of(self, department: str) -> list[Department]:
        """A department and all above it, from below; none where it is not known."""
        by_id = {known.id: known for known in self.departments}
        found, at = list[Department](), by_id.get(department)
        while at is not None and at not in found:
            found.append(at)
            at = None if at.parent is None else by_id.get(at.parent)
        return found

    def lead(self, team: str) -> Member | None:
        """The acting lead of `team` if there is one, else its lead."""
        leads = [m for m in self.members_by_team.get(team, ()) if m.leads]
        return next((m for m in leads if m.acting), leads[0] if leads else None)
