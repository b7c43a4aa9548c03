"""Programs of others with the key of a branch: they read its sub-tree, as if there were nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyogrio
import pytest

from gridsvc.principal import LOCAL
from gridsvc.services import keys
from gridsvc.services.keys import Wanted
from gridsvc.store import Database
from tests.conftest import DIALECTS
from tests.databases import copy_postgis, missing
from tests.journey.served import serving
from tests.ogc.conftest import DEGREE, HEIGHT, SECOND, WIDTH
from tests.services.series import draft, ground, publish

QGIS = Path(__file__).with_name("qgis_with_key.py")
AREAS = "e" * 48 + "f" * 48
OWN = [WIDTH / 2 * DEGREE, 0.0, WIDTH * DEGREE, HEIGHT * DEGREE]
"""Where the eastern half of the board lies: grids b and c."""


@dataclass(frozen=True)
class Branch:
    url: str
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


@pytest.fixture(scope="module", params=DIALECTS)
def branch(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Branch]:
    folder = tmp_path_factory.mktemp("branch")
    if request.param == "postgis":
        urls = copy_postgis(request.getfixturevalue("postgis_server"), "migrated")
    else:
        shutil.copy(request.getfixturevalue("migrated_file"), folder / "ogc.db")
        urls = iter([f"sqlite:///{folder / 'ogc.db'}"])
    for url in urls:
        database = Database.open(url)
        tiling = ground(database, WIDTH, HEIGHT)
        publish(database, draft(database, tiling, AREAS, line="base@area"))
        publish(database, draft(database, tiling, SECOND))
        key = keys.create(database, LOCAL, Wanted("branch", "viewer", branches=["board/f"]))[1]
        database.close()
        with serving(url, folder, access="keys") as address:
            yield Branch(f"{address}/ogc", key)


def test_gdal_reads_the_sub_tree(branch: Branch) -> None:
    pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": branch.key})
    try:
        grids, cells = (
            pyogrio.read_dataframe(f"OAPIF:{branch.url}/collections/board.base.{kind}", PAGE_SIZE="17")
            for kind in ("grids", "cells")
        )
    finally:
        pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": None, "GDAL_HTTP_BEARER": None})
    assert grids["code"].tolist() == ["b", "c"]
    assert sorted(set(cells["grid"])) == ["b", "c"]
    assert len(cells) == 48
    assert cells.total_bounds.tolist() == pytest.approx(OWN, abs=1e-7)


def test_owslib_reads_the_sub_tree(branch: Branch) -> None:
    from owslib.ogcapi.features import Features

    service = Features(f"{branch.url}/", headers=branch.headers)
    assert "board.base.cells" in service.feature_collections()
    (box,) = service.collection("board.base.cells")["extent"]["spatial"]["bbox"]
    assert box == pytest.approx(OWN, abs=1e-7)
    found: dict[str, Any] = service.collection_items("board.base.cells", limit=96)
    assert found["numberMatched"] == 48


@pytest.mark.proof
def test_qgis_reads_the_sub_tree_with_a_key_it_keeps(branch: Branch, tmp_path: Path) -> None:
    if not Path("/usr/bin/qgis").exists():
        missing("QGIS (python3-qgis)")
    told = tmp_path / "told.json"
    asked = {
        "url": branch.url,
        "name": "board.base.grids",
        "id": "code",
        "key": branch.key,
        "told": str(told),
    }
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path),
    }
    environment.pop("PYTHONPATH", None)
    ran = subprocess.run(
        ["/usr/bin/python3", str(QGIS), json.dumps(asked)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    found = json.loads(told.read_text())
    assert (found["ids"], found["count"], found["without"]) == (["b", "c"], 2, False)
    assert found["extent"] == pytest.approx(OWN, abs=1e-7)
