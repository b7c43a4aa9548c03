"""Rosters out of files and into files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from gridsvc.errors import Conflict, InvalidInput
from gridsvc.exchange.roster_files import csv_zip, read_sheets, workbook
from gridsvc.principal import Principal
from gridsvc.services.asking import whole_roster_at
from gridsvc.services.roster_changes import require_base
from gridsvc.services.rosters import append, settled_start
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import Idempotency
from gridsvc.teams.masking import PII
from gridsvc.teams.merge import Merged, RowVerdict, merge
from gridsvc.teams.model import Roster
from gridsvc.teams.periods import check_leads

__all__ = ["FileKind", "Imported", "Importing", "answered", "export", "import_files"]

FileKind = Literal["xlsx", "csv"]

_MOST_MISSING = 0.05
_LISTED = 1000
_EMPTY = Roster((), (), (), ())


@dataclass(frozen=True, slots=True)
class Importing:
    """How files are taken in.

    Attributes
    ----------
    dry_run : bool
        Only say what would come of it.
    end_missing : bool
        Take out who is not in the files; a person with the memberships.
    confirm_missing : int or None
        How many people are missing, where more than 5 % are and that is right.
    valid_from : datetime or None
        From when the roster counts; now if None.
    base_roster : int or None
        The newest roster seen; whatever is the newest if None.
    """

    dry_run: bool = False
    end_missing: bool = False
    confirm_missing: int | None = None
    valid_from: datetime | None = None
    base_roster: int | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Imported:
    """What an import came to; `roster` is its number, None of a dry run or where nothing changed."""

    roster: int | None
    base_roster: int
    merged: Merged

    def counts(self) -> dict[str, int]:
        """Rows by verdict."""
        names = ("added", "changed", "same", "refused")
        return {name: sum(v.verdict == name for v in self.merged.verdicts) for name in names}

    def as_dict(self, territory: str) -> dict[str, Any]:
        """As JSON values; lists are cut off, and customers of the name list are not named."""
        return {
            "territory": territory,
            "roster": self.roster,
            "base_roster": self.base_roster,
            "rows": self.counts(),
            "refused": [asdict(verdict) for verdict in self.merged.refused[:_LISTED]],
            "verdicts": [asdict(verdict) for verdict in self.merged.verdicts[:_LISTED]],
            "missing": {
                name: {"total": len(ids), "ids": [] if name == "named" else ids[:_LISTED]}
                for name, ids in self.merged.missing.items()
            },
        }


def answered(db: Database, who: Principal, idempotency: Idempotency | None) -> Mapping[str, Any] | None:
    """What the same import was answered before, as `Imported.as_dict` told it; None if it is new."""
    who.require("roster:write")
    if idempotency is None:
        return None
    with db.read(who) as reader:
        stored = reader.replay(who.actor, idempotency)
    return None if stored is None else stored.body


def import_files(
    db: Database,
    who: Principal,
    territory: str,
    files: Mapping[str, bytes],
    how: Importing,
    *,
    idempotency: Idempotency | None = None,
) -> Imported:
    """Lay files over the roster in force; all of it, or nothing.

    Raises
    ------
    InvalidInput
        A file cannot be read; a row is refused (`details["rows"]` lists each); more than 5 % of the people
        are missing and their number is not confirmed; or what comes of it does not hold together. A dry run
        tells refused rows and who is missing in its result instead.
    Conflict
        The newest roster is not `base_roster`, or one was appended meanwhile.
    """
    who.require("roster:write")
    start = settled_start(how.valid_from, how.reason)
    sheets = read_sheets(files)
    with db.read(who) as reader:
        zone = ZoneInfo(reader.territories.get(territory).time_zone)
        newest, roster = _base(reader, territory, start)
    if how.base_roster is not None and how.base_roster != newest:
        raise Conflict(
            f"the newest roster is {newest}, and the files were made on {how.base_roster}",
            field="base_roster",
            cure="export the roster again, and put your changes in",
            newest=newest,
        )
    merged = merge(roster, sheets, start, zone, end_missing=how.end_missing)
    if how.dry_run:
        if merged.roster is not None:
            check_leads(merged.roster, start)
        return Imported(None, newest, merged)
    _require_all(merged.refused)
    _require_people(merged, how.confirm_missing)
    if merged.roster is None or merged.roster == roster:
        return Imported(None, newest, merged)
    with db.write(who, "roster.import", idempotency=idempotency, reason=how.reason) as uow:
        if newest:
            require_base(uow, territory, newest)
        number = append(uow, territory, merged.roster, start, how.reason)
        found = Imported(number, newest, merged)
        uow.respond(200, found.as_dict(territory))
    return found


def _base(reader: Reader, territory: str, start: datetime) -> tuple[int, Roster]:
    found = reader.rosters.in_force(territory, start, datetime.now(UTC))
    return reader.rosters.newest(territory) or 0, _EMPTY if found is None else found[1]


def _require_all(refused: list[RowVerdict]) -> None:
    if not refused:
        return
    first, more = refused[0], len(refused) - 1
    rows = [{"source": v.source, "row": v.row, "field": v.field, "reason": v.reason} for v in refused]
    raise InvalidInput(
        f"{first.reason}{f'; {more} more rows are refused' if more else ''}",
        source=first.source,
        row=first.row,
        field=first.field,
        cure=f"{first.cure}; nothing was stored, and a dry run lists all rows",
        rows=rows[:_LISTED],
    )


def _require_people(merged: Merged, confirmed: int | None) -> None:
    missing = merged.missing.get("people", [])
    if confirmed is not None and confirmed != len(missing):
        raise InvalidInput(
            f"{len(missing)} people are missing, and {confirmed} were confirmed",
            field="confirm_missing",
            cure="look at who is missing in a dry run, and confirm their number",
        )
    if confirmed is None and len(missing) > _MOST_MISSING * merged.people:
        raise InvalidInput(
            f"{len(missing)} of {merged.people} people are not in the file, which is more than 5 %",
            field="people",
            cure=f"send the whole list, or confirm_missing={len(missing)} if that is right",
            missing=missing[:_LISTED],
        )


def export(
    db: Database, who: Principal, territory: str, kind: FileKind, *, at: datetime | None = None
) -> tuple[int, bytes]:
    """The roster in force at a time, now if None, as a file whose import changes nothing.

    Names and the name list are part of it, so who asks must be allowed to see people and customers.

    Raises
    ------
    NotFound
        There is none.
    """
    who.require("roster:read")
    who.require(PII)
    who.require("customers:read")
    with db.read(who) as reader:
        number, roster = whole_roster_at(reader, territory, at or datetime.now(UTC))
    return number, workbook(roster) if kind == "xlsx" else csv_zip(roster)
