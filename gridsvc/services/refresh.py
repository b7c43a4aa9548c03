"""Measures of a tiling as customers are now: what the import measured, with what was told of since."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gridsvc.errors import NotFound
from gridsvc.principal import Principal
from gridsvc.services import drift
from gridsvc.services.measuring import measured
from gridsvc.store.database import Database
from gridsvc.store.records import Idempotency, MeasureRecord

__all__ = ["refresh"]


def refresh(
    db: Database, who: Principal, tiling: str, *, idempotency: Idempotency | None = None
) -> dict[str, Any]:
    """Measure the customers of a tiling as they are now; plans and reports go on with that.

    Returns
    -------
    dict
        ``tiling``, ``as_of``, and for each measure its total before and now.

    Raises
    ------
    NotFound
        No customers were imported on this tiling.
    """
    who.require("customers:write")
    at = datetime.now(UTC)
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return dict(stored.body)
        record = reader.tilings.get(tiling)
        live = reader.customers.live_import(record.territory, tiling)
        if live is None:
            raise NotFound("the tiling has no import", field="tiling", cure="import customers on it first")
        before, made = reader.tilings.measures(tiling), measured(reader, live, at)
    totals = {name: _totals(before.get(name), measure) for name, measure in made.items()}
    told = {"tiling": tiling, "territory": record.territory, "as_of": at.isoformat(), "measures": totals}
    with db.write(who, "measures.refresh", idempotency=idempotency) as uow:
        current = uow.customers.live_import(record.territory, tiling)
        if current is not None and current.id == live.id:  # else an import came meanwhile and is newer
            stamped = [replace(measure, as_of=at) for measure in made.values()]
            uow.tilings.put_measures(tiling, live.id, stamped)
            uow.audit(f"tiling/{tiling}", None, {"measures": totals})
            uow.emit("measures.refreshed", {"territory": record.territory, "tiling": tiling})
        uow.respond(200, told)
    drift.notice(db, who, record.territory)
    return told


def _totals(before: MeasureRecord | None, now: MeasureRecord) -> dict[str, float | None]:
    former = None if before is None else round(float(before.values.sum()), 6)
    return {"before": former, "now": round(float(now.values.sum()), 6)}
