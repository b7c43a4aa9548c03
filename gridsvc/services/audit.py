"""The audit: sealed as it grows, shown, checked link by link, and written out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from gridsvc.exchange.files import replace_together
from gridsvc.exchange.streams import Kind, stream_rows
from gridsvc.principal import SCOPES, Principal
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import AuditRecord
from gridsvc.store.seals import Head, Link, link, plain, seal
from gridsvc.store.trail import ERASURES, AuditFilter

__all__ = ["Checked", "Fault", "Form", "head", "listing", "seal_waiting", "verify", "write"]

_SYSTEM = Principal("audit-sealer", SCOPES)

_NAMED = 100
"""Faults which are listed; all are counted."""

Form = Literal["jsonl", "csv"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A place where the audit is not what was sealed.

    Attributes
    ----------
    kind : str
        ``altered``: the row is not as it was sealed. ``missing``: it is gone. ``extra``: it was never sealed
        and does not wait for it. ``broken``: the chain itself was changed here. ``head``: the digest asked
        for is nowhere in the chain.
    """

    kind: Literal["altered", "missing", "extra", "broken", "head"]
    audit_id: int | None = None
    seq: int | None = None


@dataclass
class Checked:
    """What a check found.

    Attributes
    ----------
    erased : int
        Rows from which somebody was erased, as the audit itself says.
    waiting : int
        Rows of the tail, which are not sealed yet.
    found_at : int or None
        Number in the chain of the digest asked for.
    faults : list of Fault
        The first hundred, of `faulty`.
    """

    sealed: int = 0
    erased: int = 0
    waiting: int = 0
    head: Head = field(default_factory=Head)
    found_at: int | None = None
    faulty: int = 0
    faults: list[Fault] = field(default_factory=list)

    def note(self, fault: Fault) -> None:
        """Count a fault, and list it if it is among the first."""
        self.faulty += 1
        if len(self.faults) < _NAMED:
            self.faults.append(fault)

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        return {"whole": not self.faulty, **asdict(self)}


def seal_waiting(db: Database) -> int:
    """Seal some of the rows which wait, and give how many; 0 when none is left."""
    with db.read(_SYSTEM) as reader:
        if not reader.trail.any_waiting():
            return 0
    with db.write(_SYSTEM, "audit.seal") as uow:
        return uow.trail.seal()


def head(db: Database, who: Principal) -> tuple[Head, int]:
    """The end of the chain, and how many rows wait behind it: to be kept elsewhere, and checked against."""
    who.require("audit:read")
    with db.read(who) as reader:
        return reader.trail.head(), reader.trail.waiting()


def listing(
    db: Database, who: Principal, wanted: AuditFilter, before: int | None, limit: int
) -> list[tuple[AuditRecord, int | None]]:
    """Rows of the audit with their numbers in the chain (None: not sealed yet), newest first."""
    who.require("audit:read")
    with db.read(who) as reader:
        return reader.trail.page(wanted, before, limit)


# --- checking


def verify(db: Database, who: Principal, known_head: str | None = None) -> Checked:
    """Compare the whole audit with its chain, row by row in constant memory.

    Parameters
    ----------
    known_head : str or None
        A digest kept elsewhere: who can write the database can make a new chain, but none with this in it.
    """
    who.require("audit:read")
    with db.read(who) as reader:
        found, erased = Checked(waiting=reader.trail.waiting()), _erased(reader)
        for here in reader.trail.links():
            _judge(here, found, erased)
            if here.digest == known_head:
                found.found_at = here.seq
        for kind, ids in (("extra", reader.trail.unknown(_NAMED)), ("missing", reader.trail.lost(_NAMED))):
            for audit_id in ids:
                found.note(Fault(kind, audit_id))  # type: ignore[arg-type]
    if known_head is not None and known_head != Head().digest and found.found_at is None:
        found.note(Fault("head"))
    return found


def _erased(reader: Reader) -> dict[int, str]:
    """What rows must look like from which somebody was erased, as later rows say."""
    said = [
        entry for record in reader.trail.below(ERASURES) for entry in (record.after or {}).get("rows", ())
    ]
    return {int(audit_id): digest for audit_id, digest in said}


def _judge(here: Link, found: Checked, erased: dict[int, str]) -> None:
    if here.seq != found.head.seq + 1 or here.digest != link(found.head.digest, here.seal):
        found.note(Fault("broken", here.audit_id, here.seq))
    found.head, found.sealed = Head(here.seq, here.digest), found.sealed + 1
    if here.record is None:
        found.note(Fault("missing", here.audit_id, here.seq))
    elif here.salt is None and erased.get(here.audit_id) == plain(here.record):
        found.erased += 1
    elif here.salt is None or seal(here.record, here.salt) != here.seal:
        found.note(Fault("altered", here.audit_id, here.seq))


# --- writing out


_COLUMNS: dict[str, Kind] = {
    "seq": "number",
    "id": "number",
    "recorded_at": "text",
    "actor": "text",
    "action": "text",
    "subject": "text",
    "before": "json",
    "after": "json",
    "reason": "text",
    "request_id": "text",
    "salt": "text",
    "seal": "text",
    "digest": "text",
}
_CHUNK = 2000


def write(db: Database, who: Principal, path: Path, form: Form) -> dict[str, Any]:
    """Write all sealed rows to `path` and a manifest beside it, both or neither; gives the manifest.

    With its salts and seals the file can be checked by itself, and by its head against this database.
    """
    who.require("audit:read")
    manifest: dict[str, Any] = {}

    def rows(draft: Path) -> None:
        with db.read(who) as reader:
            manifest.update(_written(reader, draft, form))

    def told(draft: Path) -> None:
        draft.write_text(json.dumps({"file": path.name, **manifest}, indent=1), encoding="utf-8")

    replace_together({path: rows, path.with_name(f"{path.name}.manifest.json"): told})
    return manifest


def _written(reader: Reader, draft: Path, form: Form) -> dict[str, Any]:
    digest, last, rows = hashlib.sha256(), Head(), 0

    def chunks() -> Iterator[list[tuple[Any, ...]]]:
        nonlocal last, rows
        links = reader.trail.links()
        while some := list(islice(links, _CHUNK)):
            rows, last = rows + len(some), Head(some[-1].seq, some[-1].digest)
            yield [_row(here) for here in some]

    with draft.open("wb") as file:
        for piece in stream_rows("ndjson" if form == "jsonl" else "csv", _COLUMNS, chunks()):
            digest.update(piece)
            file.write(piece)
    return {
        "rows": rows,
        "sha256": digest.hexdigest(),
        "head": asdict(last),
        "waiting": reader.trail.waiting(),
    }


def _row(here: Link) -> tuple[Any, ...]:
    told = here.record
    salt = None if here.salt is None else here.salt.hex()
    if told is None:
        return here.seq, here.audit_id, *(None,) * 8, salt, here.seal, here.digest
    return (
        *(here.seq, told.id, told.recorded_at.isoformat(), told.actor, told.action, told.subject),
        *(told.before, told.after, told.reason, told.request_id, salt, here.seal, here.digest),
    )
