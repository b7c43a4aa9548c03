"""Compiled: two grids which touch are joined and cut apart again along a random tree.

A border move changes a grid by a cell; this changes two grids altogether and keeps them whole, so it finds
plans no series of border moves leads to: where cells are coarse, measures drift apart or grids are few.
Merging and splitting along spanning trees is due to DeFord, Duchin and Solomon (2021); here every edge of a
tree is priced, by sums over the subtree below it, and Metropolis' rule decides.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.arrays import DEMAND, FIXED, MEASURES, OUTLINE, State, World
from gridsvc.balance.compiled import Int, inner, jit
from gridsvc.balance.kernels import below, cost, extra, other_grid, random, strain

__all__ = ["recombine", "warm"]

_NEVER = 14.0  # temperatures above which a rise of the cost is not worth a look: one in a million


class _Room(NamedTuple):
    """The cells of a pair of grids, and what follows from a tree over them.

    Attributes
    ----------
    mark : int64, shape (n,)
        The last pair each cell was in.
    place : int64, shape (n,)
        Row of a cell of the pair in the arrays that follow.
    cells : int64, shape (n,)
    start, near : int64, shape (n + 1,) and int32, shape (n_links,)
        Neighbours within the pair, by rows.
    tree : int64, shape (n,)
        The last tree each row was in.
    above, order : int64, shape (n,)
        The row a row hangs from, and the rows, each after the one it hangs from.
    sums : float64, shape (n, 9 + m)
        `World.cells` summed over the subtree below each row.
    held : int64, shape (n, 2)
        Cells of the subtree which must stay in the first and in the second grid.
    value : float64, shape (n,)
        Price of cutting the subtree off.
    side : bool, shape (n,)
        Whether a row is in the subtree that was cut off.
    pair : float64, shape (3, 9 + m)
        Tallies of the two grids to come, and room for a rest.
    """

    mark: NDArray[np.int64]
    place: NDArray[np.int64]
    cells: NDArray[np.int64]
    start: NDArray[np.int64]
    near: NDArray[np.int32]
    tree: NDArray[np.int64]
    above: NDArray[np.int64]
    order: NDArray[np.int64]
    wait: NDArray[np.int64]
    sums: NDArray[np.float64]
    held: NDArray[np.int64]
    value: NDArray[np.float64]
    side: NDArray[np.bool_]
    pair: NDArray[np.float64]


@inner
def _gather(i: Int, b: Int, now: Int, world: World, state: State, room: _Room) -> int:
    """Put the cells of the grid of cell `i` and of grid `b` into `room`; gives their number."""
    labels, cells, mark, place = state.labels, room.cells, room.mark, room.place
    a = labels[i]
    cells[0], mark[i], place[i] = i, now, 0
    head, tail = 0, 1
    while head < tail:
        c = cells[head]
        head += 1
        for e in range(world.indptr[c], world.indptr[c + 1]):
            j = np.int64(world.indices[e])
            if mark[j] != now and (labels[j] == a or labels[j] == b):
                mark[j], place[j] = now, tail
                cells[tail] = j
                tail += 1
    links = 0
    for q in range(tail):
        room.start[q] = links
        for e in range(world.indptr[cells[q]], world.indptr[cells[q] + 1]):
            j = np.int64(world.indices[e])
            if mark[j] == now:
                room.near[links] = place[j]
                links += 1
    room.start[tail] = links
    return tail


@inner
def _tree(m: Int, now: Int, state: State, room: _Room) -> None:
    """A tree over the pair: it grows from a random cell to a random neighbour of any of its cells."""
    tree, above, order, start, near = room.tree, room.above, room.order, room.start, room.near
    wait = room.wait
    root = below(state.rng, m)
    above[root], tree[root], wait[0] = -1, now, root
    waiting, count = 1, 0
    while waiting > 0:
        t = below(state.rng, waiting)
        q = wait[t]
        waiting -= 1
        wait[t] = wait[waiting]
        order[count] = q
        count += 1
        tree[q] = -now
        for e in range(start[q], start[q + 1]):
            j = near[e]
            if tree[j] == now:
                if below(state.rng, 2) == 0:
                    above[j] = q
            elif tree[j] != -now:
                tree[j], above[j] = now, q
                wait[waiting] = j
                waiting += 1


@inner
def _sum_up(m: Int, a: Int, world: World, state: State, room: _Room) -> None:
    """Sum each subtree, leaves first; outlines do not add up and stay 0."""
    sums, held, width = room.sums, room.held, world.cells.shape[1]
    for q in range(m):
        c = room.cells[q]
        fixed = int(world.flags[c] & FIXED != 0)
        first = int(state.labels[c] == a)
        held[q, 0], held[q, 1] = fixed * first, fixed * (1 - first)
        for w in range(width):
            sums[q, w] = world.cells[c, w]
        sums[q, OUTLINE] = 0.0
    for t in range(m - 1, 0, -1):
        q = room.order[t]
        p = room.above[q]
        held[p, 0] += held[q, 0]
        held[p, 1] += held[q, 1]
        for w in range(width):
            sums[p, w] += sums[q, w]


@inner
def _choose(
    m: Int, a: Int, b: Int, most: float, heat: float, shapes: bool, world: World, state: State, room: _Room
) -> int:
    """Row whose subtree is cut off, by Boltzmann's weights; -1 where no cut can be kept."""
    price, sums, value, held, width = state.price, room.sums, room.value, room.held, world.cells.shape[1]
    root, least = room.order[0], np.inf
    for q in range(m):
        value[q] = np.inf
        up = held[q, 0] == held[root, 0] and held[q, 1] == 0
        down = held[q, 1] == held[root, 1] and held[q, 0] == 0
        if q == root or not (up or down):
            continue
        for w in range(MEASURES, width):
            room.pair[2, w] = sums[root, w] - sums[q, w]
        v = price[a, 2] * strain(a, sums, q, world) + price[b, 2] * strain(b, room.pair, 2, world)
        if v > most:
            continue
        if shapes:
            for w in range(MEASURES):
                room.pair[2, w] = sums[root, w] - sums[q, w]
            v += cost(a, sums, q, world, 0.0)[0] + cost(b, room.pair, 2, world, 0.0)[0]
            if v > most:
                continue
        value[q] = v
        least = min(least, v)
    if least == np.inf:
        return -1
    whole, picked = 0.0, -1
    for q in range(m):
        if value[q] < least + _NEVER * heat:
            weight = np.exp((least - value[q]) / heat)
            whole += weight
            if random(state.rng) * whole < weight:
                picked = q
    return picked


@inner
def _cut(m: Int, picked: Int, a: Int, world: World, state: State, room: _Room) -> bool:
    """Mark the subtree, and tally the grids to come; whether the subtree becomes the first grid.

    It does where the cells held say so, or else where most cells then keep their grid.
    """
    side, held, pair, root = room.side, room.held, room.pair, room.order[0]
    stay = 0
    for t in range(m):
        q = room.order[t]
        side[q] = q == picked or (t > 0 and side[room.above[q]])
        stay += 1 if side[q] == (state.labels[room.cells[q]] == a) else -1
    first = stay >= 0
    if held[root, 0] + held[root, 1] > 0:
        first = held[picked, 0] == held[root, 0] and held[picked, 1] == 0
    for w in range(pair.shape[1]):
        cut, rest = room.sums[picked, w], room.sums[root, w] - room.sums[picked, w]
        pair[0, w], pair[1, w] = (cut, rest) if first else (rest, cut)
    for q in range(m):
        c = room.cells[q]
        outline = world.cells[c, OUTLINE]
        for e in range(world.indptr[c], world.indptr[c + 1]):
            j = world.indices[e]
            if room.mark[j] == room.mark[c] and side[room.place[j]] == side[q]:
                outline -= world.border[e]
        pair[0 if side[q] == first else 1, OUTLINE] += outline
    return first


@inner
def _off_centre(
    m: Int, g: Int, tally: NDArray[np.float64], row: Int, which: Int, world: World, state: State, room: _Room
) -> float:
    """Demand inertia a grid has more about its most central cell than about its centre.

    `which` is 1 or 0 for the side to come, -1 for the grid `g` as it is.
    """
    demand = tally[row, DEMAND]
    if demand <= 0:
        return 0.0
    x, y, least = tally[row, DEMAND + 1] / demand, tally[row, DEMAND + 2] / demand, np.inf
    for q in range(m):
        c = room.cells[q]
        if (which < 0 and state.labels[c] == g) or (which >= 0 and int(room.side[q]) == which):
            least = min(least, (world.own[c, 0] - x) ** 2 + (world.own[c, 1] - y) ** 2)
    return float(world.weight[2] * demand * least)


@inner
def _commit(m: Int, first: bool, a: Int, b: Int, world: World, state: State, room: _Room) -> None:
    """Give the cells to the grids to come and bring all sums in step."""
    labels, size, price = state.labels, state.size, state.price
    size[a] = size[b] = 0
    for q in range(m):
        g = a if room.side[q] == first else b
        labels[room.cells[q]] = g
        size[g] += 1
    for q in range(m):
        c = room.cells[q]
        state.foreign[c] = 0
        for e in range(world.indptr[c], world.indptr[c + 1]):
            state.foreign[c] += labels[world.indices[e]] != labels[c]
    for w in range(room.pair.shape[1]):
        state.tally[a, w], state.tally[b, w] = room.pair[0, w], room.pair[1, w]
    price[a, 0], price[a, 1] = cost(a, state.tally, a, world, price[a, 2])
    price[b, 0], price[b, 1] = cost(b, state.tally, b, world, price[b, 2])


@inner
def _moved(
    m: Int, first: bool, a: Int, b: Int, world: World, state: State, room: _Room
) -> tuple[float, float]:
    """How the price paid for cells away from home and beyond a radius, and the load moved, would change."""
    paid, load = 0.0, 0.0
    for q in range(m):
        c = room.cells[q]
        g = a if room.side[q] == first else b
        paid += extra(c, g, world) - extra(c, state.labels[c], world)
        if world.home[c] >= 0:
            load += world.own[c, 3] * (int(world.home[c] != g) - int(world.home[c] != state.labels[c]))
    return paid, load


def recombine(
    world: World, state: State, hot: float, cold: float, steps: int, shapes: bool, centred: bool
) -> int:
    """Join and cut `steps` pairs of grids; the temperature falls from `hot` to `cold`.

    Parameters
    ----------
    shapes : bool
        Let inertia speak when an edge of the tree is chosen; the outline always decides with the rest.
    centred : bool
        Count demand inertia about each grid's most central cell.

    Returns
    -------
    int
        Pairs changed.
    """
    n, width = world.cells.shape
    room = _Room(
        mark=np.zeros(n, np.int64),
        place=np.empty(n, np.int64),
        cells=np.empty(n, np.int64),
        start=np.empty(n + 1, np.int64),
        near=np.empty(len(world.indices), np.int32),
        tree=np.zeros(n, np.int64),
        above=np.empty(n, np.int64),
        order=np.empty(n, np.int64),
        wait=np.empty(n, np.int64),
        sums=np.empty((n, width)),
        held=np.empty((n, 2), np.int64),
        value=np.empty(n),
        side=np.empty(n, np.bool_),
        pair=np.empty((3, width)),
    )
    return int(_recombine(world, state, room, hot, cold, steps, shapes, centred))


@jit
def _recombine(
    world: World, state: State, room: _Room, hot: float, cold: float, steps: int, shapes: bool, centred: bool
) -> int:
    n = len(state.labels)
    price, kept, heat = state.price, 0, hot
    ratio = (cold / hot) ** (1.0 / max(1, steps - 1))
    for now in range(1, steps + 1):
        i = below(state.rng, n)
        for _ in range(n):
            if state.foreign[i] > 0:
                break
            i = (i + 1) % n
        a = np.int64(state.labels[i])
        b = np.int64(other_grid(i, world, state))
        if a == b:
            break
        m = _gather(i, b, now, world, state, room)
        _tree(m, now, state, room)
        _sum_up(m, a, world, state, room)
        before = price[a, 0] + price[a, 1] + price[b, 0] + price[b, 1]
        if centred:
            before += _off_centre(m, a, state.tally, a, -1, world, state, room)
            before += _off_centre(m, b, state.tally, b, -1, world, state, room)
        most = before + state.gone[1] + _NEVER * heat
        picked = _choose(m, a, b, most, heat, shapes, world, state, room)
        if picked >= 0:
            first = _cut(m, picked, a, world, state, room)
            ca, ba = cost(a, room.pair, 0, world, price[a, 2])
            cb, bb = cost(b, room.pair, 1, world, price[b, 2])
            rise = ca + ba + cb + bb - before
            if centred:
                side = int(first)
                rise += _off_centre(m, a, room.pair, 0, side, world, state, room)
                rise += _off_centre(m, b, room.pair, 1, 1 - side, world, state, room)
            paid = load = 0.0
            if world.special:
                paid, load = _moved(m, first, a, b, world, state, room)
            allowed = load <= 0 or state.gone[0] + load <= world.pins[a, 4]
            if allowed and rise + paid <= -heat * np.log(random(state.rng)):
                _commit(m, first, a, b, world, state, room)
                state.gone[0] += load
                state.gone[1] += paid
                kept += 1
        heat *= ratio
    return kept


def warm() -> None:
    """Compile the kernel, or load it from numba's cache; as `gridsvc.balance.kernels.warm`."""
    from gridsvc.balance.world import tiny

    world, state = tiny()
    recombine(world, state, 1.0, 0.5, 1, True, True)
