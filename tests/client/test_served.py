"""The client and a real service: a published strip by the equator with its customers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from gridsvc import errors
from gridsvc.client import Client, Owners
from gridsvc.client.forms import COLUMNS, Form
from gridsvc.ownership.points import LIMIT
from tests.api import strip
from tests.journey.served import serving

INSIDE = (0.05, 0.35)  # latitude and longitude
OUTSIDE = (0.05, 9.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("client")


@pytest.fixture(scope="module")
def address(folder: Path, migrated_file: Path) -> Iterator[str]:
    shutil.copy(migrated_file, folder / "gridsvc.db")
    with serving(f"sqlite:///{folder / 'gridsvc.db'}", folder) as base_url:
        with httpx.Client(base_url=base_url, timeout=60) as http:
            planner: Any = http
            strip.make_territory(planner)
            strip.publish(planner, strip.make_tiling(planner))
        yield base_url


@pytest.fixture
def client(address: str, tmp_path: Path) -> Iterator[Client]:
    with Client(address, cache=tmp_path / "cache") as made:
        yield made


@pytest.fixture
def planner(address: str) -> Iterator[Any]:
    with httpx.Client(base_url=address, timeout=60) as made:
        yield made


def publish_again(planner: Any) -> int:
    answer = planner.post("/v1/publications/1/publish?territory=strip", json={"reason": "again"})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["n"])


def rename_team(planner: Any, name: str) -> None:
    roster = {**strip.ROSTER, "teams": [{"id": "t", "name": name}]}
    assert planner.put("/v1/territories/strip/roster", json=roster).status_code == 200


def rows(found: Owners) -> list[tuple[Any, ...]]:
    return list(zip(*(getattr(found, name).tolist() for name in COLUMNS), strict=True))


# --- one


def test_each_way_to_ask_gives_one_answer(client: Client, planner: Any) -> None:
    point = client.owner(*INSIDE)
    assert point.status == "owned" and point.grid is not None and point.cell is not None
    assert client.owner_of_cell(point.cell).grid == point.grid
    resident = next(client.customers_of_cell(point.cell))
    assert client.owner_of_customer(resident.id).cell == point.cell
    said = planner.get("/v1/owner", params={"lat": INSIDE[0], "lon": INSIDE[1]}).json()
    assert (said["why"], said["grid"]["name"]) == (point.why, point.grid.name)
    assert not point.more, "the client knows all members there are"


def test_asked_in_the_body_it_is_the_same(address: str, client: Client) -> None:
    with Client(address, ids="body") as quiet:
        for one, other in [
            (client.owner(*INSIDE), quiet.owner(*INSIDE)),
            (client.owner_of_customer("045"), quiet.owner_of_customer("045")),
        ]:
            assert {**asdict(one), "seq": 0} == {**asdict(other), "seq": 0}


def test_a_coarser_cell_names_those_in_it(client: Client) -> None:
    import h3

    fine = client.owner(*INSIDE).cell
    found = client.owner_of_cell(h3.cell_to_parent(fine, 6))
    assert found.via == "cells" and found.cells is not None and len(found.cells) > 1
    assert fine in {part.cell for part in found.cells}
    assert client.owner_of_cell(h3.cell_to_center_child(fine, 11)).via == "centre"


def test_outside_is_an_error_which_names_the_nearest_grid(client: Client) -> None:
    with pytest.raises(errors.OutsideTerritory) as caught:
        client.owner(*OUTSIDE)
    assert caught.value.details["status"] == 404
    assert {"nearest_grid", "distance_m", "territory"} <= set(caught.value.details)
    assert client.owner(*OUTSIDE, on_miss="status").status == "outside"


def test_an_unknown_customer(client: Client) -> None:
    for name in ("nobody", "no/body", "..", "没有"):
        with pytest.raises(errors.UnknownCustomer):
            client.owner_of_customer(name)
        assert client.owner_of_customer(name, on_miss="status").status == "unknown_customer"


def test_other_times(client: Client) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=4000)
    with pytest.raises(errors.NotYetInForce):
        client.owner(*INSIDE, as_of=long_ago)
    with pytest.raises(errors.NotYetInForce):
        client.owner(*INSIDE, as_known=long_ago)
    assert client.owner(*INSIDE, as_of=datetime.now(UTC) + timedelta(days=9)).status == "owned"


def test_what_is_no_place_or_no_territory(address: str, client: Client) -> None:
    with pytest.raises(errors.InvalidInput, match="lat"):
        client.owner(91.0, 0.35)
    with Client(address, territory="nowhere") as lost, pytest.raises(errors.NotFound):
        lost.owner(*INSIDE)


def test_more_than_there_is_yet(address: str) -> None:
    with Client(address, retries=0) as client, pytest.raises(errors.StaleRead):
        client.owner(*INSIDE, min_seq=10**6)


def test_what_a_planner_has_just_done_is_seen_by_whoever_knows_of_it(address: str, planner: Any) -> None:
    for i in range(5):
        rename_team(planner, f"Team {i}")
        seq = planner.get("/readyz").json()["seq"]
        with Client(address) as fresh:
            team = fresh.owner(*INSIDE, min_seq=seq).team
            assert team is not None and team.name == f"Team {i}"


# --- many


@pytest.mark.parametrize("form", ["arrow", "json"])
def test_more_points_than_a_batch_holds(client: Client, form: Form) -> None:
    rng = np.random.default_rng(3)
    n = LIMIT + 500
    lat, lon = rng.uniform(-0.01, 0.11, n), rng.uniform(0.29, 0.41, n)
    lat[7] = np.nan
    found = client.owners(lat, lon, form=form)
    assert len(found) == n and found.status[7] == "invalid"
    assert set(found.status) == {"owned", "outside", "invalid"}
    for i in [*range(10), LIMIT - 1, LIMIT, n - 1]:
        if i != 7:
            one = client.owner(float(lat[i]), float(lon[i]), on_miss="status")
            grid, team = one.grid and one.grid.code, one.team and one.team.id
            assert (one.status, one.cell, grid, team, one.rule) == rows(found)[i]


def test_both_forms_give_the_same(client: Client) -> None:
    lat, lon = np.linspace(-0.01, 0.11, 300), np.linspace(0.29, 0.41, 300)
    arrow, text = (client.owners(lat, lon, form=form) for form in ("arrow", "json"))
    assert rows(arrow) == rows(text)
    assert (arrow.publication, arrow.roster, arrow.territory) == (text.publication, text.roster, "strip")


def test_points_in_another_system(client: Client) -> None:
    """Moved by hundreds of metres in China only; EPSG:3857 is in metres everywhere."""
    metres = 6378137.0 * np.radians([0.35])
    found = client.owners([5566.0], metres, crs="EPSG:3857")
    assert found.status.tolist() == ["owned"]


# --- customers


def test_the_customers_of_the_grids_are_all_customers(client: Client) -> None:
    codes = sorted({grid for grid in client.owners([0.05] * 90, np.linspace(0.305, 0.394, 90)).grid if grid})
    everybody = [customer for code in codes for customer in client.customers_of_grid(code)]
    assert sorted(customer.id for customer in everybody) == [f"{i:03}" for i in range(90)]
    assert all(isinstance(customer.lon, float) and not customer.more for customer in everybody)


def test_customers_of_no_grid(client: Client) -> None:
    with pytest.raises(errors.NotFound, match="no grid"):
        next(client.customers_of_grid("nowhere"))


# --- publications and snapshots


def test_publications_are_listed(address: str, planner: Any) -> None:
    n = publish_again(planner)
    with Client(address, territory="strip") as client:
        found = list(client.publications())
    assert [publication.n for publication in found] == list(range(n, 0, -1))
    assert found[0].state == "in-force" and found[0].grids == 3
    assert found[0].more["republishes"] == 1


def test_a_snapshot_answers_as_the_service_does(client: Client) -> None:
    lat, lon = np.linspace(-0.01, 0.11, 400), np.linspace(0.29, 0.41, 400)
    found = client.offline().lookup(lat, lon)
    assert rows(client.owners(lat, lon)) == list(
        zip(*(getattr(found, name).tolist() for name in COLUMNS), strict=True)
    )


def test_what_is_here_is_not_fetched_again(client: Client) -> None:
    path = client.snapshot()
    before = path.stat().st_mtime_ns
    assert client.snapshot() == path and path.stat().st_mtime_ns == before
    assert client.offline() is client.offline()


def test_a_new_publication_and_a_new_name_are_noticed(client: Client, planner: Any) -> None:
    first = client.offline()
    n = publish_again(planner)
    second = client.offline()
    assert second is not first and second.snapshot.moment.publication == n
    rename_team(planner, "Renamed")
    assert client.offline().teams == [("t", "Renamed")]
    assert client.offline(1).snapshot.moment.publication == 1


def test_a_snapshot_which_is_not_there(client: Client) -> None:
    with pytest.raises(errors.NotFound):
        client.snapshot(999)


def test_snapshots_which_were_deleted_on_the_server_are_made_again(client: Client, folder: Path) -> None:
    """As happens to those which nobody fetched for an hour."""
    client.snapshot(1)
    for path in (folder / "ownership" / "gridsvc.db").glob("bundle-*"):
        path.unlink()
    assert client.offline(1).snapshot.moment.publication == 1


def test_the_key_travels_with_each_question(address: str) -> None:
    """For later: nobody has to sign in yet, and a key does no harm."""
    with Client(address, key="k-1") as client:
        assert client.owner(*INSIDE).status == "owned"
