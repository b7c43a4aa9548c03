"""What a leaver's handover comes to: who passes what to whom, each team concerned, and the proof."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from gridsvc.services.standing import require_owned
from gridsvc.teams.handover import Leave, Passed
from gridsvc.teams.model import Roster
from gridsvc.teams.orders import answering
from gridsvc.teams.orphans import InForce, Published, prove

__all__ = ["effect_of"]


def effect_of(
    known: Sequence[InForce],
    appended: Sequence[tuple[Roster, datetime]],
    leaving: Leave,
    passed: Sequence[Passed],
    publications: Sequence[Published],
    start: datetime,
) -> dict[str, Any]:
    """What a leaver's handover comes to, proved: `InvalidInput` where anything would be nobody's."""
    highest = max(found.r for found in known)
    # The new ones count by their numbers; those before stay for moments before the new ones begin.
    made = [InForce(highest + 1 + i, begins, roster) for i, (roster, begins) in enumerate(appended)]
    before, after = prove(known, publications, start), prove([*known, *made], publications, start)
    require_owned(before, after)
    roster = appended[0][0]
    return {
        "passed": [_passed(given) for given in passed],
        "vacant": [{"team": p.team, "role": p.role} for p in passed if p.to is None],
        "heads": [d.id for d in roster.departments if d.head == leaving.person],
        "answering": [
            _answering(roster, d.id, leaving) for d in roster.departments if d.head == leaving.person
        ],
        "teams": _teams(known[0].roster, roster, passed, publications),
        "proof": {"before": before.as_dict(), "after": after.as_dict()},
    }


def _answering(roster: Roster, department: str, leaving: Leave) -> dict[str, Any]:
    """Who answers for a department which the leaver headed, from then on."""
    giver = answering(roster, department, roster.left_by(leaving.at))
    if giver is None:
        return {"department": department, "person": None, "of": None, "acting": False}
    return {"department": department, "person": giver.person, "of": giver.department, "acting": giver.acting}


def _passed(given: Passed) -> dict[str, Any]:
    return {
        "team": given.team,
        "role": given.role,
        "person": given.person,
        "at": given.at.isoformat(),
        "to": given.to,
        "start": None if given.start is None else given.start.isoformat(),
        "acting": given.acting,
    }


def _teams(
    before: Roster, after: Roster, passed: Sequence[Passed], publications: Sequence[Published]
) -> list[dict[str, Any]]:
    """Each team concerned with its grids, and who leads it before, from the handover on, and in the end."""
    shown = list[dict[str, Any]]()
    for team in dict.fromkeys(given.team for given in passed):
        mine = [given for given in passed if given.team == team]
        at, end = min(g.at for g in mine), max(g.start or g.at for g in mine)
        grids = {code for p in publications for code, owner in p.teams.items() if owner == team}
        shown.append(
            {
                "team": team,
                "grids": sorted(grids),
                "lead_before": _lead(before, team, at),
                "lead_from": _lead(after, team, at),
                "lead_after": _lead(after, team, end),
                "named": sum(entry.team == team for entry in after.at(at).named),
            }
        )
    return shown


def _lead(roster: Roster, team: str, at: datetime) -> str | None:
    found = roster.at(at).lead(team)
    return None if found is None else found.person
