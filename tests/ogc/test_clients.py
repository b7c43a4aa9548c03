"""Programs of others read what is served, while the service publishes over and over."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely

from gridsvc.exchange.layers import Layer
from gridsvc.services import current
from gridsvc.services.publications import layer
from gridsvc.store import Database
from tests.conftest import DIALECTS
from tests.databases import copy_postgis, missing
from tests.journey.served import serving
from tests.ogc.conftest import FIRST, HEIGHT, SECOND, WIDTH
from tests.services.board import ANNA
from tests.services.series import draft, ground, publish, soon

QGIS = Path(__file__).with_name("qgis_reader.py")
PICTURES = os.environ.get("GRIDSVC_PROOF_PICTURES")
WINDOW = (0.0004, 0.0004, 0.0031, 0.0022)


@dataclass(frozen=True)
class Served:
    url: str
    database: Database
    folder: Path
    tiling: str

    def layer(self, kind: Any, n: int = 1) -> Layer:
        found = layer(self.database, ANNA, "board", n, kind)[0]
        return replace(found, columns={name: list(values) for name, values in found.columns.items()})


@pytest.fixture(scope="module", params=DIALECTS)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("clients")
    if request.param == "postgis":
        urls = copy_postgis(request.getfixturevalue("postgis_server"), "migrated")
    else:
        shutil.copy(request.getfixturevalue("migrated_file"), folder / "ogc.db")
        urls = iter([f"sqlite:///{folder / 'ogc.db'}"])
    for url in urls:
        database = Database.open(url)
        tiling = ground(database, WIDTH, HEIGHT)
        publish(database, draft(database, tiling, FIRST), effective_at=soon(-2))
        publish(database, draft(database, tiling, SECOND), effective_at=soon(-1))
        with serving(url, folder) as address:
            yield Served(address, database, folder, tiling)
        database.close()


@contextmanager
def publishing(served: Served, *, file: bool = False) -> Iterator[list[int]]:
    """Publishes the second plan over and over, so that only its number changes; renews the `file`, too."""
    done: list[int] = []
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            record = publish(served.database, draft(served.database, served.tiling, SECOND))
            if file:
                current.write(served.database, ANNA, served.folder / "published")
            done.append(record.n)
            time.sleep(0.05)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("kind", ["grids", "cells"])
def test_gdal_reads_what_is_stored(served: Served, kind: Any) -> None:
    expected = served.layer(kind, 2)
    with publishing(served) as done:
        while not done:
            time.sleep(0.01)
        at = f"OAPIF:{served.url}/ogc/collections/board.base.{kind}"
        found = pyogrio.read_dataframe(at, PAGE_SIZE="17")
        boxed = pyogrio.read_dataframe(at, bbox=WINDOW, PAGE_SIZE="5")
        chosen = pyogrio.read_dataframe(at, where="team = 'a'")
        then = pyogrio.read_dataframe(at, DATETIME=soon(-1.5).isoformat().replace("+00:00", "Z"))
    own = "code" if kind == "grids" else "cell"
    assert len(found["publication"].unique()) == 1
    assert found[own].tolist() == expected.columns[own]
    assert found["team_name"].tolist() == expected.columns["team_name"]
    assert found["customers"].tolist() == expected.columns["customers"]
    assert found.total_bounds.tolist() == pytest.approx(shapely.total_bounds(expected.geometry), abs=1e-7)
    assert shapely.area(found.geometry.to_numpy()).sum() == pytest.approx(
        shapely.area(expected.geometry).sum(), rel=1e-4
    )
    near = shapely.intersects(expected.geometry, shapely.box(*WINDOW))
    assert set(boxed[own]) == {name for name, hit in zip(expected.columns[own], near, strict=True) if hit}
    assert set(chosen["team"]) == {"a"} and len(chosen) == expected.columns["team"].count("a")
    column = "code" if kind == "grids" else "grid"
    assert set(then[column]) == {"a", "b"}


def test_owslib_reads_what_is_stored(served: Served) -> None:
    from owslib.ogcapi.features import Features

    expected = served.layer("cells", 2)
    with publishing(served):
        service = Features(f"{served.url}/ogc/")
        assert {"board.base.grids", "board.base.cells", "board.base.teams"} <= set(
            service.feature_collections()
        )
        assert service.collection("board.base.cells")["storageCrs"].endswith("CRS84")
        assert "team" in service.collection_queryables("board.base.cells")["properties"]
        page = service.collection_items("board.base.cells", limit=96)
        boxed = service.collection_items("board.base.cells", bbox=list(WINDOW))
        chosen = service.collection_items("board.base.cells", filter="team = 'b' AND customers > 0")
        then = service.collection_items("board.base.grids", datetime_=soon(-1.5).isoformat()[:19] + "Z")
        one = service.collection_item("board.base.grids", "a")
    assert [feature["id"] for feature in page["features"]] == expected.columns["cell"]
    assert page["numberMatched"] == len(expected.geometry)
    assert boxed["numberMatched"] == shapely.intersects(expected.geometry, shapely.box(*WINDOW)).sum()
    assert chosen["numberMatched"] == 24
    assert [feature["id"] for feature in then["features"]] == ["a", "b"]
    assert one["properties"]["team_name"] == "Team A"
    assert service.api()["openapi"] == "3.0.3"


@pytest.mark.proof
def test_qgis_reads_what_is_stored_and_draws_it(served: Served, tmp_path: Path) -> None:
    if not Path("/usr/bin/qgis").exists():
        missing("QGIS (python3-qgis)")
    told = tmp_path / "told.json"
    asked = {
        "url": f"{served.url}/ogc",
        "gpkg": str(served.folder / "published" / "current.gpkg"),
        "bbox": WINDOW,
        "pictures": PICTURES or str(tmp_path),
        "told": str(told),
    }
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "offscreen",
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path),
    }
    environment.pop("PYTHONPATH", None)
    current.write(served.database, ANNA, served.folder / "published")
    with publishing(served, file=True) as done:
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
    for kind in ("grids", "cells"):
        expected, seen = served.layer(kind, 2), found[kind]
        assert seen["count"] == seen["read"] == len(expected.geometry)
        assert seen["extent"] == pytest.approx(shapely.total_bounds(expected.geometry), abs=1e-7)
        assert seen["area"] == pytest.approx(shapely.area(expected.geometry).sum(), rel=1e-4)
        assert sorted(seen["teams"]) == sorted(expected.columns["team"])
        near = shapely.intersects(expected.geometry, shapely.box(*WINDOW)).sum()
        assert seen["boxed"] == near
    assert found["current"]["renderer"] == "categorizedSymbol"
    assert set(found["current"]["categories"]) >= {"Team A", "Team B", "Team C"}
    assert found["current"]["count"] == 3
    grids, cells, file = (picture["colours"] for picture in found["pictures"])
    assert min(grids, file) > 3 and cells > 1  # the cells looked at are all of one team
    assert len(done) > 1
