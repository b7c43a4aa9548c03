"""The state of one small territory, `north`: hexagons in a box, all of them in grid `a`."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import shapely

from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.live import EMPTY, Line, State
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.plans.plan import Grid
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.places import Places

__all__ = ["TILING", "small_state"]

BOX = shapely.MultiPolygon([shapely.box(112.9, 28.6, 113.0, 28.7)])
TILING = tile_h3(BOX, 7)


def small_state() -> State:
    """As the mapped files would give it."""
    held = Holdings("north", "base", np.zeros(len(TILING), np.int16), (Grid("a", "A", None),))
    places = Places.of("h3", 7, TILING.ids, None, BOX)
    snapshot = Snapshot(held, places, "til", EMPTY, Moment(1, None, 1, datetime(2026, 1, 1, tzinfo=UTC)))
    return State(1, 1, float("inf"), {("north", "base"): Line(snapshot, None)}, {"base": "north"}, {})
