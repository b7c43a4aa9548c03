"""What became of a grid, looked up by its code at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

import numpy as np

from gridsvc.errors import NotFound
from gridsvc.ownership.part import Part
from gridsvc.ownership.people import team_of
from gridsvc.ownership.snapshot import Snapshot
from gridsvc.plans.lineage import Fate, Flow, Kind, exact_shares, rounded
from gridsvc.principal import Principal
from gridsvc.services.desk import Asked, Desk
from gridsvc.services.sights import seen_at
from gridsvc.store.database import Database, Reader
from gridsvc.store.lineage import LineageRecord

__all__ = ["Standing", "Step", "Successor", "history", "no_such_grid", "resolve"]

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Successor:
    """A grid which has part of a former one's ground; `code` is None for ground without a grid."""

    code: str | None
    name: str | None
    share: float
    exact: Fraction
    cells: int
    customers: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A grid code at one time.

    Attributes
    ----------
    alive : bool
    publication : int
        In force then.
    team : dict or None
    fate : Fate or None
        What the publication did to the code; None where that was before lineage was kept.
    ended : int or None
        The publication which ended it.
    last : int or None
        The last one which had it.
    how : str or None
        What became of it then.
    successors : tuple of Successor
        The largest first; their shares add to 1.
    """

    code: str
    name: str
    alive: bool
    territory: str
    line: str
    publication: int
    valid_from: datetime
    valid_to: datetime | None
    parent: str | None = None
    team: dict[str, Any] | None = None
    carve_out: bool = False
    cells: int | None = None
    fate: Fate | None = None
    ended: int | None = None
    last: int | None = None
    how: Kind | None = None
    successors: tuple[Successor, ...] = ()


def resolve(desk: Desk, who: Principal, code: str, asked: Asked) -> Standing:
    """A grid as of a time; for one which had ended, who has its ground then.

    Raises
    ------
    NotFound
        There was no grid of that code up to then.
    NotYetInForce
        Nothing was in force then.
    """
    who.require("owner:read")
    with desk.database.read(who, parts=True) as reader:
        found = seen_at(desk, reader, who, asked)
        record = _record_at(reader, found, code)
        standing = _living(found, code, record)
        if standing is not None:
            return standing
        if record is None:
            raise NotFound(
                f"there is no grid {_short(code)!r} up to publication {found.moment.publication}",
                field="code",
                cure="check its code, or ask for a later date",
            )
        return _ended(reader, found, record)


def _record_at(reader: Reader, found: Snapshot, code: str) -> LineageRecord | None:
    if isinstance(found, Part):
        return None  # what became of a grid is told to those who see all of its territory
    held = found.holdings
    return reader.lineage.get((held.territory, held.line), code, found.moment.publication)


def _common(found: Snapshot) -> dict[str, Any]:
    return {
        "territory": found.holdings.territory,
        "line": found.holdings.line,
        "publication": found.moment.publication,
        "valid_from": found.moment.valid_from,
        "valid_to": found.moment.valid_to,
    }


def _living(found: Snapshot, code: str, record: LineageRecord | None) -> Standing | None:
    fate = None if record is None else record.fate
    for place, grid in enumerate(found.holdings.grids):
        if grid.code == code:
            return Standing(
                code,
                grid.name,
                True,
                **_common(found),
                parent=grid.parent,
                team=team_of(found.roster, grid.team),
                carve_out=grid.carve_out,
                cells=int(np.count_nonzero(found.holdings.labels == place)),
                fate=fate,
            )
    for overlay in found.holdings.overlays:
        if overlay.code == code:
            team = team_of(found.roster, overlay.team)
            return Standing(code, overlay.name, True, **_common(found), team=team, carve_out=True, fate=fate)
    return None


def _ended(reader: Reader, found: Snapshot, record: LineageRecord) -> Standing:
    held, fate = found.holdings, record.fate
    then = reader.lineage.get((held.territory, held.line), fate.code, record.ended or 0)
    return Standing(
        fate.code,
        fate.name,
        False,
        **_common(found),
        fate=fate,
        ended=record.ended,
        last=None if then is None else then.follows,
        how=None if then is None else then.fate.kind,
        successors=_successors(fate.successors, _names_in(found)),
    )


def _names_in(found: Snapshot) -> dict[str, str]:
    named = {overlay.code: overlay.name for overlay in found.holdings.overlays}
    return {grid.code: grid.name for grid in found.holdings.grids} | named


def _successors(flows: Sequence[Flow], names: dict[str, str]) -> tuple[Successor, ...]:
    exact = exact_shares(flows)
    return tuple(
        Successor(f.code, names.get(f.code or ""), share, part, f.cells, f.customers)
        for f, share, part in zip(flows, rounded(exact), exact, strict=True)
    )


def no_such_grid(reader: Reader, found: Snapshot, code: str) -> NotFound:
    """The error about a code which the publication in force does not have; names who has its ground now."""
    record = _record_at(reader, found, code)
    if record is None or record.ended is None:
        return NotFound(
            f"no grid {_short(code)!r} in the publication in force", field="grid", cure="check its code"
        )
    heirs = [s for s in _successors(record.fate.successors, _names_in(found)) if s.code is not None]
    named = ", ".join(f"{s.code} ({s.share:.1%})" for s in heirs[:_NAMED])
    return NotFound(
        f"grid {code!r} ended with publication {record.ended}; its ground is now in {named or 'no grid'}",
        field="grid",
        cure="ask for these grids" if heirs else "ask by cell",
        ended=record.ended,
        successors=[{"code": s.code, "name": s.name, "share": s.share} for s in heirs],
    )


def _short(code: str) -> str:
    return code if len(code) <= 80 else code[:80] + "..."


# --- history


@dataclass(frozen=True, slots=True)
class Step:
    """What one publication did to a code."""

    n: int
    follows: int | None
    effective_at: datetime
    alive: bool
    fate: Kind
    name: str
    successors: tuple[Successor, ...]
    origins: tuple[Successor, ...]


def history(
    db: Database,
    who: Principal,
    code: str,
    territory: str,
    line: str = "base",
    after: int | None = None,
    limit: int = 100,
) -> list[Step]:
    """What publications did to a code, oldest first; those which left it as it was are left out.

    Publications which were set aside before they came into force count no more.

    Raises
    ------
    NotFound
        No publication of the territory and line ever had that code.
    """
    who.require("owner:read")
    with db.read(who) as reader:
        reader.territories.get(territory)
        records = reader.lineage.of_code((territory, line), code)
        newest = reader.publications.newest(territory, line)
        if not records or newest is None:
            raise NotFound(
                f"no publication ever had a grid {_short(code)!r}", field="code", cure="check its code"
            )
        chain = [r for r in _changes(_chain(records, newest.n)) if after is None or r.n > after]
        starts = {p.n: p.effective_at for p in reader.publications.list(territory, line, None, newest.n)}
    return [_step(record, starts[record.n]) for record in chain[:limit]]


def _chain(records: Sequence[LineageRecord], newest: int) -> list[LineageRecord]:
    """Those which lead to the newest publication, one following the other."""
    of, at, chain = {record.n: record for record in records}, newest, list[LineageRecord]()
    while (record := of.get(at)) is not None:
        chain.append(record)
        if record.follows is None:
            break
        at = record.follows
    return chain[::-1]


def _changes(chain: Sequence[LineageRecord]) -> list[LineageRecord]:
    kept, heirs = [], None
    for record in chain:
        fate = record.fate
        now = {flow.code for flow in fate.successors}
        same = fate.kind == "kept" and now == {fate.code} == {flow.code for flow in fate.origins}
        if not same and not (fate.kind == "gone" and now == heirs):
            kept.append(record)
        heirs = now
    return kept


def _step(record: LineageRecord, effective: datetime) -> Step:
    fate = record.fate
    onward, origins = (_successors(flows, {}) for flows in (fate.successors, fate.origins))
    return Step(record.n, record.follows, effective, fate.alive, fate.kind, fate.name, onward, origins)
