"""How a row of the audit is sealed and chained: pure functions of what is on record.

A row's seal is an HMAC under a salt of its own; a link's digest is the SHA-256 of the digest before it and
the seal. When somebody is erased from a row its salt goes too: nobody can try out names against the seal.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gridsvc.store.records import AuditRecord

__all__ = ["GENESIS", "Head", "Link", "link", "plain", "seal"]

GENESIS = hashlib.sha256(b"gridsvc audit 1").hexdigest()
"""Stands for the digest before the first."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain: how many rows are sealed, and the digest which stands for all of them."""

    seq: int = 0
    digest: str = GENESIS


@dataclass(frozen=True, slots=True)
class Link:
    """A sealed row; `record` is None where the row is gone."""

    seq: int
    audit_id: int
    salt: bytes | None
    seal: str
    digest: str
    record: AuditRecord | None


def _canonical(record: AuditRecord) -> bytes:
    told = [
        record.id,
        (record.recorded_at - _EPOCH) // timedelta(microseconds=1),
        record.actor,
        record.action,
        record.subject,
        record.before,
        record.after,
        record.reason,
        record.request_id,
    ]
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def seal(record: AuditRecord, salt: bytes) -> str:
    """The seal of a row."""
    return hmac.new(salt, _canonical(record), hashlib.sha256).hexdigest()


def plain(record: AuditRecord) -> str:
    """What an erasure notes of a row from which it took somebody."""
    return hashlib.sha256(_canonical(record)).hexdigest()


def link(before: str, sealed: str) -> str:
    """The digest of a link, by that before it and the seal of its row."""
    return hashlib.sha256(f"{before} {sealed}".encode()).hexdigest()
