"""Who carries how much: the loads of teams and of their people, how far they have to go, and how evenly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gridsvc.teams.fairness import Fairness, fairness
from gridsvc.teams.model import Roster

__all__ = ["Crew", "Distances", "Loads", "Places", "Split", "crew_of", "distances", "fair_by", "loads_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Split = Literal["team", "role"]
"""Whether a team's load is dealt out over all its members, or once over each role: all of the load is served
by its enterprise service, and all of it by its maintenance."""

_FAR = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Crew:
    """Memberships as arrays.

    Attributes
    ----------
    teams, people : tuple of str
        Ids, in the order of the roster.
    roles : tuple of str
    team, person, role : int64 array, shape (n,)
        Position of each membership's.
    time : float64 array, shape (n,)
        Share of the person's time, 0 to 1.
    post : float64 array, shape (n_people,)
        Share of a full post; 1 is full time.
    """

    teams: tuple[str, ...]
    people: tuple[str, ...]
    roles: tuple[str, ...]
    team: Ints
    person: Ints
    role: Ints
    time: Floats
    post: Floats

    def shares(self, split: Split, weight: Floats | None = None) -> Floats:
        """The part of its team's load which each membership carries: float64 array, shape (n,).

        It is the time given over that of all members (of all of the same role): the parts of a team (of a
        role in it) add to 1. Where nobody gives any time all give the same.

        Parameters
        ----------
        weight : float64 array, shape (n,), optional
            Instead of the time.
        """
        group = self.team * len(self.roles) + self.role if split == "role" else self.team
        given = self.time if weight is None else weight
        size = len(self.teams) * len(self.roles) + 1
        whole = np.bincount(group, given, size)[group]
        alike = 1 / np.maximum(np.bincount(group, minlength=size)[group], 1)
        return np.where(whole > 0, given / np.where(whole > 0, whole, 1.0), alike)


def crew_of(roster: Roster) -> Crew:
    """The memberships of a roster."""
    teams = {team.id: at for at, team in enumerate(roster.teams)}
    people = {person.id: at for at, person in enumerate(roster.people)}
    known = [m for m in roster.members if m.team in teams and m.person in people]
    roles = tuple(sorted({member.role for member in known}))
    return Crew(
        tuple(teams),
        tuple(people),
        roles,
        np.array([teams[member.team] for member in known], np.int64),
        np.array([people[member.person] for member in known], np.int64),
        np.array([roles.index(member.role) for member in known], np.int64),
        np.array([member.time_share for member in known], np.float64),
        np.array([person.capacity for person in roster.people], np.float64),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Loads:
    """Loads in the columns of the measures; `grids` among them.

    Attributes
    ----------
    measures : tuple of str, m
    teams : float64 array, shape (n_teams + 1, m)
        The last row is what no team has.
    people : float64 array, shape (n_people, m)
        What each person carries of all teams together.
    time : float64 array, shape (n_people,)
        Sum of the person's shares of time; above 1 is more than there is.
    capacity : float64 array, shape (n_teams, m)
        What a team can carry; inf is unlimited.
    posts : float64 array, shape (n_people, m)
        What a person can carry: of the capacity of each team the part of the posts which the person fills
        there (time times post); inf where a team of theirs is unlimited.
    """

    measures: tuple[str, ...]
    teams: Floats
    people: Floats
    time: Floats
    capacity: Floats
    posts: Floats

    def used(self) -> tuple[Floats, Floats]:
        """Load over capacity of teams and people, 0 where it is unlimited: float64 arrays.

        Shapes (n_teams, m) and (n_people, m). Infinite where somebody who can carry nothing has a load.
        """
        return _used(self.teams[:-1], self.capacity), _used(self.people, self.posts)


def _used(load: Floats, most: Floats) -> Floats:
    limited = np.isfinite(most)
    none = limited & (most <= 0)
    share = np.where(limited, load / np.where(limited & ~none, most, 1.0), 0.0)
    return np.where(none, np.where(load > 0, np.inf, 0.0), share)


def loads_of(
    crew: Crew,
    owner: Ints,
    totals: Mapping[str, Floats],
    capacity: Floats,
    split: Split = "team",
) -> Loads:
    """Loads of teams and people from those of the grids.

    Parameters
    ----------
    owner : int64 array, shape (k,)
        Position of each grid's team; -1 for none.
    totals : mapping of measure to float64 array, shape (k,)
    capacity : float64 array, shape (n_teams, m)
        In the order of `totals`; inf is unlimited.
    """
    n = len(crew.teams)
    at = np.where(owner >= 0, owner, n)
    teams = np.zeros((n + 1, len(totals)))
    for column, values in enumerate(totals.values()):
        teams[:, column] = np.bincount(at, values, n + 1)
    people = _summed(crew, crew.shares(split)[:, None] * teams[crew.team])
    filled = crew.shares(split, crew.time * crew.post[crew.person])
    with np.errstate(invalid="ignore"):  # no part of an unlimited capacity is no limit either
        parts = filled[:, None] * capacity[crew.team]
    posts = _summed(crew, np.where(np.isnan(parts), np.inf, parts))
    time = np.bincount(crew.person, crew.time, len(crew.people)).astype(np.float64)
    return Loads(tuple(totals), teams, people, time, capacity, posts)


def _summed(crew: Crew, parts: Floats) -> Floats:
    out = np.zeros((len(crew.people), parts.shape[1]))
    np.add.at(out, crew.person, parts)
    return out


def fair_by(values: Floats, groups: Sequence[str | None]) -> dict[str, Fairness | None]:
    """Evenness over the holders of each group, shape (n,), by the group's name; None is in no group."""
    places: dict[str, list[int]] = {}
    for at, group in enumerate(groups):
        if group is not None:
            places.setdefault(group, []).append(at)
    return {group: fairness(values[rows]) for group, rows in places.items()}


# --- distances


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where customers are, and whose.

    Attributes
    ----------
    x, y : float64 array, shape (n_cells,), metres
    weight : float64 array, shape (n_cells,)
        Customers in each cell.
    owner : int64 array, shape (n_cells,)
        Position of each cell's team; -1 for none.
    """

    x: Floats
    y: Floats
    weight: Floats
    owner: Ints

    def by_team(self, teams: int) -> list[Ints]:
        """The rows of each team's cells with customers."""
        rows = np.flatnonzero((self.owner >= 0) & (self.weight > 0))
        rows = rows[np.argsort(self.owner[rows], kind="stable")]
        ends = np.searchsorted(self.owner[rows], np.arange(teams + 1))
        return [rows[ends[t] : ends[t + 1]] for t in range(teams)]


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """Straight distances from bases to customers in metres, nan where there is no base or no customer.

    Attributes
    ----------
    mean, far : float64 array, shape (n,)
        The mean, and the distance within which nine of ten customers are.
    """

    mean: Floats
    far: Floats


def distances(
    crew: Crew, places: Places, team_bases: Floats, person_bases: Floats, split: Split = "team"
) -> tuple[Distances, Distances]:
    """Of teams and of people to the customers they serve, customers shared as loads are.

    Parameters
    ----------
    team_bases : float64 array, shape (n_teams, 2), metres
        In the plane of the cells; nan where there is none.
    person_bases : float64 array, shape (n_people, 2), metres
        nan: the person sets out from the team's base.
    """
    held = places.by_team(len(crew.teams))
    teams = [_told(places, [(rows, 1.0, team_bases[t])]) for t, rows in enumerate(held)]
    share = crew.shares(split)
    parts: list[list[tuple[Ints, float, Floats]]] = [[] for _ in crew.people]
    for t, p, part in zip(crew.team.tolist(), crew.person.tolist(), share.tolist(), strict=True):
        base = person_bases[p] if np.isfinite(person_bases[p]).all() else team_bases[t]
        parts[p].append((held[t], part, base))
    return _columns(teams), _columns([_told(places, part) for part in parts])


def _told(places: Places, parts: Sequence[tuple[Ints, float, Floats]]) -> tuple[float, float]:
    known = [part for part in parts if np.isfinite(part[2]).all() and part[1] > 0 and len(part[0])]
    if not known:
        return np.nan, np.nan
    metres = np.concatenate([np.hypot(places.x[r] - b[0], places.y[r] - b[1]) for r, _, b in known])
    weight = np.concatenate([places.weight[r] * share for r, share, _ in known])
    order = np.argsort(metres)
    reached = np.cumsum(weight[order])
    at = min(int(np.searchsorted(reached, _FAR * reached[-1] * (1 - 1e-12))), len(order) - 1)
    return float(np.dot(metres, weight) / reached[-1]), float(metres[order[at]])


def _columns(pairs: Sequence[tuple[float, float]]) -> Distances:
    found = np.array(pairs, np.float64).reshape(len(pairs), 2)
    return Distances(found[:, 0], found[:, 1])
