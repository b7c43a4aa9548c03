"""Tables of a file laid over a roster: a verdict a row, who is missing, and the roster which comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from gridsvc.errors import InvalidInput
from gridsvc.teams.document import roster_from_dict, roster_to_dict, stored_roster
from gridsvc.teams.model import Roster
from gridsvc.teams.sheets import CAPACITY, Sheet, SheetRow, value_of

__all__ = ["Merged", "RowVerdict", "merge"]

Entry = dict[str, Any]
Key = tuple[str | None, ...]
Verdict = Literal["added", "changed", "same", "refused"]

_KEYS: Mapping[str, tuple[str, ...]] = {
    "departments": ("id",),
    "people": ("id",),
    "teams": ("id",),
    "members": ("team", "person", "valid_from"),
    "named": ("customer",),
}
_MASK = "***"
_MOST_FAULTS = 100  # of rows which do not go with others: each costs a look at the whole


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """What became of a row.

    Attributes
    ----------
    source : str
        File or sheet.
    row : int
        As a spreadsheet shows it: the header is 1.
    field, reason, cure : str or None
        Of a refused one.
    """

    source: str
    row: int
    verdict: Verdict
    field: str | None = None
    reason: str | None = None
    cure: str | None = None


@dataclass(frozen=True)
class Merged:
    """What an import comes to.

    Attributes
    ----------
    roster : Roster or None
        None where a row is refused.
    verdicts : list of RowVerdict
    missing : dict of list to list of str
        Entries of the roster which the file does not have, of each list which it has; customers are not
        named.
    people : int
        How many people the roster had, for `missing` to be judged by.
    """

    roster: Roster | None
    verdicts: list[RowVerdict]
    missing: dict[str, list[str]]
    people: int

    @property
    def refused(self) -> list[RowVerdict]:
        """The rows which are refused."""
        return [verdict for verdict in self.verdicts if verdict.verdict == "refused"]


def merge(
    roster: Roster, sheets: Mapping[str, Sheet], at: datetime, zone: ZoneInfo, *, end_missing: bool = False
) -> Merged:
    """Lay tables over a roster.

    A list which has no table stays; so does a value which has no column. Entries which are not in their table
    stay, too, unless `end_missing`, which takes them out of the new roster (a person with the memberships).

    Parameters
    ----------
    sheets : mapping of list to Sheet
    at : datetime
        From when the new roster counts: memberships which ended before are not missed.
    """
    document = roster_to_dict(roster)
    states = {name: _List(name, document[name], sheet, at, zone) for name, sheet in sheets.items()}
    for state in states.values():
        state.read()
    missing = {name: state.missing() for name, state in states.items()}
    for state in states.values() if end_missing else ():
        document[state.name] = state.end_missing()
    if end_missing and missing.get("people"):
        gone = set(missing["people"])
        document["members"] = [m for m in document["members"] if m["person"] not in gone]
    if "teams" in states and "fallback" in states["teams"].sheet.columns:
        document["fallback"] = states["teams"].fallback
    verdicts = [verdict for state in states.values() for verdict in state.verdicts]
    made, verdicts = _checked(document, states, verdicts)
    return Merged(made, verdicts, missing, len(roster.people))


def _checked(
    document: Mapping[str, Any], states: Mapping[str, _List], verdicts: list[RowVerdict]
) -> tuple[Roster | None, list[RowVerdict]]:
    """The roster, or the verdicts with those of the rows which do not go with the others.

    A row which is at fault is taken back, and what is left is looked at again: so each is found.

    Raises
    ------
    InvalidInput
        No row of the file is at fault.
    """
    refused = {(v.source, v.row): v for v in verdicts if v.verdict == "refused"}
    roster: Roster | None = None
    for _ in range(_MOST_FAULTS):
        try:
            roster = roster_from_dict(document)
            break
        except InvalidInput as error:
            fault = _at_fault(document, states, error)
            if fault is None and not refused:
                raise
            if fault is None:
                break  # what is left does not hold together without the rows which are refused
            refused[fault.source, fault.row] = fault
    others = [v for v in verdicts if (v.source, v.row) not in refused]
    judged = sorted([*others, *refused.values()], key=lambda v: (v.source, v.row)) if refused else verdicts
    return None if refused else roster, judged


def _at_fault(
    document: Mapping[str, Any], states: Mapping[str, _List], error: InvalidInput
) -> RowVerdict | None:
    """The verdict of the row which an error is about, taken back; None where it is about no row."""
    state = states.get(error.source or "")
    row = None if state is None or error.row is None else state.take_back(document, error.row - 1)
    if state is None or row is None:
        return None
    return RowVerdict(state.sheet.source, row, "refused", error.field, error.message, error.cure)


@dataclass
class _List:
    """One list of the roster's document, and the table which is laid over it."""

    name: str
    entries: list[Entry]
    sheet: Sheet
    at: datetime
    zone: ZoneInfo
    verdicts: list[RowVerdict] = field(default_factory=list)
    placed: list[tuple[int, Entry]] = field(default_factory=list)
    _before: dict[int, Entry] = field(default_factory=dict)  # entries as they were, by row
    fallback: str | None = None
    _refused: list[Entry] = field(default_factory=list)  # they are wrong, and not missing

    def _names(self) -> list[str]:
        return [name for name in _KEYS[self.name] if name != "valid_from"]

    def read(self) -> None:
        before = list(self.entries)
        first: dict[Key, int] = {}
        for row in self.sheet.rows:
            try:
                given = self._given(row)
                old = self._old(given, before)
                entry = self._entry({**(old or {}), **given})
                key = self._key(entry)
                if first.setdefault(key, row.number) != row.number:
                    self._refuse_again(first[key])
            except InvalidInput as error:
                fault = (error.field, error.message, error.cure)
                self.verdicts.append(RowVerdict(self.sheet.source, row.number, "refused", *fault))
                self._refused.append({name: row.values.get(name) for name in self._names()})
                continue
            self._put(row, old, entry)

    def _given(self, row: SheetRow) -> Entry:
        flags = {name: value for name, value in row.values.items() if name == "fallback"}
        given = {name: self._value(name, text) for name, text in row.values.items() if name not in flags}
        if flags and self._value("fallback", flags["fallback"]):
            if self.fallback is not None:
                raise InvalidInput("a second fallback team", field="fallback", cure="mark one team only")
            self.fallback = str(given.get("id"))
        capacity = {name: given.pop(name) for name in list(given) if name.startswith(CAPACITY)}
        if capacity:
            named = {name.removeprefix(CAPACITY): value for name, value in capacity.items()}
            given["capacity"] = {name: value for name, value in named.items() if value is not None}
        return given

    def _value(self, name: str, text: str) -> Any:
        return value_of(name, text, self.zone)

    def _old(self, given: Entry, before: list[Entry]) -> Entry | None:
        names = [name for name in _KEYS[self.name] if name != "valid_from" or name in given]
        found = [e for e in before if all(e[name] == given.get(name) for name in names)]
        if len(found) > 1:
            found = [e for e in found if self._counts(e)] or found
        return found[0] if found else None

    def _counts(self, entry: Entry) -> bool:
        since, until = entry["valid_from"], entry["valid_until"]
        begun = since is None or datetime.fromisoformat(since) <= self.at
        return begun and (until is None or self.at < datetime.fromisoformat(until))

    def _entry(self, values: Entry) -> Entry:
        made: Entry = roster_to_dict(stored_roster({self.name: [values]}))[self.name][0]
        return made

    def _key(self, entry: Entry) -> Key:
        return tuple(entry[name] for name in _KEYS[self.name])

    def _refuse_again(self, first: int) -> None:
        raise InvalidInput(
            f"stands in row {first} already", field=_KEYS[self.name][0], cure="keep one of the two rows"
        )

    def _put(self, row: SheetRow, old: Entry | None, entry: Entry) -> None:
        verdict: Verdict = "added" if old is None else "same" if entry == old else "changed"
        if old is None:
            self.entries.append(entry)
        else:
            self._before[row.number] = dict(old)
            old.update(entry)  # in its place, so that the order of the list stays
        self.placed.append((row.number, entry if old is None else old))
        self.verdicts.append(RowVerdict(self.sheet.source, row.number, verdict))

    def take_back(self, document: Mapping[str, Any], at: int) -> int | None:
        """Undo what a row did to the entry at a place, and give the row; None where no row did anything."""
        entries: list[Entry] = document[self.name]
        entry = entries[at]
        row = next((number for number, placed in self.placed if placed is entry), None)
        before = None if row is None else self._before.pop(row, None)
        if row is None or (before is not None and before == entry):
            return None
        if before is None:
            del entries[at]
        else:
            entry.clear()
            entry.update(before)
        self.placed = [(number, placed) for number, placed in self.placed if number != row]
        return row

    def _absent(self) -> list[Entry]:
        there = {id(entry) for _, entry in self.placed}
        absent = [e for e in self.entries if id(e) not in there and not self._over(e)]
        return [e for e in absent if {name: e[name] for name in self._names()} not in self._refused]

    def _over(self, entry: Entry) -> bool:
        until = entry.get("until" if self.name == "named" else "valid_until")
        return until is not None and datetime.fromisoformat(until) <= self.at

    def missing(self) -> list[str]:
        if self.name == "named":
            return [_MASK for _ in self._absent()]
        return ["/".join(str(entry[name]) for name in self._names()) for entry in self._absent()]

    def end_missing(self) -> list[Entry]:
        absent = {id(entry) for entry in self._absent()}
        return [entry for entry in self.entries if id(entry) not in absent]
