"""Realignments, proposals of moves and large files over HTTP."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api import strip
from tests.api.conftest import _client, _settings

Town = tuple[TestClient, str]


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Town]:
    """A service with a plan of three grids, and the plan."""
    with _client(_settings(tmp_path_factory.mktemp("planned"), migrated_file)) as client:
        strip.make_territory(client)
        tiling = strip.make_tiling(client)
        answer = strip.upload(client, tiling, strip.ROWS, measure=["customers=count", "kwh=sum:kwh"])
        assert answer.status_code == 201
        yield client, strip.solve(client, tiling, name="Strip")


def done(client: TestClient, job: str, wanted: str = "done") -> dict[str, Any]:
    for _ in range(600):
        found: dict[str, Any] = client.get(f"/v1/jobs/{job}").json()
        if found["status"] not in {"queued", "running"}:
            assert found["status"] == wanted, found
            return found
        time.sleep(0.05)
    raise TimeoutError


def cells(client: TestClient, plan: str) -> dict[str, str]:
    lines = client.get(f"/v1/plans/{plan}/cells").text.split()[1:]
    return dict(line.split(",") for line in lines)


def realign(client: TestClient, plan: str, **body: Any) -> dict[str, Any]:
    answer = client.post(f"/v1/plans/{plan}/realign", json=body, headers=strip.tag(client, plan))
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def branch(client: TestClient, plan: str) -> str:
    answer = client.post(f"/v1/plans/{plan}/branch", json={"name": "spoilt"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def spoil(client: TestClient, plan: str, share: float = 0.5) -> str:
    """A branch of a plan whose first grid has lost `share` of its customers' cells to its neighbours."""
    made = branch(client, plan)
    before = cells(client, made)
    revision = client.get(f"/v1/plans/{made}").json()["revision"]
    codes = sorted(set(before.values()))
    of_first = [cell for cell, code in before.items() if code == codes[0]]
    moved = of_first[: int(len(of_first) * share)]
    body = {"base_revision": revision, "cells": moved, "to": codes[1]}
    assert client.post(f"/v1/plans/{made}/moves", json=body).status_code == 200
    return made


def test_a_realignment_is_a_new_draft_and_keeps_codes(planned: Town) -> None:
    client, plan = planned
    spoilt = spoil(client, plan)
    before = cells(client, spoilt)
    started = realign(client, spoilt, max_disruption="60%", name="Straightened")
    job = done(client, started["job"]["id"])
    assert job["kind"] == "realign"
    assert job["result"] == {"plan": started["plan"], "revision": 2, "choices": []}
    after = cells(client, started["plan"])
    assert set(after.values()) == set(before.values())
    assert cells(client, spoilt) == before
    report = client.get(f"/v1/plans/{started['plan']}/report").json()
    assert 0 < report["moved"]["moved_share"] <= 0.6
    assert report["freshness"]["customers"]["solved_with"] == report["freshness"]["customers"]["now"]
    made = client.get(f"/v1/plans/{started['plan']}").json()
    assert (made["name"], made["params"]["from_plan"]) == ("Straightened", spoilt)


def test_each_option_on_offer_can_be_a_draft(planned: Town) -> None:
    client, plan = planned
    started = realign(client, spoil(client, plan), max_disruption="60%", choices=True)
    choices = done(client, started["job"]["id"])["result"]["choices"]
    assert len(choices) > 1
    assert [choice["plan"] for choice in choices if choice["chosen"]] == [started["plan"]]
    assert len({choice["plan"] for choice in choices}) == len(choices)
    for choice in choices:
        report = client.get(f"/v1/plans/{choice['plan']}/report").json()
        assert report["freshness"]["customers"]["solved_with"] == report["freshness"]["customers"]["now"]
        assert report["overall"]["worst_deviation"] == pytest.approx(choice["worst_deviation"])
        name = client.get(f"/v1/plans/{choice['plan']}").json()["name"]
        assert name == choice["name"]
        assert choice["chosen"] or f"{choice['moved_share']:.1%} moved" in name


def test_a_plan_is_realigned_as_it_was_seen_and_with_what_is_changed(planned: Town) -> None:
    client, plan = planned
    spoilt = spoil(client, plan)
    before = cells(client, spoilt)
    started = realign(
        client,
        spoilt,
        max_disruption=0.9,
        measures=[{"name": "kwh", "tolerance": "30%"}, {"name": "customers", "tolerance": "40%"}],
        sweeps=50,
    )
    cell, code = next(iter(before.items()))
    other = next(c for c in before.values() if c != code)
    revision = client.get(f"/v1/plans/{spoilt}").json()["revision"]
    moved = {"base_revision": revision, "cells": [cell], "to": other}
    assert client.post(f"/v1/plans/{spoilt}/moves", json=moved).status_code == 200
    done(client, started["job"]["id"])
    made = client.get(f"/v1/plans/{started['plan']}").json()["params"]
    assert made["measures"] == [["kwh", 0.3], ["customers", 0.4]]
    assert made["sweeps"] == 50
    figures = client.get(f"/v1/plans/{started['plan']}/report").json()["moved"]
    after = cells(client, started["plan"])
    assert figures["moved_cells"] == sum(before[cell] != after[cell] for cell in before)


def test_a_realignment_that_cannot_be_is_told_and_leaves_no_draft(planned: Town) -> None:
    client, plan = planned
    lock = {"cell": next(iter(cells(client, plan))), "grid": "no such grid"}
    started = realign(client, plan, locks=[lock])
    problem = done(client, started["job"]["id"], "failed")["problem"]
    assert "no such grid" in problem["message"]
    assert client.get(f"/v1/plans/{started['plan']}").json()["status"] == "cancelled"
    listed = client.get("/v1/plans?territory=strip").json()["items"]
    assert started["plan"] not in {found["id"] for found in listed}


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"max_disruption": "5"}, 422, "max_disruption"),
        ({"max_disruption": -1}, 422, "max_disruption"),
        ({"measures": []}, 422, "measures"),
        ({"measures": [{"name": "unknown"}]}, 422, "measures"),
        ({"sweeps": 0}, 422, "sweeps"),
        ({"grids": 4}, 422, "grids"),
    ],
)
def test_a_wrong_realignment_is_refused(planned: Town, body: dict[str, Any], status: int, field: str) -> None:
    client, plan = planned
    answer = client.post(f"/v1/plans/{plan}/realign", json=body, headers=strip.tag(client, plan))
    assert (answer.status_code, answer.json()["field"]) == (status, field), answer.text
    assert answer.json()["cure"]


def test_a_realignment_says_which_plan_it_has_seen(planned: Town) -> None:
    client, plan = planned
    assert client.post(f"/v1/plans/{plan}/realign", json={}).status_code == 428
    stale = client.post(f"/v1/plans/{plan}/realign", json={}, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["field"]) == (412, "If-Match")
    assert client.post("/v1/plans/pln_none/realign", headers={"If-Match": '"1"'}).status_code == 404


def test_the_same_key_starts_one_realignment(planned: Town) -> None:
    client, plan = planned
    headers = {**strip.tag(client, plan), "Idempotency-Key": "again"}
    first, second = (client.post(f"/v1/plans/{plan}/realign", json={}, headers=headers) for _ in range(2))
    assert first.status_code == second.status_code == 202
    assert (first.json()["plan"], first.json()["job"]["id"]) == (
        second.json()["plan"],
        second.json()["job"]["id"],
    )
    done(client, first.json()["job"]["id"])


def proposal(client: TestClient, plan: str, **body: Any) -> dict[str, Any]:
    answer = client.post(f"/v1/plans/{plan}/repair", json=body)
    if answer.status_code == 202:
        return dict(done(client, answer.json()["id"])["result"])
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def test_moves_which_mend_a_draft_are_proposed_and_can_be_made(planned: Town) -> None:
    client, plan = planned
    spoilt = spoil(client, plan)
    before = cells(client, spoilt)
    found = proposal(client, spoilt)
    assert found["broken"] or found["outside"]
    assert found["moves"]
    assert cells(client, spoilt) == before
    body = {"base_revision": found["revision"], "moves": found["moves"], "reason": "as proposed"}
    made = client.post(f"/v1/plans/{spoilt}/moves", json=body)
    assert made.status_code == 200, made.text
    now = {grid["code"]: grid for grid in client.get(f"/v1/plans/{spoilt}/grids").json()["items"]}
    for grid in found["grids"]:
        assert now[grid["code"]]["cells"] == grid["cells"]
        assert now[grid["code"]]["measures"]["customers"] == pytest.approx(grid["totals"]["customers"])
        assert now[grid["code"]]["deviation"] == pytest.approx(grid["deviation"])
    outside = {code for code, grid in now.items() if abs(grid["deviation"]["customers"]) > 0.1 + 1e-9}
    assert outside <= set(found["still_outside"])


def test_a_sound_plan_needs_no_moves(planned: Town) -> None:
    client, plan = planned
    found = proposal(client, plan)
    assert (found["moves"], found["broken"], found["grids"]) == ([], [], [])


def test_a_second_proposal_is_answered_at_once(planned: Town) -> None:
    client, plan = planned
    proposal(client, plan)
    answer = client.post(f"/v1/plans/{plan}/repair", json={})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("body", "field"),
    [({"grids": ["none"]}, "grids"), ({"grids": []}, "grids"), ({"base_revision": 999}, "revision")],
)
def test_a_wrong_wish_for_a_proposal_is_refused(planned: Town, body: dict[str, Any], field: str) -> None:
    client, plan = planned
    answer = client.post(f"/v1/plans/{plan}/repair", json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text


@pytest.mark.parametrize("fmt", ["geojson", "gpkg", "csv", "parquet", "fgb"])
def test_a_file_is_written_by_a_job_and_fetched(planned: Town, fmt: str) -> None:
    client, plan = planned
    started = client.post(f"/v1/plans/{plan}/exports", json={"format": fmt, "layer": "cells"})
    assert started.status_code == 202, started.text
    result = done(client, started.json()["id"])["result"]
    assert result["file"] == f"{plan}-cells.{fmt}"
    answer = client.get(f"/v1/jobs/{started.json()['id']}/file")
    assert (answer.status_code, len(answer.content)) == (200, result["bytes"])
    assert f'filename="{plan}-cells.{fmt}"' in answer.headers["content-disposition"]
    if fmt == "geojson":
        read = json.loads(answer.content)
        assert len(read["features"]) == len(cells(client, plan))
        assert read["gridsvc:manifest"]["plan"] == plan


def test_a_file_is_deleted_after_a_day(planned: Town) -> None:
    client, plan = planned
    kept: Path = client.app.state.gridsvc.settings.exports  # type: ignore[attr-defined]
    before = set(kept.iterdir()) if kept.exists() else set()
    started = client.post(f"/v1/plans/{plan}/exports").json()
    early = client.get(f"/v1/jobs/{started['id']}/file")
    assert early.status_code in {200, 409}
    done(client, started["id"])
    (folder,) = set(kept.iterdir()) - before
    os.utime(folder, (0, 0))
    again = client.post(f"/v1/plans/{plan}/exports").json()
    gone = client.get(f"/v1/jobs/{started['id']}/file")
    assert (gone.status_code, gone.json()["field"]) == (404, "job")
    done(client, again["id"])
    assert client.get(f"/v1/jobs/{again['id']}/file").status_code == 200
    other = client.get(f"/v1/plans/{plan}")
    assert other.status_code == 200


def test_only_exports_have_files(planned: Town) -> None:
    client, plan = planned
    job = realign(client, plan)["job"]["id"]
    answer = client.get(f"/v1/jobs/{job}/file")
    assert (answer.status_code, answer.json()["field"]) == (404, "job")
    assert client.post(f"/v1/plans/{plan}/exports", json={"crs": "EPSG:99999"}).status_code == 422
    assert client.post(f"/v1/plans/{plan}/exports", json={"format": "dwg"}).status_code == 422
    done(client, job)
