"""Territories: the areas to be covered."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime

import shapely

from gridsvc.errors import InvalidInput
from gridsvc.principal import Principal
from gridsvc.store.database import Database
from gridsvc.store.records import Idempotency, Territory

__all__ = ["create", "get", "listing"]


def create(
    db: Database,
    who: Principal,
    *,
    territory: str,
    name: str,
    boundary: shapely.MultiPolygon,
    time_zone: str = "Asia/Shanghai",
    customers_word: str = "customers",
    simulated: bool = False,
    idempotency: Idempotency | None = None,
) -> Territory:
    """Add a territory.

    Raises
    ------
    InvalidInput
        The time zone is not in the IANA database.
    Conflict
        The id is taken.
    Forbidden
        The caller does not see all territories.
    """
    who.require("territories:write")
    who.require_all()
    _check_zone(time_zone)
    with db.read(who) as reader:
        if idempotency is not None and reader.replay(who.actor, idempotency) is not None:
            return reader.territories.get(territory)
    now = datetime.now(UTC)
    record = Territory(
        id=territory,
        name=name,
        time_zone=time_zone,
        customers_word=customers_word,
        parent=None,
        boundary=boundary,
        simulated=simulated,
        valid_from=now,
        valid_to=None,
        recorded_at=now,
    )
    with db.write(who, "territory.create", idempotency=idempotency) as uow:
        uow.territories.create(record)
        uow.audit(f"territory/{territory}", None, {"name": name, "time_zone": time_zone})
        uow.emit("territory.created", {"territory": territory})
        uow.respond(201, {"territory": territory})
    return record


def _check_zone(time_zone: str) -> None:
    try:
        zoneinfo.ZoneInfo(time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise InvalidInput(
            "not a time zone", field="time_zone", cure="use an IANA name such as Asia/Shanghai"
        ) from None


def get(db: Database, who: Principal, territory: str) -> Territory:
    """One territory."""
    who.require("territories:read")
    with db.read(who) as reader:
        return reader.territories.get(territory)


def listing(db: Database, who: Principal, after: str | None, limit: int) -> list[Territory]:
    """Territories in order of id, those after `after`."""
    who.require("territories:read")
    with db.read(who) as reader:
        return list(reader.territories.list(after, limit))
