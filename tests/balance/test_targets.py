"""What planners write for tolerances and numbers of grids."""

from __future__ import annotations

import numpy as np
import pytest

from gridsvc.balance.targets import (
    even_targets,
    nested_k,
    parse_amount,
    parse_limit,
    parse_measure_tolerance,
    parse_share,
    parse_tolerance,
    suggest_k,
)
from gridsvc.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "value"), [("5%", 0.05), ("0.05", 0.05), (" 12.5 % ", 0.125), ("0", 0.0), ("5％", 0.05)]
)
def test_tolerances_are_shares_or_percentages(text, value):
    assert parse_tolerance(text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5", "write 5% or 0.05"),
        ("1", "write 1% or 0.01"),
        ("-5%", "0 or more"),
        ("nan", "0 or more"),
        ("", "not a"),
        ("x%", "not a"),
    ],
)
def test_a_doubtful_tolerance_is_refused_with_its_cure(text, said):
    with pytest.raises(InvalidInput, match=said):
        parse_tolerance(text)


def test_a_measure_may_carry_its_tolerance():
    assert parse_measure_tolerance("customers:5%") == ("customers", 0.05)
    assert parse_measure_tolerance("potential") == ("potential", 0.10)
    for text in (":5%", "", "customers:"):
        with pytest.raises(InvalidInput):
            parse_measure_tolerance(text)


def test_even_targets_divide_each_total():
    assert even_targets(np.array([[1.0, 10], [3, 20]]), 2).tolist() == [[2.0, 15.0], [2.0, 15.0]]


def test_the_measure_which_needs_most_grids_decides_their_number():
    k, why = suggest_k({"customers": 1000, "kwh": 90}, {"customers": 300, "kwh": 10}, 8)
    assert (k, why["binding"], why["by_capacity"]["customers"]["grids"]) == (9, "kwh", 4)
    assert why["near_districts"] is True
    assert suggest_k({"customers": 1000}, {"customers": 100}, 8)[1]["near_districts"] is True
    assert suggest_k({"customers": 1000}, {"customers": 100}, 7)[1]["near_districts"] is False


def test_a_total_which_divides_exactly_needs_no_grid_more():
    assert suggest_k({"kwh": 0.1 + 0.2}, {"kwh": 0.1}, None)[0] == 3


def test_without_capacity_the_districts_decide():
    assert suggest_k({"customers": 1000}, None, 9) == (
        9,
        {"by_capacity": {}, "binding": None, "districts": 9, "near_districts": True},
    )


@pytest.mark.parametrize(
    ("capacity", "said"),
    [(None, "cannot be worked out"), ({"gas": 5}, "no measure 'gas'"), ({"kwh": 0}, "no capacity")],
)
def test_what_cannot_give_a_number_is_refused(capacity, said):
    with pytest.raises(InvalidInput, match=said):
        suggest_k({"kwh": 10}, capacity, None)


def test_a_share_says_in_errors_what_it_is_for():
    assert parse_share("10%", "max-disruption") == pytest.approx(0.1)
    assert parse_share("100%", "max-disruption") == 1.0
    with pytest.raises(InvalidInput, match="max-disruption"):
        parse_share("ten", "max-disruption")


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("customers=800..1200", ("customers", 800.0, 1200.0)),
        ("kwh = 1e6 .. ", ("kwh", 1e6, None)),
        ("kwh=..5", ("kwh", None, 5.0)),
        ("a=b=0..0", ("a=b", 0.0, 0.0)),
    ],
)
def test_a_limit_may_leave_a_side_open(text, limit):
    assert parse_limit(text) == limit


@pytest.mark.parametrize(
    "text", ["", "customers", "customers=5", "n=..", "=1..2", "n=a..2", "n=-1..2", "n=..inf"]
)
def test_what_is_no_limit_is_refused_with_its_form(text):
    with pytest.raises(InvalidInput, match=r"800\.\.1200"):
        parse_limit(text)


def test_a_limit_the_wrong_way_round_is_refused():
    with pytest.raises(InvalidInput, match="exchange"):
        parse_limit("n=3..2")


def test_amounts_have_a_name_and_a_number_above_0():
    assert parse_amount("customers=2", "weight") == ("customers", 2.0)
    for text in (
        "customers",
        "=2",
        "customers=",
        "customers=x",
        "customers=0",
        "customers=-1",
        "customers=nan",
    ):
        with pytest.raises(InvalidInput, match="weight"):
            parse_amount(text, "weight")


def test_districts_are_counted_one_by_one_where_grids_keep_to_them():
    totals = np.array([[48.0, 1.0], [48.0, 9.0], [0.0, 0.0]])
    assert nested_k(totals, np.array([20.0, np.inf])) == 3 + 3 + 1
    assert nested_k(totals, np.array([24.0, 2.0])) == 2 + 5 + 1
