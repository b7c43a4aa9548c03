"""Figures, ranks and scores of grids, and what their ground came to before."""

from __future__ import annotations

import itertools
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.errors import InvalidInput
from gridsvc.plans.lineage import Flow
from gridsvc.teams.scorecard import Ground, Ranks, figures_of, part_sums, ranked, ratios, scored
from gridsvc.teams.scorecard_rules import Part, ScorecardRules, scorecard_rules_from_dict
from gridsvc.teams.trend import carried, link_of

EXAMPLES = int(os.environ.get("GRIDSVC_PROOF_SCORECARDS", "30"))
NOWHERE = np.full((1, 2), np.nan)


def ground(labels: str, base: object = None, outlets: object = ()) -> Ground:
    """Cells in a row, 1 km apart and 1 km2 large; ``aab.``: two of the first grid, one of the second."""
    codes = sorted(set(labels) - {"."})
    n, k = len(labels), len(codes)
    place = np.array([codes.index(c) if c != "." else -1 for c in labels], np.int32)
    bases = np.full((k, 2), np.nan) if base is None else np.array(base, float)
    points = np.array(list(outlets), float).reshape(-1, 2)
    return Ground(place, k, np.full(n, 1e6), np.arange(n) * 1000.0, np.zeros(n), bases, points)


def values(**columns: object) -> dict[str, np.ndarray]:
    return {name: np.array(column, float) for name, column in columns.items()}


# --- figures


def test_each_figure_follows_from_its_parts() -> None:
    cells = values(
        meters=[10, 20, 5, 99],
        empty=[10, 0, 15, 9],
        kwh=[100, 200, 50, 9],
        sold=[60, 0, 80, 9],
        rivals=[0.5, 0.2, 0.4, 1],
    )
    parts = {
        "customers": Part(("meters",)),
        "premises": Part(("meters", "empty")),
        "potential": Part(("kwh",)),
        "sales": Part(("sold",)),
        "competition": Part(("rivals",), "meters"),
    }
    place = ground("aab.")
    found = figures_of(place, part_sums(place, parts, cells), cells["meters"])
    assert {name: v.tolist() for name, v in found.items()} == {
        "customers": [30, 5],
        "potential": [300, 50],
        "penetration": [0.75, 0.25],
        "white_space": [240, -30],
        "competition": pytest.approx([(0.5 * 10 + 0.2 * 20) / 30, 0.4]),
        "density": [15, 5],
    }


def test_what_is_not_given_is_absent_and_never_made_up() -> None:
    place = ground("ab")
    parts = {
        "customers": Part(("meters",)),
        "premises": Part(("meters", "none such")),
        "potential": Part(("kwh",)),
    }
    found = figures_of(place, part_sums(place, parts, values(meters=[1, 2], kwh=[3, 4])), None)
    assert list(found) == ["customers", "potential", "density"]


def test_a_grid_without_premises_has_no_penetration() -> None:
    found = ratios(values(customers=[0, 5], premises=[0, 10]))
    np.testing.assert_array_equal(found["penetration"], [np.nan, 0.5])


def test_served_takes_the_place_of_customers_in_penetration() -> None:
    found = ratios(values(customers=[8], served=[4], premises=[10]))
    assert found["penetration"].tolist() == [0.4]


def test_distances_are_those_of_customers_to_base_and_nearest_outlet() -> None:
    place = ground("aab", base=[[0, 0], [np.nan, np.nan]], outlets=[[1000, 0], [2000, 3000]])
    heads = np.array([1.0, 3.0, 0.0])
    found = figures_of(place, {}, heads)
    np.testing.assert_allclose(found["base_km"], [0.75, np.nan])
    np.testing.assert_allclose(found["outlet_km"], [0.25, 1.0])  # nobody lives in b: its area counts


# --- ranks


def test_equals_share_a_rank_and_say_so() -> None:
    found = ranked(np.array([5.0, 9.0, 7.0, 7.0, np.nan, 8.0]), "high", np.array([1, 1, 1, 1, 1, 0], bool))
    assert found.rank.tolist() == [4, 1, 2, 2, 0, 0]
    assert found.tied.tolist() == [False, False, True, True, False, False]
    np.testing.assert_allclose(found.percentile, [0, 100, 50, 50, np.nan, np.nan])


def test_little_is_good_where_it_is_said_so() -> None:
    assert ranked(np.array([5.0, 9.0, 7.0]), "low", np.ones(3, bool)).rank.tolist() == [1, 3, 2]


def test_one_grid_alone_has_a_rank_but_no_percentile() -> None:
    found = ranked(np.array([5.0]), "high", np.ones(1, bool))
    assert (found.rank.tolist(), np.isnan(found.percentile).tolist()) == ([1], [True])


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.lists(st.integers(-3, 3), min_size=2, max_size=12), st.sampled_from(["high", "low"]))
def test_ranks_are_what_counting_gives(numbers: list[int], good: str) -> None:
    found = ranked(np.array(numbers, float), good, np.ones(len(numbers), bool))
    sign = 1 if good == "high" else -1
    for at, own in enumerate(numbers):
        others = [sign * other for i, other in enumerate(numbers) if i != at]
        better, equal = sum(o > sign * own for o in others), others.count(sign * own)
        assert (found.rank[at], bool(found.tied[at])) == (better + 1, equal > 0)
        assert found.percentile[at] == pytest.approx(
            100 * (sum(o < sign * own for o in others) + equal / 2) / len(others)
        )


def test_sums_which_differ_in_their_last_bit_are_equal() -> None:
    assert ranked(np.array([0.1 + 0.2, 0.3]), "high", np.ones(2, bool)).rank.tolist() == [1, 1]


# --- scores


def of(*percentiles: float) -> Ranks:
    k = len(percentiles)
    return Ranks(np.ones(k, np.int64), np.zeros(k, bool), np.array(percentiles))


def test_a_score_is_the_sum_of_its_points() -> None:
    rules = ScorecardRules(weights={"customers": 3.0, "potential": 1.0, "density": 0.0})
    found = scored({"customers": of(100, 50), "potential": of(20, np.nan), "density": of(1, 2)}, rules)
    assert found is not None
    assert found.total.tolist() == [80, 50]  # the second is judged by what it has
    np.testing.assert_allclose(found.points["customers"], [75, 50])
    np.testing.assert_allclose(found.points["potential"], [5, np.nan])
    assert found.ranks.rank.tolist() == [1, 2]


def test_there_is_no_score_where_nothing_is_weighed() -> None:
    assert scored({"density": of(1, 2)}, ScorecardRules()) is None


# --- trends


def test_ground_is_followed_through_splits_and_merges() -> None:
    split = link_of(
        ["a", "b"], ["a1", "a2", "b"], {"a": [Flow("a1", 1, 30), Flow("a2", 1, 10)], "b": [Flow("b", 1, 9)]}
    )
    merged = link_of(
        ["a1", "a2", "b"],
        ["a1", "c"],
        {"a1": [Flow("a1", 1, 1)], "a2": [Flow("c", 2, 0)], "b": [Flow("c", 1, 5), Flow(None, 1, 5)]},
    )
    found, lost = carried(np.array([100.0, 50.0]), [split, merged])
    assert (found.tolist(), lost) == ([75, 50], 25)


def test_before_lineage_was_kept_a_code_stands_for_itself() -> None:
    found, lost = carried(np.array([3.0, 4.0]), [link_of(["a", "b"], ["b", "c"], {})])
    assert (found.tolist(), lost) == ([4, 0], 3)


@settings(deadline=None, max_examples=EXAMPLES)
@given(st.data())
def test_what_is_carried_and_what_is_lost_add_up_to_what_there_was(data: st.DataObject) -> None:
    sets = data.draw(
        st.lists(
            st.lists(st.sampled_from("abcde"), min_size=1, max_size=5, unique=True), min_size=2, max_size=4
        )
    )
    links = []
    for former, then in itertools.pairwise(sets):
        heirs = st.lists(
            st.tuples(st.sampled_from([*then, None]), st.integers(0, 4), st.integers(0, 9)), max_size=3
        )
        links.append(link_of(former, then, {c: [Flow(*flow) for flow in data.draw(heirs)] for c in former}))
    amounts = np.array([float(data.draw(st.integers(0, 1000))) for _ in sets[0]])
    found, lost = carried(amounts, links)
    assert found.sum() + lost == pytest.approx(amounts.sum())


# --- rules


@pytest.mark.parametrize(
    ("document", "field", "cure"),
    [
        ({"parts": {"income": {"of": ["x"]}}}, "parts", "customers"),
        ({"parts": {"sales": {"of": []}}}, "parts.sales", "one or more"),
        ({"parts": {"sales": {"of": ["x", "x"]}}}, "parts.sales", "once"),
        ({"parts": {"sales": {"of": [" "]}}}, "parts.sales", "characters"),
        ({"weights": {"luck": 1}}, "weights", "penetration"),
        ({"weights": {"customers": -1}}, "weights.customers", "from 0"),
        ({"weights": {"customers": float("nan")}}, "weights.customers", "from 0"),
        ({"better": {"customers": "more"}}, "better.customers", "high, low"),
        ({"visits": {"A": "often"}}, "visits.A", "number"),
    ],
)
def test_rules_which_mean_nothing_are_refused(document: dict, field: str, cure: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        scorecard_rules_from_dict(document)
    assert caught.value.field == field
    assert cure in (caught.value.cure or "")


def test_rules_read_back_as_they_were_written() -> None:
    rules = ScorecardRules(
        {"sales": Part(("a", "b"), "c")}, {"customers": 2.0}, {"density": "low"}, {"A": 4.0}
    )
    assert scorecard_rules_from_dict(rules.as_dict()) == rules
    assert scorecard_rules_from_dict({}) == ScorecardRules()
