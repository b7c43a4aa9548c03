"""Single changes of a roster, without sending the whole: each a plain document, all of them or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, get_args

from gridsvc.errors import InvalidInput
from gridsvc.teams.document import roster_from_dict, roster_to_dict
from gridsvc.teams.model import Roster

__all__ = ["Op", "What", "apply_operations"]

Op = Literal["add", "change", "end"]
What = Literal["department", "person", "team", "member", "named", "fallback"]
Entry = dict[str, Any]

_LISTS: Mapping[str, tuple[str, tuple[str, ...]]] = {  # list of the document, and what its entries go by
    "department": ("departments", ("id",)),
    "person": ("people", ("id",)),
    "team": ("teams", ("id",)),
    "member": ("members", ("team", "person")),
    "named": ("named", ("customer",)),
}
_ENDS = {"member": "valid_until", "named": "until", "person": "valid_until"}
_KNOWN = {
    "department": {"id", "name", "parent", "head", "acting_head"},
    "person": {
        "id", "name", "department", "skills", "lon", "lat", "capacity", "languages", "kpi_share",
        "valid_until",
    },
    "team": {"id", "name", "lon", "lat", "capacity", "level"},
    "member": {
        "team", "person", "role", "time_share", "kpi_share", "acting", "backup", "valid_from", "valid_until",
    },
    "named": {"customer", "team", "reason", "until"},
    "fallback": {"team"},
}  # fmt: skip


def apply_operations(roster: Roster, operations: Sequence[Mapping[str, Any]], at: datetime) -> Roster:
    """The roster with all operations done in their order, checked.

    Parameters
    ----------
    operations : sequence of mapping
        ``{"op": "add"|"change"|"end", "what": ..., "entry": {...}}``; `what` is department, person, team,
        member, named or fallback, and the entry has the members which the roster's list of it has. A change
        says only what it changes. A member is that who counts at `at`, unless ``valid_from`` says which. An
        end may say ``valid_until`` (of a person for each membership, too) or ``until`` (of a named account);
        without one the entry goes. Who goes takes the memberships along.
    at : datetime
        From when the new roster counts.

    Raises
    ------
    InvalidInput
        `source` is ``operations`` and `row` the operation, where one alone is wrong; else that of the list
        in the roster which would be.
    """
    document = roster_to_dict(roster)
    for row, operation in enumerate(operations, 1):
        step = _Step(row, operation, at)
        step.apply(document)
    return roster_from_dict(document)


class _Step:
    """One operation, which knows where it stands when something is wrong with it."""

    def __init__(self, row: int, operation: Mapping[str, Any], at: datetime) -> None:
        self.row, self.at = row, at
        self.op, self.what = operation.get("op"), str(operation.get("what"))
        entry = operation.get("entry")
        if self.op not in get_args(Op):
            raise self.fault("op", "no such operation", f"use one of {', '.join(get_args(Op))}")
        if self.what not in _KNOWN:
            raise self.fault("what", "no such part of a roster", f"use one of {', '.join(_KNOWN)}")
        if not isinstance(entry, Mapping):
            raise self.fault("entry", "missing", "give an object with the entry's members")
        self.entry: Entry = dict(entry)
        unknown = sorted(set(self.entry) - _KNOWN[self.what])
        if unknown:
            listed = ", ".join(sorted(_KNOWN[self.what]))
            raise self.fault(f"entry.{unknown[0][:40]}", f"no such member of a {self.what}", f"use {listed}")

    def fault(self, field: str, message: str, cure: str) -> InvalidInput:
        return InvalidInput(message, source="operations", row=self.row, field=field, cure=cure)

    def apply(self, document: dict[str, Any]) -> None:
        if self.what == "fallback":
            document["fallback"] = None if self.op == "end" else self.entry.get("team")
            return
        name, names = _LISTS[self.what]
        for key in names:
            if not isinstance(self.entry.get(key), str):
                raise self.fault(f"entry.{key}", "missing", "say which entry is meant")
        entries: list[Entry] = document[name]
        if self.op == "add":
            self._add(entries, names)
        elif self.op == "change":
            entries[self._place(entries, names)].update(self.entry)
        else:
            self._end(document, entries, names)

    def _add(self, entries: list[Entry], names: tuple[str, ...]) -> None:
        if self.what != "member" and any(self._same(entry, names) for entry in entries):
            raise self.fault(f"entry.{names[0]}", "is in the roster already", "use the operation change")
        entries.append(self.entry)

    def _same(self, entry: Entry, names: tuple[str, ...]) -> bool:
        return all(entry[name] == self.entry[name] for name in names)

    def _place(self, entries: list[Entry], names: tuple[str, ...]) -> int:
        found = [place for place, entry in enumerate(entries) if self._same(entry, names)]
        since = self.entry.get("valid_from")
        if self.what == "member" and len(found) > 1:
            exact = [p for p in found if _moment(entries[p]["valid_from"]) == _moment(since)]
            found = exact if since and exact else [p for p in found if _counts(entries[p], self.at)] or found
        if not found:
            raise self.fault(
                f"entry.{names[-1]}", f"no such {self.what} in the roster", "use add, or correct it"
            )
        if len(found) > 1:
            raise self.fault(
                "entry.valid_from", "several periods, none of now", "say which by its valid_from"
            )
        return found[0]

    def _end(self, document: dict[str, Any], entries: list[Entry], names: tuple[str, ...]) -> None:
        place = self._place(entries, names)
        until = self.entry.get(_ENDS.get(self.what, "valid_until"))
        if self.what == "person":
            self._leave(document, until)
        elif self.what == "team" and until is None:
            document["members"] = [m for m in document["members"] if m["team"] != self.entry["id"]]
        if until is None:
            del entries[place]
        elif self.what in _ENDS:
            entries[place][_ENDS[self.what]] = until

    def _leave(self, document: dict[str, Any], until: str | None) -> None:
        """End what a person does in each team, at once or at a time."""
        kept = []
        for member in document["members"]:
            if member["person"] == self.entry["id"]:
                if until is None or _later(member["valid_from"], until):
                    continue
                if member["valid_until"] is None or _later(member["valid_until"], until):
                    member["valid_until"] = until
            kept.append(member)
        document["members"] = kept


def _moment(text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _counts(entry: Entry, at: datetime) -> bool:
    since, until = _moment(entry.get("valid_from")), _moment(entry.get("valid_until"))
    return (since is None or since <= at) and (until is None or at < until)


def _later(one: str | None, other: str) -> bool:
    """Whether one time is at or after another; one which is no time is found when the roster is read."""
    a, b = _moment(one), _moment(other)
    return a is not None and b is not None and b.tzinfo is not None and a >= b
