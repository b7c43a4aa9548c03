"""Rosters for callers who may not see people's names and bases, or not which customers are owned by name."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from gridsvc.errors import InvalidInput
from gridsvc.teams.model import Roster

__all__ = ["MASK", "PII", "masked_entry", "masked_roster", "nameless", "refuse_masked"]

MASK = "***"
"""Stands for what the caller may not see; no roster with it is taken in."""

PII = "roster:read_pii"
"""The scope which shows people's names and bases."""


def nameless(roster: Roster, scopes: AbstractSet[str]) -> Roster:
    """The roster with ids for people's names, unless the scopes show them; bases stay, to measure from."""
    if PII in scopes:
        return roster
    return replace(roster, people=tuple(replace(person, name=person.id) for person in roster.people))


def masked_roster(roster: Roster, scopes: AbstractSet[str]) -> Roster:
    """The roster as it may be listed: without names and bases of people, or customers of the name list.

    Ids stay, so that memberships can be told apart; of the name list teams and dates stay.
    """
    found = roster
    if PII not in scopes:
        people = (replace(p, name=MASK, lon=None, lat=None) for p in found.people)
        found = replace(found, people=tuple(people))
    if "customers:read" not in scopes:
        named = (replace(n, customer=MASK, reason=MASK) for n in found.named)
        found = replace(found, named=tuple(named))
    return found


def masked_entry(what: str, entry: dict[str, Any], scopes: AbstractSet[str]) -> dict[str, Any]:
    """One entry of a roster's changes as it may be listed."""
    if what == "person" and PII not in scopes:
        return {**entry, "name": MASK, "lon": None, "lat": None}
    if what == "named" and "customers:read" not in scopes:
        return {**entry, "customer": MASK, "reason": MASK}
    return entry


def refuse_masked(roster: Roster) -> None:
    """Refuse a roster which was read masked: it would put the mask in the place of names.

    Raises
    ------
    InvalidInput
        Naming list, row and field.
    """
    lists = {
        "people": ("name", [person.name for person in roster.people]),
        "named": ("customer", [named.customer for named in roster.named]),
    }
    for source, (field, values) in lists.items():
        if MASK in values:
            raise InvalidInput(
                f"{MASK} stands for a {field} you may not see",
                source=source,
                row=values.index(MASK) + 1,
                field=field,
                cure="make single changes instead, or ask for roster:read_pii and customers:read",
            )
