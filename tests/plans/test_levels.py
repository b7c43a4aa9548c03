"""Levels as values: what nests, whose parent is whose, and what they add up to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.plans.levels import COMMON, Level, crossings, level_of, ordered, parents_of, series_of, sums_of
from gridsvc.plans.plan import Grid, Plan


def drawn(letters: str) -> Plan:
    codes = sorted(set(letters) - {"."})
    labels = np.array([codes.index(c) if c != "." else -1 for c in letters], np.int32)
    return Plan(labels, tuple(Grid(code, code) for code in codes))


def told(children: str, parents: str) -> list[tuple[str | None, tuple[str, ...], list[int]]]:
    return [(c.grid, c.parents, c.rows.tolist()) for c in crossings(drawn(children), drawn(parents))]


@pytest.mark.parametrize(
    ("children", "parents", "said"),
    [
        ("aabb", "eeff", []),
        ("abab", "efef", []),
        ("aaab", "eeff", [("a", ("e", "f"), [2])]),
        ("abbb", "eeff", [("b", ("e", "f"), [1])]),
        ("aabb", "eef.", [("b", ("f",), [3])]),
        ("aabb", "ee..", [("b", (), [2, 3])]),
        ("aab.", "eeff", [(None, ("f",), [3])]),
        ("aab.", "eef.", []),
    ],
)
def test_what_does_not_nest_is_named_with_its_cells(
    children: str, parents: str, said: list[tuple[str | None, tuple[str, ...], list[int]]]
) -> None:
    assert told(children, parents) == said


letters = st.text("abc.", min_size=7, max_size=7)


@given(letters, letters)
def test_a_level_nests_where_each_grid_has_one_parent_and_no_cell_is_left(
    children: str, parents: str
) -> None:
    pairs = {(c, p) for c, p in zip(children, parents, strict=True) if c != "."}
    one = len({c for c, _ in pairs}) == len(pairs) and all(p != "." for _, p in pairs)
    left = any(c == "." != p for c, p in zip(children, parents, strict=True))
    assert (not told(children, parents)) == (one and not left)


@given(letters, letters, st.lists(st.integers(0, 9), min_size=7, max_size=7))
def test_where_levels_nest_sums_of_parents_are_those_of_their_children(
    children: str, parents: str, heads: list[int]
) -> None:
    if told(children, parents):
        return
    below, above = drawn(children), drawn(parents)
    amounts = {"heads": np.array(heads, float)}
    own, theirs = sums_of(below, amounts)["heads"], sums_of(above, amounts)["heads"]
    chains = parents_of(below, above)
    assert chains == [parents[children.index(grid.code)] for grid in below.grids]
    for place, grid in enumerate(above.grids):
        assert theirs[place] == sum(n for n, parent in zip(own, chains, strict=True) if parent == grid.code)


def test_a_grid_without_cells_has_no_parent() -> None:
    plan = Plan(np.array([0, 0], np.int32), (Grid("a", "a"), Grid("b", "b")))
    assert parents_of(plan, drawn("ee")) == ["e", None]


@pytest.mark.parametrize("level", [level.id for level in COMMON])
def test_a_series_tells_its_line_and_level(level: str) -> None:
    assert level_of(series_of("base", level, COMMON), COMMON) == ("base", level)
    assert (series_of("gas", level, COMMON) == "gas") == (level == "grid")


@given(st.permutations(range(5)), st.integers(0, 4), st.integers(0, 4))
def test_any_order_of_a_chain_is_put_right_and_any_other_parent_refused(
    order: list[int], which: int, parent: int
) -> None:
    assert ordered([COMMON[i] for i in order]) == COMMON
    if COMMON[which].parent == COMMON[parent].id:
        return
    wrong = [
        Level(level.id, level.names, COMMON[parent].id) if i == which else level
        for i, level in enumerate(COMMON)
    ]
    with pytest.raises(ValueError, match="levels") as refused:
        ordered([wrong[i] for i in order])
    assert "'" in str(refused.value)
