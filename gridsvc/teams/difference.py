"""What changed between two rosters: who joined and left, roles, leads, teams, name list, fallback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gridsvc.teams.model import Member, Roster

__all__ = ["RosterChange", "roster_changes"]

Part = dict[str, Any]
Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RosterChange:
    """One entry of a roster which came, went or is another.

    Attributes
    ----------
    what : str
        department, person, team, member, lead, named or fallback.
    key : tuple of str
        What the entry goes by: an id; of a member team and person, and since when where that is said; of a
        lead and the fallback the team; of a named account the customer, who is private (`repr` leaves it
        out).
    before, after : dict or None
        Its attributes as JSON values; None where it is not there.
    """

    what: str
    key: Key = field(repr=False)
    before: Part | None = field(repr=False)
    after: Part | None = field(repr=False)


def roster_changes(
    before: Roster, after: Roster, before_at: datetime, after_at: datetime
) -> list[RosterChange]:
    """All changes, in an order that never changes: by kind of entry, then by key.

    They make the later roster of the earlier, but for the order of its entries; who leads each team at
    `before_at` by the one and at `after_at` by the other is therefore said too.
    """
    pairs = zip(_entries(before, before_at), _entries(after, after_at), strict=True)
    return [change for (what, old), (_, new) in pairs for change in _differing(what, old, new)]


def _entries(roster: Roster, at: datetime) -> list[tuple[str, dict[Key, Part]]]:
    counting = roster.at(at)
    leads = {(team,): _lead(counting, team) for team in roster.team_by_id}
    fallback: dict[Key, Part] = {}
    if roster.fallback is not None:
        fallback[roster.fallback,] = {"team": roster.fallback}
    return [
        ("department", {(d.id,): _json(vars(d)) for d in roster.departments}),
        ("person", {(p.id,): _json(vars(p)) for p in roster.people}),
        ("team", {(t.id,): _json(vars(t)) for t in roster.teams}),
        ("member", {_place(m): _json(vars(m)) for m in roster.members}),
        ("lead", {key: lead for key, lead in leads.items() if lead is not None}),
        ("named", {(n.customer,): _json(vars(n)) for n in roster.named}),
        ("fallback", fallback),
    ]


def _place(member: Member) -> Key:
    since = () if member.valid_from is None else (member.valid_from.isoformat(),)
    return (member.team, member.person, *since)


def _lead(roster: Roster, team: str) -> Part | None:
    lead = roster.lead(team)
    return None if lead is None else {"team": team, "person": lead.person, "acting": lead.acting}


def _json(attributes: Mapping[str, Any]) -> Part:
    return {name: _plain(value) for name, value in attributes.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _differing(what: str, old: Mapping[Key, Part], new: Mapping[Key, Part]) -> Iterator[RosterChange]:
    for key in sorted({*old, *new}):
        before, after = old.get(key), new.get(key)
        if before != after:
            yield RosterChange(what, key, before, after)
