"""Which grid of a problem carries which code: old plan, targets, seeds and locks brought together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.problem import Pins, Problem
from gridsvc.balance.share import combined_load
from gridsvc.errors import InvalidInput
from gridsvc.plans.goals import Goals
from gridsvc.plans.locks import Lock
from gridsvc.plans.seeds import Seed

__all__ = ["Fixed", "Holds", "fix", "names_of", "order_of", "taken_seeds"]


_NAMED = 10  # grids named in a message


@dataclass(frozen=True, slots=True)
class Holds:
    """What seeds and locks say, and what it is judged by.

    Attributes
    ----------
    seeds, locks : sequences of Seed and Lock
    names : sequence of str
        Codes of the first grids.
    home : int32 array, shape (n,), or None
        Grid each cell belongs to now, where there is an old plan.
    carved : bool array, shape (n,)
    pull : float
        See `gridsvc.balance.problem.Pins`.
    alike : bool
        All grids have the same targets, so that a seed without a name may get any of them.
    """

    seeds: Sequence[Seed]
    locks: Sequence[Lock]
    names: Sequence[str]
    home: NDArray[np.int32] | None
    carved: NDArray[np.bool_]
    pull: float
    alike: bool


@dataclass(frozen=True, slots=True)
class Fixed:
    """What locks and seeds hold fast.

    Attributes
    ----------
    anchor : int32 array, shape (n,), or None
        Grid of each locked cell, -1 where it is free.
    pins : Pins or None
    seeds : dict of seed's row to grid
        Those a grid is built round.
    """

    anchor: NDArray[np.int32] | None
    pins: Pins | None
    seeds: dict[int, int]


def taken_seeds(problem: Problem, seeds: Sequence[Seed], carved: NDArray[np.bool_]) -> list[Seed]:
    """The required seeds, and the candidates which serve the balance best.

    Raises
    ------
    InvalidInput
        More required seeds than grids, or one in a cell which is carved out.
    """
    required = [seed for seed in seeds if seed.required]
    for seed in required:
        if carved[seed.cell]:
            raise seed.fault("cell", "the seed's cell is carved out", "take seed or carve-out away")
    if len(required) > problem.k:
        raise InvalidInput(
            f"{len(required)} seeds are required but only {problem.k} grids wanted",
            field="grids",
            cure=f"ask for at least {len(required)} grids, or make some seeds candidates",
        )
    held = {seed.cell for seed in required}
    first = {s.cell: s for s in reversed(seeds) if not (s.required or s.cell in held or carved[s.cell])}
    if not first or len(required) == problem.k:
        return required
    chosen = _chosen(problem, sorted(held), sorted(first))
    return sorted([*required, *(first[cell] for cell in chosen)], key=lambda seed: seed.row)


def _chosen(problem: Problem, required: list[int], candidates: list[int]) -> list[int]:
    from gridsvc.balance.seeds import choose

    demand = combined_load(problem.weights)
    given = np.array(required, np.int64), np.array(candidates, np.int64)
    rows = choose(problem.x, problem.y, demand, *given, problem.k)
    return [int(row) for row in rows if int(row) not in set(required)]


def names_of(
    k: int, old: Sequence[str], goals: Goals | None, seeds: Sequence[Seed], locks: Sequence[Lock]
) -> list[str]:
    """Codes of the first grids; the further ones are new and get theirs later.

    An old plan or named targets settle all codes, and seeds and locks must use them; else their own come
    in the order of the rows, seeds first.

    Raises
    ------
    InvalidInput
        A code which is none of the old plan's or the targets', or more codes than grids.
    """
    settled = list(old) or ([] if goals is None else [name for name in goals.grids if name])
    items: list[Seed | Lock] = [*seeds, *locks]
    if settled:
        for item in items:
            if item.grid and item.grid not in settled:
                there = ", ".join(settled[:_NAMED]) + (", ..." if len(settled) > _NAMED else "")
                raise item.fault("grid", f"there is no grid {item.grid!r}", f"name one of {there}")
        return settled
    found = list(dict.fromkeys(item.grid for item in items if item.grid))
    if len(found) > k:
        raise InvalidInput(
            f"seeds and locks name {len(found)} grids but only {k} are wanted",
            field="grids",
            cure=f"ask for at least {len(found)} grids, or name fewer",
        )
    return found


def order_of(goals: Goals, names: Sequence[str], source: str) -> list[int]:
    """Row of the targets for each grid.

    Raises
    ------
    InvalidInput
        Grids have codes and the targets name none or others.
    """
    if not names:
        return list(range(len(goals.grids)))
    if set(goals.grids) != set(names):
        strange = sorted(set(goals.grids) ^ set(names))
        raise InvalidInput(
            f"grid {strange[-1]!r} is not in both the targets and what else names the grids"
            if any(goals.grids)
            else "the grids have names but the targets do not say which row is whose",
            source=source,
            field="grid",
            cure=f"give one row for each of {', '.join(names[:_NAMED])}",
        )
    return [goals.grids.index(name) for name in names]


def fix(problem: Problem, holds: Holds) -> Fixed:
    """Give every seed and lock its grid.

    Raises
    ------
    InvalidInput
        A row that does not say its grid, or contradicts another row, a carve-out or the nesting.
    """
    locked = {lock.cell: _lock_grid(lock, holds) for lock in holds.locks}
    of_seed = _seed_grids(problem.k, holds, locked)
    cell, radius = np.full(problem.k, -1, np.int64), np.full(problem.k, np.inf)
    for seed in holds.seeds:
        if (grid := of_seed.get(seed.row, -1)) >= 0:
            cell[grid], radius[grid] = seed.cell, seed.radius
            if locked.get(seed.cell, grid) != grid:
                said = "the cell is locked to another grid than the seed's"
                raise seed.fault("cell", said, "take the lock away or name the same grid")
    if problem.parent is not None:
        _require_nested(problem.parent, holds, of_seed, locked)
    anchor = np.full(problem.n, -1, np.int32)
    anchor[list(locked)] = list(locked.values())
    pins = Pins(cell, radius, holds.pull) if of_seed else None
    return Fixed(anchor if locked else None, pins, of_seed)


def _lock_grid(lock: Lock, holds: Holds) -> int:
    if holds.carved[lock.cell]:
        raise lock.fault("cell", "the locked cell is carved out", "take lock or carve-out away")
    if lock.grid:
        return holds.names.index(lock.grid)
    if holds.home is None:
        said = "the lock names no grid and there is no old plan"
        raise lock.fault("grid", said, "name a grid, or give the old plan")
    if holds.home[lock.cell] < 0:
        said = "the cell has no grid in the old plan"
        raise lock.fault("grid", said, "name the grid it must be in")
    return int(holds.home[lock.cell])


def _seed_grids(k: int, holds: Holds, locked: dict[int, int]) -> dict[int, int]:
    """Grid of each seed by its row; candidates for which there is none are left out."""
    grids = {seed.row: holds.names.index(seed.grid) for seed in holds.seeds if seed.grid}
    free = list(range(len(holds.names), k)) if holds.home is None and holds.alike else []
    for seed in sorted(holds.seeds, key=lambda seed: (not seed.required, seed.row)):
        if seed.row in grids:
            continue
        grid = locked.get(seed.cell, -1 if holds.home is None else int(holds.home[seed.cell]))
        if grid < 0 and free:
            grid = free.pop(0)
        if grid >= 0 and grid not in grids.values():
            grids[seed.row] = grid
        elif seed.required:
            said = "the seed does not say which grid is built round it"
            if grid >= 0:
                said = f"grid {holds.names[grid]!r}, in which the seed lies, has another seed"
            raise seed.fault("grid", said, "name its grid")
    return grids


def _require_nested(
    parent: NDArray[np.int32], holds: Holds, of_seed: dict[int, int], locked: dict[int, int]
) -> None:
    first: dict[int, tuple[int, str]] = {}
    items: list[tuple[Seed | Lock, int]] = [(s, of_seed[s.row]) for s in holds.seeds if s.row in of_seed]
    items += [(lock, locked[lock.cell]) for lock in holds.locks]
    for item, grid in items:
        where = f"{item.source}, row {item.row}"
        before = first.setdefault(grid, (int(parent[item.cell]), where))
        if before[0] != parent[item.cell]:
            said = f"the cell lies in another district than that of {before[1]}, for the same grid"
            raise item.fault("cell", said, "change one of the two rows: a grid keeps to one district")
