"""`gridsvc lookup`: from a database and from a snapshot the same words."""

from __future__ import annotations

import csv
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from gridsvc.principal import LOCAL
from gridsvc.services import ownership
from gridsvc.services.desk import Desk
from gridsvc.services.keeping import Keeper
from gridsvc.store import Database
from tests.cli.conftest import Run
from tests.ownership import oracle
from tests.ownership.worlds import World, put, worlds

AREAS = "areas"  # polygons; the other is of H3 cells
NAMES = ["city", AREAS]


@pytest.fixture(scope="module", params=NAMES)
def world(request: pytest.FixtureRequest) -> World:
    return next(world for world in worlds() if world.name == request.param)


@pytest.fixture(scope="module")
def kept(world: World, tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Path:
    """The folder of a published world, for each test to have a copy of it."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "var").mkdir()
    shutil.copy(migrated_file, folder / "var" / "gridsvc.db")
    database = Database.open(f"sqlite:///{folder / 'var' / 'gridsvc.db'}")
    assert put(database, world) == 1
    keeper = Keeper(folder / "var")
    made = ownership.bundle(Desk(database, keeper=keeper), LOCAL, world.name, 1)
    made.replace(folder / "north.snapshot")
    database.close()
    return folder


@pytest.fixture
def published(run: Run, kept: Path, tmp_path: Path) -> Path:
    """The world in the embedded database of the folder, and ``north.snapshot`` of it."""
    shutil.copytree(kept, tmp_path, dirs_exist_ok=True)
    return tmp_path


def points(world: World, folder: Path, n: int = 400) -> Path:
    lon, lat = oracle.points(world, n)
    path = folder / "points.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "lat", "lon"])
        writer.writerows(
            (f"p,{i}", repr(y), repr(x))
            for i, (x, y) in enumerate(zip(lon.tolist(), lat.tolist(), strict=True))
        )
    return path


def unpeopled(document: Any) -> Any:
    """What a file can say: it has no people, and no commits."""
    return {**document, "lead": None, "roles": [], "seq": 0}


def test_one_place_at_a_time(run: Run, world: World, published: Path) -> None:
    lon, lat = oracle.points(world, 12)
    for x, y in zip(lon.tolist(), lat.tolist(), strict=True):
        by_file = run("lookup", repr(y), repr(x), "--snapshot", "north.snapshot", "--json")
        by_base = run("lookup", repr(y), repr(x), "--json")
        assert (by_file.code, by_file.err) == (by_base.code, by_base.err)
        assert by_file.json == (unpeopled(by_base.json) if by_base.code == 0 else by_base.json)


def test_a_cell(run: Run, world: World, published: Path) -> None:
    for cell in world.publication.ids[:3]:
        name = f"{cell:x}" if world.name != AREAS else cell
        found = [
            run("lookup", "--cell", name, "--json", *more) for more in ([], ["--snapshot", "north.snapshot"])
        ]
        assert found[1].json == unpeopled(found[0].json)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_in_words(run: Run, world: World, published: Path, lang: str) -> None:
    at = world.boundary.representative_point()
    by_file = run("lookup", at.y, at.x, "--lang", lang, "--snapshot", "north.snapshot")
    by_base = run("lookup", at.y, at.x, "--lang", lang)
    assert by_file.out.splitlines() == [
        line for line in by_base.out.splitlines() if not line.startswith("lead:")
    ]


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["CSV", "JSON"])
def test_many_points(run: Run, world: World, published: Path, form: list[str]) -> None:
    file = points(world, published)
    by_base = run("lookup", "--batch", file, *form)
    by_file = run("lookup", "--batch", file, "--snapshot", "north.snapshot", *form)
    assert by_file.code == by_base.code == 0, by_file.err + by_base.err
    assert by_file.out == by_base.out
    if form:
        rows = [json.loads(line) for line in by_file.out.splitlines()]
    else:
        rows = list(csv.DictReader(by_file.out.splitlines()))
    due = oracle.expected(world, *oracle.points(world, 400)).rows()
    assert [row["id"] for row in rows] == [f"p,{i}" for i in range(400)]
    assert [tuple(row[name] or None for name in oracle.FIELDS) for row in rows] == due


def test_no_database_is_needed(run: Run, world: World, published: Path) -> None:
    shutil.rmtree(published / "var")
    at = world.boundary.representative_point()
    assert run("lookup", at.y, at.x, "--snapshot", "north.snapshot").code == 0
    assert not (published / "var").exists()


@pytest.mark.parametrize("world", NAMES[:1], indirect=True, scope="module")
@pytest.mark.parametrize(
    "option",
    [
        ["--territory", "city"],
        ["--line", "base"],
        ["--as-of", "2026-12-01"],
        ["--database", "sqlite:///x.db"],
    ],
    ids=lambda option: option[0],
)
def test_a_snapshot_is_one_publication(refused: Any, published: Path, option: list[str]) -> None:
    said = refused("lookup", "39.9", "116.4", "--snapshot", "north.snapshot", *option)
    assert option[0] in said and "does not go with --snapshot" in said


@pytest.mark.parametrize("world", NAMES[:1], indirect=True, scope="module")
def test_a_snapshot_has_no_customers(refused: Any, published: Path) -> None:
    assert "no customers" in refused("lookup", "--customer", "c1", "--snapshot", "north.snapshot")


@pytest.mark.parametrize("world", NAMES[:1], indirect=True, scope="module")
def test_a_file_which_is_no_whole_snapshot(refused: Any, published: Path) -> None:
    whole = (published / "north.snapshot").read_bytes()
    (published / "cut.snapshot").write_bytes(whole[:-64])
    (published / "flipped.snapshot").write_bytes(whole[:-100] + b"\xff" + whole[-99:])
    (published / "text.snapshot").write_text("id,lat,lon\n")
    for name in ("cut", "flipped", "text", "missing"):
        assert name in refused("lookup", "39.9", "116.4", "--snapshot", f"{name}.snapshot")


@pytest.mark.parametrize("world", NAMES[:1], indirect=True, scope="module")
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["CSV", "JSON"])
def test_a_hundred_thousand_points_take_no_time_to_speak_of(
    run: Run, world: World, published: Path, form: list[str]
) -> None:
    """A million in three seconds of one core; the bound leaves room for slow machines and others on them."""
    file = points(world, published, 100_000)
    start = time.process_time()
    said = run("lookup", "--batch", file, "--snapshot", "north.snapshot", *form)
    assert time.process_time() - start < 3.0
    assert said.out.count("\n") == 100_000 + (not form)
