"""Publications: a plan made official, for ever."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from gridsvc.crs import normalise
from gridsvc.errors import Conflict, GateClosed, InvalidInput, StaleRevision
from gridsvc.exchange.dissolve import dissolve
from gridsvc.exchange.layers import Layer, LayerName, cells_layer, grids_layer
from gridsvc.ownership.publication import Publication, checksum, pack
from gridsvc.plans.gates import Gate
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services import gates, plans
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import Idempotency, ImportRecord, PublicationRecord
from gridsvc.teams.model import Roster

__all__ = ["get", "latest", "layer", "listing", "manifest", "plan_layer", "publish"]


def publish(
    db: Database,
    who: Principal,
    plan: str,
    revision: int,
    *,
    effective_at: datetime | None = None,
    reason: str | None = None,
    idempotency: Idempotency | None = None,
) -> PublicationRecord:
    """Publish a plan under the next number of its territory and line.

    Raises
    ------
    GateClosed
        A blocking rule is broken; the details list each with its offenders.
    StaleRevision
        The plan has moved on from `revision`.
    InvalidInput
        The date lies before the publication in force, or has no offset.
    """
    who.require("plans:publish")
    now = datetime.now(UTC)
    start = now if effective_at is None else effective_at
    with db.read() as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return reader.publications.get(stored.body["territory"], stored.body["line"], stored.body["n"])
        found = plans.draft(reader, plan)
        _check(reader, found, revision, start)
        _check_gates(gates.plan_gates(reader, plan))
        customers = reader.customers.live_import(found.record.territory, found.record.tiling)
    record = _record(found, start, customers)
    outlines = dissolve(found.tiling, found.plan.labels, len(found.plan.grids))
    with db.write(who, "plan.publish", idempotency=idempotency, reason=reason) as uow:
        uow.plans.set_status(plan, "published", revision)
        n = uow.publications.publish(record, found.plan.grids, outlines.tolist())
        uow.audit(f"publication/{record.territory}/{record.line}/{n}", None, {"plan": plan})
        uow.emit("publication.published", {"territory": record.territory, "line": record.line, "n": n})
        uow.respond(201, {"territory": record.territory, "line": record.line, "n": n})
    with db.read() as reader:
        return reader.publications.get(record.territory, record.line, n)


def _check(reader: Reader, found: plans.Draft, revision: int, start: datetime) -> None:
    record = found.record
    if record.status == "published":
        raise Conflict("the plan is published already", cure="make a new plan", plan=record.id)
    if record.revision != revision:
        raise StaleRevision(
            f"the plan is at revision {record.revision}, not {revision}",
            cure="look at it again, then repeat with its new ETag",
            revision=record.revision,
        )
    if start.tzinfo is None:
        raise InvalidInput(
            "a time without offset", field="effective_at", cure="write it as 2026-12-01T00:00:00+08:00"
        )
    newest = reader.publications.newest(record.territory, record.line)
    if newest is not None and start < newest.effective_at:
        raise InvalidInput(
            f"publication {newest.n} takes effect later",
            field="effective_at",
            cure=f"choose {newest.effective_at.isoformat()} or later",
        )


def _check_gates(found: list[Gate]) -> None:
    closed = [gate for gate in found if gate.blocking and not gate.passed]
    if closed:
        raise GateClosed(
            "; ".join(gate.message for gate in closed),
            cure=closed[0].cure,
            gates=[asdict(gate) for gate in closed],
        )


def _record(found: plans.Draft, start: datetime, customers: ImportRecord | None) -> PublicationRecord:
    record, tiling = found.record, found.tiling
    payload = pack(
        Publication(
            record.territory,
            record.line,
            tiling.kind,
            tiling.resolution,
            tiling.ids,
            found.plan.labels,
            found.plan.grids,
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
        meta=_summary(found, customers),
        customers_import=None if customers is None else customers.id,
    )


def _summary(found: plans.Draft, customers: ImportRecord | None) -> dict[str, Any]:
    report = found.record.report or {}
    worst, tolerance = report["overall"]["worst_deviation"], report["parameters"]["tolerance"]
    columns = found.columns
    placed = {} if customers is None else customers.summary or {}
    return {
        "grids": len(found.plan.grids),
        "cells": len(found.tiling),
        "teams": len({grid.team for grid in found.plan.grids}),
        "measures": [
            {
                "name": name,
                "total": round(float(columns[name].sum()), 6),
                "worst_deviation": worst[name],
                "tolerance": tolerance[name],
            }
            for name in worst
        ],
        "customers": {
            name: placed[name] for name in ("read", "placed", "left_out", "placement_rate") if name in placed
        }
        or None,
    }


def manifest(record: PublicationRecord, layer: LayerName, crs: str) -> dict[str, Any]:
    """What an exported file says of itself."""
    return {
        "territory": record.territory,
        "line": record.line,
        "publication": record.n,
        "effective_at": record.effective_at.isoformat(),
        "checksum": record.checksum,
        "layer": layer,
        "crs": normalise(crs),
    }


def get(db: Database, who: Principal, territory: str, n: int, *, line: str = "base") -> PublicationRecord:
    """One publication."""
    who.require("plans:read")
    with db.read() as reader:
        return reader.publications.get(territory, line, n)


def latest(db: Database, who: Principal, territory: str, *, line: str = "base") -> PublicationRecord | None:
    """The publication with the highest number, or None."""
    who.require("plans:read")
    with db.read() as reader:
        return reader.publications.newest(territory, line)


def listing(
    db: Database, who: Principal, territory: str, line: str, after: int | None, limit: int
) -> list[PublicationRecord]:
    """Publications of a territory and line, newest first."""
    who.require("plans:read")
    with db.read() as reader:
        reader.territories.get(territory)
        return list(reader.publications.list(territory, line, after, limit))


def layer(
    db: Database, who: Principal, territory: str, n: int, name: LayerName, *, line: str = "base"
) -> tuple[Layer, PublicationRecord]:
    """A published layer for export."""
    who.require("plans:read")
    with db.read() as reader:
        record = reader.publications.get(territory, line, n)
        found = plans.draft(reader, record.plan)
        roster = _roster(reader, territory)
    return _layer(found, name, roster), record


def plan_layer(db: Database, who: Principal, plan: str, name: LayerName) -> Layer:
    """A layer of a plan, published or not."""
    who.require("plans:read")
    with db.read() as reader:
        found = plans.draft(reader, plan)
        roster = _roster(reader, found.record.territory)
    return _layer(found, name, roster)


def _roster(reader: Reader, territory: str) -> Roster | None:
    now = datetime.now(UTC)
    found = reader.rosters.in_force(territory, now, now)
    return None if found is None else found[1]


def _layer(found: plans.Draft, name: LayerName, roster: Roster | None) -> Layer:
    plan: Plan = found.plan
    measures = found.columns
    if name == "cells":
        return cells_layer(plan, found.tiling, measures)
    grids = (found.record.report or {}).get("grids", [])
    targets = {entry["code"]: entry.get("targets", {}) for entry in grids}
    return grids_layer(plan, found.tiling, measures, targets, roster)
