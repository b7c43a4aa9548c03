"""Compiled loops of the engine: annealed moves of cells between grids which stay connected.

Imported by `solve` only when it runs, so that a process which never solves never loads numba. Passing few
arrays and having few ways in from Python keep a cold start short.
"""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.arrays import (
    AREA,
    DEMAND,
    FIXED,
    HIGH,
    LOW,
    MEASURES,
    OUTLINE,
    PULL,
    RINGED,
    STEEP,
    TARGET,
    State,
    World,
)
from gridsvc.balance.compiled import Int, inner, jit

__all__ = [
    "MASK_BITS", "cost", "extra", "other_grid", "random", "recount", "ring_masks", "strain", "sweep", "warm",
]  # fmt: skip

MASK_BITS = 62  # neighbours a mask can tell apart; cells with more are judged by search alone

_CHAIN = 4  # moves in an ejection chain
_TRIES = 8  # cells looked at for the next move of a chain
_BEYOND = 4.0  # price of a cell at sqrt(2) times the radius of its grid's seed


@inner
def random(state: NDArray[np.uint64]) -> float:
    """A number in (0, 1): xorshift64 (Marsaglia 2003), so that a seed means the same everywhere."""
    s = state[0]
    s ^= s << np.uint64(13)
    s ^= s >> np.uint64(7)
    s ^= s << np.uint64(17)
    state[0] = s
    return (np.float64(s >> np.uint64(11)) + 0.5) * 1.1102230246251565e-16


@inner
def below(state: NDArray[np.uint64], end: Int) -> Int:
    """One of 0..end-1, for an end far below 2 ** 32 (Lemire 2019, without his correction)."""
    s = state[0]
    s ^= s << np.uint64(13)
    s ^= s >> np.uint64(7)
    s ^= s << np.uint64(17)
    state[0] = s
    return np.int64(((s >> np.uint64(32)) * np.uint64(end)) >> np.uint64(32))


@inner
def _reached(start: Any, end: Any, masks: NDArray[np.int64], mine: Any) -> bool:
    """Whether the neighbours in the bits of `mine` reach each other through each other."""
    reach = mine & -mine
    before = 0 * mine
    while reach not in (before, mine):
        before = reach
        for e in range(start, end):
            if (reach >> (e - start)) & 1:
                reach |= masks[e] & mine
    return bool(reach == mine)


@jit
def ring_masks(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    masks: NDArray[np.int64],
    flags: NDArray[np.uint8],
    place: NDArray[np.int64],
) -> None:
    """For each neighbour of each cell, tell which other neighbours of that cell it touches, as bits.

    Parameters
    ----------
    indptr : int64 array, shape (n + 1,)
    indices : int32 array, shape (n_links,)
    masks : int64 array, shape (n_links,), all 0; filled
        Bit q of entry ``indptr[i] + p``: neighbours p and q of cell i touch. 0 where a cell has too many.
    flags : uint8 array, shape (n,); RINGED is set
        Where the neighbours of a cell stand round it in one closed ring.
    place : int64 array, shape (n,), all -1; left as it was
    """
    for i in range(len(indptr) - 1):
        start, end = indptr[i], indptr[i + 1]
        if end - start > MASK_BITS:
            continue
        for e in range(start, end):
            place[indices[e]] = e - start
        ringed = end > start
        for e in range(start, end):
            j = indices[e]
            touched = 0
            for f in range(indptr[j], indptr[j + 1]):
                q = place[indices[f]]
                if q >= 0:
                    masks[e] |= np.int64(1) << q
                    touched += 1
            ringed &= touched == 2
        for e in range(start, end):
            place[indices[e]] = -1
        if ringed and _reached(start, end, masks, (np.int64(1) << (end - start)) - 1):
            flags[i] |= np.uint8(RINGED)


@inner
def strain(g: Int, tally: NDArray[np.float64], row: Int, world: World) -> float:
    """Price of the totals in ``tally[row]`` for grid `g`: quadratic within the limits and steep beyond."""
    weight, band = world.weight, world.band
    balance = 0.0
    for j in range(band.shape[1]):
        total = tally[row, MEASURES + j]
        z = (total - band[g, j, TARGET]) * band[g, j, PULL]
        balance += weight[4] * z * z
        over = max(band[g, j, LOW] - total, total - band[g, j, HIGH]) * band[g, j, STEEP] + weight[6]
        if over > 0:
            balance += weight[5] * over * (1 + over)
    return balance


@inner
def cost(g: Int, tally: NDArray[np.float64], row: Int, world: World, press: float) -> tuple[float, float]:
    """Compactness and balance cost of grid `g` if `tally[row]` were its tally.

    Compactness is area inertia over that of a disc, outline over that of a disc, and demand inertia, each
    times its weight. Balance is the strain of all measures times the pressure on the grid.
    """
    weight = world.weight
    area, p, demand = tally[row, AREA], tally[row, OUTLINE], tally[row, DEMAND]
    compact = weight[3] * p
    if area > 0:
        x, y = tally[row, AREA + 1], tally[row, AREA + 2]
        inertia = tally[row, AREA + 3] - (x * x + y * y) / area
        compact += weight[0] * 6.283185307179586 * inertia / (area * area)
        compact += weight[1] * p / np.sqrt(12.566370614359172 * area)
    if demand > 0:
        x, y = tally[row, DEMAND + 1], tally[row, DEMAND + 2]
        compact += weight[2] * (tally[row, DEMAND + 3] - (x * x + y * y) / demand)
    return compact, strain(g, tally, row, world) * press


@inner
def extra(i: Int, g: Int, world: World) -> float:
    """What cell `i` costs in grid `g` beside what the grids' sums tell: for not being at home, and for the
    way to the seed.
    """
    own, pins = world.own, world.pins
    cost = 0.0
    if world.home[i] >= 0 and world.home[i] != g:
        cost = own[i, 2]
    if pins[g, 2] > 0 or pins[g, 3] < np.inf:
        squared = (own[i, 0] - pins[g, 0]) ** 2 + (own[i, 1] - pins[g, 1]) ** 2
        cost += pins[g, 2] * 6.283185307179586 * world.cells[i, AREA] * squared
        if squared > pins[g, 3]:
            cost += _BEYOND * (squared / pins[g, 3] - 0.9)
    return cost


@jit
def recount(world: World, state: State) -> None:
    """Sum everything afresh from the labels: a tally moved cell by cell drifts."""
    labels, tally, foreign, size, gone = state.labels, state.tally, state.foreign, state.size, state.gone
    indptr, indices, cells = world.indptr, world.indices, world.cells
    for g in range(len(size)):
        size[g] = 0
        for c in range(cells.shape[1]):
            tally[g, c] = 0
    gone[0] = gone[1] = 0.0
    for i in range(len(labels)):
        a = np.int64(labels[i])
        size[a] += 1
        foreign[i] = 0
        for c in range(cells.shape[1]):
            tally[a, c] += cells[i, c]
        for e in range(indptr[i], indptr[i + 1]):
            if labels[indices[e]] == a:
                tally[a, OUTLINE] -= world.border[e]
            else:
                foreign[i] += 1
        if world.special:
            gone[1] += extra(i, a, world)
            if world.home[i] >= 0 and world.home[i] != a:
                gone[0] += world.own[i, 3]
    price = state.price
    for g in range(len(size)):
        price[g, 0], price[g, 1] = cost(g, tally, g, world, price[g, 2])


@inner
def _try(i: Int, b: Int, world: World, state: State) -> tuple[float, float]:
    """Change of (compactness, balance) cost if cell `i` went to grid `b`."""
    labels, cells, tally, price, after = state.labels, world.cells, state.tally, state.price, state.scratch
    a = np.int64(labels[i])
    with_a, with_b = 0.0, 0.0
    for e in range(world.indptr[i], world.indptr[i + 1]):
        g = labels[world.indices[e]]
        if g == a:
            with_a += world.border[e]
        elif g == b:
            with_b += world.border[e]
    for c in range(cells.shape[1]):
        after[0, c] = tally[a, c] - cells[i, c]
        after[1, c] = tally[b, c] + cells[i, c]
    after[0, OUTLINE] += 2 * with_a
    after[1, OUTLINE] -= 2 * with_b
    ca, ba = cost(a, after, 0, world, price[a, 2])
    cb, bb = cost(b, after, 1, world, price[b, 2])
    compact = ca + cb - price[a, 0] - price[b, 0]
    if world.special:
        compact += extra(i, b, world) - extra(i, a, world)
    return compact, ba + bb - price[a, 1] - price[b, 1]


@inner
def _flip(i: Int, b: Int, world: World, state: State) -> None:
    """Give cell `i` to grid `b` and keep all sums in step."""
    labels, cells, tally, foreign = state.labels, world.cells, state.tally, state.foreign
    a = np.int64(labels[i])
    with_a, with_b = 0.0, 0.0
    for e in range(world.indptr[i], world.indptr[i + 1]):
        j = world.indices[e]
        g = labels[j]
        if g == a:
            with_a += world.border[e]
            foreign[j] += 1
            foreign[i] += 1
        elif g == b:
            with_b += world.border[e]
            foreign[j] -= 1
            foreign[i] -= 1
    if world.special:
        state.gone[1] += extra(i, b, world) - extra(i, a, world)
        if world.home[i] >= 0:
            state.gone[0] += world.own[i, 3] * (int(world.home[i] != b) - int(world.home[i] != a))
    labels[i] = b
    state.size[a] -= 1
    state.size[b] += 1
    for c in range(cells.shape[1]):
        tally[a, c] -= cells[i, c]
        tally[b, c] += cells[i, c]
    tally[a, OUTLINE] += 2 * with_a
    tally[b, OUTLINE] -= 2 * with_b
    price = state.price
    price[a, 0], price[a, 1] = cost(a, tally, a, world, price[a, 2])
    price[b, 0], price[b, 1] = cost(b, tally, b, world, price[b, 2])


@inner
def _found_by_search(i: Int, wanted: Int, world: World, state: State) -> bool:
    """Whether the `wanted` neighbours in the grid of cell `i` meet in a search of the grid without it."""
    labels, search = state.labels, state.search
    indptr, indices = world.indptr, world.indices
    g, start, end = labels[i], indptr[i], indptr[i + 1]
    state.notes[0] += 2
    now = state.notes[0]  # now: to be found, now + 1: found
    first = np.int64(-1)
    for e in range(start, end):
        j = np.int64(indices[e])
        if labels[j] == g:
            search[0, j] = now
            first = j
    search[0, i] = now + 1
    search[0, first] = now + 1
    search[1, 0] = first
    head, tail, found = 0, 1, 1
    while head < tail and found < wanted and tail < world.reach:
        c = search[1, head]
        head += 1
        for e in range(indptr[c], indptr[c + 1]):
            j = np.int64(indices[e])
            if labels[j] == g and search[0, j] != now + 1:
                if search[0, j] == now:
                    found += 1
                search[0, j] = now + 1
                search[1, tail] = j
                tail += 1
    return found == wanted


@inner
def _may(i: Int, b: Int, world: World, state: State) -> bool:
    """Whether cell `i` may go to grid `b`: the allowance of moved load holds and its grid stays whole.

    The neighbours in its grid must reach each other: through each other (bits), or else, where the cell lies
    at a barrier, a coast or a hole, within a search over at most `World.reach` cells of the grid. Within a
    closed ring of neighbours only a grid which surrounds another can pass, and only `World.thorough` looks.
    """
    labels, indptr, indices = state.labels, world.indptr, world.indices
    g = labels[i]
    if state.size[g] < 2:
        return False
    if world.special and world.home[i] == g and state.gone[0] + world.own[i, 3] > world.pins[b, 4]:
        return False
    start, end = indptr[i], indptr[i + 1]
    wanted = np.int64(0)
    mine: Any = np.int64(0)
    for e in range(start, end):
        if labels[indices[e]] == g:
            wanted += 1
            mine |= np.int64(1) << min(e - start, np.int64(MASK_BITS))
    if end - start <= MASK_BITS:
        if _reached(start, end, world.masks, mine):
            return bool(wanted > 0)
        if world.flags[i] & RINGED and not world.thorough:
            return False
    return _found_by_search(i, wanted, world, state)


@inner
def other_grid(i: Int, world: World, state: State) -> Int:
    """The grid of a random neighbour of cell `i` in another grid; needs one."""
    labels = state.labels
    skip = below(state.rng, state.foreign[i])
    a = labels[i]
    for e in range(world.indptr[i], world.indptr[i + 1]):
        g = labels[world.indices[e]]
        if g != a:
            if skip <= 0:
                return np.int64(g)
            skip -= 1
    return np.int64(a)


@inner
def _deepest(i: Int, circles: NDArray[np.float64], world: World, state: State) -> Int:
    """Of the grids at cell `i`, the one in whose circle (x, y, squared radius) it lies deepest."""
    labels, own = state.labels, world.own
    best = np.int64(labels[i])
    x, y = own[i, 0], own[i, 1]
    least = (x - circles[best, 0]) ** 2 + (y - circles[best, 1]) ** 2 - circles[best, 2]
    for e in range(world.indptr[i], world.indptr[i + 1]):
        g = np.int64(labels[world.indices[e]])
        if g != best:
            far = (x - circles[g, 0]) ** 2 + (y - circles[g, 1]) ** 2 - circles[g, 2]
            if far < least:
                least, best = far, g
    return best


@jit
def sweep(
    world: World,
    state: State,
    hot: float,
    cold: float,
    sweeps: int,
    chains: bool,
    steps: NDArray[np.float64],
    circles: NDArray[np.float64],
) -> int:
    """Look at each border cell `sweeps` times and move it, never breaking a grid.

    Without circles the moves are annealed: the temperature falls from `hot` to `cold`, and by Metropolis'
    rule a move which raises the cost by d is kept with probability exp(-d / temperature). With circles a cell
    goes to the neighbouring grid in whose circle it lies deepest: a step of Lloyd's algorithm for power
    diagrams (Aurenhammer, Hoffmann and Aronov 1998) by border moves alone, which respects barriers.

    Parameters
    ----------
    chains : bool
        Whether moves refused for balance are tried as an ejection chain.
    steps : float64 array, shape (n,) or (0,)
        Filled with the change of compactness of the last move proposed for each border cell.
    circles : float64 array, shape (k, 3) or (0, 3)
        x, y and squared radius, in the world's unit of length.

    Returns
    -------
    int
        Moves kept.
    """
    labels, moved, indptr = state.labels, state.notes, world.indptr
    n = len(labels)
    kept = 0
    heat = hot
    ratio = (cold / hot) ** (1.0 / max(1, sweeps - 1))
    for s in range(sweeps):
        for step in range(n):
            i = step if s % 2 == 0 else n - 1 - step
            if state.foreign[i] == 0 or world.flags[i] & FIXED:
                continue
            if len(circles):
                b = _deepest(i, circles, world, state)
                if b != labels[i] and _may(i, b, world, state):
                    _flip(i, b, world, state)
                    kept += 1
                continue
            # A chain of moves: each next cell is given away by the grid which last gained, until the whole
            # pays. Most chains end with their first move.
            most, total, depth = -heat * np.log(random(state.rng)), 0.0, 0
            j, last = np.int64(i), np.int64(labels[i])
            while True:
                best, compact, cell, to = np.inf, 0.0, np.int64(-1), np.int64(-1)
                for _ in range(_TRIES if depth else 1):
                    if depth:
                        start, end = indptr[j], indptr[j + 1]
                        j = np.int64(world.indices[start + below(state.rng, end - start)])
                        known = labels[j] != last or state.foreign[j] == 0 or world.flags[j] & FIXED != 0
                        for d in range(depth):
                            known |= moved[1 + d] == j
                        if known:
                            continue
                    c = other_grid(j, world, state)
                    shape, balance = _try(j, c, world, state)
                    if shape + balance < best:
                        best, compact, cell, to = shape + balance, shape, j, np.int64(c)
                total += best
                if depth == 0:
                    if len(steps):
                        steps[i] = compact
                    if total > most and (compact > most or not chains):
                        break
                elif cell < 0 or (depth == _CHAIN - 1 and total > most):
                    break
                if not _may(cell, to, world, state):
                    break
                moved[1 + depth], moved[5 + depth] = cell, labels[cell]
                _flip(cell, to, world, state)
                depth += 1
                if total <= most:
                    kept += 1
                    depth = 0
                    break
                if depth == _CHAIN:
                    break
                j, last = cell, to
            while depth > 0:
                depth -= 1
                _flip(moved[1 + depth], moved[5 + depth], world, state)
        heat *= ratio
    return kept


def warm() -> None:
    """Compile the kernels, or load them from numba's cache, so that a solve's own time can be told."""
    from gridsvc.balance.cuts import whole_sides
    from gridsvc.balance.world import tiny

    collecting = gc.isenabled()
    gc.disable()  # the compiler makes millions of small objects which live on; a tenth of the time
    try:
        world, state = tiny()
        sweep(world, state, 1.0, 0.5, 1, True, np.zeros(0), np.zeros((0, 3)))
        whole_sides(np.arange(2), 1, np.ones(2), world.indptr, world.indices, np.array([1, 2]), state.search)
    finally:
        if collecting:
            gc.enable()
