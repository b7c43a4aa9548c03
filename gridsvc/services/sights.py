"""What callers with branches see: whether branches are there, and the part of a state that is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from gridsvc.errors import InvalidInput, NotFound
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.part import Upper, part_of
from gridsvc.ownership.snapshot import Snapshot
from gridsvc.plans.levels import uppers_of
from gridsvc.principal import Principal
from gridsvc.services.desk import Asked, Desk, at_hand, stored_snapshot
from gridsvc.services.keeping import Keeper
from gridsvc.services.subtrees import uppers_in_force
from gridsvc.store.database import Reader

__all__ = ["require_branches", "seen_at", "seen_now"]

_NAMED = 20


def seen_now(desk: Desk, who: Principal, asked: Asked) -> Snapshot:
    """The state asked about, or what the caller sees of it; as `gridsvc.services.desk.snapshot`."""
    line = at_hand(desk, who, asked)
    if line is not None:
        return line.snapshot
    with desk.database.read(who, parts=True) as reader:
        return seen_at(desk, reader, who, asked)


def seen_at(desk: Desk, reader: Reader, who: Principal, asked: Asked) -> Snapshot:
    """What the caller sees of the state asked about, from one read transaction which sees parts."""
    found = stored_snapshot(desk, reader, asked)
    codes = who.parts.get(found.holdings.territory)
    if codes is None:
        return found
    return part_of(found, _uppers(desk.keeper, reader, found, asked), codes)


def _uppers(keeper: Keeper, reader: Reader, found: Snapshot, asked: Asked) -> list[Upper]:
    """The levels above which are in force then on the same tiling."""
    held, now = found.holdings, datetime.now(UTC)
    at, known = asked.as_of or now, asked.as_known or now
    above = uppers_in_force(reader, held.territory, held.line, found.tiling, at, known)
    return [(level, keeper.holdings(reader, record)[1]) for level, record in above]


def _series(reader: Reader, territory: str) -> list[str]:
    return [line for owner, line in reader.publications.lines() if owner == territory]


def require_branches(keeper: Keeper, reader: Reader, branches: Sequence[str]) -> None:
    """Make sure that each branch names what is there: a territory, or a grid of an upper level in force.

    Raises
    ------
    InvalidInput
        With the number of the branch at fault.
    """
    for row, branch in enumerate(branches, 1):
        territory, slash, code = branch.partition("/")
        try:
            reader.territories.get(territory)
        except NotFound as error:
            raise _fault(
                f"there is no territory {territory[:80]!r}", row, "create it first, or name one there is"
            ) from error
        if slash:
            _require_grid(keeper, reader, territory, code, row)


def _require_grid(keeper: Keeper, reader: Reader, territory: str, code: str, row: int) -> None:
    """Make sure that a code is that of one grid of the upper levels."""
    now = datetime.now(UTC)
    there: list[str] = []
    for level, series in uppers_of("base", _series(reader, territory)):
        record = reader.publications.in_force(territory, series, now, now)
        held: Holdings | None = None if record is None else keeper.holdings(reader, record)[1]
        there += [f"{level}:{grid.code}" for grid in (() if held is None else held.grids)]
    fitting = [name for name in there if code in (name, name.partition(":")[2])]
    if len(fitting) > 1:
        raise _fault(
            f"{code!r} is a grid of several levels", row, f"name one: {territory}/{fitting[0]}, for one"
        )
    if not fitting:
        named = ", ".join(there[:_NAMED]) or "no upper level is published: give the whole territory"
        raise _fault(f"no upper level of {territory} has a grid {code[:80]!r} in force", row, f"name {named}")


def _fault(said: str, row: int, cure: str) -> InvalidInput:
    return InvalidInput(said, field="branches", row=row, cure=cure)
