"""The audit's trail: pages of it, its chain of seals, and digests which stand for those named in it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from gridsvc.store.bulk import is_one_of
from gridsvc.store.handle import Handle
from gridsvc.store.records import AuditRecord
from gridsvc.store.seals import Head, Link, link, seal
from gridsvc.store.tables import audit, audit_chain, audit_keys, audit_waiting

__all__ = ["ERASURES", "AuditFilter", "TrailReader", "TrailWriter", "record_of"]

ERASURES = "erasures"
"""Subject, with the territory below it, of rows which say from which others somebody was erased."""

_SEAL_LOCK = 0x7365616C  # an arbitrary number for PostgreSQL's advisory lock ('seal')
_AT_ONCE = 2000
_SALT = 16
_KEY = 32
_SHOWN = 24
"""Hexadecimal digits of a digest which stands for somebody: 96 bits."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which rows of the audit are wanted; None leaves a condition out.

    Attributes
    ----------
    subject : str or None
        The subject itself, or what lies below it: ``plan/7`` has ``plan/7/waivers/...`` too.
    since, until : datetime or None
        Half-open.
    """

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def record_of(row: Row[*tuple[Any, ...]]) -> AuditRecord:
    """A row of the table as a record."""
    return AuditRecord(**{c.name: row._mapping[c] for c in audit.c})


def _is_below(subject: str) -> ColumnElement[bool]:
    # "0" is what follows "/": unlike LIKE, such a range is found by the index.
    return (audit.c.subject > f"{subject}/") & (audit.c.subject < f"{subject}0")


class TrailReader:
    """Reads the trail; whatever is long comes in pieces, so that memory does not grow with it."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def head(self) -> Head:
        """The end of the chain."""
        c = audit_chain.c
        last = select(c.seq, c.digest).order_by(c.seq.desc()).limit(1)
        found = self._handle.connection.execute(last).first()
        return Head() if found is None else Head(*found)

    def now(self) -> datetime:
        """The instant which is recorded as now."""
        return self._handle.clock()

    def waiting(self) -> int:
        """How many rows are not sealed yet."""
        return self._handle.connection.execute(select(func.count()).select_from(audit_waiting)).scalar_one()

    def any_waiting(self) -> bool:
        """Whether a row is to be sealed."""
        return self._handle.connection.execute(select(audit_waiting).limit(1)).first() is not None

    def page(
        self, wanted: AuditFilter, before: int | None, limit: int
    ) -> list[tuple[AuditRecord, int | None]]:
        """Rows with their numbers in the chain, newest first: at most `limit`, with ids below `before`."""
        c = audit.c
        rows = select(audit, audit_chain.c.seq).outerjoin(audit_chain, audit_chain.c.audit_id == c.id)
        for name in ("actor", "action", "request_id"):
            if (value := getattr(wanted, name)) is not None:
                rows = rows.where(c[name] == value)
        if wanted.subject is not None:
            rows = rows.where((c.subject == wanted.subject) | _is_below(wanted.subject))
        if wanted.since is not None:
            rows = rows.where(c.recorded_at >= wanted.since)
        if wanted.until is not None:
            rows = rows.where(c.recorded_at < wanted.until)
        if before is not None:
            rows = rows.where(c.id < before)
        newest = rows.order_by(c.id.desc()).limit(limit)
        return [(record_of(row), row.seq) for row in self._handle.connection.execute(newest)]

    def links(self) -> Iterator[Link]:
        """The chain from its beginning, with the rows which are sealed in it."""
        c = audit_chain.c
        rows = select(audit_chain, audit).outerjoin(audit, audit.c.id == c.audit_id).order_by(c.seq)
        for row in self._handle.connection.execute(rows, execution_options={"yield_per": _AT_ONCE}):
            told = row._mapping
            record = None if told[audit.c.id] is None else record_of(row)
            yield Link(told[c.seq], told[c.audit_id], told[c.salt], told[c.seal], told[c.digest], record)

    def unknown(self, limit: int) -> list[int]:
        """Ids of rows which are neither sealed nor waiting: no unit of work wrote them."""
        c = audit.c
        rows = select(c.id).outerjoin(audit_chain, audit_chain.c.audit_id == c.id)
        rows = rows.outerjoin(audit_waiting, audit_waiting.c.audit_id == c.id)
        found = rows.where(audit_chain.c.seq.is_(None), audit_waiting.c.audit_id.is_(None))
        return list(self._handle.connection.execute(found.order_by(c.id).limit(limit)).scalars())

    def erasures(self, territory: str) -> int:
        """How often somebody was erased from a territory."""
        rows = select(func.count()).select_from(audit).where(audit.c.subject == f"{ERASURES}/{territory}")
        return self._handle.connection.execute(rows).scalar_one()

    def lost(self, limit: int) -> list[int]:
        """Ids which wait to be sealed, whose rows are gone."""
        c = audit_waiting.c
        rows = select(c.audit_id).outerjoin(audit, audit.c.id == c.audit_id).where(audit.c.id.is_(None))
        return list(self._handle.connection.execute(rows.order_by(c.audit_id).limit(limit)).scalars())

    def below(self, subject: str) -> Iterator[AuditRecord]:
        """All rows of subjects below one, oldest first."""
        rows = select(audit).where(_is_below(subject)).order_by(audit.c.id)
        for row in self._handle.connection.execute(rows):
            yield record_of(row)


class TrailWriter(TrailReader):
    """Seals the trail, and gives digests."""

    def note(self, ids: Sequence[int]) -> None:
        """Let rows wait to be sealed."""
        self._handle.connection.execute(insert(audit_waiting), [{"audit_id": number} for number in ids])

    def seal(self, limit: int = _AT_ONCE) -> int:
        """Number and chain rows which wait, at most `limit`, and give how many.

        Ids are handed out before the commit, so rows come in no order; their numbers are given here, to what
        is committed, by one at a time.
        """
        if self._handle.postgres:
            self._handle.connection.execute(select(func.pg_advisory_xact_lock(_SEAL_LOCK)))
        head, made = self.head(), list[dict[str, Any]]()
        rows = select(audit).join(audit_waiting, audit_waiting.c.audit_id == audit.c.id)
        for row in self._handle.connection.execute(rows.order_by(audit.c.id).limit(limit)):
            record, salt = record_of(row), secrets.token_bytes(_SALT)
            sealed = seal(record, salt)
            head = Head(head.seq + 1, link(head.digest, sealed))
            made.append(
                {"seq": head.seq, "audit_id": record.id, "salt": salt, "seal": sealed, "digest": head.digest}
            )
        if made:
            self._handle.connection.execute(insert(audit_chain), made)
            done = is_one_of(self._handle, audit_waiting.c.audit_id, [row["audit_id"] for row in made])
            self._handle.connection.execute(delete(audit_waiting).where(done))
        return len(made)

    def digests(self, kind: str, territory: str, subjects: Sequence[str]) -> dict[str, str]:
        """What stands for persons or customers in the audit: digests under a key of each one's own.

        The same person has the same digest while the key is there; without it nobody can tell whose it was.
        """
        keys = self._keys(kind, territory, sorted(set(subjects)))
        return {subject: f"{kind}:{_digest(key, subject)}" for subject, key in keys.items()}

    def digest(self, kind: str, territory: str, subject: str) -> str:
        """What stands for one person or customer; see `digests`."""
        return self.digests(kind, territory, [subject])[subject]

    def known(self, kind: str, territory: str, subject: str) -> str | None:
        """What stands for one person or customer so far; None where nothing does."""
        key = self._known(kind, territory, [subject]).get(subject)
        return None if key is None else f"{kind}:{_digest(key, subject)}"

    def _keys(self, kind: str, territory: str, subjects: Sequence[str]) -> dict[str, bytes]:
        if not subjects:
            return {}
        found = self._known(kind, territory, subjects)
        if fresh := [subject for subject in subjects if subject not in found]:
            now = self._handle.clock()
            rows = [
                {
                    "kind": kind,
                    "territory": territory,
                    "subject": subject,
                    "key": secrets.token_bytes(_KEY),
                    "recorded_at": now,
                }
                for subject in fresh
            ]
            dialect = postgresql if self._handle.postgres else sqlite
            self._handle.connection.execute(dialect.insert(audit_keys).on_conflict_do_nothing(), rows)
            found |= self._known(kind, territory, fresh)  # another may have been first
        return found

    def _known(self, kind: str, territory: str, subjects: Sequence[str]) -> dict[str, bytes]:
        c = audit_keys.c
        among = is_one_of(self._handle, c.subject, subjects)
        rows = select(c.subject, c.key).where(c.kind == kind, c.territory == territory, among)
        return {subject: bytes(key) for subject, key in self._handle.connection.execute(rows)}

    def forget(self, kind: str, territory: str, subject: str) -> bool:
        """Delete the key of a person or customer; says whether there was one."""
        c = audit_keys.c
        gone = delete(audit_keys).where(c.kind == kind, c.territory == territory, c.subject == subject)
        return bool(self._handle.connection.execute(gone).rowcount)


def _digest(key: bytes, subject: str) -> str:
    return hmac.new(key, subject.encode(), hashlib.sha256).hexdigest()[:_SHOWN]
