"""Whether somebody acts inside their grid: by memberships and owner at one date."""

from __future__ import annotations

from typing import Literal

from gridsvc.teams.model import Member, Roster

__all__ = ["Verdict", "judge", "memberships"]

Verdict = Literal["inside", "acting", "by_name", "outside", "no_membership", "nobodys"]


def memberships(roster: Roster, person: str) -> tuple[Member, ...]:
    """A person's places, of a roster at the moment asked about."""
    return tuple(member for member in roster.members if member.person == person)


def judge(roster: Roster, person: str, owner: str | None, rule: str | None) -> Verdict:
    """Judge who acts for a customer or at a place.

    Parameters
    ----------
    roster : Roster
        At the moment asked about.
    owner : str or None
        The team which owns the customer or place then; None if none does.
    rule : str or None
        The rule by which it does.

    Returns
    -------
    str
        ``inside`` as a member of the owning team, ``acting`` as one who stands in for its lead, ``by_name``
        as a member of the team which the name list gives the customer to; ``outside`` as a member of other
        teams only; ``no_membership`` in no team; ``nobodys`` where there is no owner.
    """
    places = memberships(roster, person)
    if not places:
        return "no_membership"
    if owner is None:
        return "nobodys"
    mine = [member for member in places if member.team == owner]
    if not mine:
        return "outside"
    if any(member.acting for member in mine):
        return "acting"
    return "by_name" if rule == "name_list" else "inside"
