"""What the audit says of a new roster: what changed, with digests for people and customers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gridsvc.store.database import UnitOfWork
from gridsvc.store.words import names
from gridsvc.teams.difference import RosterChange, roster_changes
from gridsvc.teams.model import Person, Roster

__all__ = ["note"]

_MOST = 1000
"""Changes which are listed; all are counted, and the versions themselves hold them."""

_PART = 3
"""Letters of a part of a name which is looked for by itself."""

_PARTS = ("teams", "people", "members", "named")
_KEPT: dict[str, tuple[str, ...]] = {
    "department": ("name", "parent"),
    "person": ("department", "skills", "capacity", "kpi_share"),
    "team": ("name", "capacity", "level"),
    "member": ("team", "role", "time_share", "kpi_share", "acting", "backup", "valid_from", "valid_until"),
    "lead": ("team", "acting"),
    "named": ("team", "until"),
    "fallback": ("team",),
}
"""What is told of an entry as it is; names, bases and reasons of people and customers are not."""


def note(uow: UnitOfWork, territory: str, number: int, before: Roster | None, after: Roster) -> None:
    """Write version `number` of a roster into the audit, with what changed against the one before it.

    Whom the reason of the unit of work names, by id or name, is a digest in it too.
    """
    counts = {name: len(getattr(after, name)) for name in _PARTS}
    now = uow.trail.now()
    found = [] if before is None else roster_changes(before, after, now, now)
    told = [*found[:_MOST]]
    people = uow.trail.digests("person", territory, _people(told))
    customers = uow.trail.digests("customer", territory, [c.key[0] for c in told if c.what == "named"])
    listed = [_entry(change, people, customers) for change in told]
    more = {"changed": len(found), "changes": listed} if found else {}
    uow.audit(f"roster/{territory}/{number}", None, {**counts, **more})
    _mask(uow, territory, before, after)


def _people(changes: Sequence[RosterChange]) -> list[str]:
    entries = [entry for c in changes for entry in (c.before, c.after) if entry is not None]
    ids = [c.key[0] for c in changes if c.what == "person"]
    return [
        *ids,
        *(e["person"] for e in entries if "person" in e),
        *(e["head"] for e in entries if e.get("head")),
    ]


def _entry(change: RosterChange, people: dict[str, str], customers: dict[str, str]) -> dict[str, Any]:
    who = {"person": people, "named": customers}.get(change.what)
    key = change.key[0] if who is None else who[change.key[0]]
    sides = {
        side: None if entry is None else _shown(change.what, entry, people)
        for side, entry in (("before", change.before), ("after", change.after))
    }
    return {"what": change.what, "key": key, **sides}


def _shown(what: str, entry: dict[str, Any], people: dict[str, str]) -> dict[str, Any]:
    named = {name: people[entry[name]] for name in ("person", "head") if entry.get(name)}
    return {name: entry[name] for name in _KEPT[what] if name in entry} | named


def _mask(uow: UnitOfWork, territory: str, before: Roster | None, after: Roster) -> None:
    """Let digests stand for whom the reason names."""
    if not uow.reason:
        return
    rosters = [roster for roster in (before, after) if roster is not None]
    everybody = [person for roster in rosters for person in roster.people]
    people = {word: p.id for p in everybody for word in _called(p) if names(uow.reason, word)}
    accounts = [n.customer for r in rosters for n in r.named if names(uow.reason, n.customer)]
    persons = uow.trail.digests("person", territory, list(people.values()))
    uow.mask({word: persons[person] for word, person in people.items()})
    uow.mask(uow.trail.digests("customer", territory, accounts))


def _called(person: Person) -> list[str]:
    """What somebody is called: by id, by name, and by parts of it which are no initials."""
    return [person.id, person.name, *(part for part in person.name.split() if len(part) >= _PART)]
