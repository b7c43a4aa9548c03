"""The customers of a grid are those of whom the lookup says that the grid owns them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import h3
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.publication import Overlay
from gridsvc.ownership.residents import residents_of_grid
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.plans.plan import Grid
from gridsvc.teams.model import Roster
from gridsvc.tiling.places import Places

BOX = shapely.box(112.9, 28.6, 113.0, 28.7)
GRIDS = (Grid("01", "West", "t1"), Grid("02", "East", "t2"))
OVERLAYS = (
    Overlay("P1", "Park", "t3", shapely.box(112.94, 28.63, 112.97, 28.66)),
    Overlay(
        "P2",
        "Two yards, one beyond the cells",
        None,
        shapely.MultiPolygon(
            [shapely.box(112.91, 28.61, 112.911, 28.611), shapely.box(113.1, 28.6, 113.2, 28.7)]
        ),
    ),
)


def snapshot(places: Places, overlays: tuple[Overlay, ...]) -> Snapshot:
    labels = (np.arange(len(places)) % 2).astype(np.int32)
    labels[0] = -1
    held = Holdings("t", "base", labels, GRIDS, overlays)
    moment = Moment(1, 1, 1, datetime(2026, 11, 1, tzinfo=UTC))
    return Snapshot(held, places, "til", Roster((), (), (), (), fallback="t0"), moment)


def hexes() -> Places:
    cells = np.array(sorted(map(h3.str_to_int, h3.geo_to_cells(BOX, 8))), np.uint64)
    return Places.of("h3", 8, cells, None, shapely.MultiPolygon([BOX]))


def blocks() -> Places:
    edges = np.linspace(112.9, 113.0, 9)
    shapes = [shapely.box(a, 28.6, b, 28.7) for a, b in itertools.pairwise(edges)]
    ids = np.array([f"{i:02}" for i in range(len(shapes))], object)
    return Places.of("polygons", None, ids, np.array(shapes, object), shapely.MultiPolygon([BOX]))


SNAPSHOTS = [snapshot(places, over) for places in (hexes(), blocks()) for over in ((), OVERLAYS)]

inside = st.tuples(st.floats(112.89, 113.01), st.floats(28.59, 28.71))
beyond = st.tuples(st.floats(113.05, 113.25), st.floats(28.59, 28.71))
corners = st.sampled_from([tuple(xy) for o in OVERLAYS for xy in shapely.get_coordinates(o.polygon).tolist()])


@pytest.mark.parametrize("found", SNAPSHOTS, ids=["h3", "h3, carved", "blocks", "blocks, carved"])
@settings(deadline=None)
@given(points=st.lists(st.one_of(inside, beyond, corners), min_size=1, max_size=20), known=st.booleans())
def test_a_customer_is_of_the_grid_which_the_lookup_names(
    found: Snapshot, points: list[tuple[float, float]], known: bool
) -> None:
    for x, y in points:
        row = found.places.row(x, y)
        lon, lat = (x, y) if known else (None, None)
        named = (found.customer("c", row, lon, lat).grid or {}).get("code")
        for code in [*(g.code for g in GRIDS), *(o.code for o in found.holdings.overlays)]:
            residents = residents_of_grid(found, code)
            assert residents is not None
            assert (row in residents.rows and residents.counts(lon, lat)) == (code == named)


@pytest.mark.parametrize("found", SNAPSHOTS[1::2], ids=["h3", "blocks"])
def test_customers_under_an_outline_are_sought_in_few_cells(found: Snapshot) -> None:
    residents = residents_of_grid(found, "P1")
    assert residents is not None
    assert len(residents.rows) == len(set(residents.rows)) < 0.7 * len(found.places)


def test_no_grid_of_that_code_has_no_residents() -> None:
    for found in SNAPSHOTS:
        assert residents_of_grid(found, "03") is None
