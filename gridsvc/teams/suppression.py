"""Small counts kept back, with enough others that no difference tells them.

A table with its sums is a graph: rows and columns are nodes, each kept-back count is an edge between its row
and its column, and sums are one row and one column more. A count is told by differences exactly if its edge
lies in no cycle; along a cycle of counts above 0 one can add and take away 1 in turn, and every sum stays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["hidden_parts", "hidden_table", "hidden_within"]

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def hidden_parts(
    counts: Ints, least: int, forced: Bools | None = None, *, whole_is_hidden: bool = False
) -> Bools:
    """Which parts of a whole must be kept back: bool array, shape (n,).

    Parameters
    ----------
    counts : int64 array, shape (n,)
    least : int
        Counts from 1 to below this are small.
    forced : bool array, shape (n,), optional
        Parts which are kept back anyway.
    whole_is_hidden : bool
        The whole is kept back too, so that all parts may not be known.
    """
    hidden = (counts > 0) & (counts < least)
    if forced is not None:
        hidden |= forced & (counts > 0)
    if not hidden.any() and not whole_is_hidden:
        return hidden
    order = np.argsort(counts, kind="stable")
    for at in order[counts[order] > 0]:
        if hidden.sum() > 1 and counts[hidden].sum() >= least:
            break
        hidden[at] = True
    return hidden


def hidden_within(
    counts: Ints, wholes: Ints, least: int, hidden_wholes: Bools, forced: Bools | None = None
) -> Bools:
    """Which parts of several wholes must be kept back: bool array, shape (n,).

    Parameters
    ----------
    counts, wholes : int64 arrays, shape (n,)
        Of each part, and the row of what it is a part of; those of -1 are parts of something known.
    hidden_wholes : bool array, shape (m,)
        Wholes which are kept back.
    forced : bool array, shape (n,), optional
        Parts which are kept back anyway.
    """
    hidden = np.zeros(len(counts), bool) if forced is None else forced.copy()
    order = np.argsort(wholes, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(wholes[order])) + 1):
        if len(rows):
            whole = wholes[rows[0]]
            is_hidden = bool(whole >= 0 and hidden_wholes[whole])
            hidden[rows] |= hidden_parts(counts[rows], least, hidden[rows], whole_is_hidden=is_hidden)
    return hidden


def hidden_table(counts: Ints, least: int) -> Bools:
    """Which counts and sums of a table must be kept back.

    Parameters
    ----------
    counts : int64 array, shape (n_rows, n_columns)
        At least one column.
    least : int
        Counts from 1 to below this are small.

    Returns
    -------
    bool array, shape (n_rows + 1, n_columns + 1)
        The last column are the rows' sums, the last row the columns'. A count of 0 is never kept back.
    """
    table = np.zeros((counts.shape[0] + 1, counts.shape[1] + 1), np.int64)
    table[:-1, :-1] = counts
    table[:-1, -1], table[-1, :-1], table[-1, -1] = counts.sum(axis=1), counts.sum(axis=0), counts.sum()
    hidden = (table > 0) & (table < least)
    while True:
        few = _few_together(table, hidden, least)
        told = np.argwhere(_bridges(hidden)).tolist()
        for row, column in told:
            _close(table, hidden, row, column)
        if not few and not told:
            return hidden


def _few_together(table: Ints, hidden: Bools, least: int) -> bool:
    """Keep back one more count, else the sum, where those of a line are known to be few together."""
    more = False
    for turned, marks in ((table, hidden), (table.T, hidden.T)):
        inner = marks[:, :-1]
        few = inner.any(axis=1) & ~marks[:, -1] & ((turned[:, :-1] * inner).sum(axis=1) < least)
        for line in np.flatnonzero(few).tolist():
            open_ = np.flatnonzero(~marks[line] & (turned[line] > 0))  # the sum among them is the largest
            marks[line, open_[turned[line, open_].argmin()]] = more = True
    return more


def _close(table: Ints, hidden: Bools, row: int, column: int) -> None:
    """Keep back what makes a ring of four with a count, and as little of it as will do.

    There always is one: with the sums of its row and column, and of all.
    """
    price = np.where(hidden, 0.0, np.where(table > 0, table, np.inf))
    ring = price + price[row][None, :] + price[:, column][:, None]
    ring[row], ring[:, column] = np.inf, np.inf
    other, beside = np.unravel_index(int(ring.argmin()), ring.shape)
    hidden[other, beside] = hidden[row, beside] = hidden[other, column] = True


def _bridges(hidden: Bools) -> Bools:
    """The edges which lie in no cycle: bool array of the same shape. Depth first, without recursion."""
    rows, columns = hidden.shape
    beside: list[list[int]] = [[] for _ in range(rows + columns)]
    for row, column in np.argwhere(hidden).tolist():
        beside[row].append(rows + column)
        beside[rows + column].append(row)
    found = np.zeros_like(hidden)
    seen, low = [-1] * len(beside), [0] * len(beside)
    clock = 0
    for start in range(rows):
        if seen[start] >= 0 or not beside[start]:
            continue
        seen[start] = low[start] = clock
        clock += 1
        path = [(start, -1, iter(beside[start]))]
        while path:
            node, parent, rest = path[-1]
            other = next(rest, None)
            if other is None:
                path.pop()
                if parent >= 0:
                    low[parent] = min(low[parent], low[node])
                    if low[node] > seen[parent]:
                        row, column = min(node, parent), max(node, parent) - rows
                        found[row, column] = True
            elif seen[other] < 0:
                seen[other] = low[other] = clock
                clock += 1
                path.append((other, node, iter(beside[other])))
            elif other != parent:
                low[node] = min(low[node], seen[other])
    return found
