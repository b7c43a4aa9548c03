"""Small counts are kept back, and no difference of what is shown tells them."""

from __future__ import annotations

import itertools
import os

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.teams.suppression import hidden_parts, hidden_table, hidden_within

EXAMPLES = int(os.environ.get("GRIDSVC_PROOF_SCORECARDS", "40"))
LEAST = 3


def summed(counts: np.ndarray) -> np.ndarray:
    return np.block(
        [[counts, counts.sum(axis=1, keepdims=True)], [counts.sum(axis=0, keepdims=True), counts.sum()]]
    )


def possible(counts: np.ndarray, hidden: np.ndarray) -> list[np.ndarray]:
    """Every table of counts, none above its neighbourhood, which agrees with all that is shown."""
    shown, most = summed(counts), counts + 1
    inner = hidden[:-1, :-1]
    free = [
        range(max(c - 1, 0), m + 1) if h else [c]
        for c, m, h in zip(counts.flat, most.flat, inner.flat, strict=True)
    ]
    tables = (np.array(t).reshape(counts.shape) for t in itertools.product(*free))
    return [t for t in tables if ((summed(t) == shown) | hidden).all()]


@settings(deadline=None, max_examples=EXAMPLES)
@given(
    st.integers(1, 3).flatmap(
        lambda rows: st.integers(1, 3).flatmap(
            lambda cols: st.lists(
                st.sampled_from([0, 0, 1, 2, 3, 5, 9]), min_size=rows * cols, max_size=rows * cols
            ).map(lambda v: np.array(v).reshape(rows, cols))
        )
    )
)
def test_no_small_count_of_a_table_follows_from_what_is_shown(counts: np.ndarray) -> None:
    hidden, table = hidden_table(counts, LEAST), summed(counts)
    assert hidden[(table > 0) & (table < LEAST)].all()
    assert not hidden[table == 0].any()
    agreeing = [summed(t) for t in possible(counts, hidden)]
    for at in np.argwhere((table > 0) & (table < LEAST)):
        assert len({t[tuple(at)] for t in agreeing}) > 1, (counts, hidden)


def test_a_single_small_count_takes_three_others_with_it() -> None:
    counts = np.array([[2, 30, 40], [20, 31, 41], [50, 32, 42]])
    hidden = hidden_table(counts, LEAST)
    assert hidden[0, 0]
    assert hidden.sum() == 4
    assert not hidden[-1].any() and not hidden[:, -1].any()


def test_counts_which_are_few_together_are_not_told_as_a_sum() -> None:
    counts = np.array([[2, 2, 40, 50], [2, 2, 41, 51], [60, 61, 62, 63]])
    hidden = hidden_table(counts, 5)
    for line, marks in ((counts[0], hidden[0, :-1]), (counts[:, 0], hidden[:-1, 0])):
        assert line[marks].sum() >= 5


def test_a_table_without_small_counts_is_shown_as_it_is() -> None:
    assert not hidden_table(np.array([[0, 9], [7, 0]]), LEAST).any()


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.lists(st.integers(0, 12), max_size=8), st.integers(1, 6))
def test_parts_of_a_known_whole(numbers: list[int], least: int) -> None:
    counts = np.array(numbers, np.int64)
    hidden = hidden_parts(counts, least)
    assert hidden[(counts > 0) & (counts < least)].all()
    assert not hidden[counts == 0].any()
    if hidden.any():
        everything = hidden.sum() == (counts > 0).sum()
        assert everything or (hidden.sum() > 1 and counts[hidden].sum() >= least)


@settings(deadline=None, max_examples=4 * EXAMPLES)
@given(
    st.lists(st.tuples(st.sampled_from([0, 1, 2, 3, 7]), st.integers(0, 2)), min_size=2, max_size=7),
    st.data(),
)
def test_no_small_count_follows_from_the_sums_of_the_levels_above(
    cells: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Cells in grids, those in areas, and the sum of all is known."""
    counts = np.array([count for count, _ in cells])
    grid_of = np.array([grid for _, grid in cells])
    area_of = np.array(data.draw(st.lists(st.integers(0, 1), min_size=3, max_size=3)))
    sums = Sums(grid_of, area_of)
    shown = sums.of(counts)
    hidden = sums.hidden(counts)
    free = [range(max(c - 1, 0), c + 2) if h else [c] for c, h in zip(counts, hidden[0], strict=True)]
    agreeing = [
        told
        for told in (sums.of(np.array(t)) for t in itertools.product(*free))
        if told[-1] == shown[-1]
        and all(((t == s) | h).all() for t, s, h in zip(told, shown, hidden, strict=False))
    ]
    for level in range(3):
        small = (shown[level] > 0) & (shown[level] < LEAST)
        assert hidden[level][small].all() and not hidden[level][shown[level] == 0].any()
        for row in np.flatnonzero(small):
            alone = (shown[level] > 0).sum() == 1  # it is the sum of all, which is known
            assert alone or len({t[level][row] for t in agreeing}) > 1, (counts, hidden)


class Sums:
    """Two levels over cells."""

    def __init__(self, grid_of: np.ndarray, area_of: np.ndarray) -> None:
        self.grid_of, self.area_of = grid_of, area_of

    def of(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        grids = np.bincount(self.grid_of, cells, 3).astype(np.int64)
        return cells, grids, np.bincount(self.area_of, grids, 2).astype(np.int64), int(cells.sum())

    def hidden(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        _, grids, areas, _ = self.of(cells)
        above = hidden_within(areas, np.full(2, -1), LEAST, np.zeros(0, bool))
        between = hidden_within(grids, self.area_of, LEAST, above)
        return hidden_within(cells, self.grid_of, LEAST, between), between, above


def test_thousands_of_rows_take_no_time() -> None:
    counts = np.random.default_rng(1).poisson(6, (1500, 4))
    assert hidden_table(counts, 5).any()
