"""What the database says of how the service does: jobs, publications and what is to be told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gridsvc.errors import OutOfService
from gridsvc.exposition import Family
from gridsvc.principal import SYSTEM
from gridsvc.services.drift import is_told
from gridsvc.store.database import Database, Reader

__all__ = ["families"]

_DAY = timedelta(days=1)


def families(db: Database) -> list[Family]:
    """Measurements of the whole database, the same from each node; only that it is away, if it is."""
    up = Family("gridsvc_database_up", "gauge", "Whether the database answers.")
    try:
        with db.read(SYSTEM) as reader:
            told = [*_jobs(reader), *_publications(reader), *_to_be_told(reader)]
    except OutOfService:
        up.add(0)
        return [up]
    up.add(1)
    return [up, *told]


def _jobs(reader: Reader) -> list[Family]:
    now = datetime.now(UTC)
    count = Family("gridsvc_jobs", "gauge", "Jobs which wait or run.")
    since = Family("gridsvc_jobs_oldest_seconds", "gauge", "Age of the oldest job which waits or runs.")
    for job in reader.figures.open_jobs():
        count.add(job.count, kind=job.kind, state=job.status)
        since.add((now - job.since).total_seconds(), kind=job.kind, state=job.status)
    ended = Family("gridsvc_jobs_ended_day", "gauge", "Jobs of the last 24 hours which have ended.")
    seconds = Family("gridsvc_job_seconds_day", "gauge", "Seconds which those took together.")
    for done in reader.figures.ended_jobs(_DAY):
        ended.add(done.count, kind=done.kind, state=done.status)
        seconds.add(done.seconds, kind=done.kind, state=done.status)
    return [count, since, ended, seconds]


def _publications(reader: Reader) -> list[Family]:
    now = datetime.now(UTC)
    number = Family("gridsvc_publication", "gauge", "Number of the publication in force.")
    age = Family("gridsvc_publication_age_seconds", "gauge", "Time since it took effect.")
    changed = Family(
        "gridsvc_publication_customers_changed",
        "gauge",
        "Customers who came, moved or went since, each time counted.",
    )
    drifted = Family(
        "gridsvc_publication_drifted", "gauge", "Whether a grid was found beyond the drift threshold."
    )
    for territory, line in reader.publications.lines():
        record = reader.publications.in_force(territory, line, now, now)
        if record is None:
            continue
        labels = {"territory": territory, "line": line}
        number.add(record.n, **labels)
        age.add((now - record.effective_at).total_seconds(), **labels)
        changed.add(reader.figures.customers_changed(territory, record.effective_at), **labels)
        drifted.add(is_told(reader, record), **labels)
    return [number, age, changed, drifted]


def _to_be_told(reader: Reader) -> list[Family]:
    now = datetime.now(UTC)
    count = Family("gridsvc_outbox_waiting", "gauge", "What is to be told to webhooks.")
    lag = Family("gridsvc_outbox_lag_seconds", "gauge", "How long the first of it has waited.")
    figures = reader.figures
    for stage, (waiting, since) in (
        ("event", figures.unseen_events()),
        ("delivery", figures.waiting_deliveries()),
    ):
        count.add(waiting, stage=stage)
        lag.add((now - since).total_seconds() if since else 0.0, stage=stage)
    seq = Family("gridsvc_seq", "gauge", "Commits which lookups must see.")
    seq.add(reader.seq())
    return [count, lag, seq]
