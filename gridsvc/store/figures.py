"""Figures of the whole database for those who watch over it: how much waits, and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from gridsvc.store.handle import Handle
from gridsvc.store.ids import id_at
from gridsvc.store.tables import audit, customer_states, deliveries, jobs, outbox, webhooks

__all__ = ["EndedJobs", "FigureReader", "WaitingJobs"]

_OPEN = "queued", "running"


@dataclass(frozen=True, slots=True)
class WaitingJobs:
    """Jobs of a kind which wait or run, and when the first of them was asked for."""

    kind: str
    status: str
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class EndedJobs:
    """Jobs of a kind which ended in one way, and the seconds they took together."""

    kind: str
    status: str
    count: int
    seconds: float


class FigureReader:
    """Reads figures, each by an index."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def clock(self) -> datetime | None:
        """The database's own clock; None where it has none but ours."""
        if not self._handle.postgres:
            return None
        now: datetime = self._handle.connection.execute(select(func.clock_timestamp())).scalar_one()
        return now.astimezone(UTC)

    def last_change(self) -> datetime | None:
        """When the last change was recorded which the audit knows of."""
        newest = select(audit.c.recorded_at).order_by(audit.c.id.desc()).limit(1)
        return self._handle.connection.execute(newest).scalar()

    def open_jobs(self) -> Sequence[WaitingJobs]:
        """Jobs which wait or run."""
        c = jobs.c
        first = func.min(c.recorded_at, type_=c.recorded_at.type)
        rows = select(c.kind, c.status, func.count(), first).where(c.status.in_(_OPEN))
        found = self._handle.connection.execute(rows.group_by(c.kind, c.status))
        return [WaitingJobs(*row) for row in found]

    def ended_jobs(self, within: timedelta) -> Sequence[EndedJobs]:
        """Jobs which were asked for `within` the last while and have ended."""
        c = jobs.c
        rows = select(c.kind, c.status, c.started_at, c.finished_at).where(
            c.id > id_at("job", self._handle.clock() - within), c.status.not_in(_OPEN)
        )
        told: dict[tuple[str, str], list[float]] = {}
        for kind, status, started, finished in self._handle.connection.execute(rows):
            seconds = (finished - started).total_seconds() if started and finished else 0.0
            told.setdefault((kind, status), []).append(seconds)
        return [EndedJobs(*key, len(times), sum(times)) for key, times in told.items()]

    def customers_changed(self, territory: str, since: datetime) -> int:
        """Times at which customers of a territory came, moved or went, after one moment and until now."""
        c = customer_states.c
        rows = select(func.count()).where(
            c.territory == territory, c.starts > since, c.starts <= self._handle.clock()
        )
        return int(self._handle.connection.execute(rows).scalar_one())

    def unseen_events(self) -> tuple[int, datetime | None]:
        """Events which some active webhook has yet to look at, and when the first of them was."""
        seen = select(func.min(webhooks.c.seen)).where(webhooks.c.status == "active").scalar_subquery()
        first = func.min(outbox.c.recorded_at, type_=outbox.c.recorded_at.type)
        count, since = self._handle.connection.execute(
            select(func.count(), first).where(outbox.c.id > seen)
        ).one()
        return count, since

    def waiting_deliveries(self) -> tuple[int, datetime | None]:
        """Deliveries which are still to be made, and since when the first of them is."""
        c = deliveries.c
        first = func.min(c.since, type_=c.since.type)
        count, since = self._handle.connection.execute(
            select(func.count(), first)
            .join(webhooks, webhooks.c.id == c.webhook_id)
            .where(webhooks.c.status == "active", c.status == "waiting")
        ).one()
        return count, since
