"""Who owns what: lookups against the publication and the roster in force."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import GridsvcError, OutsideTerritory, UnknownCustomer
from gridsvc.ownership.answer import Answer
from gridsvc.ownership.batch import BatchAnswer
from gridsvc.ownership.cells import owner_of_cell
from gridsvc.ownership.live import EMPTY
from gridsvc.ownership.nearest import nearest_grid
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.principal import Principal
from gridsvc.services.desk import NOW, Asked, Desk, at_hand
from gridsvc.services.sights import seen_at, seen_now

__all__ = ["batch", "bundle", "cell", "cell_in", "customer", "point", "point_in"]


def point(
    desk: Desk, who: Principal, lon: float, lat: float, *, crs: str = "wgs84", asked: Asked = NOW
) -> Answer:
    """Owner of a point.

    Raises
    ------
    OutsideTerritory
        Unless `asked.on_miss_status`; it names the nearest grid and how far it is.
    """
    who.require("owner:read")
    return point_in(seen_now(desk, who, asked), lon, lat, crs=crs, asked=asked)


def point_in(found: Snapshot, lon: float, lat: float, *, crs: str = "wgs84", asked: Asked = NOW) -> Answer:
    """Owner of a point in a state which is at hand; as `point`."""
    answer = found.point(lon, lat, crs=crs, lang=asked.lang)
    if answer.status == "outside" and not asked.on_miss_status:
        raise _outside(answer, nearest_grid(found, lon, lat, crs))
    return answer


def cell(desk: Desk, who: Principal, cell: str, *, asked: Asked = NOW) -> Answer:
    """Owner of a cell.

    Raises
    ------
    OutsideTerritory
        Unless `asked.on_miss_status`.
    """
    who.require("owner:read")
    return cell_in(seen_now(desk, who, asked), cell, asked=asked)


def cell_in(found: Snapshot, cell: str, *, asked: Asked = NOW) -> Answer:
    """Owner of a cell in a state which is at hand; as `cell`."""
    answer = owner_of_cell(found, cell, asked.lang)
    if answer.status == "outside" and not asked.on_miss_status:
        raise _outside(answer, None)
    return answer


def customer(desk: Desk, who: Principal, customer: str, *, asked: Asked = NOW) -> Answer:
    """Owner of a customer.

    Raises
    ------
    UnknownCustomer
        Unless `asked.on_miss_status`.
    TooManyRequests
        The caller has asked for too many customers who are unknown.
    """
    who.require("owner:read")
    desk.guesses.require_rest(who)
    line = at_hand(desk, who, asked)
    if line is not None and line.accounts is not None and not line.snapshot.holdings.overlays:
        row = line.accounts.find(customer)
        answer = line.snapshot.customer(customer, row, known=row is not None, lang=asked.lang)
    else:
        answer = _stored_customer(desk, who, customer, asked)
    if answer.status == "unknown_customer":
        desk.guesses.note(who, customer)
    if answer.status == "unknown_customer" and not asked.on_miss_status:
        raise UnknownCustomer(
            answer.why.rstrip(".。"),
            cure="check the id, or import the customer first",
            territory=answer.territory,
        )
    return answer


def _stored_customer(desk: Desk, who: Principal, customer: str, asked: Asked) -> Answer:
    """The answer by the database's own record: with the point, which overlays need."""
    with desk.database.read(who, parts=True) as reader:
        found = seen_at(desk, reader, who, asked)
        record = reader.customers.find(found.holdings.territory, customer, asked.as_of, asked.as_known)
    if record is None:
        return found.customer(customer, -1, known=False, lang=asked.lang)
    row = record.cell if record.tiling == found.tiling else None
    return found.customer(customer, row, record.lon, record.lat, lang=asked.lang)


def batch(
    desk: Desk,
    who: Principal,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    *,
    crs: str = "wgs84",
    asked: Asked = NOW,
) -> tuple[Snapshot, BatchAnswer]:
    """Owners of many points, all from one publication."""
    who.require("owner:read")
    found = seen_now(desk, who, asked)
    return found, found.batch(lon, lat, crs=crs)


def bundle(desk: Desk, who: Principal, territory: str, n: int, *, line: str = "base") -> Path:
    """The file of a publication for lookups elsewhere, with the teams of now; without people and customers.

    Raises
    ------
    NotFound
        There is no such publication.
    """
    who.require("owner:read")
    keeper, now = desk.keeper, datetime.now(UTC)
    with desk.database.read(who) as reader:
        record = reader.publications.get(territory, line, n)
        r = reader.rosters.number_in_force(territory, now, now)
        roster = EMPTY if r is None else keeper.roster(reader, territory, r)[1]
        held, places = keeper.holdings(reader, record)[1], keeper.places(reader, record.tiling)[1]
    moment = Moment(n, r, 0, record.effective_at)
    path = keeper.bundle(record.checksum, Snapshot(held, places, record.tiling, roster, moment))
    if path is None or not path.exists():
        raise GridsvcError("the file could not be written", cure="look at the data folder's space and rights")
    return path


def _outside(answer: Answer, nearest: tuple[str, float] | None) -> OutsideTerritory:
    cure = "check the coordinates and their system"
    more: dict[str, Any] = {}
    if nearest is not None:
        code, metres = nearest
        more = {"nearest_grid": code, "distance_m": metres}
        cure = f"{cure}; the nearest grid is {code}, {_far(metres)} away"
    return OutsideTerritory(answer.why.rstrip(".。"), cure=cure, territory=answer.territory, **more)


def _far(metres: float) -> str:
    return f"{metres:,.0f} m" if metres < 10_000 else f"{metres / 1000:,.0f} km"
