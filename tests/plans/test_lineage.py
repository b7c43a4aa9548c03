"""Shares which add to 1, and what is said of grids by the ground under them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.plans.lineage import Flow, Pairs, Trace, exact_shares, flows_between, rounded, trace


def flows(before: str, after: str, heads: str = "") -> tuple[dict[str, tuple[Flow, ...]], ...]:
    """Of each letter before, and of each after, cell by cell; `heads` are customers."""
    n = len(before)
    rows = np.arange(n)
    customers = np.array([int(c) for c in heads or "0" * n], np.int64)
    pairs = Pairs(rows, rows, np.ones(n, np.int64), customers)
    old, new = sorted(set(before) - {"."}), sorted(set(after) - {"."})
    mine = np.array([old.index(c) if c != "." else -1 for c in before], np.int64)
    theirs = np.array([new.index(c) if c != "." else -1 for c in after], np.int64)
    return flows_between(old, new, mine, theirs, pairs), flows_between(new, old, theirs, mine, pairs)


def kinds(before: str, after: str, gone: str = "", heads: str = "") -> str:
    """What became of each code, such as ``a split, e split``."""
    onward, origins = flows(before, after, heads)
    names = [{c: c.upper() for c in sorted(set(letters) - {"."})} for letters in (before, after)]
    return ", ".join(f"{fate.code} {fate.kind}" for fate in trace(Trace(*names, set(gone), onward, origins)))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("aabb", "aabb", "a kept, b kept"),
        ("aabb", "aaab", "a kept, b kept"),
        ("aabb", "aabe", "a kept, b split, e split"),
        ("aaaa", "bbcc", "a split, b split, c split"),
        ("aabb", "aaaa", "a merged, b merged"),
        ("aabb", "eeee", "a merged, b merged, e merged"),
        ("aabb", "aaee", "a kept, b renamed, e renamed"),
        ("aaabbb", "aaeeee", "a kept, b renamed, e renamed"),
        ("abbbc", "aaccc", "a kept, b retired, c merged"),
        ("aabb", "aa..", "a kept, b retired"),
        ("aa..", "aabb", "a kept, b new"),
        ("aaabbbcccddd", "aaaeeecccddd", "a kept, b renamed, c kept, d kept, e renamed"),
        ("aabbccd", "aabbeee", "a kept, b kept, c merged, d merged, e merged"),
        ("bbbbbb", "bbbeea", "a split, b split, e split"),
        ("aaab", "ccab", "a split, b kept, c split"),
    ],
)
def test_what_became_of_each_code(before: str, after: str, told: str) -> None:
    assert kinds(before, after) == told


def test_a_code_which_had_ended_before_is_revived() -> None:
    assert kinds("aaaa", "aabb", gone="b") == "a split, b revived"


def test_customers_decide_where_there_are_any() -> None:
    assert kinds("bbbb", "eeec") == "b split, c split, e split"
    assert exact_shares(flows("bbbb", "eeec", "0003")[0]["b"]) == [1, 0]
    assert [f.code for f in flows("bbbb", "eeec", "0003")[0]["b"]] == ["c", "e"]


def test_nothing_is_shared_out_of_a_grid_without_ground() -> None:
    assert exact_shares([]) == []
    assert exact_shares([Flow("a", 0, 0)]) == [0]
    assert rounded([Fraction(0)]) == [0.0]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=9))
def test_shares_add_to_1_exactly_and_so_do_their_decimals(amounts: list[tuple[int, int]]) -> None:
    found = exact_shares([Flow(str(i), *pair) for i, pair in enumerate(amounts)])
    whole = 1 if any(a or b for a, b in amounts) else 0
    assert sum(found) == whole
    decimals = rounded(found)
    assert sum(round(d * 1_000_000) for d in decimals) == whole * 1_000_000
    assert all(abs(d - float(s)) < 1e-6 for d, s in zip(decimals, found, strict=True))


letters = st.text("abcd.", min_size=8, max_size=8)


@given(letters, letters, st.text("0123", min_size=8, max_size=8))
def test_flows_are_what_counting_cells_gives(before: str, after: str, heads: str) -> None:
    onward, origins = flows(before, after, heads)
    for code, found in onward.items():
        cells = [i for i, c in enumerate(before) if c == code]
        assert sum(f.cells for f in found) == len(cells)
        for flow in found:
            there = [i for i in cells if after[i] == (flow.code or ".")]
            assert (flow.cells, flow.customers) == (len(there), sum(int(heads[i]) for i in there))
            if flow.code is not None:
                (back,) = (f for f in origins[flow.code] if f.code == code)
                assert (back.cells, back.customers) == (flow.cells, flow.customers)


@given(letters, letters, st.sets(st.sampled_from("abcd")))
def test_each_code_has_one_fate_which_fits_its_life(before: str, after: str, gone: set[str]) -> None:
    told = kinds(before, after, "".join(gone - set(before)))
    fates = dict(entry.split() for entry in told.split(", ") if entry)
    assert set(fates) == (set(before) | set(after)) - {"."}
    for code, kind in fates.items():
        if code in before and code in after:
            assert kind in {"kept", "split", "merged"}
        elif code in after:
            assert (kind == "revived") == (code in gone)
        else:
            assert kind in {"renamed", "split", "merged", "retired"}
