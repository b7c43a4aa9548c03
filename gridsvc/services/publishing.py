"""Publishing: a plan, or an earlier publication, made official under the next number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridsvc.errors import Conflict
from gridsvc.plans.plan import Grid
from gridsvc.principal import Principal
from gridsvc.services import current, jobs
from gridsvc.services.drafts import draft
from gridsvc.services.levels import beside
from gridsvc.services.preparing import Ready, make_ready
from gridsvc.services.rebasing import require_revision, write_rebased
from gridsvc.services.review import finish, require_publishable
from gridsvc.services.series import AT_ONCE, Wanted, former, published_plan
from gridsvc.store.database import Database, Reader, UnitOfWork
from gridsvc.store.records import Idempotency, PublicationRecord

__all__ = ["Wanted", "publish", "republish"]

_ATTEMPTS = 20  # each is lost only to somebody else's publication


def publish(
    db: Database,
    who: Principal,
    plan: str,
    revision: int,
    wanted: Wanted = AT_ONCE,
    *,
    idempotency: Idempotency | None = None,
    folder: Path | None = None,
) -> PublicationRecord:
    """Publish a plan under the next number of its territory and line.

    What was published since the plan was made, and changes other cells than the plan does, is carried in; the
    publication's ``meta["carried"]`` says so.

    Parameters
    ----------
    folder : Path or None
        Where a job is to renew ``current.gpkg``; None leaves that to the caller.

    Raises
    ------
    GateClosed
        A blocking rule is broken; the details list each with its offenders.
    StaleRevision
        The plan has moved on from `revision`.
    StaleBase
        Others published changes to the same cells.
    InvalidInput
        A wrong date, scope or number to supersede.
    Conflict
        The plan is published or not solved yet, or not approved where the review rules want that; or
        something is scheduled behind the date.
    """
    who.require("plans:publish")

    def ready(reader: Reader) -> Ready:
        bare = reader.plans.bare(plan)
        require_publishable(reader, who, bare)
        require_revision(bare, revision)
        found = draft(reader, plan)
        return make_ready(reader, found, found.plan, wanted)

    return _written(db, who, "plan.publish", ready, wanted, idempotency, folder)


def republish(
    db: Database,
    who: Principal,
    territory: str,
    n: int,
    wanted: Wanted = AT_ONCE,
    *,
    line: str = "base",
    idempotency: Idempotency | None = None,
    folder: Path | None = None,
) -> PublicationRecord:
    """Publish an earlier publication again, as a new number.

    Raises
    ------
    NotFound
        There is no such publication.
    GateClosed
        A rule is broken as things are now, such as a team which is no more.
    InvalidInput, Conflict
        As `publish`.
    """
    who.require("plans:publish")

    def ready(reader: Reader) -> Ready:
        again = reader.publications.get(territory, line, n)
        found = draft(reader, again.plan)
        made = make_ready(reader, found, published_plan(reader, territory, line, n), wanted, republishes=n)
        return replace(made, record=replace(made.record, level=again.level, parent=again.parent))

    return _written(db, who, "publication.republish", ready, wanted, idempotency, folder)


def _written(
    db: Database,
    who: Principal,
    action: str,
    ready: Callable[[Reader], Ready],
    wanted: Wanted,
    idempotency: Idempotency | None,
    folder: Path | None,
) -> PublicationRecord:
    for _ in range(_ATTEMPTS):
        with db.read(who) as reader:
            stored = None if idempotency is None else reader.replay(who.actor, idempotency)
            if stored is not None:
                return reader.publications.get(*(stored.body[name] for name in ("territory", "line", "n")))
            made = ready(reader)
        try:
            with db.write(who, action, idempotency=idempotency, reason=wanted.reason) as uow:
                n = _write(uow, who, made, wanted, folder)
        except _OvertakenError:
            continue
        with db.read(who) as reader:
            return reader.publications.get(made.record.territory, made.record.line, n)
    raise Conflict("others publish at the same time", cure="send it again")


class _OvertakenError(Exception):
    """Somebody published between reading and writing."""


def _write(uow: UnitOfWork, who: Principal, made: Ready, wanted: Wanted, folder: Path | None) -> int:
    uow.publications.alone()
    start = datetime.now(UTC) if made.now else made.record.effective_at
    record = replace(made.record, effective_at=start)
    territory, line = record.territory, record.line
    newest, before = uow.publications.newest(territory, line), former(uow, territory, line, start)
    others = beside(uow, territory, line)
    if (newest and newest.n, before and before.n) != made.seen or others != made.beside:
        raise _OvertakenError
    if record.republishes is None:
        revision, status = made.source.record.revision, made.source.record.status
        if status == "approved":
            uow.reviews.reopen(record.plan, revision)
        if made.rebased is not None and before is not None:
            plan = made.rebased.plan
            revision = write_rebased(uow, made.source.record, before.n, plan, revision, wanted.reason)
        finish(uow, record.plan, status, revision, wanted.reason)
    carved = made.plan.carve_outs
    n = uow.publications.publish(
        record,
        [*made.plan.grids, *(Grid(c.code, c.name, c.team, carve_out=True) for c in carved)],
        [*made.outlines.tolist(), *(c.polygon for c in carved)],
    )
    uow.lineage.write((territory, line), n, made.lineage)
    told = {"territory": territory, "line": line, "n": n}
    uow.audit(f"publication/{territory}/{line}/{n}", None, _audited(record))
    uow.emit("publication.published", {**told, "effective_at": start.isoformat(), "actor": uow.actor})
    if folder is not None:
        jobs.enqueue(uow, who, current.KIND, territory, {"folder": str(folder)})
    uow.respond(201, told)
    return n


def _audited(record: PublicationRecord) -> dict[str, Any]:
    names = ("plan", "base_publication", "supersedes", "republishes", "scope")
    known = {name: value for name in names if (value := getattr(record, name)) is not None}
    return {**known, "effective_at": record.effective_at.isoformat(), "checksum": record.checksum}
