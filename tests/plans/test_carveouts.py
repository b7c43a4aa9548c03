"""Carve-outs drawn as polygons: read, refused by feature and field, and merged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.errors import InvalidGeometry, InvalidInput, TooLarge, UnreadableFile
from gridsvc.exchange.geojson import feature_collection
from gridsvc.plans.carveouts import (
    CarveOut,
    carve_outs_from_geojson,
    merged,
    read_carve_outs,
    require_free_codes,
    require_inside,
)


def square(x: float, side: float = 1.0) -> shapely.Polygon:
    return shapely.box(x, 0, x + side, side)


def feature(code: Any, geometry: Any, **changes: Any) -> dict[str, Any]:
    properties = {"code": code, "name": f"Works {code}", "team": "t1", "reason": "key enterprise", **changes}
    shape = geometry if isinstance(geometry, dict) else json.loads(shapely.to_geojson(geometry))
    return {"type": "Feature", "geometry": shape, "properties": properties}


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def carved(code: str, x: float = 0.0, **changes: Any) -> CarveOut:
    given = {"name": f"Works {code}", "team": "t1", "reason": "key enterprise", "polygon": square(x)}
    return CarveOut(code, **(given | changes))


# --- reading


def test_features_become_carve_outs_in_their_order() -> None:
    pair = shapely.MultiPolygon([square(4), square(6)])
    found = carve_outs_from_geojson(
        collection(feature("K2", square(0)), feature("K1", pair, team=None, colour="red"))
    )
    assert found == (carved("K2"), carved("K1", team=None, polygon=pair))


def test_a_code_may_be_a_whole_number_and_texts_are_trimmed() -> None:
    (found,) = carve_outs_from_geojson(collection(feature(7, square(0), name="  Port  ", team=" ")))
    assert (found.code, found.name, found.team) == ("7", "Port", None)


def test_no_feature_means_no_carve_out() -> None:
    assert carve_outs_from_geojson(collection()) == ()


def test_a_file_is_read_like_a_document(tmp_path: Path) -> None:
    path = tmp_path / "carved.geojson"
    path.write_text(json.dumps(collection(feature("K1", square(0)))))
    assert read_carve_outs(path) == (carved("K1"),)


BOW_TIE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}


@pytest.mark.parametrize(
    ("second", "field", "said"),
    [
        (feature(None, square(2)), "code", "missing"),
        (feature("K2", square(2), name=" "), "name", "missing"),
        (feature("K2", square(2), reason=None), "reason", "missing"),
        (feature("K2", square(2), team=["t1"]), "team", "not a text"),
        (feature(True, square(2)), "code", "not a text"),
        (feature("K" * 41, square(2)), "code", "41 characters"),
        (feature("K1", square(2)), "code", "feature 1 already"),
        (feature("K2", BOW_TIE), "geometry", "crosses"),
        (
            feature("K2", {**BOW_TIE, "coordinates": [[[0, 0], [10**400, 0], [1, 1], [0, 0]]]}),
            "geometry",
            "built",
        ),
        (feature("K2", shapely.Point(2, 0)), "geometry", "not a polygon"),
        (feature("K2", shapely.Polygon()), "geometry", "missing or empty"),
        (feature("K2", shapely.box(0, 100, 1, 101)), "geometry", "exchanged|latitude"),
        (feature("K2", square(0.5)), "geometry", "overlaps carve-out 'K1'"),
        (feature("K2", square(0.2, 0.5)), "geometry", "overlaps carve-out 'K1'"),
    ],
)
def test_what_is_wrong_is_named_by_feature_and_field_with_a_cure(
    second: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        carve_outs_from_geojson(collection(feature("K1", square(0)), second))
    error = refused.value
    assert (error.source, error.row, error.field) == ("carve_outs", 2, field)
    assert error.cure


def test_what_is_no_geojson_is_refused() -> None:
    with pytest.raises(UnreadableFile):
        carve_outs_from_geojson([1])


def test_more_than_anybody_draws_is_refused() -> None:
    with pytest.raises(TooLarge):
        carve_outs_from_geojson(collection(*[feature("K1", square(0))] * 10_001))


def test_neighbours_may_touch() -> None:
    assert len(carve_outs_from_geojson(collection(feature("K1", square(0)), feature("K2", square(1))))) == 2


@given(st.floats(-3, 3), st.floats(1e-4, 1))
def test_neighbours_may_be_read_back_from_rounded_geojson(slope: float, width: float) -> None:
    """Their border has a corner on one side only, which rounding moves off the other's straight edge."""
    west = shapely.Polygon([(0, 0), (width, 0), (width * (1 + slope / 4), width), (0, width)])
    middle = shapely.Point(width * (1 + slope / 8), width / 2)
    east = shapely.Polygon(
        [(width, 0), (3 * width, 0), (3 * width, width), (width * (1 + slope / 4), width), middle.coords[0]]
    )
    shapes = np.array([west, east], dtype=object)
    properties = [feature(code, square(0))["properties"] for code in ("K1", "K2")]
    text = b"".join(feature_collection(shapes, properties))
    assert len(carve_outs_from_geojson(json.loads(text))) == 2


def test_a_small_overlap_at_a_corner_is_one() -> None:
    """Five metres each way, of sides of a hundred kilometres."""
    corner = shapely.box(1 - 5e-5, 1 - 5e-5, 2, 2)
    with pytest.raises(InvalidGeometry, match="overlaps"):
        carve_outs_from_geojson(collection(feature("K1", square(0)), feature("K2", corner)))


def test_a_code_of_a_grid_is_taken() -> None:
    with pytest.raises(InvalidInput, match="code of a grid") as refused:
        require_free_codes([carved("K1"), carved("01", 2)], {"01", "02"})
    assert (refused.value.row, refused.value.field) == (2, "code")


def test_a_carve_out_touches_the_territory() -> None:
    territory = shapely.MultiPolygon([square(0)])
    require_inside([carved("K1", 0.5), carved("K2", 1.0)], territory)
    with pytest.raises(InvalidGeometry, match="outside the territory") as refused:
        require_inside([carved("K1"), carved("K2", 1.1)], territory)
    assert (refused.value.row, refused.value.field) == (2, "geometry")


# --- merging

K1, K2, K3 = carved("K1"), carved("K2", 2), carved("K3", 4)


def test_what_only_one_side_changed_is_taken() -> None:
    mine = (replace(K1, team="t2"), K2)
    theirs = (K1, replace(K2, name="Mill"), K3)
    assert merged((K1, K2), mine, theirs) == ((mine[0], theirs[1], K3), ())


def test_what_one_side_gave_up_is_gone() -> None:
    assert merged((K1, K2), (K1,), (K1, K2)) == ((K1,), ())
    assert merged((K1, K2), (K1, K2), (K2,)) == ((K2,), ())


@pytest.mark.parametrize(("prefer", "kept"), [(None, "t2"), ("mine", "t2"), ("theirs", "t3")])
def test_what_both_changed_is_a_clash(prefer: Any, kept: str) -> None:
    found, clashes = merged((K1,), (replace(K1, team="t2"),), (replace(K1, team="t3"),), prefer)
    assert ([c.team for c in found], clashes) == ([kept], ("K1",))


def test_a_change_against_giving_up_is_a_clash() -> None:
    changed = replace(K1, team="t2")
    assert merged((K1,), (changed,), ()) == ((changed,), ("K1",))
    assert merged((K1,), (), (changed,), "theirs") == ((changed,), ("K1",))
    assert merged((K1,), (), (changed,), "mine") == ((), ("K1",))


@pytest.mark.parametrize(("prefer", "kept"), [(None, "K9"), ("mine", "K9"), ("theirs", "K2")])
def test_new_ones_on_the_same_ground_are_a_clash(prefer: Any, kept: str) -> None:
    mine = (carved("K9", 2.5),)
    found, clashes = merged((), mine, (K2,), prefer)
    assert ([c.code for c in found], clashes) == ([kept], ("K2", "K9"))


LISTS = st.lists(
    st.builds(carved, st.sampled_from("ABC"), st.integers(0, 3).map(float), team=st.sampled_from("tu")),
    max_size=3,
    unique_by=(lambda c: c.code, lambda c: c.polygon.bounds),
).map(tuple)


@given(LISTS, LISTS, LISTS)
def test_merging_is_settled_by_who_changed_what(base: Any, mine: Any, theirs: Any) -> None:
    assert merged(base, mine, base) == (mine, ())
    assert set(merged(base, base, theirs)[0]) == set(theirs)
    assert merged(base, mine, mine) == (mine, ())
    found, clashes = merged(base, mine, theirs, "mine")
    other, same = merged(base, theirs, mine, "theirs")
    assert (set(found), clashes) == (set(other), same)
    carve_outs_from_geojson(collection(*(feature(c.code, c.polygon) for c in found)))  # none overlap
