"""Publications as they stand: one, the list, and their layers; `gridsvc.services.publishing` makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from gridsvc.crs import normalise
from gridsvc.errors import Conflict
from gridsvc.exchange.layers import Layer, LayerName, cells_layer, grids_layer
from gridsvc.ownership.publication import unpack
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services.asking import counting_at
from gridsvc.services.drafts import Draft
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import PublicationRecord
from gridsvc.teams.model import Roster

__all__ = [
    "Standing",
    "get",
    "latest",
    "layer",
    "listing",
    "manifest",
    "published_layer",
    "standing",
    "standings",
    "verify",
]


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
    with db.read(who) as reader:
        return reader.publications.get(territory, line, n)


def latest(db: Database, who: Principal, territory: str, *, line: str = "base") -> PublicationRecord | None:
    """The publication with the highest number, or None."""
    who.require("plans:read")
    with db.read(who) as reader:
        return reader.publications.newest(territory, line)


def listing(
    db: Database, who: Principal, territory: str, line: str, after: int | None, limit: int
) -> list[PublicationRecord]:
    """Publications of a territory and line, newest first."""
    who.require("plans:read")
    with db.read(who) as reader:
        reader.territories.get(territory)
        return list(reader.publications.list(territory, line, after, limit))


_NAMED = 10
State = Literal["scheduled", "in-force", "past", "set-aside"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A publication's place in its series, as known now.

    Attributes
    ----------
    state : {"scheduled", "in-force", "past", "set-aside"}
        Set aside: a later number takes effect no later, so it never comes into force.
    valid_to : datetime or None
        When it gives way to a later number.
    """

    state: State
    valid_to: datetime | None


def standing(db: Database, who: Principal, record: PublicationRecord) -> Standing:
    """Where a publication stands in its series."""
    return standings(db, who, record.territory, record.line, [record])[0]


def standings(
    db: Database, who: Principal, territory: str, line: str, records: Sequence[PublicationRecord]
) -> list[Standing]:
    """Where publications of one series stand in it."""
    who.require("plans:read")
    with db.read(who) as reader:
        ends = reader.publications.ends(territory, line)
    now = datetime.now(UTC)
    return [_standing(record.effective_at, ends[record.n], now) for record in records]


def _standing(start: datetime, end: datetime | None, now: datetime) -> Standing:
    if end is not None and end <= start:
        return Standing("set-aside", end)
    if start > now:
        return Standing("scheduled", end)
    return Standing("in-force" if end is None or now < end else "past", end)


def verify(db: Database, who: Principal) -> int:
    """Check every publication against its checksum, and give how many there are.

    Raises
    ------
    Conflict
        Some are not what was published; the details list them.
    """
    who.require("plans:read")
    with db.read(who) as reader:
        number = sum(len(reader.publications.ends(*line)) for line in reader.publications.lines())
        unsound = reader.publications.unsound()
    if unsound:
        listed = ", ".join(f"{n} of {territory} ({line})" for territory, line, n in unsound[:_NAMED])
        raise Conflict(
            f"{len(unsound)} publications are not what their checksum says: {listed}",
            field="database",
            cure="restore the database from a backup",
            publications=[{"territory": t, "line": line, "n": n} for t, line, n in unsound],
        )
    return number


def layer(
    db: Database, who: Principal, territory: str, n: int, name: LayerName, *, line: str = "base"
) -> tuple[Layer, PublicationRecord]:
    """A published layer for export."""
    who.require("plans:read")
    with db.read(who) as reader:
        record = reader.publications.get(territory, line, n)
        return published_layer(reader, record, name), record


def published_layer(reader: Reader, record: PublicationRecord, name: LayerName) -> Layer:
    """A layer of a publication with its payload; measures are those of the customers it was made with."""
    found = reader.plans.bare(record.plan)
    tiling = reader.tilings.load(record.tiling)
    measures = reader.tilings.measures(record.tiling, record.customers_import)
    drawn = unpack(record.payload)
    published = Draft(found, tiling, measures)
    return _layer(published, drawn.plan, name, _roster(reader, record.territory))


def _roster(reader: Reader, territory: str) -> Roster | None:
    now = datetime.now(UTC)
    found = counting_at(reader, territory, now)
    return None if found is None else found[1]


def _layer(found: Draft, plan: Plan, name: LayerName, roster: Roster | None) -> Layer:
    measures = found.columns
    if name == "cells":
        return cells_layer(plan, found.tiling, measures, roster)
    grids = (found.record.report or {}).get("grids", [])
    targets = {entry["code"]: entry.get("targets", {}) for entry in grids}
    return grids_layer(plan, found.tiling, measures, targets, roster)
