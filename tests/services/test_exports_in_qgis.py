"""Exported and published GeoPackages opened by QGIS itself: coloured and labelled with nothing to set."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gridsvc.exchange.style import PALETTE
from gridsvc.services import current, exports
from gridsvc.services.exports import Source, Wanted
from gridsvc.store import Database
from tests.databases import missing
from tests.services.board import ANNA
from tests.services.series import draft, ground, publish

READER = Path(__file__).parents[1] / "exchange" / "qgis_opens.py"
PICTURES = os.environ.get("GRIDSVC_PROOF_PICTURES")
DRAWN = ("a" * 4 + "b" * 4) * 4 + "c" * 32 + "d" * 32
FILLS = ["#{:02x}{:02x}{:02x}".format(*map(int, colour.split(","))) for colour in PALETTE]

pytestmark = pytest.mark.proof


@pytest.fixture(scope="module")
def seen(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What QGIS says of each layer."""
    if not Path("/usr/bin/qgis").exists():
        missing("QGIS (python3-qgis)")
    folder = tmp_path_factory.mktemp("qgis")
    shutil.copy(migrated_file, folder / "board.db")
    database = Database.open(f"sqlite:///{folder / 'board.db'}")
    publish(database, draft(database, ground(database, 12, 8), DRAWN))
    source = Source(territory="board", n=1)
    layers = {}
    for layer in ("grids", "cells", "teams"):
        path = folder / f"{layer}.gpkg"
        exports.write(database, ANNA, source, Wanted(layer, "gpkg"), path)  # type: ignore[arg-type]
        layers[layer] = str(path)
    exports.write(database, ANNA, source, Wanted("grids", "gpkg", "gcj02"), folder / "gcj02.gpkg")
    exports.write(database, ANNA, source, Wanted("grids", "gpkg", "EPSG:4490"), folder / "cgcs.gpkg")
    current.write(database, ANNA, folder)
    layers |= {"gcj02": f"{folder / 'gcj02.gpkg'}", "cgcs2000": f"{folder / 'cgcs.gpkg'}"}
    layers["published"] = f"{folder / 'current.gpkg'}|layername=board_base_grids"
    asked = {"layers": layers, "pictures": PICTURES or str(folder), "told": str(folder / "told.json")}
    home = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "QT_QPA_PLATFORM": "offscreen"}
    environment = {name: value for name, value in {**os.environ, **home}.items() if name != "PYTHONPATH"}
    command = ["/usr/bin/python3", str(READER), json.dumps(asked)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    database.close()
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads((folder / "told.json").read_text()))


@pytest.mark.parametrize("layer", ["grids", "published", "gcj02", "cgcs2000"])
def test_grids_open_coloured_by_team_and_labelled(seen: dict[str, Any], layer: str) -> None:
    found = seen[layer]
    assert (found["renderer"], found["by"], found["labelled_by"]) == (
        "categorizedSymbol",
        "team_name",
        "name",
    )
    assert list(found["fills"]) == ["Team A", "Team B", "Team C", "Team D", ""]
    assert list(found["fills"].values())[:4] == FILLS[:4]
    assert found["names"] == [f"Grid {code}" for code in "abcd"]


def test_cells_open_coloured_by_grid_and_teams_by_team(seen: dict[str, Any]) -> None:
    cells, teams = seen["cells"], seen["teams"]
    assert (cells["renderer"], cells["by"], cells["count"]) == ("categorizedSymbol", "grid", 96)
    assert list(cells["fills"])[:4] == list("abcd")
    assert (teams["renderer"], teams["by"], teams["labelled_by"]) == (
        "categorizedSymbol",
        "team",
        "team_name",
    )


@pytest.mark.parametrize("layer", ["grids", "published", "cells", "teams"])
def test_the_picture_has_four_colours_and_hardly_any_other_area(seen: dict[str, Any], layer: str) -> None:
    """The colours' shares of the map are those of the grids."""
    most = sorted(seen[layer]["seen"].items(), key=lambda pair: -pair[1])
    fills = [count for colour, count in most if colour != "#ffffff"][:4]
    total = sum(fills)
    shares = sorted(count / total for count in fills)
    assert shares == pytest.approx([1 / 6, 1 / 6, 1 / 3, 1 / 3], abs=0.03)


def test_what_has_no_code_is_placed_nowhere(seen: dict[str, Any]) -> None:
    assert seen["gcj02"]["crs"] == ""
    assert (seen["grids"]["crs"], seen["cgcs2000"]["crs"]) == ("EPSG:4326", "EPSG:4490")
