"""Customers one by one, as they come, move and go: placed at once on the tiling in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from gridsvc.customers.arrivals import Arrival, ending, place_messages
from gridsvc.customers.messages import Message, checked, read_message, read_rows, utc
from gridsvc.customers.verdicts import Verdict
from gridsvc.errors import InvalidInput, NotFound
from gridsvc.ownership.answer import Answer, Lang
from gridsvc.ownership.snapshot import Snapshot
from gridsvc.principal import Principal
from gridsvc.services.desk import Asked, Desk, settle, stored_snapshot
from gridsvc.store.database import Reader
from gridsvc.tiling.places import Places

__all__ = ["end", "put", "put_many"]

Outcome = Literal["recorded", "repeated", "older", "refused"]

_VERDICTS = {int(verdict): verdict for verdict in Verdict}


@dataclass(frozen=True, slots=True)
class _Ground:
    """Where customers are placed, and by which publication they are owned; None before the first."""

    tiling: str
    places: Places
    snapshot: Snapshot | None


def put(
    desk: Desk,
    who: Principal,
    territory: str,
    customer: str,
    text: bytes,
    *,
    crs: str = "wgs84",
    lang: Lang = "en",
) -> dict[str, Any]:
    """Take in what a source says of a customer, and give where it is and who owns it.

    Parameters
    ----------
    text : bytes
        A `Message` as JSON.

    Raises
    ------
    NotFound
        There is no such territory, or nothing in it to place a customer on.
    InvalidInput
        Names the field at fault.
    """
    who.require("customers:write")
    message = read_message(text, None, datetime.now(UTC), customer)
    ground, known = _look(desk, who, territory, [customer])
    arrivals = place_messages([message], crs, ground.places.rows, ground.places.find)
    outcomes, seq = _record(desk, who, territory, ground, arrivals, known)
    return _one(desk, who, territory, ground, arrivals[0], outcomes[0], seq, lang)


def end(
    desk: Desk,
    who: Principal,
    territory: str,
    customer: str,
    updated: datetime,
    *,
    valid_to: datetime | None = None,
) -> dict[str, Any]:
    """Take in that a customer is no more, from `valid_to` on or from now."""
    who.require("customers:write")
    updated, now = utc(updated, "source_updated_at"), datetime.now(UTC)
    checked(Message(id=customer, source_updated_at=updated), None, now)
    arrival = ending(customer, updated, now if valid_to is None else utc(valid_to, "valid_to"))
    ground, known = _look(desk, who, territory, [customer])
    outcomes, seq = _record(desk, who, territory, ground, [arrival], known)
    return {"id": customer, "outcome": outcomes[0], "seq": seq, "valid_to": arrival.valid_to}


def put_many(
    desk: Desk, who: Principal, territory: str, body: bytes, *, lines: bool = False, crs: str = "wgs84"
) -> dict[str, Any]:
    """Take in what a source says of many customers; a bad row is refused and spoils no other.

    Returns
    -------
    dict
        ``seq``, how many rows had which outcome, and ``rows`` in the order of the body.
    """
    who.require("customers:write")
    read = [_read(text, row, datetime.now(UTC)) for row, text in enumerate(read_rows(body, lines=lines), 1)]
    messages = [message for message in read if isinstance(message, Message)]
    ground, known = _look(desk, who, territory, [message.id for message in messages])
    arrivals = place_messages(messages, crs, ground.places.rows, ground.places.find)
    outcomes, seq = _record(desk, who, territory, ground, arrivals, known)
    placed = iter(zip(arrivals, outcomes, strict=True))
    with desk.database.read(who) as reader:
        rows = [
            _refused(row, found)
            if isinstance(found, InvalidInput)
            else _row(reader, territory, ground, row, *next(placed))
            for row, found in enumerate(read, 1)
        ]
    counts: dict[str, int] = {name: sum(row["outcome"] == name for row in rows) for name in _OUTCOMES}
    return {"territory": territory, "seq": seq, "read": len(rows), **counts, "rows": rows}


_OUTCOMES: tuple[Outcome, ...] = ("recorded", "repeated", "older", "refused")


def _read(text: bytes, row: int, now: datetime) -> Message | InvalidInput:
    try:
        return read_message(text, row, now)
    except InvalidInput as error:
        return error


def _look(
    desk: Desk, who: Principal, territory: str, ids: Sequence[str]
) -> tuple[_Ground, dict[str, datetime]]:
    """Where customers are placed, and when what is known of these was said."""
    with desk.database.read(who) as reader:
        return _ground(desk, reader, territory), reader.changes.updated(territory, ids)


def _ground(desk: Desk, reader: Reader, territory: str) -> _Ground:
    reader.territories.get(territory)
    now = datetime.now(UTC)
    if reader.publications.in_force(territory, "base", now, now) is not None:
        found = stored_snapshot(desk, reader, Asked(territory))
        return _Ground(found.tiling, found.places, found)
    live = reader.customers.live_import(territory)
    tilings = [tiling.id for tiling in reader.tilings.list(territory)]
    if live is None and not tilings:
        raise NotFound(
            "the territory has no cells yet", field="territory", cure="make a tiling of it, then send again"
        )
    tiling = tilings[-1] if live is None else live.tiling
    return _Ground(tiling, desk.keeper.places(reader, tiling)[1], None)


def _record(
    desk: Desk,
    who: Principal,
    territory: str,
    ground: _Ground,
    arrivals: Sequence[Arrival],
    known: dict[str, datetime],
) -> tuple[list[Outcome], int]:
    """Write the messages which are later than what is known, and give the commit which answers show."""
    if "recorded" not in _judged(arrivals, known):
        with desk.database.read(who) as reader:
            return _judged(arrivals, known), reader.seq()
    with desk.database.write(who, "customers.tell") as uow:
        seq = uow.changes.begin()
        outcomes = _judged(arrivals, uow.changes.updated(territory, [arrival.id for arrival in arrivals]))
        fresh = [a for a, outcome in zip(arrivals, outcomes, strict=True) if outcome == "recorded"]
        if fresh:  # else somebody told all of it meanwhile
            uow.changes.append(territory, ground.tiling, fresh)
            counts = {"recorded": len(fresh), "gone": sum(arrival.gone for arrival in fresh)}
            # Of many at once the messages themselves, which say who told them, are the record.
            one = fresh[0].id if len(fresh) == 1 else None
            whom = {} if one is None else {"customer": uow.trail.digest("customer", territory, one)}
            uow.audit(f"customers/{territory}", None, counts | whom)
            uow.emit("customers.changed", {"territory": territory, "seq": seq, **counts})
    settle(desk)
    return outcomes, seq


def _judged(arrivals: Sequence[Arrival], known: dict[str, datetime]) -> list[Outcome]:
    latest, outcomes = dict(known), list[Outcome]()
    for arrival in arrivals:
        before, said = latest.get(arrival.id), arrival.source_updated_at
        fresh = before is None or said > before
        outcomes.append("recorded" if fresh else "repeated" if said == before else "older")
        if fresh:
            latest[arrival.id] = said
    return outcomes


# --- answers


def _owner(
    reader: Reader, territory: str, ground: _Ground, arrival: Arrival, outcome: Outcome, lang: Lang
) -> Answer | None:
    """Owner by the message, or by what was known where it came too late."""
    if ground.snapshot is None:
        return None
    if outcome != "older":
        return ground.snapshot.customer(arrival.id, arrival.cell, arrival.lon, arrival.lat, lang=lang)
    found = reader.customers.find(territory, arrival.id)
    if found is None:
        return ground.snapshot.customer(arrival.id, -1, known=False, lang=lang)
    row = found.cell if found.tiling == ground.tiling else None
    return ground.snapshot.customer(arrival.id, row, found.lon, found.lat, lang=lang)


def _one(
    desk: Desk,
    who: Principal,
    territory: str,
    ground: _Ground,
    arrival: Arrival,
    outcome: Outcome,
    seq: int,
    lang: Lang,
) -> dict[str, Any]:
    with desk.database.read(who) as reader:
        owner = _owner(reader, territory, ground, arrival, outcome, lang)
    verdict = _VERDICTS[arrival.verdict]
    return {
        "id": arrival.id,
        "outcome": outcome,
        "verdict": verdict.slug,
        "cure": verdict.cure or None,
        "cell": ground.places.name(arrival.cell) if arrival.cell >= 0 else None,
        "source_updated_at": arrival.source_updated_at,
        "valid_from": arrival.valid_from,
        "valid_to": arrival.valid_to,
        "seq": seq,
        "owner": None if owner is None else replace(owner, seq=seq).as_dict(),
    }


def _row(
    reader: Reader, territory: str, ground: _Ground, row: int, arrival: Arrival, outcome: Outcome
) -> dict[str, Any]:
    owner = _owner(reader, territory, ground, arrival, outcome, "en")
    return {
        "row": row,
        "id": arrival.id,
        "outcome": outcome,
        "verdict": _VERDICTS[arrival.verdict].slug,
        "cell": ground.places.name(arrival.cell) if arrival.cell >= 0 else None,
        "status": None if owner is None else owner.status,
        "grid": None if owner is None or owner.grid is None else owner.grid["code"],
        "team": None if owner is None or owner.team is None else owner.team["id"],
        "rule": None if owner is None else owner.rule,
        "fault": None,
    }


def _refused(row: int, error: InvalidInput) -> dict[str, Any]:
    nothing = dict.fromkeys(("id", "verdict", "cell", "status", "grid", "team", "rule"))
    fault = {"detail": error.message, "field": error.field, "cure": error.cure}
    return {"row": row, "outcome": "refused", **nothing, "fault": fault}
