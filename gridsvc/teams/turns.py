"""When the clock gives a team another lead: a membership begins or ends, or a scheduled roster begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gridsvc.teams.model import Roster
from gridsvc.teams.orphans import InForce, roster_then

__all__ = ["Turn", "turns"]

Leads = dict[str, tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class Turn:
    """A moment at which the clock gives teams another lead.

    Attributes
    ----------
    before, after : int
        Numbers of the rosters in force until then and from then on; 0 before the first.
    teams : tuple of str
        Teams whose lead is another, or no longer or newly stands in.
    """

    at: datetime
    before: int
    after: int
    teams: tuple[str, ...]


def turns(rosters: Sequence[InForce], since: datetime) -> Iterator[Turn]:
    """The turns after a moment, the earliest first.

    Parameters
    ----------
    rosters : sequence of InForce
        All which count at `since` or later.
    """
    number, leads = _standing(rosters, since)
    for at in _moments(rosters, since):
        before, former = number, leads
        number, leads = _standing(rosters, at)
        teams = [team for team in sorted({*former, *leads}) if former.get(team) != leads.get(team)]
        if teams:
            yield Turn(at, before, number, tuple(teams))


def _moments(rosters: Sequence[InForce], since: datetime) -> list[datetime]:
    found = {known.start for known in rosters}
    for known in rosters:
        leading = (member for member in known.roster.members if member.leads)
        found |= {time for m in leading for time in (m.valid_from, m.valid_until) if time is not None}
    return sorted(moment for moment in found if moment > since)


def _standing(rosters: Sequence[InForce], at: datetime) -> tuple[int, Leads]:
    """Number of the roster in force at a moment, and who leads each team then."""
    known = roster_then(rosters, at)
    return (0, {}) if known is None else (known.r, _leads(known.roster.at(at)))


def _leads(roster: Roster) -> Leads:
    found = ((team.id, roster.lead(team.id)) for team in roster.teams)
    return {team: (lead.person, lead.acting) for team, lead in found if lead is not None}
