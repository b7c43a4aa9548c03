"""A grid goes to another team at a date: a draft of what is in force with that team, to be published."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gridsvc.errors import GridsvcError, InvalidInput, NotYetInForce
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services.asking import whole_roster_at
from gridsvc.services.handovers import require_reason
from gridsvc.services.publishing import Wanted, publish
from gridsvc.services.series import former, instant, published_plan, require_place
from gridsvc.services.standing import publications_from, require_owned, rosters_from
from gridsvc.store.database import Database, Reader
from gridsvc.store.handovers import HandoverRecord
from gridsvc.store.records import Idempotency, PublicationRecord
from gridsvc.teams.model import Roster
from gridsvc.teams.orphans import Published, prove

__all__ = ["MovedGrid", "move_grid"]

_NAMED = 20


@dataclass(frozen=True, slots=True)
class MovedGrid:
    """A grid or carve-out is to be another team's.

    Attributes
    ----------
    grid : str
        Its code.
    effective_at : str, datetime or None
        As of `gridsvc.services.handovers.Leaver`.
    """

    grid: str
    team: str
    reason: str
    effective_at: str | datetime | None = None
    line: str = "base"


@dataclass(frozen=True)
class _Made:
    base: PublicationRecord
    plan: Plan
    at: datetime
    told: dict[str, Any]


def move_grid(
    db: Database,
    who: Principal,
    territory: str,
    wanted: MovedGrid,
    *,
    dry_run: bool = False,
    and_publish: bool = False,
    folder: Path | None = None,
    idempotency: Idempotency | None = None,
) -> tuple[HandoverRecord, GridsvcError | None]:
    """Write the draft in which a grid is another team's, and publish it if that is wished.

    The former team keeps the grid until the publication takes effect, so nobody need stand in.

    Returns
    -------
    record : HandoverRecord
        Its `plan` is the draft.
    refused : GridsvcError or None
        Why the draft could not be published; it stays.

    Raises
    ------
    InvalidInput
        No such grid or team, the team has it already, or it has no lead at some moment from then on.
    NotYetInForce
        Nothing is published by then.
    Conflict
        Something is scheduled for the same time or later.
    """
    who.require("roster:write")
    who.require("plans:write")
    if and_publish:
        who.require("plans:publish")
    require_reason(wanted.reason)
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
        if stored is not None:
            return reader.handovers.get(territory, stored.body["handover"]), None
        made = _make(reader, territory, wanted, datetime.now(UTC))
    record = HandoverRecord(
        *(territory, "grid", made.at, wanted.reason.strip(), made.told), line=wanted.line, grid=wanted.grid
    )
    if dry_run:
        return record, None
    record = _write(db, who, record, made, idempotency)
    return record, _published(db, who, record, made.at, folder) if and_publish else None


def _make(reader: Reader, territory: str, wanted: MovedGrid, now: datetime) -> _Made:
    zone = reader.territories.get(territory).time_zone
    at = now if wanted.effective_at is None else instant(wanted.effective_at, zone, "effective_at")
    require_place(reader, territory, wanted.line, at, None, now)
    base = former(reader, territory, wanted.line, at)
    if base is None:
        raise NotYetInForce(
            f"nothing of {territory} is published by then", field="effective_at", cure="publish a plan first"
        )
    number, roster = whole_roster_at(reader, territory, now)
    _require_team(roster, number, wanted.team)
    plan = published_plan(reader, territory, wanted.line, base.n)
    changed, owner = _with_team(plan, wanted)
    rosters, known = rosters_from(reader, territory, now), publications_from(reader, territory, now, now)
    teams = {grid.code: grid.team for grid in changed.grids} | {c.code: c.team for c in changed.carve_outs}
    after = [*known, Published(wanted.line, 1 + max(p.n for p in known), at, teams)]
    proofs = prove(rosters, known, now), prove(rosters, after, now)
    require_owned(*proofs)
    told: dict[str, Any] = {
        "grid": wanted.grid,
        "team_before": owner,
        "team_after": wanted.team,
        "publication": base.n,
        "passed": [],
        "proof": {"before": proofs[0].as_dict(), "after": proofs[1].as_dict()},
    }
    return _Made(base, changed, at, told)


def _require_team(roster: Roster, number: int, team: str) -> None:
    if team not in roster.team_by_id:
        listed = ", ".join(list(roster.team_by_id)[:_NAMED])
        raise InvalidInput(
            f"there is no team {team[:40]!r} in roster {number}", field="team", cure=f"name one of {listed}"
        )


def _with_team(plan: Plan, wanted: MovedGrid) -> tuple[Plan, str | None]:
    """The plan with the grid or carve-out given to the team, and whose it was."""
    owners = {grid.code: grid.team for grid in plan.grids} | {c.code: c.team for c in plan.carve_outs}
    if wanted.grid not in owners:
        listed = ", ".join(list(owners)[:_NAMED]) + (", ..." if len(owners) > _NAMED else "")
        raise InvalidInput(
            f"there is no grid {wanted.grid[:40]!r} in the publication in force then",
            field="grid",
            cure=f"name one of {listed}",
        )
    if owners[wanted.grid] == wanted.team:
        raise InvalidInput(
            f"grid {wanted.grid!r} is team {wanted.team!r}'s already", field="team", cure="name another team"
        )
    grids = tuple(replace(g, team=wanted.team) if g.code == wanted.grid else g for g in plan.grids)
    carved = tuple(replace(c, team=wanted.team) if c.code == wanted.grid else c for c in plan.carve_outs)
    return replace(plan, grids=grids, carve_outs=carved), owners[wanted.grid]


def _write(
    db: Database, who: Principal, record: HandoverRecord, made: _Made, idempotency: Idempotency | None
) -> HandoverRecord:
    """The draft and the note of it, in one transaction."""
    with db.write(who, "handover.grid", idempotency=idempotency, reason=record.reason) as uow:
        source = uow.plans.bare(made.base.plan)
        draft = replace(
            source,
            name=f"{record.grid}: {made.told['team_before'] or '-'} > {made.told['team_after']}",
            comment=record.reason,
            labels=made.plan.labels,
            grids=made.plan.grids,
            carve_outs=made.plan.carve_outs,
            base_publication=made.base.n,
            branched_from=source.id,
            branched_at=source.revision,
            waivers=[],
        )
        plan = uow.plans.create(draft)
        handover = uow.handovers.add(replace(record, plan=plan))
        told: dict[str, Any] = {
            "handover": handover,
            "territory": record.territory,
            "plan": plan,
            "grid": record.grid,
        }
        uow.audit(f"plan/{plan}", None, {"branched_from": source.id, "branched_at": source.revision})
        uow.audit(f"handover/{record.territory}/{handover}", None, {"kind": "grid", "plan": plan})
        uow.emit("plan.created", {"plan": plan, "branched_from": source.id, "branched_at": source.revision})
        uow.emit(
            "handover.made", {**told, "kind": "grid", "effective_at": made.at.isoformat(), "actor": uow.actor}
        )
        uow.respond(201, {"handover": handover})
    with db.read(who) as reader:
        return reader.handovers.get(record.territory, handover)


def _published(
    db: Database, who: Principal, record: HandoverRecord, at: datetime, folder: Path | None
) -> GridsvcError | None:
    assert record.plan is not None  # noqa: S101 - it was written with one
    start = None if at <= datetime.now(UTC) else at
    with db.read(who) as reader:
        revision = reader.plans.bare(record.plan).revision
    try:
        publish(db, who, record.plan, revision, Wanted(start, record.reason), folder=folder)
    except GridsvcError as error:
        return error
    return None
