"""Compiled: make both sides of a cut connected.

Imported by `start` only, so that a process which never solves never loads numba.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gridsvc.balance.compiled import jit

__all__ = ["whole_sides"]


@jit
def whole_sides(
    rows: NDArray[np.int64],
    now: int,
    load: NDArray[np.float64],
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    mark: NDArray[np.int64],
    room: NDArray[np.int64],
) -> int:
    """Leave each side its heaviest connected part and give the rest to the other side.

    Parameters
    ----------
    rows : int64 array, shape (c,)
        Cells which are connected.
    now : int
        `mark` of the second side; that of the first is ``now + 1``, and all other cells have other marks.
    load : float64 array, shape (n,)
    indptr, indices : int64 array, shape (n + 1,) and int32 array, shape (2 * n_pairs,)
    mark : int64 array, shape (n,)
        Changed in place: where both sides had cells, each has some and is connected.
    room : int64 array, shape (2, n)
        Room to work in.

    Returns
    -------
    int
        Pairs between the sides.
    """
    part, queue = room[0], room[1]
    for turn in range(3):
        for row in rows:
            part[row] = -1
        count, between, ours, theirs = 0, 0, 0, 0
        best, heaviest = -1, -1.0
        cleaned = now + 1 if turn == 0 else now
        for row in rows:
            if part[row] >= 0:
                continue
            side, total = mark[row], 0.0
            part[row] = count
            queue[0] = row
            head, tail = 0, 1
            while head < tail:
                c = queue[head]
                head += 1
                total += load[c]
                for e in range(indptr[c], indptr[c + 1]):
                    j = indices[e]
                    if mark[j] == side and part[j] < 0:
                        part[j] = count
                        queue[tail] = j
                        tail += 1
                    between += int(side > now and mark[j] == now)
            if side == cleaned and total > heaviest:
                best, heaviest = count, total
            ours += int(side > now)
            theirs += int(side == now)
            count += 1
        if (ours < 2 and theirs < 2) or turn == 2:
            break
        # Each part of the second side touches the first once that is one part, so the rest can join it.
        for row in rows:
            if mark[row] == cleaned and part[row] != best:
                mark[row] = 2 * now + 1 - cleaned
    return between
