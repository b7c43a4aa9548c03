"""Keys: who may ask, until when, and when they last did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, update

from gridsvc.errors import NotFound
from gridsvc.identity import principal_of
from gridsvc.principal import Principal
from gridsvc.store.faults import unique
from gridsvc.store.handle import Handle
from gridsvc.store.ids import new_id
from gridsvc.store.tables import keys

__all__ = ["KeyReader", "KeyRecord", "KeyWriter"]


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key, without its secret.

    Attributes
    ----------
    digest : str
        SHA-256 of the whole key, which is random enough not to be guessed from it.
    begins : str
        The first letters of the key, by which people tell keys apart.
    person : str or None
        Who signed in by it: it is the session of a browser, and no key that anybody was given.
    role : str or None
        Names the scopes; where there is none, `scopes` lists them.
    branches : list of str or None
        Territories the key is for; None means all.
    used_at : datetime or None
        When it was last used, within a minute.
    """

    id: str
    name: str
    digest: str = field(repr=False)
    begins: str
    person: str | None
    role: str | None
    scopes: list[str] | None
    branches: list[str] | None
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None
    created_by: str
    recorded_at: datetime

    @property
    def principal(self) -> Principal:
        """Who uses it."""
        return principal_of(self.name, self.person, self.role, self.scopes, self.branches)


class KeyReader:
    """Reads keys."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def get(self, key: str) -> KeyRecord:
        """Return the key with this id or name.

        Raises
        ------
        NotFound
            There is none.
        """
        rows = select(keys).where(or_(keys.c.id == key, keys.c.name == key))
        found = self._handle.connection.execute(rows).first()
        if found is None:
            raise NotFound(f"there is no key {key!r}", field="key", cure="list the keys there are")
        return KeyRecord(**found._mapping)

    def session(self, digest: str) -> KeyRecord | None:
        """Return the session behind the digest of what a browser shows, if there is one."""
        rows = select(keys).where(keys.c.digest == digest, keys.c.person.is_not(None))
        found = self._handle.connection.execute(rows).first()
        return None if found is None else KeyRecord(**found._mapping)

    def list(self, after: str | None = None, limit: int = 100) -> list[KeyRecord]:
        """Keys in the order they were made, at most `limit`, behind the id `after`; revoked ones too.

        Sessions are none of them.
        """
        rows = select(keys).where(keys.c.person.is_(None)).order_by(keys.c.id).limit(limit)
        if after is not None:
            rows = rows.where(keys.c.id > after)
        return [KeyRecord(**row._mapping) for row in self._handle.connection.execute(rows)]

    def good(self, now: datetime) -> Sequence[KeyRecord]:
        """Keys which are neither revoked nor expired."""
        rows = select(keys).where(_is_good(now))
        return [KeyRecord(**row._mapping) for row in self._handle.connection.execute(rows)]

    def good_ids(self, now: datetime) -> frozenset[str]:
        """Ids of the keys which `good` would give: of a key only its end ever changes."""
        return frozenset(self._handle.connection.execute(select(keys.c.id).where(_is_good(now))).scalars())

    def has_over(self, before: datetime) -> bool:
        """Whether there is a session which was over at a moment."""
        one = select(keys.c.id).where(_is_over(before)).limit(1)
        return self._handle.connection.execute(one).first() is not None


class KeyWriter(KeyReader):
    """Writes keys."""

    def create(self, name: str, digest: str, begins: str, **values: Any) -> str:
        """Add a key; gives its id.

        Raises
        ------
        Conflict
            There is or was one of this name.
        """
        made = new_id("key")
        row = {
            "id": made,
            "name": name,
            "digest": digest,
            "begins": begins,
            "created_by": self._handle.actor,
            "recorded_at": self._handle.clock(),
            **values,
        }
        with unique(f"there is or was a key {name!r}", cure="choose another name"):
            self._handle.connection.execute(insert(keys).values(row))
        return made

    def revoke(self, key: str) -> None:
        """Let a key be good no more."""
        values = {"revoked_at": self._handle.clock()}
        self._handle.connection.execute(update(keys).where(keys.c.id == key).values(values))

    def remove_over(self, before: datetime) -> int:
        """Remove the sessions which were over at a moment, and say how many; keys stay for ever."""
        return self._handle.connection.execute(delete(keys).where(_is_over(before))).rowcount

    def used(self, times: Mapping[str, datetime]) -> None:
        """Note when keys, by id, were last used; an earlier time than is known changes nothing."""
        for key, time in times.items():
            later = or_(keys.c.used_at.is_(None), keys.c.used_at < time)
            self._handle.connection.execute(update(keys).where(keys.c.id == key, later).values(used_at=time))


def _is_good(now: datetime) -> ColumnElement[bool]:
    return and_(keys.c.revoked_at.is_(None), or_(keys.c.expires_at.is_(None), keys.c.expires_at > now))


def _is_over(before: datetime) -> ColumnElement[bool]:
    return and_(keys.c.person.is_not(None), or_(keys.c.revoked_at < before, keys.c.expires_at < before))
