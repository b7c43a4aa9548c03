"""The proof that nothing is nobody's: at each moment from now on every grid has a team with a lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gridsvc.teams.model import Roster

__all__ = ["InForce", "Orphan", "Proof", "Published", "prove", "roster_then"]


@dataclass(frozen=True, slots=True)
class InForce:
    """Roster `r`, which counts from `start` on until one with a larger number does."""

    r: int
    start: datetime
    roster: Roster


@dataclass(frozen=True, slots=True)
class Published:
    """Publication `n` of a line, as `InForce`.

    Attributes
    ----------
    teams : mapping of str to str or None
        Team of each grid and carve-out by its code; None is the fallback's.
    """

    line: str
    n: int
    start: datetime
    teams: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Orphan:
    """A team which owns something and has no lead from a moment on.

    Attributes
    ----------
    team : str or None
        None: there is no team at all, for there is no roster or no fallback.
    grids : tuple of (line, code)
    named : int
        Named accounts which the team owns then.
    fallback : bool
        The team owns what no grid team does.
    """

    at: datetime
    team: str | None
    grids: tuple[tuple[str, str], ...] = ()
    named: int = 0
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at and what was found.

    Attributes
    ----------
    moments : tuple of datetime
        Between two of them nothing changes, and nothing behind the last.
    checked : int
        Pairs of a moment and a grid.
    """

    moments: tuple[datetime, ...]
    checked: int
    orphans: tuple[Orphan, ...]

    def beyond(self, before: Proof) -> tuple[Orphan, ...]:
        """The orphans which another proof has not at the same moment."""
        return tuple(o for o in self.orphans if not before._has(o))

    def _has(self, orphan: Orphan) -> bool:
        past = [moment for moment in self.moments if moment <= orphan.at]
        known = [o for o in self.orphans if past and o.at == past[-1] and o.team == orphan.team]
        return any(set(orphan.grids) <= set(o.grids) and orphan.named <= o.named for o in known)

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "moments": [moment.isoformat() for moment in self.moments],
            "checked": self.checked,
            "orphans": [
                {
                    "at": o.at.isoformat(),
                    "team": o.team,
                    "grids": [{"line": line, "code": code} for line, code in o.grids],
                    "named": o.named,
                    "fallback": o.fallback,
                }
                for o in self.orphans
            ],
        }


def prove(rosters: Sequence[InForce], publications: Sequence[Published], start: datetime) -> Proof:
    """Look at every moment from `start` on at which something changes.

    Parameters
    ----------
    rosters : sequence of InForce
        All which count at `start` or later.
    publications : sequence of Published
        The same of every line and level.
    """
    moments = _moments(rosters, publications, start)
    orphans, checked = list[Orphan](), 0
    for at in moments:
        owned = _owned(publications, at)
        checked += sum(map(len, owned.values()))
        found = roster_then(rosters, at)
        orphans += _orphans(None if found is None else found.roster.at(at), owned, at)
    return Proof(tuple(moments), checked, tuple(orphans))


def _moments(
    rosters: Sequence[InForce], publications: Sequence[Published], start: datetime
) -> list[datetime]:
    found = {start, *(known.start for known in rosters), *(known.start for known in publications)}
    for known in rosters:
        for member in known.roster.members:
            found |= {time for time in (member.valid_from, member.valid_until) if time is not None}
        found |= {entry.until for entry in known.roster.named if entry.until is not None}
    return sorted(moment for moment in found if moment >= start)


def roster_then(rosters: Sequence[InForce], at: datetime) -> InForce | None:
    """The one of the rosters which is in force at a moment; None before the first."""
    return max((r for r in rosters if r.start <= at), key=lambda r: r.r, default=None)


Owned = Mapping[str | None, tuple[tuple[str, str], ...]]


def _owned(publications: Sequence[Published], at: datetime) -> Owned:
    """Grids of each team at a moment, as (line, code)."""
    counting = dict[str, Published]()
    for known in publications:
        if known.start <= at and (known.line not in counting or counting[known.line].n < known.n):
            counting[known.line] = known
    found: dict[str | None, list[tuple[str, str]]] = {}
    for line in sorted(counting):
        for code, team in counting[line].teams.items():
            found.setdefault(team, []).append((line, code))
    return {team: tuple(grids) for team, grids in found.items()}


def _orphans(roster: Roster | None, owned: Owned, at: datetime) -> Iterator[Orphan]:
    if roster is None:
        grids = tuple(grid for held in owned.values() for grid in held)
        if grids:
            yield Orphan(at, None, grids, fallback=True)
        return
    named = dict[str, int]()
    for entry in roster.named:
        named[entry.team] = named.get(entry.team, 0) + 1
    grids_of = {team: held for team, held in owned.items() if team is not None}
    if roster.fallback is not None:
        grids_of[roster.fallback] = (*grids_of.get(roster.fallback, ()), *owned.get(None, ()))
    elif owned.get(None):
        yield Orphan(at, None, owned[None], fallback=True)
    for team in sorted({*grids_of, *named}):
        if team not in roster.team_by_id or roster.lead(team) is None:
            fallback = team == roster.fallback
            yield Orphan(at, team, grids_of.get(team, ()), named.get(team, 0), fallback)
