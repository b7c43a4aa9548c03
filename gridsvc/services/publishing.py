"""Publishing: a plan, or an earlier publication, made official under the next number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import Conflict, GateClosed, InvalidInput
from gridsvc.exchange.dissolve import dissolve
from gridsvc.ownership.publication import Publication, checksum, pack
from gridsvc.ownership.transition import moved
from gridsvc.plans.gates import Gate
from gridsvc.plans.plan import Plan
from gridsvc.plans.rebase import Rebased, inside, within
from gridsvc.principal import Principal
from gridsvc.services import gates, jobs
from gridsvc.services.compare import customers_in
from gridsvc.services.drafts import Draft, draft
from gridsvc.services.rebasing import (
    base_number,
    rebased_on,
    require_draft,
    stale_base,
    write_rebased,
)
from gridsvc.services.series import AT_ONCE, Wanted, former, instant, published_plan, require_place
from gridsvc.store.database import Database, Reader, UnitOfWork
from gridsvc.store.records import Idempotency, PublicationRecord

__all__ = ["CurrentFile", "Wanted", "publish", "republish"]

_NAMED = 20
_ATTEMPTS = 20  # each is lost only to somebody else's publication
CurrentFile = Literal["queue", "caller"]


@dataclass(frozen=True)
class _Ready:
    """A publication which only needs its number, and the state it was made for.

    Attributes
    ----------
    rebased : Rebased or None
        Where others' publications were carried into the plan.
    seen : (newest, former)
        Numbers in the series then; None for none.
    now : bool
        It takes effect when it is written.
    """

    record: PublicationRecord
    plan: Plan
    outlines: NDArray[Any]
    source: Draft
    rebased: Rebased | None
    seen: tuple[int | None, int | None]
    now: bool


def publish(
    db: Database,
    who: Principal,
    plan: str,
    revision: int,
    wanted: Wanted = AT_ONCE,
    *,
    idempotency: Idempotency | None = None,
    current_file: CurrentFile = "queue",
) -> PublicationRecord:
    """Publish a plan under the next number of its territory and line.

    What was published since the plan was made, and changes other cells than the plan does, is carried in; the
    publication's ``meta["carried"]`` says so.

    Parameters
    ----------
    current_file : {"queue", "caller"}
        Who renews ``current.gpkg``: a job, or the caller.

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
        The plan is published or not solved yet, or something is scheduled behind the date.
    """
    who.require("plans:publish")

    def ready(reader: Reader) -> _Ready:
        require_draft(reader.plans.bare(plan), revision)
        found = draft(reader, plan)
        return _ready(reader, found, found.plan, wanted)

    return _written(db, who, "plan.publish", ready, wanted, idempotency, current_file)


def republish(
    db: Database,
    who: Principal,
    territory: str,
    n: int,
    wanted: Wanted = AT_ONCE,
    *,
    line: str = "base",
    idempotency: Idempotency | None = None,
    current_file: CurrentFile = "queue",
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

    def ready(reader: Reader) -> _Ready:
        again = reader.publications.get(territory, line, n)
        found = draft(reader, again.plan)
        made = _ready(reader, found, published_plan(reader, territory, line, n), wanted, republishes=n)
        return replace(made, record=replace(made.record, level=again.level, parent=again.parent))

    return _written(db, who, "publication.republish", ready, wanted, idempotency, current_file)


def _written(
    db: Database,
    who: Principal,
    action: str,
    ready: Callable[[Reader], _Ready],
    wanted: Wanted,
    idempotency: Idempotency | None,
    current_file: CurrentFile,
) -> PublicationRecord:
    for _ in range(_ATTEMPTS):
        with db.read() as reader:
            stored = None if idempotency is None else reader.replay(who.actor, idempotency)
            if stored is not None:
                return reader.publications.get(*(stored.body[name] for name in ("territory", "line", "n")))
            made = ready(reader)
        try:
            with db.write(who, action, idempotency=idempotency, reason=wanted.reason) as uow:
                n = _write(uow, who, made, wanted, current_file)
        except _OvertakenError:
            continue
        with db.read() as reader:
            return reader.publications.get(made.record.territory, made.record.line, n)
    raise Conflict("others publish at the same time", cure="send it again")


class _OvertakenError(Exception):
    """Somebody published between reading and writing."""


def _ready(
    reader: Reader, found: Draft, mine: Plan, wanted: Wanted, *, republishes: int | None = None
) -> _Ready:
    record, now = found.record, datetime.now(UTC)
    territory, line = record.territory, record.line
    zone = reader.territories.get(territory).time_zone
    start = now if wanted.effective_at is None else instant(wanted.effective_at, zone, "effective_at")
    require_place(reader, territory, line, start, wanted.supersedes, now)
    before = former(reader, territory, line, start)
    rebased = None if republishes is not None else _rebased(reader, found, before, wanted.scope)
    plan, ignored = mine if rebased is None else rebased.plan, None
    if wanted.scope is not None:
        plan, ignored = _scoped(reader, found, plan, before, wanted.scope)
    _check_gates(gates.judge(reader, found, plan))
    until = _until(wanted, zone, start)
    meta = {
        **_summary(reader, found, plan),
        **_told(reader, found, plan, before, rebased, until),
        **({} if ignored is None else {"ignored": {"cells": len(ignored)}}),
    }
    newest = reader.publications.newest(territory, line)
    seen = (None if newest is None else newest.n, None if before is None else before.n)
    made = _record(found, plan, start, meta)
    live = reader.customers.live_import(territory, record.tiling)
    made = replace(
        made,
        customers_import=None if live is None else live.id,
        base_publication=base_number(reader, record) if republishes is None else seen[1],
        supersedes=wanted.supersedes,
        republishes=republishes,
        scope=wanted.scope,
        transition_until=until,
    )
    outlines = dissolve(found.tiling, plan.labels, len(plan.grids))
    return _Ready(made, plan, outlines, found, rebased, seen, wanted.effective_at is None)


def _rebased(
    reader: Reader, found: Draft, before: PublicationRecord | None, scope: str | None
) -> Rebased | None:
    """The draft with what came into force since it was made; None where nothing did.

    Raises
    ------
    StaleBase
        Others changed the same cells; with a scope only its cells count, elsewhere theirs stand.
    """
    record = found.record
    number = base_number(reader, record)
    if before is None or (number is not None and number >= before.n):
        return None
    rebased = rebased_on(reader, record, before)
    if scope is not None:
        theirs = published_plan(reader, record.territory, record.line, before.n)
        rebased = inside(rebased, found.plan, theirs, scope)
    if not rebased.clean:
        raise stale_base(reader, record, before, rebased)
    return rebased if scope is None else rebased_on(reader, record, before, "theirs")


def _scoped(
    reader: Reader, found: Draft, mine: Plan, before: PublicationRecord | None, scope: str
) -> tuple[Plan, NDArray[np.int64]]:
    """What a draft changes in one branch, all else as published; and the cells it changes elsewhere."""
    record = found.record
    if before is None or before.tiling != record.tiling:
        what = "nothing is published yet" if before is None else f"publication {before.n} has another tiling"
        raise InvalidInput(
            f"{what}, so there is nothing to take the other branches from",
            field="scope",
            cure="publish without scope",
        )
    theirs = published_plan(reader, record.territory, record.line, before.n)
    parents = sorted({grid.parent for plan in (mine, theirs) for grid in plan.grids if grid.parent})
    if scope not in parents:
        there = f"name one of {', '.join(parents[:_NAMED])}" if parents else "no grid is nested; leave it out"
        raise InvalidInput(f"no grid is nested in {scope!r}", field="scope", cure=there)
    other = {grid.code: grid.parent for grid in theirs.grids if grid.parent != scope}
    taken = [grid.code for grid in mine.grids if grid.parent == scope and grid.code in other]
    if taken:
        raise Conflict(
            f"grid code {taken[0]!r} belongs to another branch in publication {before.n}",
            field="scope",
            cure="make the plan from the published one, so that grids keep their codes",
            grids=taken[:_NAMED],
        )
    return within(mine, theirs, scope)


def _check_gates(found: list[Gate]) -> None:
    closed = [gate for gate in found if gate.blocking and not gate.passed]
    if closed:
        raise GateClosed(
            "; ".join(gate.message for gate in closed),
            cure=closed[0].cure,
            gates=[asdict(gate) for gate in closed],
        )


def _until(wanted: Wanted, zone: str, start: datetime) -> datetime | None:
    if wanted.transition_until is None:
        return None
    until = instant(wanted.transition_until, zone, "transition_until")
    if until <= start:
        raise InvalidInput(
            "the transition ends before the publication takes effect",
            field="transition_until",
            cure=f"choose a time after {start.isoformat()}",
        )
    return until


def _told(
    reader: Reader,
    found: Draft,
    plan: Plan,
    before: PublicationRecord | None,
    rebased: Rebased | None,
    until: datetime | None,
) -> dict[str, Any]:
    """What the publication changes against the one before it."""
    record = found.record
    carried = {} if rebased is None else {"carried": {"cells": len(rebased.carried)}}
    if before is None:
        return {"follows": None, "moved": None, **carried}
    if before.tiling != record.tiling:
        if until is not None:
            raise InvalidInput(
                f"publication {before.n} has another tiling, so nobody can stay with a former owner",
                field="transition_until",
                cure="leave it out",
            )
        return {"follows": before.n, "moved": None, **carried}
    former_plan = published_plan(reader, record.territory, record.line, before.n)
    rows = moved(former_plan, plan)
    live = reader.customers.live_import(record.territory, record.tiling)
    number = None if live is None else customers_in(reader, live, len(found.tiling))[rows].sum()
    told = {"cells": len(rows), "customers": None if number is None else int(number)}
    return {"follows": before.n, "moved": told, **carried}


def _record(found: Draft, plan: Plan, start: datetime, meta: dict[str, Any]) -> PublicationRecord:
    record, tiling = found.record, found.tiling
    payload = pack(
        Publication(
            record.territory,
            record.line,
            tiling.kind,
            tiling.resolution,
            tiling.ids,
            plan.labels,
            plan.grids,
        )
    )
    return PublicationRecord(
        territory=record.territory,
        line=record.line,
        level=record.level,
        parent=record.parent,
        plan=record.id,
        tiling=record.tiling,
        effective_at=start,
        checksum=checksum(payload),
        payload=payload,
        meta=meta,
    )


def _summary(reader: Reader, found: Draft, plan: Plan) -> dict[str, Any]:
    tolerance = (found.record.report or {}).get("parameters", {}).get("tolerance", {})
    off = gates.deviations_of(found, plan)
    weighed = np.array([not grid.carve_out for grid in plan.grids], np.bool_)
    live = reader.customers.live_import(found.record.territory, found.record.tiling)
    placed = {} if live is None else live.summary or {}
    return {
        "grids": len(plan.grids),
        "cells": len(found.tiling),
        "teams": len({grid.team for grid in plan.grids}),
        "measures": [
            {
                "name": name,
                "total": round(float(found.columns[name].sum()), 6),
                "worst_deviation": _worst(off[name][weighed]),
                "tolerance": tolerance[name],
            }
            for name in off
        ],
        "customers": {
            name: placed[name] for name in ("read", "placed", "left_out", "placement_rate") if name in placed
        }
        or None,
    }


def _worst(values: NDArray[np.float64]) -> float:
    known = np.abs(values[~np.isnan(values)])
    return float(known.max(initial=0.0))


def _write(uow: UnitOfWork, who: Principal, made: _Ready, wanted: Wanted, current_file: CurrentFile) -> int:
    uow.publications.alone()
    start = datetime.now(UTC) if made.now else made.record.effective_at
    record = replace(made.record, effective_at=start)
    territory, line = record.territory, record.line
    newest, before = uow.publications.newest(territory, line), former(uow, territory, line, start)
    if (newest and newest.n, before and before.n) != made.seen:
        raise _OvertakenError
    if record.republishes is None:
        revision = made.source.record.revision
        if made.rebased is not None and before is not None:
            plan = made.rebased.plan
            revision = write_rebased(uow, made.source.record, before.n, plan, revision, wanted.reason)
        uow.plans.set_status(record.plan, "published", revision)
    n = uow.publications.publish(record, made.plan.grids, made.outlines.tolist())
    told = {"territory": territory, "line": line, "n": n}
    uow.audit(f"publication/{territory}/{line}/{n}", None, _audited(record))
    uow.emit("publication.published", {**told, "effective_at": start.isoformat(), "actor": uow.actor})
    if current_file == "queue":
        jobs.enqueue(uow, who, "current-file", territory, {})
    uow.respond(201, told)
    return n


def _audited(record: PublicationRecord) -> dict[str, Any]:
    names = ("plan", "base_publication", "supersedes", "republishes", "scope")
    known = {name: value for name in names if (value := getattr(record, name)) is not None}
    return {**known, "effective_at": record.effective_at.isoformat(), "checksum": record.checksum}
