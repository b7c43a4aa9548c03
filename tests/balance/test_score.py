"""Composite scores: columns weighed by their shares, the weights in plain sight."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gridsvc.balance.score import Score, parse_score
from gridsvc.errors import InvalidInput

COLUMNS = {"kwh": np.array([1.0, 3.0, 6.0]), "meters": np.array([5.0, 5.0, 0.0]), "none": np.zeros(3)}


def test_a_score_weighs_shares_of_totals() -> None:
    score = parse_score("potential = 0.6*kwh + 0.4*meters")
    assert score == Score("potential", (("kwh", 0.6), ("meters", 0.4)))
    assert score.values(COLUMNS) == pytest.approx([260, 380, 360])  # 600 * kwh / 10 + 400 * meters / 10


def test_a_column_without_a_weight_weighs_one() -> None:
    assert parse_score("p=kwh+3*meters").parts == (("kwh", 1.0), ("meters", 3.0))


def test_the_report_shows_weights_and_shares() -> None:
    assert parse_score("p=3*kwh+1*meters").told(COLUMNS) == {
        "kwh": {"weight": 3.0, "share": 0.75, "total": 10.0},
        "meters": {"weight": 1.0, "share": 0.25, "total": 10.0},
    }


_values = arrays(np.float64, 6, elements=st.floats(0, 1e6)).filter(lambda v: v.sum() > 1)


@given(a=_values, b=_values, unit=st.floats(0.01, 100), weight=st.floats(0.01, 100))
def test_the_territory_has_1000_whatever_units_and_weights(a, b, unit, weight) -> None:
    score = Score("s", (("a", weight), ("b", 2.0)))
    values = score.values({"a": a, "b": b})
    assert values.sum() == pytest.approx(1000)
    assert (values >= 0).all()
    assert score.values({"a": a * unit, "b": b}) == pytest.approx(values)


@pytest.mark.parametrize(
    "text",
    ["", "p", "p=", "=kwh", "p=x*kwh", "p=0*kwh", "p=-1*kwh", "p=inf*kwh", "p=2*", "p=kwh+kwh", "p=kwh+"],
)
def test_what_is_no_score_is_refused_with_its_form(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"0\.6\*kwh"):
        parse_score(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [("p=volts", "volts.*kwh, meters"), ("p=none", "is 0 in every cell"), ("p=odd", "in cell 2")],
)
def test_columns_that_cannot_be_weighed_are_named(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_score(text).values({**COLUMNS, **({"odd": np.array([1, -1, 1.0])} if "odd" in text else {})})
