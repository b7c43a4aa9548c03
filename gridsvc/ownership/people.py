"""The team and its people as an answer shows them."""

from __future__ import annotations

from typing import Any

from gridsvc.teams.model import Member, Roster

__all__ = ["people_of", "team_of"]


def team_of(roster: Roster, team: str | None) -> dict[str, Any] | None:
    """Id and name of a team; a team which the roster does not know goes by its id."""
    if team is None:
        return None
    known = roster.team_by_id.get(team)
    return {"id": team, "name": team if known is None else known.name}


def people_of(roster: Roster, team: str | None) -> dict[str, Any]:
    """Who leads a team (``lead``), and the other members with their roles (``roles``)."""
    if team is None:
        return {"lead": None, "roles": ()}
    lead = roster.lead(team)
    others = [m for m in roster.members_by_team.get(team, ()) if m is not lead and m.role != "lead"]
    return {
        "lead": None if lead is None else {**_person(roster, lead), "acting": lead.acting},
        "roles": tuple({"role": m.role, **_person(roster, m), "backup": m.backup} for m in others),
    }


def _person(roster: Roster, member: Member) -> dict[str, Any]:
    person = roster.person_by_id.get(member.person)
    return {"id": member.person, "name": member.person if person is None else person.name}
