"""Each way to ask gives the answer of plain h3-py and shapely, at random points and at the worst ones."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridsvc.store import Database
from tests.journey.client import Client
from tests.journey.served import serving
from tests.ownership import oracle
from tests.ownership.routes import MANY, ONE_BY_ONE, Service, Way
from tests.ownership.worlds import World, put, worlds

NAMES = [world.name for world in worlds()]
Record = Callable[[str, object], None]
_SINGLES = 3_000


@pytest.fixture(scope="module")
def small() -> dict[str, World]:
    return {world.name: world for world in worlds()}


@pytest.fixture(scope="module")
def address(
    tmp_path_factory: pytest.TempPathFactory, migrated_file: Path, small: dict[str, World]
) -> Iterator[tuple[str, str, Path]]:
    """Of a real server with every world published; with its database and its folder."""
    yield from _served(tmp_path_factory.mktemp("routes"), migrated_file, list(small.values()))


@pytest.fixture
def service(address: tuple[str, str, Path]) -> Iterator[Service]:
    base_url, *rest = address
    with Client(base_url) as client:
        yield Service(client, *rest)


def _served(folder: Path, migrated_file: Path, published: Sequence[World]) -> Iterator[tuple[str, str, Path]]:
    shutil.copy(migrated_file, folder / "gridsvc.db")
    url = f"sqlite:///{folder / 'gridsvc.db'}"
    database = Database.open(url)
    for world in published:
        assert put(database, world) == 1
    database.close()
    with serving(url, folder) as base_url:
        yield base_url, url, folder


Points = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


def wrong(way: Way, service: Service, world: World, n: int, seed: int = 1) -> list[tuple[Any, ...]]:
    """Points whose answers are not the oracle's: where, got, due."""
    points = oracle.points(world, n, seed)
    return differing(way, service, world, points, oracle.expected(world, *points).rows())


def differing(
    way: Way, service: Service, world: World, points: Points, due: list[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    got = way(service, world.name, *points)
    assert len(got) == len(due) > 0
    return [(x, y, g, d) for x, y, g, d in zip(*points, got, due, strict=True) if g != d]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", MANY)
def test_many_points(way: str, name: str, service: Service, small: dict[str, World]) -> None:
    assert wrong(MANY[way], service, small[name], 300) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ONE_BY_ONE)
def test_one_point_at_a_time(way: str, name: str, service: Service, small: dict[str, World]) -> None:
    assert wrong(ONE_BY_ONE[way], service, small[name], 80) == []


@pytest.mark.parametrize("name", NAMES)
def test_the_points_meet_every_kind_of_answer(name: str, small: dict[str, World]) -> None:
    world = small[name]
    lon, lat = oracle.points(world, 2000)
    due = oracle.expected(world, lon, lat)
    assert set(due.status) == {"owned", "fallback", "outside", "invalid"}
    assert {"cell", "carve_out", "fallback"} <= set(due.rule)
    assert (np.abs(lat) == 90.0).any() and (np.abs(lon) == 180.0).any() and not np.isfinite(lat).all()


@pytest.mark.proof
@pytest.mark.parametrize("name", NAMES)
def test_a_million_points(name: str, tmp_path: Path, migrated_file: Path, record_property: Record) -> None:
    """A share of the million for each world: all of it by each route for many, the first by those for one."""
    world = next(w for w in worlds(scale=4) if w.name == name)
    lon, lat = oracle.points(world, 1_000_000 // len(NAMES) + 1)
    due = oracle.expected(world, lon, lat).rows()
    for base_url, *rest in _served(tmp_path, migrated_file, [world]):
        for way, asked in {**MANY, **ONE_BY_ONE}.items():
            some = slice(None if way in MANY else _SINGLES)
            # Each with a connection of its own: an idle one is closed after a while.
            with Client(base_url) as client:
                service = Service(client, *rest)
                found = differing(asked, service, world, (lon[some], lat[some]), due[some])
            assert found[:5] == [], f"{way}: {len(found)} wrong"
            record_property(f"{way}, wrong", f"0 of {len(due[some]):,}")
