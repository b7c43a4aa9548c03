"""What tiles are made of: made once, shared as files, picked as they would be from the outlines."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest
import shapely

from gridsvc.exchange.tiles.mercator import Tile
from gridsvc.exchange.tiles.rings import Rings
from gridsvc.services import features, tiles
from gridsvc.services.feature_tables import Shelf
from gridsvc.services.kept import Kept
from gridsvc.services.tile_files import TileFiles
from tests.ogc.conftest import Town
from tests.services.board import ANNA


def shapes(seed: int, n: int = 60) -> np.ndarray:
    """Discs, some with a hole, some in two parts, one empty."""
    rng = np.random.default_rng(seed)
    x, y, r = rng.uniform(0, 100, n), rng.uniform(0, 100, n), rng.uniform(1, 20, n)
    found = shapely.buffer(shapely.points(x, y), r, quad_segs=4)
    holes = shapely.buffer(shapely.points(x, y), r / 2, quad_segs=3)
    found[::3] = shapely.difference(found[::3], holes[::3])
    aside = shapely.buffer(shapely.points(x + 150, y), 2, quad_segs=2)
    found[::4] = shapely.union(found[::4], aside[::4])
    found[7] = shapely.MultiPolygon()
    return found


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(shapely.equals(a, b).all())


@pytest.mark.parametrize("seed", range(3))
def test_outlines_come_back_from_their_rings(seed: int, tmp_path: Path) -> None:
    drawn = shapes(seed)
    rings = Rings.of(drawn)
    assert same(rings.geometry(), drawn)
    some = np.array([5, 7, 8, 30])
    assert same(rings.take(some).geometry(), drawn[some])
    assert same(Rings.joined([rings, rings.take(some)]).geometry(), np.concatenate([drawn, drawn[some]]))
    rings.save(tmp_path / "a.rings")
    assert same(Rings.open(tmp_path / "a.rings").geometry(), drawn)


@pytest.mark.parametrize("seed", range(3))
def test_what_lies_in_a_box_is_cut_at_its_sides(seed: int) -> None:
    drawn, box = shapes(seed), (20.0, 30.0, 70.0, 90.0)
    rings = Rings.of(drawn)
    rows = rings.near(box)
    assert set(np.flatnonzero(shapely.intersects(drawn, shapely.box(*box)))) <= set(rows.tolist())
    assert not set(np.flatnonzero(~shapely.intersects(shapely.envelope(drawn), shapely.box(*box)))) & set(
        rows.tolist()
    )
    cut, at = rings.within(box, rows)
    assert sorted(at.tolist()) == rows.tolist()
    expected = shapely.area(shapely.intersection(drawn[at], shapely.box(*box)))
    assert shapely.area(cut.geometry()) == pytest.approx(expected)


def test_no_outlines_are_outlines_too() -> None:
    none = Rings.of(np.empty(0, object))
    assert len(none) == len(none.near((0, 0, 1, 1))) == len(none.geometry()) == 0
    assert len(Rings.of(np.array([shapely.LineString([(0, 0), (1, 1)])])).xy) == 0


def test_what_many_want_at_a_time_is_made_once() -> None:
    kept, made = Kept[str](), list[int]()

    def slowly() -> str:
        made.append(1)
        time.sleep(0.05)
        return "made"

    threads = [threading.Thread(target=kept.get, args=(("key",), slowly)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), kept.peek(("key",))) == (1, "made")


def test_what_failed_is_tried_again() -> None:
    def failing() -> str:
        raise OSError("not now")

    kept = Kept[str]()
    with pytest.raises(OSError, match="not now"):
        kept.get(("key",), failing)
    assert kept.get(("key",), lambda: "made") == "made"


def test_what_was_asked_for_longest_ago_makes_room() -> None:
    kept = Kept[str](6)
    for name in ("one", "two"):
        kept.get((name, 1), lambda name=name: name)  # type: ignore[misc]
    assert kept.like(("one",)) == "one"  # asked for again, so the other goes
    kept.get(("six", 1), lambda: "six")
    assert [kept.peek((name, 1)) for name in ("one", "two", "six")] == ["one", None, "six"]
    kept.get(("long", 1), lambda: "longer than all")
    assert kept.peek(("long", 1)) is not None and kept.peek(("six", 1)) is None


def _drawn(town: Town, files: TileFiles) -> bytes:
    state = features.version(
        town.database, ANNA, features.collection(town.database, ANNA, "board.base.cells")
    )
    assert state is not None
    return tiles.tile(town.database, Shelf(), files, state, Tile(14, 8191, 8192))


def test_outlines_of_cells_are_read_from_the_database_once(town: Town, tmp_path: Path) -> None:
    first = _drawn(town, TileFiles(tmp_path))
    file = tmp_path / f"{town.tiling}.rings"
    kept = Rings.open(file)
    Rings(kept.xy * 0 + 1.0, kept.points, kept.outer, kept.rings, kept.boxes).save(file)
    for mvt in tmp_path.glob("*/*.mvt"):
        mvt.unlink()
    assert _drawn(town, TileFiles(tmp_path)) != first  # the file was looked at, not the database
    file.write_bytes(b"damaged")
    for mvt in tmp_path.glob("*/*.mvt"):
        mvt.unlink()
    assert _drawn(town, TileFiles(tmp_path)) == first


def test_a_folder_that_may_not_be_written_costs_no_tile(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")
    assert _drawn(town, TileFiles(file / "tiles")) == _drawn(town, TileFiles(tmp_path / "tiles"))


def test_outlines_of_old_tilings_make_room(tmp_path: Path) -> None:
    rings = Rings.of(shapely.box(np.arange(50), 0, np.arange(50) + 1, 1))
    files = TileFiles(tmp_path, most_bytes=16_000)
    for k in range(6):
        files.rings(f"t{k}", lambda: rings)
        time.sleep(0.01)
    left = sorted(file.stem for file in tmp_path.glob("*.rings"))
    assert "t5" in left and "t0" not in left
    assert sum(file.stat().st_size for file in tmp_path.glob("*.rings")) <= 16_000
    assert len(files.rings("t0", lambda: rings)) == 50
