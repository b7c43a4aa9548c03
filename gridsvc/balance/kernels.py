"""Compiled loops of the engine: annealed moves of cells between grids which stay connected.

Imported by `solve` only when it runs, so that a process which never solves never loads numba.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["MASK_BITS", "State", "World", "neighbour_masks", "probe", "recount", "relax", "sweep", "warm"]

MASK_BITS = 62  # neighbours a mask can tell apart; cells with more are judged by search alone

_CHAIN = 4  # moves in an ejection chain
_TRIES = 8  # cells looked at for the next move of a chain


class World(NamedTuple):
    """What does not change while cells move, for n cells, k grids and m measures.

    Attributes
    ----------
    indptr, indices : int64, shape (n + 1,) and int32, shape (n_links,)
        Pairs of cells which may share a grid, each standing twice.
    masks, ringed : int64, shape (n_links,) and bool, shape (n,)
        As `neighbour_masks` gives them.
    border : float64, shape (n_links,)
        Shared border lengths.
    perimeter : float64, shape (n,)
    cells : float64, shape (n, 8 + m)
        What a cell adds to its grid: area, area * x, area * y, area inertia about the origin, demand,
        demand * x, demand * y, demand inertia about the origin, then the measures.
    target, scale : float64, shape (k, m)
        Wanted totals, and what turns a difference from them into tolerances.
    fixed : bool, shape (n,)
        Cells which keep their grid.
    weight : float64, shape (7,)
        Of area inertia, outline as a shape, demand inertia, outline as a length, squared deviation and
        deviation beyond the edge; then the edge, the share of the tolerance from which prices are steep.
    reach : int
        Cells a search may look at before a move is taken to break its grid.
    thorough : bool
        Whether cells within a closed ring of neighbours are worth a search too.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    masks: NDArray[np.int64]
    ringed: NDArray[np.bool_]
    border: NDArray[np.float64]
    perimeter: NDArray[np.float64]
    cells: NDArray[np.float64]
    target: NDArray[np.float64]
    scale: NDArray[np.float64]
    fixed: NDArray[np.bool_]
    weight: NDArray[np.float64]
    reach: int
    thorough: bool


class State(NamedTuple):
    """Labels, the sums that follow from them, and room to work in.

    Attributes
    ----------
    labels : int32, shape (n,)
    tally : float64, shape (k, 8 + m)
        `World.cells` summed over each grid.
    outline : float64, shape (k,)
    size : int64, shape (k,)
        Cells of each grid.
    price : float64, shape (k, 2)
        Present cost of each grid: compactness, balance.
    press : float64, shape (k,)
        How much dearer than usual a grid's deviations are.
    foreign : int32, shape (n,)
        Neighbours in other grids.
    rng : uint64, shape (1,)
        Never 0.
    scratch : float64, shape (2, 8 + m)
    seen, queue : int64, shape (n,)
    clock : int64, shape (1,)
    moved, came : int64, shape (4,)
    """

    labels: NDArray[np.int32]
    tally: NDArray[np.float64]
    outline: NDArray[np.float64]
    size: NDArray[np.int64]
    price: NDArray[np.float64]
    press: NDArray[np.float64]
    foreign: NDArray[np.int32]
    rng: NDArray[np.uint64]
    scratch: NDArray[np.float64]
    seen: NDArray[np.int64]
    queue: NDArray[np.int64]
    clock: NDArray[np.int64]
    moved: NDArray[np.int64]
    came: NDArray[np.int64]


_F = TypeVar("_F", bound=Callable[..., Any])
_Int = int | np.integer[Any]


def _jit(function: _F) -> _F:
    """Compile for callers in Python; the cache is where NUMBA_CACHE_DIR says."""
    return cast(_F, njit(cache=True, nogil=True, error_model="numpy")(function))


def _inner(function: _F) -> _F:
    """Compile for other kernels alone: without a way in from Python, which takes most of the time."""
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast(_F, njit(cache=True, nogil=True, error_model="numpy", **options)(function))


@_inner
def _random(state: NDArray[np.uint64]) -> float:
    """A number in (0, 1): xorshift64 (Marsaglia 2003), so that a seed means the same everywhere."""
    s = state[0]
    s ^= s << np.uint64(13)
    s ^= s >> np.uint64(7)
    s ^= s << np.uint64(17)
    state[0] = s
    return (np.float64(s >> np.uint64(11)) + 0.5) * 1.1102230246251565e-16


@_inner
def _bits(word: _Int) -> int:
    """Number of bits set."""
    count = 0
    while word:
        word &= word - 1
        count += 1
    return count


@_inner
def _reached(start: _Int, end: _Int, masks: NDArray[np.int64], mine: _Int) -> bool:
    """Whether the neighbours in the bits of `mine` reach each other through each other."""
    reach = mine & -mine
    before = 0 * mine
    while reach not in (before, mine):
        before = reach
        for e in range(start, end):
            if (reach >> (e - start)) & 1:
                reach |= masks[e] & mine
    return reach == mine


@_jit
def neighbour_masks(
    indptr: NDArray[np.int64], indices: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """For each neighbour of each cell, which other neighbours of that cell it touches, as bits.

    Parameters
    ----------
    indptr : int64 array, shape (n + 1,)
    indices : int32 array, shape (n_links,)

    Returns
    -------
    int64 array, shape (n_links,)
        Bit q of entry ``indptr[i] + p``: neighbours p and q of cell i touch. 0 where a cell has too many.
    bool array, shape (n,)
        Whether the neighbours of a cell stand round it in one closed ring.
    """
    n = len(indptr) - 1
    masks = np.zeros(len(indices), np.int64)
    ringed = np.zeros(n, np.bool_)
    place = np.full(n, -1, np.int64)
    for i in range(n):
        start, end = indptr[i], indptr[i + 1]
        if end - start > MASK_BITS:
            continue
        for e in range(start, end):
            place[indices[e]] = e - start
        for e in range(start, end):
            j = indices[e]
            for f in range(indptr[j], indptr[j + 1]):
                q = place[indices[f]]
                if q >= 0:
                    masks[e] |= np.int64(1) << q
        two = end > start
        for e in range(start, end):
            place[indices[e]] = -1
            two &= masks[e] != 0 and _bits(masks[e]) == 2
        ringed[i] = two and _reached(start, end, masks, (np.int64(1) << (end - start)) - 1)
    return masks, ringed


@_inner
def _cost(
    t: NDArray[np.float64],
    p: float,
    target: NDArray[np.float64],
    scale: NDArray[np.float64],
    press: float,
    weight: NDArray[np.float64],
) -> tuple[float, float]:
    """Compactness and balance cost of one grid whose tally is `t` and whose outline is `p`.

    Compactness is area inertia over that of a disc, outline over that of a disc, and demand inertia, each
    times its weight. Balance is quadratic up to the tolerance and steep beyond (deviations in tolerances).
    """
    compact = weight[3] * p
    area = t[0]
    if area > 0:
        compact += weight[0] * 6.283185307179586 * (t[3] - (t[1] * t[1] + t[2] * t[2]) / area) / (area * area)
        compact += weight[1] * p / np.sqrt(12.566370614359172 * area)
    if t[4] > 0:
        compact += weight[2] * (t[7] - (t[5] * t[5] + t[6] * t[6]) / t[4])
    balance = 0.0
    for j in range(len(target)):
        z = abs(t[8 + j] - target[j]) * scale[j]
        over = z - weight[6]
        balance += weight[4] * z * z
        if over > 0:
            balance += weight[5] * over * (1 + over)
    return compact, balance * press


@_inner
def _set_price(g: _Int, world: World, state: State) -> None:
    """Bring the price of grid `g` in step with its tally."""
    compact, balance = _cost(
        state.tally[g], state.outline[g], world.target[g], world.scale[g], state.press[g], world.weight
    )
    state.price[g, 0] = compact
    state.price[g, 1] = balance


@_jit
def recount(world: World, state: State) -> None:
    """Sum everything afresh from the labels: a tally moved cell by cell drifts."""
    labels, tally, outline = state.labels, state.tally, state.outline
    foreign, size = state.foreign, state.size
    indptr, indices, cells = world.indptr, world.indices, world.cells
    tally[:] = 0
    outline[:] = 0
    size[:] = 0
    for i in range(len(labels)):
        g = labels[i]
        size[g] += 1
        outline[g] += world.perimeter[i]
        foreign[i] = 0
        for c in range(cells.shape[1]):
            tally[g, c] += cells[i, c]
        for e in range(indptr[i], indptr[i + 1]):
            if labels[indices[e]] == g:
                outline[g] -= world.border[e]
            else:
                foreign[i] += 1
    for g in range(len(size)):
        _set_price(g, world, state)


@_inner
def _try(i: _Int, b: _Int, world: World, state: State) -> tuple[float, float]:
    """Change of (compactness, balance) cost if cell `i` went to grid `b`."""
    labels, cells, tally, price = state.labels, world.cells, state.tally, state.price
    a = labels[i]
    with_a, with_b = 0.0, 0.0
    for e in range(world.indptr[i], world.indptr[i + 1]):
        g = labels[world.indices[e]]
        if g == a:
            with_a += world.border[e]
        elif g == b:
            with_b += world.border[e]
    left, right = state.scratch[0], state.scratch[1]
    for c in range(cells.shape[1]):
        left[c] = tally[a, c] - cells[i, c]
        right[c] = tally[b, c] + cells[i, c]
    out = state.outline[a] - world.perimeter[i] + 2 * with_a
    into = state.outline[b] + world.perimeter[i] - 2 * with_b
    ca, ba = _cost(left, out, world.target[a], world.scale[a], state.press[a], world.weight)
    cb, bb = _cost(right, into, world.target[b], world.scale[b], state.press[b], world.weight)
    return ca + cb - price[a, 0] - price[b, 0], ba + bb - price[a, 1] - price[b, 1]


@_inner
def _flip(i: _Int, b: _Int, world: World, state: State) -> None:
    """Give cell `i` to grid `b` and keep all sums in step."""
    labels, cells, tally, foreign = state.labels, world.cells, state.tally, state.foreign
    a = labels[i]
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
    labels[i] = b
    state.size[a] -= 1
    state.size[b] += 1
    state.outline[a] += 2 * with_a - world.perimeter[i]
    state.outline[b] += world.perimeter[i] - 2 * with_b
    for c in range(cells.shape[1]):
        tally[a, c] -= cells[i, c]
        tally[b, c] += cells[i, c]
    _set_price(a, world, state)
    _set_price(b, world, state)


@_inner
def _found_by_search(i: _Int, wanted: _Int, world: World, state: State) -> bool:
    """Whether the `wanted` neighbours in the grid of cell `i` meet in a search of the grid without it."""
    labels, seen, queue, clock = state.labels, state.seen, state.queue, state.clock
    indptr, indices = world.indptr, world.indices
    g, start, end = labels[i], indptr[i], indptr[i + 1]
    clock[0] += 2
    now = clock[0]  # now: to be found, now + 1: found
    first = -1
    for e in range(start, end):
        j = indices[e]
        if labels[j] == g:
            seen[j] = now
            first = j
    seen[i] = now + 1
    seen[first] = now + 1
    queue[0] = first
    head, tail, found = 0, 1, 1
    while head < tail and found < wanted and tail < world.reach:
        c = queue[head]
        head += 1
        for e in range(indptr[c], indptr[c + 1]):
            j = indices[e]
            if labels[j] == g and seen[j] != now + 1:
                if seen[j] == now:
                    found += 1
                seen[j] = now + 1
                queue[tail] = j
                tail += 1
    return found == wanted


@_inner
def _whole_without(i: _Int, world: World, state: State) -> bool:
    """Whether the grid of cell `i` has cells left and hangs together without it.

    The neighbours in the grid must reach each other: through each other (bits), or else, where the cell lies
    at a barrier, a coast or a hole, within a search over at most `World.reach` cells of the grid. Within a
    closed ring of neighbours only a grid which surrounds another can pass, and only `World.thorough` looks.
    """
    labels, indptr, indices, masks = state.labels, world.indptr, world.indices, world.masks
    g = labels[i]
    if state.size[g] < 2:
        return False
    start, end = indptr[i], indptr[i + 1]
    wanted = np.int64(0)
    if end - start <= MASK_BITS:
        mine = np.int64(0)
        for e in range(start, end):
            if labels[indices[e]] == g:
                mine |= np.int64(1) << (e - start)
                wanted += 1
        if _reached(int(start), int(end), masks, mine):
            return bool(wanted > 0)
        if world.ringed[i] and not world.thorough:
            return False
    else:
        for e in range(start, end):
            if labels[indices[e]] == g:
                wanted += 1
    return _found_by_search(i, wanted, world, state)


@_inner
def _other_grid(i: _Int, world: World, state: State) -> _Int:
    """The grid of a random neighbour of cell `i` in another grid; needs one."""
    labels = state.labels
    skip = np.int64(_random(state.rng) * state.foreign[i])
    a = labels[i]
    for e in range(world.indptr[i], world.indptr[i + 1]):
        g = labels[world.indices[e]]
        if g != a:
            if skip <= 0:
                return np.int64(g)
            skip -= 1
    return np.int64(a)


@_inner
def _chain(i: _Int, b: _Int, most: float, world: World, state: State) -> bool:
    """Give `i` to `b`, then pass cells on from the grid which last gained until the whole pays, or undo it.

    Returns whether the moves were kept: their cost together is at most `most`.
    """
    if not _whole_without(i, world, state):
        return False
    labels, indptr, moved, came = state.labels, world.indptr, state.moved, state.came
    total = 0.0
    depth = 0
    cell, to = np.int64(i), np.int64(b)
    compact, balance = _try(cell, to, world, state)
    while True:
        total += compact + balance
        moved[depth], came[depth] = cell, labels[cell]
        _flip(cell, to, world, state)
        depth += 1
        if total <= most:
            return True
        if depth == _CHAIN:
            break
        last = labels[cell]
        best, best_cell, best_to = np.inf, np.int64(-1), np.int64(-1)
        j = cell
        for _ in range(_TRIES):
            start, end = indptr[j], indptr[j + 1]
            j = np.int64(world.indices[start + np.int64(_random(state.rng) * (end - start))])
            if labels[j] != last or state.foreign[j] == 0 or world.fixed[j]:
                continue
            known = False
            for d in range(depth):
                known |= moved[d] == j
            if known:
                continue
            c = _other_grid(j, world, state)
            dc, db = _try(j, c, world, state)
            if dc + db < best:
                best, best_cell, best_to = dc + db, j, np.int64(c)
                compact, balance = dc, db
        if best_cell < 0 or (depth == _CHAIN - 1 and total + best > most):
            break
        if not _whole_without(best_cell, world, state):
            break
        cell, to = best_cell, best_to
    while depth > 0:
        depth -= 1
        _flip(moved[depth], came[depth], world, state)
    return False


@_jit
def probe(world: World, state: State) -> NDArray[np.float64]:
    """Change of compactness for one possible move of each border cell, 0 elsewhere: float64, shape (n,)."""
    steps = np.zeros(len(state.labels))
    for i in range(len(steps)):
        if state.foreign[i] > 0 and not world.fixed[i]:
            steps[i], _ = _try(i, _other_grid(i, world, state), world, state)
    return steps


@_jit
def relax(
    world: World, state: State, centre: NDArray[np.float64], power: NDArray[np.float64], sweeps: int
) -> int:
    """Give border cells to the neighbouring grid whose circle they lie deepest in, never breaking a grid.

    One step of Lloyd's algorithm for power diagrams (Aurenhammer, Hoffmann and Aronov 1998), done by border
    moves alone, so that barriers are respected and every grid stays connected.

    Parameters
    ----------
    centre : float64 array, shape (k, 2), in the world's unit of length
    power : float64 array, shape (k,), squared radius of each grid's circle

    Returns
    -------
    int
        Moves made.
    """
    labels, cells = state.labels, world.cells
    made = 0
    for s in range(sweeps):
        for step in range(len(labels)):
            i = step if s % 2 == 0 else len(labels) - 1 - step
            if state.foreign[i] == 0 or world.fixed[i] or cells[i, 0] <= 0:
                continue
            x, y = cells[i, 1] / cells[i, 0], cells[i, 2] / cells[i, 0]
            a = np.int64(labels[i])
            best = a
            least = (x - centre[a, 0]) ** 2 + (y - centre[a, 1]) ** 2 - power[a]
            for e in range(world.indptr[i], world.indptr[i + 1]):
                g = np.int64(labels[world.indices[e]])
                if g not in (a, best):
                    far = (x - centre[g, 0]) ** 2 + (y - centre[g, 1]) ** 2 - power[g]
                    if far < least:
                        least, best = far, g
            if best != a and _whole_without(i, world, state):
                _flip(i, best, world, state)
                made += 1
    return made


@_jit
def sweep(world: World, state: State, hot: float, cold: float, sweeps: int, chains: float) -> int:
    """Propose a move for each border cell, `sweeps` times, while the temperature falls from `hot` to `cold`.

    Metropolis' rule: a move which raises the cost by d is kept with probability exp(-d / temperature).
    `chains` is the share of moves refused for balance which are tried as an ejection chain.

    Returns
    -------
    int
        Moves kept.
    """
    n = len(state.labels)
    kept = 0
    heat = hot
    ratio = (cold / hot) ** (1.0 / max(1, sweeps - 1))
    for s in range(sweeps):
        for step in range(n):
            i = step if s % 2 == 0 else n - 1 - step
            if state.foreign[i] == 0 or world.fixed[i]:
                continue
            b = _other_grid(i, world, state)
            most = -heat * np.log(_random(state.rng))
            compact, balance = _try(i, b, world, state)
            if compact + balance <= most:
                if _whole_without(i, world, state):
                    _flip(i, b, world, state)
                    kept += 1
            elif compact <= most and _random(state.rng) < chains:
                kept += _chain(i, b, most, world, state)
        heat *= ratio
    return kept


def warm() -> None:
    """Compile the kernels, or load them from numba's cache, so that a solve's own time can be told."""
    indptr, indices = np.array([0, 1, 2], np.int64), np.array([1, 0], np.int32)
    masks, ringed = neighbour_masks(indptr, indices)
    one, row, rows = np.ones(2), np.ones((2, 9)), np.ones((2, 1))
    none, four = np.zeros(2, np.int64), np.zeros(4, np.int64)
    world = World(
        indptr, indices, masks, ringed, one, one, row, rows, rows, np.zeros(2, np.bool_), np.ones(7), 1, False
    )
    state = State(
        np.array([0, 1], np.int32), row.copy(), one.copy(), none.copy(), rows.repeat(2, axis=1), one.copy(),
        np.zeros(2, np.int32), np.ones(1, np.uint64), row.copy(), none.copy(), none.copy(),
        np.zeros(1, np.int64), four, four.copy(),
    )  # fmt: skip
    recount(world, state)
    probe(world, state)
    relax(world, state, rows.repeat(2, axis=1), one.copy(), 1)
    sweep(world, state, 1.0, 0.5, 1, 1.0)
