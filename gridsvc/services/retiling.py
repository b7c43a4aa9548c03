"""Plans carried onto another tiling: with a crosswalk, and the customers whose grid changes by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.crs import LocalPlane
from gridsvc.errors import InvalidInput
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services import plans
from gridsvc.services.drafts import draft, solved
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import Idempotency
from gridsvc.tiling.locate import Locator
from gridsvc.tiling.plane import flatten
from gridsvc.tiling.tiling import Tiling

if TYPE_CHECKING:
    from gridsvc.plans.crosswalk import Crosswalk  # brings scipy, which no server should wait for

__all__ = ["carry_onto", "changed_customers", "walk"]


@dataclass(frozen=True, slots=True)
class _Customers:
    """Customers with their cells in both tilings, -1 for none; arrays of shape (n,)."""

    ids: NDArray[np.object_]
    old: NDArray[np.int64]
    new: NDArray[np.int64]


def carry_onto(
    db: Database,
    who: Principal,
    plan: str,
    tiling: str,
    *,
    name: str = "",
    idempotency: Idempotency | None = None,
) -> dict[str, Any]:
    """Make a draft on another tiling of a territory from a plan; the plan itself stays as it is.

    Returns
    -------
    dict
        ``plan``, how many cells came to their grids by what, ``crosswalk``, grids left ``empty``, and the
        number of customers whose grid ``changed``.

    Raises
    ------
    InvalidInput
        The tiling is of another territory, or the plan is of this very tiling, or no measure is on both.
    """
    from gridsvc.plans.claims import AREA, CUSTOMERS, NEIGHBOUR
    from gridsvc.plans.crosswalk import carry

    who.require("plans:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return dict(stored.body)
        record = reader.plans.get(plan)
        _check(reader, record.territory, record.tiling, tiling)
        former = solved(record)
        old, new = reader.tilings.load(record.tiling), reader.tilings.load(tiling)
        customers = _customers(reader, record.territory, (record.tiling, old), (tiling, new))
        there = reader.tilings.measures(tiling)
        request = plans.request_of(draft(reader, plan).record)
    balanced = tuple((measure, share) for measure, share in request.measures if measure in there)
    if not balanced:
        cure = f"import customers on tiling {tiling} with the measures the plan balances"
        raise InvalidInput("none of the plan's measures is on this tiling", field="tiling", cure=cure)
    found = walk(old, new, customers.old, customers.new)
    carried, by, empty = carry(former, found, new)
    ways = {"customers": CUSTOMERS, "area": AREA, "neighbour": NEIGHBOUR}
    told = {
        "from": plan,
        "tiling": tiling,
        "cells": {way: int((by.by == number).sum()) for way, number in ways.items()},
        "crosswalk": {"pairs": len(found.old), "customers": int(found.customers.sum())},
        "empty": list(empty),
        "changed": len(_changed(former, carried, customers)[0]),
    }
    made = plans.put(
        db, who, tiling, carried, balanced, name=name, line=record.line, told=told, idempotency=idempotency
    )
    return {"plan": made.id, "revision": made.revision, **told}


def changed_customers(
    db: Database, who: Principal, plan: str, other: str, after: str | None = None, limit: int = 100
) -> list[tuple[str, str | None, str | None]]:
    """Customers whose grid is another in a plan on another tiling: id, code before and after, by id."""
    who.require("customers:read")
    with db.read(who) as reader:
        first, second = reader.plans.get(plan), reader.plans.get(other)
        _check(reader, first.territory, first.tiling, second.tiling)
        pair = tuple((r.tiling, reader.tilings.load(r.tiling)) for r in (first, second))
        customers = _customers(reader, first.territory, pair[0], pair[1])
        former, carried = solved(first), solved(second)
    ids, before, now = _changed(former, carried, customers)
    order = np.argsort(ids.astype(str), kind="stable")
    codes = [[*(grid.code for grid in p.grids), None] for p in (former, carried)]
    rows = ((str(ids[at]), codes[0][before[at]], codes[1][now[at]]) for at in order.tolist())
    return [row for row in rows if after is None or row[0] > after][:limit]


def walk(old: Tiling, new: Tiling, rows: NDArray[np.integer], onto: NDArray[np.integer]) -> Crosswalk:
    """The crosswalk of two tilings, with the cells of customers in each."""
    from gridsvc.plans.crosswalk import crosswalk

    plane = LocalPlane(*new.origin)
    return crosswalk((flatten(plane, old.geometry), flatten(plane, new.geometry)), rows, onto)


def _check(reader: Reader, territory: str, old: str, new: str) -> None:
    if reader.tilings.get(new).territory != territory:
        raise InvalidInput(
            "the tiling is of another territory", field="tiling", cure="name one of the plan's territory"
        )
    if old == new:
        raise InvalidInput("the plan is on this tiling already", field="tiling", cure="name another tiling")


def _customers(
    reader: Reader, territory: str, old: tuple[str, Tiling], new: tuple[str, Tiling]
) -> _Customers:
    """Customers of the live import of the old tiling, else of the last on any, as they are now."""
    live = reader.customers.live_import(territory, old[0]) or reader.customers.live_import(territory)
    if live is None:
        nobody = np.zeros(0, np.int64)
        return _Customers(np.zeros(0, object), nobody, nobody)
    ids, placed = reader.customers.index(live.id)
    lon, lat = reader.customers.points(live.id)
    cells = []
    for name, tiling in (old, new):
        by_point = Locator(tiling).rows(lon, lat)
        # Those placed without a point keep their cell; those told of on another tiling have none in this one.
        cells.append(np.where(placed >= 0, placed, by_point) if live.tiling == name else by_point)
    return _Customers(ids, *cells)


def _changed(
    former: Plan, carried: Plan, customers: _Customers
) -> tuple[NDArray[np.object_], NDArray[np.int32], NDArray[np.int32]]:
    before, now = (
        np.where(rows >= 0, np.append(plan.labels, -1)[rows], -1).astype(np.int32)
        for plan, rows in ((former, customers.old), (carried, customers.new))
    )
    codes = [np.array([*(grid.code for grid in plan.grids), ""], object) for plan in (former, carried)]
    other = np.flatnonzero(codes[0][before] != codes[1][now])
    return customers.ids[other], before[other], now[other]
