"""London published into an embedded database, and questions about it with the answers due."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import h3.api.basic_int as h3
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.inputs import london_areas, points_near
from benchmarks.lookup.sizes import Sizes
from gridsvc.customers.measures import parse_measure
from gridsvc.ownership.publication import Publication, checksum, pack
from gridsvc.plans.plan import Grid
from gridsvc.principal import SCOPES, SYSTEM, Principal
from gridsvc.services import rosters
from gridsvc.services.imports import ImportOptions
from gridsvc.services.main_job import FileJob, publish_files
from gridsvc.store.database import Database
from gridsvc.store.records import PlanRecord, PublicationRecord, Territory
from gridsvc.teams.model import Department, Member, Person, Roster, Team
from gridsvc.tiling.check import union
from gridsvc.tiling.h3tiles import tile_h3
from gridsvc.tiling.hexes import centres
from gridsvc.tiling.tiling import Adjacency, Tiling

__all__ = ["WHO", "Ground", "add", "grown", "large", "london", "opened", "url_of", "versions"]

WHO = Principal("benchmark", SCOPES)
_SEED = 20260501
_TEAMS = 12


@dataclass(frozen=True)
class Ground:
    """What is published, and where the questions lie.

    Attributes
    ----------
    folder : Path
        Has the database, and ``points.jsonl``, ``batch.jsonl``, ``cells.jsonl``, ``customers.jsonl``: a line
        a question, ``{"in": {...}, "want": {"grid": code or null}}``.
    labels : int32 array, shape (n_cells,)
        Position of each cell's grid in `codes`.
    """

    folder: Path
    tiling: Tiling
    labels: NDArray[np.int32]
    codes: tuple[str, ...]

    @property
    def url(self) -> str:
        """Address of the database."""
        return url_of(self.folder)

    def team(self, code: str) -> str:
        """Team of a grid."""
        return f"T{self.codes.index(code) % _TEAMS:02}"


def url_of(folder: Path) -> str:
    """Address of the embedded database in a folder."""
    return f"sqlite:///{folder.resolve() / 'gridsvc.db'}"


def opened(folder: Path) -> Database:
    """The embedded database of a folder, made where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    database = Database.open(url_of(folder))
    database.upgrade()
    return database


def london(folder: Path, sizes: Sizes) -> Ground:
    """Tile, publish and write the questions."""
    rng = np.random.default_rng(_SEED)
    boundary = union(london_areas(rng)[0].geometry)
    tiling = tile_h3(boundary, sizes.resolution)
    labels = grown(rng, tiling, sizes.grids)
    codes = tuple(f"{i + 1:03d}" for i in range(sizes.grids))
    ground = Ground(folder, tiling, labels, codes)
    database = opened(folder)
    _write_questions(ground, rng, sizes)
    publish_files(database, WHO, _job(ground, boundary))
    database.close()
    return ground


def grown(rng: np.random.Generator, tiling: Tiling, k: int) -> NDArray[np.int32]:
    """Each cell to the nearest of k random ones by steps over cells, so that every grid is in one piece."""
    n, links = len(tiling), tiling.adjacency
    graph = csr_array((np.ones(len(links.indices)), links.indices, links.indptr), shape=(n, n))
    seeds = rng.choice(n, k, replace=False)
    _, _, nearest = dijkstra(graph, indices=seeds, min_only=True, return_predecessors=True)
    return np.searchsorted(np.sort(seeds), nearest).astype(np.int32)


def _job(ground: Ground, boundary: shapely.MultiPolygon) -> FileJob:
    return FileJob(
        territory="london",
        name="London",
        time_zone="Europe/London",
        boundary=boundary,
        tiling=ground.tiling,
        codes=np.array(ground.codes, object)[ground.labels],
        owners={code: ground.team(code) for code in ground.codes},
        roster=_people(),
        customers=ground.folder / "customers.csv",
        options=ImportOptions(measures=(parse_measure("customers=count"),)),
    )


def _people() -> Roster:
    """Teams of three: the lead and two others."""
    numbers = range(_TEAMS)
    roles = ("lead", "vip", "maintenance")
    return Roster(
        (Department("m", "Marketing"),),
        tuple(Person(f"P{i:02}{role[0]}", f"Staff {i:02} {role}", "m") for i in numbers for role in roles),
        tuple(Team(f"T{i:02}", f"Team {i:02}") for i in numbers),
        tuple(Member(f"T{i:02}", f"P{i:02}{role[0]}", role, 0.5, 0.5) for i in numbers for role in roles),
        fallback="T00",
    )


# --- questions


def _write_questions(ground: Ground, rng: np.random.Generator, sizes: Sizes) -> None:
    lon, lat, rows = _placed(ground, rng, 2 * sizes.points)
    hit = np.flatnonzero(rows >= 0)[: sizes.points]
    lon, lat, rows = lon[hit], lat[hit], rows[hit]
    where = ({"lat": y, "lon": x} for x, y in zip(lon.tolist(), lat.tolist(), strict=True))
    _write(ground, "points", where, rows)
    _write(ground, "cells", ({"cell": h3.int_to_str(c)} for c in ground.tiling.ids[rows].tolist()), rows)
    _write(ground, "customers", ({"id": f"C{i:08d}"} for i in range(len(rows))), rows)
    _write_customers(ground.folder / "customers.csv", lon, lat)
    lon, lat, rows = _placed(ground, rng, sizes.batch)
    where = ({"lat": y, "lon": x} for x, y in zip(lon.tolist(), lat.tolist(), strict=True))
    _write(ground, "batch", where, rows)


def _placed(
    ground: Ground, rng: np.random.Generator, n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Points to seven decimals and the rows of their cells by h3-py, one at a time; -1 where none is."""
    lon, lat = (np.round(axis, 7) for axis in points_near(rng, ground.tiling.geometry, n))
    row = {cell: i for i, cell in enumerate(ground.tiling.ids.tolist())}
    resolution = ground.tiling.resolution
    cells = (h3.latlng_to_cell(y, x, resolution) for x, y in zip(lon.tolist(), lat.tolist(), strict=True))
    return lon, lat, np.fromiter((row.get(cell, -1) for cell in cells), np.int64, n)


def _write(ground: Ground, name: str, asked: Iterable[dict[str, Any]], rows: NDArray[np.int64]) -> None:
    codes = np.array([*ground.codes, None], object)
    grids = codes[np.where(rows < 0, -1, ground.labels[rows])].tolist()
    lines = (json.dumps({"in": a, "want": {"grid": g}}) for a, g in zip(asked, grids, strict=True))
    (ground.folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


def _write_customers(path: Path, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["customer_id", "lon", "lat"])
        rows.writerows((f"C{i:08d}", x, y) for i, (x, y) in enumerate(zip(lon, lat, strict=True)))


# --- publications written straight into the store: no plan is needed to look places up


def large(folder: Path, steps: int, resolution: int = 9) -> Publication:
    """A disk of H3 cells, published unless it is there already; gives the publication.

    Parameters
    ----------
    steps : int
        Around the cell in the middle: ``3 s (s + 1) + 1`` cells.
    """
    made = next(versions(steps, resolution))
    if (folder / "gridsvc.db").exists():
        return made
    database = opened(folder)
    add(database, made)
    database.close()
    return made


def versions(steps: int, resolution: int = 9) -> Iterator[Publication]:
    """Publications of one disk of cells without end, each with every cell in another grid than before."""
    ids = np.array(sorted(h3.grid_disk(h3.latlng_to_cell(51.5, -0.12, resolution), steps)), np.uint64)
    grids = tuple(Grid(f"{i + 1:03d}", f"Grid {i + 1:03d}", f"T{i % _TEAMS:02}") for i in range(60))
    number = 0
    while True:
        labels = ((np.arange(len(ids)) * 60 // len(ids) + number) % 60).astype(np.int32)
        yield Publication("large", "base", "h3", resolution, ids, labels, grids)
        number += 1


def add(database: Database, publication: Publication) -> int:
    """Write a publication, with its territory and people before the first; gives its number."""
    before = datetime.now(UTC) - timedelta(days=1)
    payload = pack(publication)
    with database.read(SYSTEM) as reader:
        plans = reader.publications.newest("large", "base")
    tiling, plan = (plans.tiling, plans.plan) if plans else _foundation(database, publication, before)
    record = PublicationRecord("large", plan, tiling, before, checksum(payload), payload)
    with database.write(WHO, "benchmark") as work:
        return work.publications.publish(record)


def _foundation(database: Database, publication: Publication, before: datetime) -> tuple[str, str]:
    box = shapely.MultiPolygon([shapely.box(-40.0, 20.0, 40.0, 80.0)])
    with database.write(WHO, "benchmark") as work:
        work.territories.create(Territory("large", "Large", "UTC", box, before))
        tiling = work.tilings.add("large", _simple(publication), params={}, coverage={})
        plan = work.plans.create(PlanRecord("large", tiling, "large"))
    rosters.put(database, WHO, "large", _people(), valid_from=before, reason="from the start")
    return tiling, plan


def _simple(publication: Publication) -> Tiling:
    """The publication's cells with squares for outlines and no neighbours, which lookups never see."""
    ids = publication.ids
    x, y = centres(ids)
    none = np.zeros(0, np.int32)
    return Tiling(
        kind="h3",
        resolution=publication.resolution,
        ids=ids,
        geometry=shapely.box(x - 1e-4, y - 1e-4, x + 1e-4, y + 1e-4),
        x=x,
        y=y,
        area=np.ones(len(ids)),
        perimeter=np.ones(len(ids)),
        adjacency=Adjacency.from_pairs(len(ids), none, none, np.zeros(0)),
        origin=(float(x.mean()), float(y.mean())),
    )
