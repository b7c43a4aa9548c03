"""Events: what others did, for pages and systems that want to know at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from gridsvc.principal import SYSTEM, Principal
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import JobRecord

__all__ = ["TOPICS", "Log", "Told", "Topic", "Wanted", "wanted"]

Topic = Literal["jobs", "moves", "plans", "publications", "requests", "rosters"]
TOPICS: tuple[Topic, ...] = get_args(Topic)

_PREFIXES: dict[str, Topic] = {
    "job": "jobs",
    "plan": "plans",
    "publication": "publications",
    "request": "requests",
    "roster": "rosters",
}
_SCOPES: dict[Topic, str] = {"requests": "requests:read", "rosters": "roster:read"}
"""What a topic needs beside `plans:read`."""


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened.

    Attributes
    ----------
    id : int or None
        Its place in the order of commits; None for progress, which is not kept on record.
    payload : dict
        Ids and figures; never a customer.
    """

    id: int | None
    kind: str
    payload: dict[str, Any]

    @property
    def topic(self) -> Topic | None:
        """What it belongs to; None if pages have no use for it."""
        return "moves" if self.kind == "plan.moved" else _PREFIXES.get(self.kind.split(".")[0])


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to be told.

    Attributes
    ----------
    seen : frozenset of str or None
        Territories of which they may be told; None means all, and what is of none.
    """

    topics: frozenset[Topic]
    plan: str | None = None
    territory: str | None = None
    seen: frozenset[str] | None = None

    def __contains__(self, told: Told) -> bool:
        payload = told.payload
        return (
            told.topic in self.topics
            and (self.seen is None or payload.get("territory") in self.seen)
            and (self.plan is None or payload.get("plan") == self.plan)
            and (self.territory is None or payload.get("territory") == self.territory)
        )


def wanted(
    db: Database, who: Principal, topics: frozenset[Topic] | None, plan: str | None, territory: str | None
) -> Wanted:
    """Check what somebody wants to be told; without `topics` it is all that may be told.

    Raises
    ------
    Forbidden
        A topic needs a scope which the caller does not hold.
    NotFound
        There is no such plan or territory.
    """
    who.require("plans:read")
    if topics is None:
        topics = frozenset(topic for topic in TOPICS if _SCOPES.get(topic, "plans:read") in who.scopes)
    for topic in sorted(topics & _SCOPES.keys()):
        who.require(_SCOPES[topic])
    with db.read(who) as reader:
        if plan is not None:
            reader.plans.bare(plan)
        if territory is not None:
            reader.territories.get(territory)
    return Wanted(topics, plan, territory, who.territories)


@dataclass(slots=True)
class Log:
    """The events on record, read in the order of commits."""

    db: Database
    _territories: dict[str, str] = field(default_factory=dict)

    def head(self) -> int:
        """Number of the latest event."""
        with self.db.read(SYSTEM) as reader:
            return reader.outbox_head()

    def after(self, last: int, limit: int) -> list[Told]:
        """Events behind number `last`, at most `limit`."""
        with self.db.read(SYSTEM) as reader:
            return self._after(reader, last, limit)

    def now(self, last: int, limit: int) -> tuple[list[Told], list[Told]]:
        """Events behind number `last`, and how far the jobs are which run."""
        with self.db.read(SYSTEM) as reader:
            return self._after(reader, last, limit), [_progress(job) for job in reader.jobs.running()]

    def _after(self, reader: Reader, last: int, limit: int) -> list[Told]:
        found: Sequence[Any] = reader.outbox(last, limit)
        return [Told(event.id, event.kind, self._placed(reader, event.payload)) for event in found]

    def _placed(self, reader: Reader, payload: dict[str, Any]) -> dict[str, Any]:
        """Add the territory of a plan's events, by which they may be asked for."""
        plan = payload.get("plan")
        if plan is None or "territory" in payload:
            return payload
        if plan not in self._territories:
            self._territories[plan] = reader.plans.bare(plan).territory
        return {**payload, "territory": self._territories[plan]}


def _progress(job: JobRecord) -> Told:
    payload = {
        "job": job.id,
        "kind": job.kind,
        "territory": job.territory,
        "plan": job.params.get("plan"),
        "share": job.share,
        "message": job.message,
    }
    return Told(None, "job.progress", payload)
