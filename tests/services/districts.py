"""A district that asks for things: its manager, what may be wished for, and the steps of a request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from gridsvc.plans.requests import DistrictRequest, Wish
from gridsvc.principal import Principal
from gridsvc.services import (
    deciding,
    district_requests,
    gates,
)
from gridsvc.services.deciding import Target
from gridsvc.services.desk import Desk
from gridsvc.services.district_requests import Shown, Wanted
from gridsvc.store import Database
from gridsvc.store.records import CustomerRows
from tests.services.board import ANNA
from tests.services.series import stored

MANAGER = Principal(
    "dai", frozenset({"requests:read", "requests:write", "customers:read"}), frozenset({"board"})
)
ELSEWHERE = replace(MANAGER, actor="eve", branches=frozenset({"oder"}))
X3 = "x003y000"
SECRET = "secret-4711"
HAND_OVER = Wish("move", (X3,), "c")
BY_NAME = Wish("customer", customer=SECRET, team="c")
NEW_LEAD = Wish("lead", team="b", person="p-h")


def settle_in(database: Database, tiling: str) -> None:
    """One customer, in the third cell."""
    one, degree = np.ones(1, bool), 100 / 111_320
    rows = CustomerRows(
        row_no=np.array([1]),
        id=np.array([SECRET], object),
        verdict=np.zeros(1, np.int8),
        cell=np.array([2], np.int32),
        lon=np.array([2.5 * degree]),
        lat=np.array([0.5 * degree]),
        kept=one,
        todo=~one,
    )
    with database.write(ANNA, "test") as uow:
        made = uow.customers.begin_import("board", tiling, "a.csv", {})
        uow.customers.stage(made, rows)
        uow.customers.flip(made, {"read": 1, "placed": 1, "left_out": 0})


def ask(database: Database, wish: Wish, who: Principal = MANAGER, **more: Any) -> DistrictRequest:
    reason = more.pop("reason", "the river lies between")
    return district_requests.create(Desk(database), who, "board", wish, reason, **more).request


def show(database: Database, request: str, who: Principal = ANNA, plan: str | None = None) -> Shown:
    return district_requests.get(Desk(database), who, request, plan)


def accept(
    database: Database, request: str, plan: str | None = None, who: Principal = ANNA, **more: Any
) -> Shown:
    revision = more.pop("revision", None) or (None if plan is None else stored(database, plan).revision)
    return deciding.accept(Desk(database), who, request, "agreed", Target(plan, revision), **more)


def end(database: Database, request: str, decision: Any, who: Principal = ANNA, reason: str = "so") -> Shown:
    return deciding.close(Desk(database), who, request, decision, reason)


def listed(database: Database, who: Principal = ANNA, **wanted: Any) -> list[str]:
    return [s.request.id for s in district_requests.listing(database, who, Wanted(**wanted), None, 100)]


def waiting(database: Database, plan: str) -> list[dict[str, Any]]:
    """Offenders of the gate of requests."""
    return next(g for g in gates.gates_of(database, ANNA, plan) if g.name == "requests").offenders
