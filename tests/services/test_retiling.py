"""Plans carried onto another tiling of the same ground."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridsvc.customers.measures import parse_measure
from gridsvc.errors import InvalidInput
from gridsvc.services import imports, retiling
from gridsvc.services.imports import ImportOptions
from gridsvc.store import Database
from gridsvc.tiling.tiling import Tiling
from tests.services.board import ANNA, blocks, board, cells_of, lay, put
from tests.services.test_arrivals import place
from tests.services.test_arrivals import put as tell

WIDTH = 6


def _shifted(width: int) -> Tiling:
    """Cells half a cell further east than those of the board."""
    from dataclasses import replace

    import shapely

    tiling = board(width, 1)
    half = place(0)["lon"]
    moved = shapely.transform(tiling.geometry, lambda c: c + np.array([half, 0]))
    return replace(tiling, geometry=moved, origin=(half, 0.0))


@pytest.fixture
def pair(database: Database, tmp_path: Path) -> tuple[Database, str, str, str]:
    """A database, a plan of three grids of two cells each, its tiling, and one half a cell further east."""
    tiling = board(WIDTH, 1)
    ones = {"customers": np.ones(WIDTH)}
    old = lay(database, tiling, ones)
    plan = put(database, old, tiling, blocks(WIDTH, 1, 3, 1), ones)
    with database.write(ANNA, "test") as uow:
        new = uow.tilings.add("board", _shifted(WIDTH), params={}, coverage={})
    half = place(0)["lon"]
    # In the western half of each old cell but the first one customer, in the eastern half of cell 1 three.
    spots = {f"w{x}": place(x)["lon"] - half / 2 for x in range(1, WIDTH)}
    spots |= {f"e{i}": place(1)["lon"] + half / 2 for i in range(3)}
    lines = [f"{name},{lon},{place(0)['lat']}" for name, lon in spots.items()]
    (tmp_path / "c.csv").write_text("\n".join(["id,lon,lat", *lines]))
    for made in (old, new):
        options = ImportOptions((parse_measure("customers=count"),), min_placed=0.5)
        imports.put_file(database, ANNA, made, tmp_path / "c.csv", options)
    return database, plan, old, new


def changes(database: Database, plan: str, other: str) -> dict[str, Any]:
    return {n: (b, a) for n, b, a in retiling.changed_customers(database, ANNA, plan, other)}


def test_cells_go_with_their_customers_and_who_changes_is_listed(
    pair: tuple[Database, str, str, str],
) -> None:
    database, plan, _, new = pair
    made = retiling.carry_onto(database, ANNA, plan, new, name="on the new cells")
    # New cell 1 holds the east of old cell 1 (three of grid 01) and the west of old cell 2 (one of 02).
    assert list(cells_of(database, made["plan"]).values()) == ["01", "01", "02", "03", "03", "03"]
    assert made["crosswalk"]["customers"] == 8
    assert changes(database, plan, made["plan"]) == {"w2": ("02", "01")}
    assert made["changed"] == 1
    assert made["empty"] == []


def test_customers_told_of_since_count(pair: tuple[Database, str, str, str]) -> None:
    database, plan, _, new = pair
    before = retiling.carry_onto(database, ANNA, plan, new)
    tell(database, "new", 2, 1, lon=place(2)["lon"] - place(0)["lon"] / 2)
    after = retiling.carry_onto(database, ANNA, plan, new)
    assert after["crosswalk"]["customers"] == before["crosswalk"]["customers"] + 1
    assert changes(database, plan, after["plan"])["new"] == ("02", "01")


def test_pages_of_changed_customers(pair: tuple[Database, str, str, str]) -> None:
    database, plan, _, new = pair
    made = retiling.carry_onto(database, ANNA, plan, new)["plan"]
    tell(database, "z", 2, 1, lon=place(2)["lon"] - place(0)["lon"] / 2)
    first = retiling.changed_customers(database, ANNA, plan, made, None, 1)
    second = retiling.changed_customers(database, ANNA, plan, made, first[-1][0], 1)
    assert [row[0] for row in first + second] == ["w2", "z"]


def test_what_cannot_be_carried_is_refused(pair: tuple[Database, str, str, str]) -> None:
    database, plan, old, _ = pair
    with pytest.raises(InvalidInput, match="already"):
        retiling.carry_onto(database, ANNA, plan, old)
    with database.write(ANNA, "test") as uow:
        bare = uow.tilings.add("board", _shifted(3), params={}, coverage={})
    with pytest.raises(InvalidInput, match="none of the plan's measures") as refused:
        retiling.carry_onto(database, ANNA, plan, bare)
    assert refused.value.cure
