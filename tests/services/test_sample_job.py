"""The whole job on the simulated samples, on both databases, against what the generator says it planted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gridsvc.principal import LOCAL, SYSTEM
from gridsvc.sample import COUNTY, DEFAULT_SEED, generate, generate_scale
from gridsvc.services import main_job, ownership, publications, territories
from gridsvc.services.desk import Asked, Desk, snapshot
from gridsvc.store import Database
from tests.conftest import LONG_WALK

Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The county with a tenth of its customers."""
    folder = tmp_path_factory.mktemp("county")
    generate_scale(replace(COUNTY, customers=3_700), DEFAULT_SEED, folder)
    return folder


def _truth(folder: Path) -> dict[str, int]:
    faults = json.loads((folder / "truth.json").read_bytes())["faults"]
    return {name: fault["count"] for name, fault in faults.items()}


def _check(done: main_job.Done, folder: Path) -> None:
    placement, planted = done.placement, _truth(folder)
    found = {slug: verdict["rows"] for slug, verdict in placement["verdicts"].items()}
    assert placement["placed"] + placement["left_out"] == placement["read"]
    assert found["swapped-axes"] == planted["swapped_axes"]
    assert found["duplicate-id"] == planted["duplicate_id"]
    assert found["outside"] == planted["outside"]
    assert found["suspect-location"] >= planted["one_point"]
    unlocated = planted["no_coordinates"] + planted["bad_coordinates"]
    assert found["placed-by-code"] + found["placed-by-premise"] == unlocated
    assert placement["placement_rate"] > 0.97
    assert placement["coverage"]["gap"]["customers"] == 0


def _check_plan(db: Database, done: main_job.Done, grids: int) -> None:
    record = done.publication
    assert record.n == 1
    assert sum(not grid.carve_out for grid in done.plan.grids) == grids
    assert all(grid.team for grid in done.plan.grids)
    layer, _ = publications.layer(db, LOCAL, main_job.SAMPLE_TERRITORY, 1, "grids")
    assert sum(layer.columns["customers"]) == done.placement["placed"]
    assert all(layer.columns["lead_name"])
    assert territories.get(db, LOCAL, main_job.SAMPLE_TERRITORY).simulated


def _check_lookups(db: Database, count: int) -> int:
    with db.read(SYSTEM) as reader:
        live = reader.customers.live_import(main_job.SAMPLE_TERRITORY)
        assert live is not None
        ids, cells = reader.customers.index(live.id)
        lon, lat = reader.customers.points(live.id)
    desk = Desk(db)
    found = snapshot(desk, SYSTEM, Asked(main_job.SAMPLE_TERRITORY))
    known = np.flatnonzero(np.isfinite(lon) & (cells >= 0))
    rows = np.random.default_rng(3).choice(known, min(count, len(known)), replace=False)
    _, many = ownership.batch(desk, LOCAL, lon[rows], lat[rows])
    moved = 0
    for row, grid in zip(rows, many.grid, strict=True):
        by_id = ownership.customer(desk, LOCAL, str(ids[row]))
        same = (by_id.grid or {}).get("code") == grid
        # A premise is kept together: rows a few metres off, or geocoded to the town's centre, count with it.
        moved += not same
        assert same or found.places.row(lon[row], lat[row]) != cells[row]
    assert moved <= len(rows) * 0.15
    return len(rows) - moved


def _without_vip_service(sample: Path, copy: Path, team: str) -> Path:
    shutil.copytree(sample, copy)
    members = copy / "members.csv"
    kept = [row for row in members.read_text().splitlines(keepends=True) if not _is_vip(row, team)]
    members.write_text("".join(kept))
    return copy


def _is_vip(row: str, team: str) -> bool:
    return row.startswith(f"{team},") and ",vip," in row


@LONG_WALK
def test_the_county_from_files_to_owners(database: Database, county: Path, tmp_path: Path) -> None:
    county = _without_vip_service(county, tmp_path / "county", "T02")
    done = main_job.run_sample(database, LOCAL, county, grids=12)
    _check(done, county)
    _check_plan(database, done, 12)
    (enterprise,) = done.staffed.needed
    assert enterprise.known and enterprise.grids > 0  # industrial customers are among those shipped
    assert [v for v in done.staffed.violations if v.rule == "required_roles"] == []
    assert done.staffing is not None
    assert (done.staffing["shortages"], done.staffing["new"], done.staffing["ended"]) == ([], 1, 0)
    with database.read(SYSTEM) as reader:
        roster = reader.rosters.get(main_job.SAMPLE_TERRITORY, 2)
    assert {m.role for m in roster.members_by_team["T02"]} >= {"lead", "enterprise", "vip", "maintenance"}
    _check_lookups(database, 200)
    found = main_job.sample_done(database, LOCAL)
    assert found is not None
    assert found.checksum == done.publication.checksum


@pytest.mark.proof
@pytest.mark.parametrize("size", ["county", "city"])
def test_the_whole_sample(database: Database, tmp_path: Path, size: Any, record_property: Record) -> None:
    generate(size, DEFAULT_SEED, tmp_path / "sample")
    grids = {"county": 30, "city": 200}[size]
    done = main_job.run_sample(database, LOCAL, tmp_path / "sample", grids=grids)
    _check(done, tmp_path / "sample")
    _check_plan(database, done, grids)
    record_property("cells", done.tiling["cells"])
    record_property("placement rate", f"{done.placement['placement_rate']:.2%}")
    record_property("read", done.placement["read"])
    record_property("lookups by id and by point in one grid", _check_lookups(database, 2_000))
