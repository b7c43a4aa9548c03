"""Keys by which programs and people are known. A key is shown when it is made, and never again."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gridsvc.errors import Conflict, Forbidden, InvalidInput
from gridsvc.identity import BEGINS, digest_of
from gridsvc.principal import ROLES, SCOPES, SYSTEM, Principal, scopes_of
from gridsvc.services.keeping import Keeper
from gridsvc.services.sights import require_branches
from gridsvc.store.database import Database
from gridsvc.store.keys import KeyRecord

__all__ = [
    "Wanted",
    "create",
    "first",
    "listing",
    "note_uses",
    "revoke",
]

_SHOWN = len(BEGINS) + 6
_NAME = re.compile(r"(?!key_)[a-z0-9][a-z0-9._@-]{0,62}")
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a new key is to be.

    Attributes
    ----------
    name : str
        Who uses it; the audit has it as ``key:<name>``, and it is never given twice.
    role : str or None
        One of `gridsvc.principal.ROLES`; or none, and `scopes`.
    branches : sequence of str or None
        What its holder sees, see `gridsvc.principal.Principal`; None means all.
    """

    name: str
    role: str | None = None
    scopes: Sequence[str] | None = None
    branches: Sequence[str] | None = None
    expires_at: datetime | None = None


def create(db: Database, who: Principal, wanted: Wanted) -> tuple[KeyRecord, str]:
    """Make a key; gives its record, and the key, which is written down nowhere.

    Raises
    ------
    InvalidInput
        The name, role, scopes or time will not do.
    Forbidden
        The caller does not hold all of what the key would.
    Conflict
        There is or was one of this name.
    """
    who.require("keys:write")
    _check(wanted)
    if not scopes_of(wanted.role, wanted.scopes) <= who.scopes:
        raise Forbidden("nobody gives away more than they hold", cure="choose fewer scopes, or another role")
    key = BEGINS + secrets.token_urlsafe(32)
    branches = None if wanted.branches is None else sorted(set(wanted.branches))
    with db.write(who, "key.create") as uow:
        if branches is not None:
            require_branches(Keeper(), uow, branches)
        if len(uow.keys.list(limit=_MOST)) == _MOST:
            raise Conflict(f"there are {_MOST} keys already", cure="use those there are")
        made = uow.keys.create(
            wanted.name,
            digest_of(key),
            key[:_SHOWN],
            role=wanted.role,
            scopes=None if wanted.scopes is None else sorted(set(wanted.scopes)),
            branches=branches,
            expires_at=wanted.expires_at,
        )
        record = uow.keys.get(made)
        uow.audit(f"key/{made}", None, _audited(record))
    return record, key


def first(db: Database) -> str | None:
    """Make the first key, an administrator's; None where there are keys already."""
    with db.read(SYSTEM) as reader:
        if reader.keys.list(limit=1):
            return None
    try:
        return create(db, Principal("first-start", SCOPES), Wanted("administrator", "administrator"))[1]
    except Conflict:
        return None  # another node was quicker


def listing(db: Database, who: Principal, after: str | None, limit: int) -> list[KeyRecord]:
    """Keys in the order they were made, behind the id `after`, with those that are good no more."""
    who.require("keys:read")
    with db.read(who) as reader:
        return reader.keys.list(after, limit)


def revoke(db: Database, who: Principal, key: str) -> KeyRecord:
    """Let a key, by id or name, be good no more; a second time changes nothing.

    Raises
    ------
    NotFound
        There is no such key.
    """
    who.require("keys:write")
    with db.write(who, "key.revoke") as uow:
        before = uow.keys.get(key)
        if before.revoked_at is not None:
            return before
        uow.keys.revoke(before.id)
        record = uow.keys.get(before.id)
        uow.audit(f"key/{before.id}", _audited(before), _audited(record))
    return record


def note_uses(db: Database, times: Mapping[str, datetime]) -> None:
    """Write down when keys, by id, were last used."""
    with db.write(Principal("service", frozenset()), "key.used") as uow:
        uow.keys.used(times)


def _check(wanted: Wanted) -> None:
    if not _NAME.fullmatch(wanted.name):
        raise InvalidInput(
            "not a name of a key",
            field="name",
            cure="use up to 63 small letters, digits, dots, hyphens, underscores and @",
        )
    if (wanted.role is None) == (wanted.scopes is None):
        raise InvalidInput("a key has a role or scopes", field="role", cure="give one of them")
    if wanted.role is not None and wanted.role not in ROLES:
        raise InvalidInput("there is no such role", field="role", cure=f"give one of {', '.join(ROLES)}")
    unknown = set(wanted.scopes or ()) - SCOPES
    if unknown or wanted.scopes == []:
        raise InvalidInput(
            f"there is no scope {min(unknown, default='')[:80]!r}",
            field="scopes",
            cure=f"give some of {', '.join(sorted(SCOPES))}",
        )
    if wanted.branches is not None and not wanted.branches:
        raise InvalidInput(
            "a key without branches sees nothing",
            field="branches",
            cure="name some, or leave them out: the key is then for all territories",
        )
    _check_time(wanted.expires_at)


def _check_time(time: datetime | None) -> None:
    if time is None:
        return
    if time.tzinfo is None:
        raise InvalidInput(
            "a time without offset", field="expires_at", cure="write 2026-12-01T00:00:00+08:00"
        )
    if time <= datetime.now(UTC):
        raise InvalidInput("lies in the past", field="expires_at", cure="give a time to come")


def _audited(record: KeyRecord) -> dict[str, Any]:
    named = ("name", "begins", "role", "scopes", "branches")
    times = {name: getattr(record, name) for name in ("expires_at", "revoked_at")}
    told = {name: None if time is None else time.isoformat() for name, time in times.items()}
    return {name: getattr(record, name) for name in named} | told
