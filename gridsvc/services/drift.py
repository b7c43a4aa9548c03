"""How far a publication has drifted: customers and measures of each grid when it took effect, and now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput, NotFound, NotYetInForce
from gridsvc.ownership.publication import unpack
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services.measuring import measured, told_of
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import ImportRecord, PublicationRecord

__all__ = ["THRESHOLD", "drift", "is_told", "notice", "put_threshold", "threshold_of"]

THRESHOLD = 0.1
"""Share by which customers or a measure of a grid may change before it alarms, unless the territory says."""

_RULE, _TOLD = "drift", "drift-told"

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Then:
    """Customers by id and measures by cell, at a time."""

    cells: dict[str, int]
    measures: dict[str, Floats]


def threshold_of(reader: Reader, territory: str) -> float:
    """The threshold of a territory, as a share."""
    found = reader.rules.newest(territory, _RULE)
    return THRESHOLD if found is None else float(found[1]["threshold"])


def put_threshold(db: Database, who: Principal, territory: str, threshold: float) -> float:
    """Set from which share on grids of a territory alarm."""
    who.require("territories:write")
    if not 0 < threshold <= 10:
        raise InvalidInput(
            "not a share", field="threshold", cure="give more than 0 and at most 10, such as 0.1"
        )
    with db.write(who, "drift.threshold") as uow:
        uow.territories.get(territory)
        before = threshold_of(uow, territory)
        uow.rules.put(territory, _RULE, {"threshold": threshold})
        uow.audit(f"territory/{territory}", {"drift": before}, {"drift": threshold})
    return threshold


def drift(db: Database, who: Principal, territory: str, n: int, *, line: str = "base") -> dict[str, Any]:
    """Each grid of a publication as it was when the publication took effect, and as it is now.

    Customers and measures are those of the imports then and now with what was told of customers by then.
    Grids are those of the cells: name lists and outlines are not looked at.

    Raises
    ------
    NotYetInForce
        The publication has not taken effect.
    NotFound
        No customers were imported on its tiling.
    """
    who.require("plans:read")
    with db.read(who) as reader:
        return _drift(reader, reader.publications.get(territory, line, n), datetime.now(UTC))


def notice(db: Database, who: Principal, territory: str, *, line: str = "base") -> bool:
    """Tell, once for each publication, that the one in force has drifted beyond the threshold."""
    now = datetime.now(UTC)
    with db.read(who) as reader:
        record = reader.publications.in_force(territory, line, now, now)
        if record is None or is_told(reader, record):
            return False
        found = _drift(reader, reader.publications.get(territory, line, record.n), now)
    if not found["alarm"]:
        return False
    grids = [entry["grid"] for entry in found["grids"] if entry["alarm"]]
    with db.write(who, "publication.drift") as uow:
        uow.changes.begin()  # so that of two who notice one waits, and then sees that it was told
        if is_told(uow, record):
            return False
        told = {
            "territory": territory,
            "line": line,
            "publication": record.n,
            "threshold": found["threshold"],
        }
        uow.rules.put(territory, f"{_TOLD}:{line}", told)
        uow.audit(f"publication/{territory}/{line}/{record.n}", None, told)
        uow.emit("publication.drifted", {**told, "grids": grids})
    return True


def is_told(reader: Reader, record: PublicationRecord) -> bool:
    """Whether it was told of this publication, or a later one of its line, that it has drifted."""
    found = reader.rules.newest(record.territory, f"{_TOLD}:{record.line}")
    return found is not None and int(found[1]["publication"]) >= record.n


def _drift(reader: Reader, record: PublicationRecord, now: datetime) -> dict[str, Any]:
    if record.effective_at > now:
        raise NotYetInForce(
            f"publication {record.n} has not taken effect", field="n", cure="ask for the one in force"
        )
    live = reader.customers.live_import(record.territory, record.tiling)
    if live is None:
        raise NotFound("the tiling has no import", field="n", cure="import customers on its tiling first")
    old = live if record.customers_import is None else reader.customers.get_import(record.customers_import)
    before, after = _at(reader, old, record.effective_at, live), _at(reader, live, now, old)
    plan, threshold = unpack(record.payload).plan, threshold_of(reader, record.territory)
    grids = _grids(plan, before, after, _targets(reader, record), threshold)
    return {
        "territory": record.territory,
        "line": record.line,
        "publication": record.n,
        "since": record.effective_at,
        "as_of": now,
        "imported_at": {"then": old.valid_from, "now": live.valid_from},
        "threshold": threshold,
        "alarm": any(entry["alarm"] for entry in grids),
        "grids": grids,
    }


def _at(reader: Reader, record: ImportRecord, time: datetime, other: ImportRecord) -> _Then:
    """The state at a time; where both are of one import, only customers told of since are looked at."""
    told = told_of(reader, record, time)
    if record.id == other.id:
        every = told_of(reader, record, datetime.now(UTC))
        cells = dict(every.before)
    else:
        ids, rows = reader.customers.imported(record.id)
        cells = dict(zip(ids, rows, strict=True))
    for state in told.now:
        cells[state.id] = state.cell
    measures = {name: m.values for name, m in measured(reader, record, time).items()}
    return _Then({name: cell for name, cell in cells.items() if cell >= 0}, measures)


def _grids(
    plan: Plan, before: _Then, after: _Then, targets: Mapping[str, Mapping[str, float]], threshold: float
) -> list[dict[str, Any]]:
    came, went = _moves(plan, before.cells, after.cells)
    names = [name for name in after.measures if name in before.measures]
    old, new = ({name: _sums(plan, then.measures[name]) for name in names} for then in (before, after))
    entries = []
    for g, grid in enumerate(plan.grids):
        wanted = targets.get(grid.code, {})
        measures = {name: _measure(old[name][g], new[name][g], wanted.get(name)) for name in names}
        entries.append(
            {
                "grid": grid.code,
                "name": grid.name,
                "arrived": came[g],
                "left": went[g],
                "measures": measures,
                "alarm": any(abs(m["change"]) > threshold for m in measures.values()),
            }
        )
    return entries


def _moves(
    plan: Plan, before: Mapping[str, int], after: Mapping[str, int]
) -> tuple[Counter[int], Counter[int]]:
    """Customers who came into each grid and who left it, by its position; a move counts in both."""
    labels = plan.labels.tolist()
    came, went = Counter[int](), Counter[int]()
    for name in before.keys() | after.keys():
        old = labels[before[name]] if name in before else -1
        new = labels[after[name]] if name in after else -1
        if old != new:
            went[old] += 1
            came[new] += 1
    return came, went


def _sums(plan: Plan, values: Floats) -> Floats:
    held = plan.labels >= 0
    return np.bincount(plan.labels[held], values[held], len(plan.grids)).astype(np.float64)


def _measure(before: float, now: float, target: float | None) -> dict[str, Any]:
    off: dict[str, float | None] = {"then": None, "now": None}
    if target:
        off = {"then": before / target - 1, "now": now / target - 1}
    change = now / before - 1 if before else float(now > 0)
    return {
        "then": round(float(before), 6),
        "now": round(float(now), 6),
        "change": round(float(change), 6),
        "target": target,
        "deviation": {name: None if v is None else round(float(v), 6) for name, v in off.items()},
    }


def _targets(reader: Reader, record: PublicationRecord) -> dict[str, dict[str, float]]:
    """Target of each grid and measure, as the plan's report has them."""
    report = reader.plans.get(record.plan).report or {}
    return {entry["code"]: entry.get("targets") or {} for entry in report.get("grids", [])}
