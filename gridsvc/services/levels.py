"""Levels of a territory: which there are, what is published of each, and how they nest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gridsvc.errors import InvalidInput
from gridsvc.plans.gates import Gate
from gridsvc.plans.levels import (
    COMMON,
    Crossing,
    Level,
    crossings,
    level_of,
    ordered,
    series_of,
)
from gridsvc.plans.places import Places
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services.series import published_plan
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import Idempotency, PlanRecord, PublicationRecord

__all__ = [
    "KIND",
    "LevelState",
    "Placed",
    "above",
    "beside",
    "get",
    "levels_gate",
    "levels_of",
    "misfits",
    "placed",
    "plans_above",
    "put",
    "state_of",
]

KIND = "levels"
_NAMED = 20
_LISTED = 1000


def levels_of(reader: Reader, territory: str) -> tuple[Level, ...]:
    """The levels of a territory from the top down."""
    found = reader.rules.newest(territory, KIND)
    return COMMON if found is None else tuple(Level(**level) for level in found[1]["levels"])


def get(db: Database, who: Principal, territory: str) -> tuple[Level, ...]:
    """The levels of a territory from the top down."""
    who.require("territories:read")
    with db.read(who) as reader:
        reader.territories.get(territory)
        return levels_of(reader, territory)


def put(
    db: Database,
    who: Principal,
    territory: str,
    levels: Sequence[Level],
    *,
    idempotency: Idempotency | None = None,
) -> tuple[Level, ...]:
    """Say which levels a territory has.

    Raises
    ------
    InvalidInput
        They are no chain from one at the top down, or a level is left out of which something is published.
    """
    who.require("territories:write")
    chain = ordered(levels)
    with db.read(who) as reader:
        reader.territories.get(territory)
        if idempotency is not None and reader.replay(who.actor, idempotency) is not None:
            return levels_of(reader, territory)
        before = levels_of(reader, territory)
        _require_published(reader, territory, before, chain)
    body = {
        "levels": [{"id": known.id, "names": dict(known.names), "parent": known.parent} for known in chain]
    }
    with db.write(who, "territory.levels", idempotency=idempotency) as uow:
        uow.rules.put(territory, KIND, body)
        names = [[level.id for level in found] for found in (before, chain)]
        uow.audit(f"territory/{territory}", {"levels": names[0]}, {"levels": names[1]})
        uow.emit("territory.levels", {"territory": territory, "levels": names[1]})
        uow.respond(200, {"territory": territory})
    return chain


def _require_published(
    reader: Reader, territory: str, before: Sequence[Level], chain: Sequence[Level]
) -> None:
    """Series of levels must stay, and stay in their order."""
    published = {
        level_of(line, before)[1] for owner, line in reader.publications.lines() if owner == territory
    }
    there = [level.id for level in before if level.id in published]
    kept = [level.id for level in chain if level.id in published]
    lowest = bool(there) and before[-1].id in published and chain[-1].id != before[-1].id
    if there != kept or lowest:
        raise InvalidInput(
            f"levels {', '.join(there)} are published, so they stay in this order",
            field="levels",
            cure=f"keep them, and {before[-1].id} as the lowest; names and levels between may change",
        )


# --- what is published


@dataclass(frozen=True)
class LevelState:
    """A level and what is in force of it.

    Attributes
    ----------
    record : PublicationRecord or None
        None for the top level, and where nothing is published.
    plan : Plan or None
    """

    level: Level
    series: str
    record: PublicationRecord | None = None
    plan: Plan | None = None


def state_of(
    reader: Reader, territory: str, line: str, levels: Sequence[Level], level: Level, at: datetime
) -> LevelState:
    """A level with what is in force of it at a time."""
    series = series_of(line, level.id, levels)
    record = reader.publications.in_force(territory, series, at, datetime.now(UTC))
    plan = None if record is None else published_plan(reader, territory, series, record.n)
    return LevelState(level, series, record, plan)


def above(reader: Reader, territory: str, series: str, tiling: str, at: datetime) -> LevelState | None:
    """The nearest level above a series of which something on this tiling is in force; None at the top."""
    levels = levels_of(reader, territory)
    line, own = level_of(series, levels)
    for level in reversed(levels[1 : [level.id for level in levels].index(own)]):
        found = state_of(reader, territory, line, levels, level, at)
        if found.record is not None and found.record.tiling == tiling:
            return found
    return None


def plans_above(reader: Reader, territory: str, series: str, tiling: str, at: datetime) -> tuple[Plan, ...]:
    """What is in force of the levels above a series on its tiling, from the top down."""
    levels = levels_of(reader, territory)
    line, own = level_of(series, levels)
    names = [level.id for level in levels]
    if own not in names:
        return ()  # it was taken out since
    states = (state_of(reader, territory, line, levels, level, at) for level in levels[1 : names.index(own)])
    found = (s.plan for s in states if s.record is not None and s.record.tiling == tiling)
    return tuple(plan for plan in found if plan is not None)


def _below(reader: Reader, territory: str, series: str, tiling: str, at: datetime) -> LevelState | None:
    levels = levels_of(reader, territory)
    line, own = level_of(series, levels)
    for level in levels[[level.id for level in levels].index(own) + 1 :]:
        found = state_of(reader, territory, line, levels, level, at)
        if found.record is not None and found.record.tiling == tiling:
            return found
    return None


def misfits(
    reader: Reader, territory: str, series: str, tiling: str, plan: Plan, start: datetime | None = None
) -> list[tuple[Level, Crossing]]:
    """Where a plan would not fit between the levels above and below, from `start` (now if None) on.

    Each is named with the level whose grid lies across. Levels on other tilings do not count.
    """
    levels = levels_of(reader, territory)
    line, own = level_of(series, levels)
    if own not in {level.id for level in levels}:
        return []
    mine = next(level for level in levels if level.id == own)
    found = []
    for at in _dates(reader, territory, line, levels, start or datetime.now(UTC)):
        parent, child = (find(reader, territory, series, tiling, at) for find in (above, _below))
        if parent is not None and parent.plan is not None:
            found += [(mine, crossing) for crossing in crossings(plan, parent.plan)]
        if child is not None and child.plan is not None:
            found += [(child.level, crossing) for crossing in crossings(child.plan, plan)]
        if found:
            break
    return found


def _dates(
    reader: Reader, territory: str, line: str, levels: Sequence[Level], start: datetime
) -> list[datetime]:
    """The start, and when other levels change after it."""
    later = [
        record.effective_at
        for level in levels[1:]
        for record in reader.publications.upcoming(territory, series_of(line, level.id, levels), start)
    ]
    return [start, *sorted(set(later))]


def levels_gate(
    reader: Reader, record: PlanRecord, plan: Plan, places: Places, start: datetime | None = None
) -> Gate | None:
    """The rule that each level divides the one above it; None where no other level is in force."""
    where = record.territory, record.line, record.tiling
    found = misfits(reader, *where, plan, start)
    if not found:
        now = start or datetime.now(UTC)
        alone = above(reader, *where, now) is None and _below(reader, *where, now) is None
        done = Gate(
            "levels",
            passed=True,
            blocking=True,
            message="every grid lies in one grid of the level above",
            message_zh="每个网格都在上一层级的一个网格内",
        )
        return None if alone else done
    offenders = [_offender(level, crossing, places) for level, crossing in found[:_LISTED]]
    return Gate(
        "levels",
        passed=False,
        blocking=True,
        offenders=offenders,
        total=len(found),
        message=f"grids which do not lie in one grid of the level above: {len(found)}",
        cure="move their cells, or first cut the lower level along the new border and publish that",
        message_zh=f"不在上一层级同一网格内的网格：{len(found)} 个",
        cure_zh="调整其单元，或先沿新边界划分下一层级并发布",
    )


def _offender(level: Level, crossing: Crossing, places: Places) -> dict[str, Any]:
    return {
        "level": level.id,
        "grid": crossing.grid,
        "parents": list(crossing.parents[:_NAMED]),
        "cells": len(crossing.rows),
        **places.of(crossing.rows),
    }


def beside(reader: Reader, territory: str, series: str) -> tuple[int, ...]:
    """The newest number of each level of a series' line, 0 for none: a publication is judged against them."""
    levels = levels_of(reader, territory)
    line, _ = level_of(series, levels)
    found = (reader.publications.newest(territory, series_of(line, level.id, levels)) for level in levels[1:])
    return tuple(0 if record is None else record.n for record in found)


# --- a plan of a level


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a new plan belongs: the line it is published under, its level, and the parent it divides."""

    line: str
    level: str
    parent: str | None


def placed(
    reader: Reader, territory: str, tiling: str, line: str, level: str | None, parent: str | None
) -> Placed:
    """Where a plan of a level belongs.

    Raises
    ------
    InvalidInput
        There is no such level, or nothing to divide at it; or no such parent is in force.
    """
    if level is None and parent is None:
        return Placed(line, "grid", None)
    levels = levels_of(reader, territory)
    own = levels[-1].id if level is None else level
    if own not in {known.id for known in levels[1:]}:
        there = ", ".join(known.id for known in levels[1:])
        said = (
            f"level {own!r} is the whole territory" if own == levels[0].id else f"there is no level {own!r}"
        )
        raise InvalidInput(said, field="level", cure=f"name one of {there}")
    series = series_of(line, own, levels)
    if parent is not None:
        _require_parent(reader, territory, series, tiling, parent)
    return Placed(series, own, parent)


def _require_parent(reader: Reader, territory: str, series: str, tiling: str, parent: str) -> None:
    found = above(reader, territory, series, tiling, datetime.now(UTC))
    if found is None or found.plan is None:
        raise InvalidInput(
            "nothing above this level is in force on this tiling",
            field="parent",
            cure="publish a level above it first, or leave parent out",
        )
    codes = [grid.code for grid in found.plan.grids]
    if parent not in codes:
        listed = ", ".join(codes[:_NAMED]) + (", ..." if len(codes) > _NAMED else "")
        raise InvalidInput(
            f"there is no {found.level.id} {parent[:80]!r} in force",
            field="parent",
            cure=f"name one of {listed}",
        )
