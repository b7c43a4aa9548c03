"""What readers see while others publish, and of drafts."""

from __future__ import annotations

import json

import numpy as np
import pytest

from api.ogc.systems import System, _north_first, systems_of
from gridsvc.errors import Forbidden
from gridsvc.principal import SCOPES, Principal
from gridsvc.services import feature_search, features
from tests.ogc.conftest import FIRST, SECOND, Town
from tests.services.board import ANNA, hand_over
from tests.services.series import draft, publish

CELLS, GRIDS = "board.base.cells", "board.base.grids"


def _next(page: dict[str, object]) -> str | None:
    return next((entry["href"] for entry in page["links"] if entry["rel"] == "next"), None)  # type: ignore[index,attr-defined]


@pytest.mark.parametrize("query", [{}, {"filter": "team IN ('a', 'b')"}, {"bbox": "0,0,0.005,0.005"}])
def test_a_walk_through_pages_is_of_one_publication(town: Town, query: dict[str, str]) -> None:
    whole = town.items(CELLS, **query)
    page, seen = town.items(CELLS, limit=30, **query), []
    n = page["gridsvc:state"]["publication"]
    for letters in (FIRST, SECOND, FIRST, SECOND):
        seen += page["features"]
        assert page["gridsvc:state"]["publication"] == n
        assert page["numberMatched"] == whole["numberMatched"]
        onwards = _next(page)
        if onwards is None:
            break
        publish(town.database, draft(town.database, town.tiling, letters))
        page = town.client.get(onwards).json()
    assert seen == whole["features"]
    assert town.items(CELLS, limit=1)["gridsvc:state"]["publication"] > n


def test_a_draft_shows_its_moves_and_ends_walks_begun_before(town: Town) -> None:
    name = f"plan.{town.plan}.cells"
    first = town.items(name, limit=50)
    assert first["gridsvc:state"]["revision"] == 2
    assert first["features"][0]["properties"]["grid"] == "a"
    hand_over(town.database, town.plan, 2, "x000y000", "b")
    assert town.items(name, limit=1)["features"][0]["properties"]["grid"] == "b"
    answer = town.client.get(str(_next(first)))
    assert (answer.status_code, answer.json()["field"]) == (410, "cursor")


def test_drafts_are_for_those_who_may_read_plans(town: Town) -> None:
    guest = Principal("guest", frozenset({"owner:read"}))
    assert {c.plan for c in features.collections(town.database, guest)} == {None}
    with pytest.raises(Forbidden):
        features.collection(town.database, guest, f"plan.{town.plan}.grids")
    with pytest.raises(Forbidden):
        features.collections(town.database, Principal("nobody", SCOPES - {"owner:read"}))
    assert features.collection(town.database, ANNA, f"plan.{town.plan}.grids").plan == town.plan


def test_ten_thousand_features_are_never_more_than_some_hundreds_at_a_time(town: Town) -> None:
    from gridsvc.services.feature_tables import Shelf

    found = features.collection(town.database, ANNA, CELLS)
    state = features.version(town.database, ANNA, found)
    assert state is not None
    table = features.table(town.database, Shelf(), state)
    rows = np.tile(np.arange(len(table)), 1)
    parts = list(feature_search.pieces(town.database, table, rows))
    assert max(map(len, parts)) <= 500
    assert [json.loads(piece)["id"] for part in parts for piece in part] == table.ids


def test_layers_in_china_come_in_cgcs2000_and_its_zones_with_north_first() -> None:
    offered = {uri.rsplit("/", 1)[1] for uri in systems_of((113.8, 22.4, 114.6, 22.8))}
    assert {
        "4326",
        "3857",
        "4490",
        "4547",
        "4526",
    } <= offered  # 3-degree zones of 114 E, with and without number
    assert "4534" not in offered  # 75 E
    assert not {uri for uri in systems_of((-0.5, 51.3, 0.3, 51.7)) if "/45" in uri}
    assert [_north_first(f"EPSG:{code}") for code in (4326, 4490, 4547, 3857)] == [True, True, True, False]
    assert System("", "", north_first=True).north_first


def test_grids_without_a_team_are_those_of_the_fallback() -> None:
    import shapely

    from gridsvc.exchange.layers import Layer
    from gridsvc.services.feature_tables import _teams
    from tests.services.series import people

    columns = {
        "team": ["b", None, "a"],
        "cells": [1, 2, 4],
        "area_km2": [0.1, 0.2, 0.4],
        "n": [1.0, None, 3.0],
    }
    shapes = shapely.box([0, 1, 2], 0, [1, 2, 3], 1)
    found, _ = _teams(Layer("grids", shapes, columns), np.zeros(3, bool), people(), ["n"])
    told = [found.columns[name] for name in ("team", "team_name", "grids", "cells", "n")]
    assert told == [["a", "b"], ["Team A", "Team B"], [2, 1], [6, 1], [3.0, 1.0]]
    assert found.geometry[0].area == 2.0
