"""Codes of a territory's grids: chosen as data, kept for life."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely

from gridsvc.errors import InvalidInput
from gridsvc.plans.plan import Grid, Plan
from gridsvc.services import codes, plans, rosters
from gridsvc.services.codes import Scheme
from gridsvc.services.handing import NewGrid
from gridsvc.services.request import SolveRequest
from gridsvc.store import Database
from tests.services.board import ANNA, board, cells_of, hand_over, lay
from tests.services.series import draft, ground, people, publish

WEST, EAST = "110105001001", "110105001002"


def town(database: Database) -> str:
    """Eight cells in a row, four in each of two communities."""
    tiling = board(8, 1)
    tiling = replace(tiling, columns={"community": np.array([WEST] * 4 + [EAST] * 4, dtype=object)})
    made = lay(database, tiling, {"customers": np.ones(8)})
    rosters.put(database, ANNA, "board", people())
    return made


def solve(database: Database, tiling: str, grids: int = 4, **more: Any) -> list[Grid]:
    record = plans.create(database, ANNA, tiling, SolveRequest(grids, (("customers", 0.5),), **more))
    return list(plans.solve(database, ANNA, record.id).grids)


def test_plain_numbers_are_the_default(database: Database) -> None:
    tiling = town(database)
    assert codes.get(database, ANNA, "board") == codes.PLAIN
    assert [grid.code for grid in solve(database, tiling)] == ["01", "02", "03", "04"]


def test_with_a_column_of_area_codes_new_grids_get_15_digits(database: Database) -> None:
    tiling = town(database)
    codes.put(database, ANNA, "board", Scheme("standard15", "community"))
    found = solve(database, tiling, nest_in="community")
    assert [g.code for g in found] == [WEST + "001", WEST + "002", EAST + "001", EAST + "002"]
    assert found[0].name == f"Grid {WEST}001"


def test_a_layer_of_areas_serves_tilings_without_such_a_column(database: Database) -> None:
    tiling = ground(database, 8)
    east = shapely.box(4 * 100 / 111_320, -1, 1, 1)
    areas = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"gb": code}, "geometry": shapely.geometry.mapping(shape)}
            for code, shape in ((WEST, shapely.box(-1, -1, 4 * 100 / 111_320, 1)), (EAST, east))
        ],
    }
    codes.put(database, ANNA, "board", Scheme("standard15", areas=areas, property="gb"))
    assert [g.code[:12] for g in solve(database, tiling, 2)] == [WEST, EAST]


def numbered(database: Database, tiling: str, labels: list[int]) -> str:
    """A draft of grids 01 and 02, or of 01 alone."""
    grids = (Grid("01", "Grid 01", "a"), Grid("02", "Grid 02", "b"))[: max(labels) + 1]
    plan = Plan(np.array(labels, np.int32), grids)
    return plans.put(database, ANNA, tiling, plan, (("customers", 0.5),)).id


def test_a_grid_cut_out_in_a_draft_gets_a_code_no_grid_ever_had(database: Database) -> None:
    tiling = ground(database, 4)
    publish(database, numbered(database, tiling, [0, 0, 1, 1]))
    publish(database, numbered(database, tiling, [0, 0, 0, 0]))
    plan = numbered(database, tiling, [0, 0, 0, 0])
    hand_over(database, plan, 2, "x003y000", NewGrid())
    assert cells_of(database, plan)["x003y000"] == "03"


def test_a_grid_cut_out_in_a_draft_is_numbered_by_the_scheme(database: Database) -> None:
    tiling = town(database)
    codes.put(database, ANNA, "board", Scheme("standard15", "community"))
    plan = draft(database, tiling, "aaaabbbb")
    hand_over(database, plan, 2, "x006y000 x007y000", NewGrid())
    assert cells_of(database, plan)["x007y000"] == EAST + "001"


def test_a_code_stays_with_its_grid_when_the_scheme_changes(database: Database) -> None:
    tiling = town(database)
    record = plans.create(database, ANNA, tiling, SolveRequest(4, (("customers", 0.5),)))
    before = plans.solve(database, ANNA, record.id)
    codes.put(database, ANNA, "board", Scheme("standard15", "community"))
    assert plans.get(database, ANNA, before.id).grids == before.grids


SQUARE = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
BOW_TIE = [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]


def layer(geometry: object, properties: object = None) -> dict[str, Any]:
    feature = {"type": "Feature", "geometry": geometry, "properties": properties}
    return {"type": "FeatureCollection", "features": [feature]}


@pytest.mark.parametrize(
    ("scheme", "field", "cure"),
    [
        (Scheme("standard15"), "column", "give column"),
        (Scheme("standard15", "nothing"), "column", "there are community"),
        (Scheme("standard15", "community", {"type": "FeatureCollection"}), "column", "give column"),
        (Scheme("standard15", areas={"type": "FeatureCollection", "features": []}), "areas", "FeatureColl"),
        (Scheme("standard15", areas=layer({"type": "Point", "coordinates": [0, 0]})), None, "polygon"),
        (Scheme("standard15", areas=layer({"type": "Polygon", "coordinates": [[1]]})), None, ""),
        (Scheme("standard15", areas=layer({"type": "Polygon", "coordinates": BOW_TIE})), None, ""),
        (Scheme("standard15", areas=layer(None)), None, ""),
        (Scheme("standard15", areas=layer(SQUARE, {"code": "12"})), "code", "6 digits"),
        (Scheme("standard15", areas=layer(SQUARE, {"other": WEST})), "code", "6 digits"),
        (Scheme("standard15", areas=layer(SQUARE, {"code": [WEST]})), "code", "6 digits"),
        (Scheme("standard15", areas={"type": "Sphere"}), None, ""),
        (Scheme("standard15", areas={"type": "FeatureCollection", "features": 7}), None, ""),
        (Scheme("plain", "community"), "column", "leave it out"),
    ],
)
def test_a_scheme_without_its_area_codes_is_refused(
    database: Database, scheme: Scheme, field: str | None, cure: str
) -> None:
    town(database)
    with pytest.raises(InvalidInput) as refused:
        codes.put(database, ANNA, "board", scheme)
    assert field is None or refused.value.field == field
    assert refused.value.cure
    assert cure in (refused.value.cure or "")
    assert codes.get(database, ANNA, "board") == codes.PLAIN


def test_a_later_tiling_without_the_column_says_so_when_it_is_solved(database: Database) -> None:
    town(database)
    codes.put(database, ANNA, "board", Scheme("standard15", "community"))
    with database.write(ANNA, "test") as uow:
        other = uow.tilings.add("board", board(4, 1), params={}, coverage={})
    record = plans.create(database, ANNA, other, SolveRequest(2, ()))
    with pytest.raises(InvalidInput, match="no column 'community'"):
        plans.solve(database, ANNA, record.id)
