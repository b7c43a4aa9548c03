"""Codes of 15 digits: which area a grid belongs to, and its number there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.errors import InvalidInput
from gridsvc.plans.codes import build_plan
from gridsvc.plans.numbering import Standard15, area_codes
from gridsvc.plans.plan import Grid

A, B = "110105001001", "110105001002"  # two communities of one street
C = "110105002001"  # another street
D = "110106001001"  # another district


def scheme(areas: list[str], customers: list[int] | None = None, taken: tuple[str, ...] = ()) -> Standard15:
    """Cells in a row from west to east."""
    n = len(areas)
    heads = np.zeros(n) if customers is None else np.array(customers, float)
    return Standard15(areas, heads, np.arange(n, dtype=float), np.zeros(n), taken)


def labels(text: str) -> np.ndarray:  # type: ignore[type-arg]
    return np.array([int(c) for c in text], np.int32)


@pytest.mark.parametrize(
    ("areas", "customers", "area"),
    [
        ([A, A, A], None, A),
        ([A, A, B], None, A),
        ([A, B], None, "110105001000"),
        ([A, B, C, C], None, "110105000000"),
        ([A, B, C], None, "110105001000"),
        ([A, B, C, D], None, "110105000000"),
        ([A, D], None, "110105000000"),
        ([D, A, D], [9, 1, 1], D),
        ([A, A, B], [0, 1, 5], B),
        (["110105001000", "110105001000"], None, "110105001000"),
        (["110105000000", A, B], None, "110105001000"),
    ],
)
def test_a_grid_belongs_to_the_smallest_area_with_more_than_half_of_it(
    areas: list[str], customers: list[int] | None, area: str
) -> None:
    assert scheme(areas, customers).area(np.arange(len(areas), dtype=np.int32)) == area


def test_grids_are_numbered_within_their_area_from_west_to_east() -> None:
    found = scheme([A, A, B, B, A, A]).codes(labels("221100"), 3, [None, None, None])
    assert found == [A + "002", B + "001", A + "001"]


def test_bands_go_from_north_to_south() -> None:
    areas, x, y = [A] * 4, np.array([0.0, 1, 0, 1]), np.array([1.0, 1, 0, 0])
    found = Standard15(areas, np.zeros(4), x, y).codes(labels("3210"), 4, [None] * 4)
    assert found == [A + "004", A + "003", A + "002", A + "001"]


def test_a_known_grid_keeps_its_code_and_new_ones_are_numbered_round_it() -> None:
    kept = Grid(A + "001", "North")
    found = scheme([A, A, A]).codes(labels("012"), 3, [None, kept, None])
    assert found == [A + "002", A + "001", A + "003"]


def test_a_code_which_was_given_before_is_never_given_again() -> None:
    numbering = scheme([A, A], taken=(A + "001", A + "002"))
    assert numbering.codes(labels("01"), 2, [None, None]) == [A + "003", A + "004"]
    assert numbering.free(np.array([0], np.int32), {A + "003"}) == A + "004"


def test_an_area_without_room_says_what_to_do() -> None:
    full = tuple(f"{A}{n:03d}" for n in range(1, 1000))
    with pytest.raises(InvalidInput, match=r"has had 999 grids.*smaller areas"):
        scheme([A], taken=full).codes(labels("0"), 1, [None])


def test_a_plan_has_its_grids_in_the_order_of_their_codes_carve_outs_last() -> None:
    numbering = scheme([B, A, A])
    plan = build_plan(labels("012"), 2, np.arange(3.0), np.zeros(3), numbering=numbering)
    assert [(g.code, g.carve_out) for g in plan.grids] == [
        (A + "001", False),
        (B + "001", False),
        (A + "002", True),
    ]
    assert plan.labels.tolist() == [1, 0, 2]


def test_area_codes_may_say_less_and_are_filled_up() -> None:
    assert area_codes(["110105", "110105001", A, 110105001002.0], ["1", "2", "3", "4"], "c") == [
        "110105000000",
        "110105001000",
        A,
        B,
    ]


@pytest.mark.parametrize(
    "bad", ["", None, "11010", "1101050010011", "11010a", "１１０１０５", float("nan"), "-10105"]
)
def test_what_is_no_area_code_is_refused_with_its_cell_and_the_cure(bad: object) -> None:
    with pytest.raises(InvalidInput, match=r"cell c2 has .*area code.*6 digits") as refused:
        area_codes([A, bad], ["c1", "c2"], "community")
    assert refused.value.field == "community"


@given(
    st.lists(st.sampled_from([A, B, C, D]), min_size=8, max_size=8),
    st.lists(st.integers(0, 3), min_size=8, max_size=8),
    st.sets(st.sampled_from([f"{area}{n:03d}" for area in (A, B, C, D) for n in (1, 2, 3)])),
)
def test_codes_are_unique_new_and_of_15_digits(areas: list[str], heads: list[int], taken: set[str]) -> None:
    found = scheme(areas, heads, tuple(taken)).codes(labels("01234567"), 8, [None] * 8)
    assert len(set(found)) == 8
    assert not taken & set(found)
    assert all(len(code) == 15 and code.isdecimal() for code in found)
    assert all(code[:6] == area[:6] for code, area in zip(found, areas, strict=True))
