"""Grid codes over HTTP: as of a time, with successors and history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.strip import make_territory, make_tiling, publish, tag


@pytest.fixture(scope="module")
def merged(service: TestClient) -> Iterator[tuple[TestClient, dict[str, Any], str]]:
    """Two publications; the second gives all cells of 01 to 02. Gives the first, and the heir's code."""
    first = publish(service, make_tiling(service))
    plan = first["plan"]
    branch = service.post(f"/v1/plans/{plan}/branch", json={"name": "merged"}).json()["id"]
    cells = dict(line.split(",") for line in service.get(f"/v1/plans/{branch}/cells").text.splitlines()[1:])
    body = {
        "base_revision": service.get(f"/v1/plans/{branch}").json()["revision"],
        "moves": [{"cells": [c for c, grid in cells.items() if grid == "01"], "to": "02"}],
        "drop_empty": True,
    }
    moved = service.post(f"/v1/plans/{branch}/moves", json=body)
    assert moved.status_code == 200, moved.text
    done = service.post(f"/v1/plans/{branch}/publish", headers=tag(service, branch))
    assert done.status_code == 201, done.text
    yield service, first, "02"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[TestClient]:
    from tests.api.conftest import _client, _settings

    with _client(_settings(tmp_path_factory.mktemp("lineage"), migrated_file)) as found:
        make_territory(found)
        yield found


def test_a_grid_is_found_by_its_code(merged: tuple[TestClient, dict[str, Any], str]) -> None:
    client, _, heir = merged
    found = client.get(f"/v1/grids/{heir}").json()
    assert (found["status"], found["publication"], found["fate"]) == ("in-force", 2, "merged")
    assert found["team"] == {"id": "t", "name": "Team"}
    assert found["cells"] > 0


def test_a_code_which_ended_resolves_to_its_heir(merged: tuple[TestClient, dict[str, Any], str]) -> None:
    client, _, heir = merged
    found = client.get("/v1/grids/01").json()
    assert (found["status"], found["ended"], found["last"], found["how"]) == ("ended", 2, 1, "merged")
    (only,) = found["successors"]
    assert (only["code"], only["share"], only["exact"]) == (heir, 1.0, "1")
    assert only["customers"] > 0


def test_as_of_a_time_before_it_ended_it_is_there(merged: tuple[TestClient, dict[str, Any], str]) -> None:
    client, first, _ = merged
    found = client.get("/v1/grids/01", params={"as_of": first["effective_at"], "territory": "strip"}).json()
    assert (found["status"], found["publication"]) == ("in-force", 1)


def test_the_history_of_a_code_is_paged(merged: tuple[TestClient, dict[str, Any], str]) -> None:
    client, _, heir = merged
    where = "/v1/grids/01/history?territory=strip&limit=1"
    page = client.get(where).json()
    assert [(s["publication"], s["fate"]) for s in page["items"]] == [(1, "new")]
    page = client.get(f"{where}&after={page['next']}").json()
    assert [(s["publication"], s["fate"], s["status"]) for s in page["items"]] == [(2, "merged", "ended")]
    assert [s["code"] for s in page["items"][0]["successors"]] == [heir]


def test_customers_of_a_code_which_ended_are_a_404_with_its_heirs(
    merged: tuple[TestClient, dict[str, Any], str],
) -> None:
    client, _, heir = merged
    answer = client.get("/v1/grids/01/customers")
    assert answer.status_code == 404
    assert answer.json()["successors"] == [{"code": heir, "name": f"Grid {heir}", "share": 1.0}]


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/v1/grids/99", 404, "code"),
        ("/v1/grids/01?as_of=2020-01-01T00:00:00Z", 404, "as_of"),
        ("/v1/grids/01?as_of=2020-01-01T00:00:00", 422, "as_of"),
        ("/v1/grids/01?territory=nowhere", 404, "territory"),
        ("/v1/grids/01/history", 422, "territory"),
        ("/v1/grids/99/history?territory=strip", 404, "code"),
        ("/v1/grids/01/history?territory=strip&after=x", 422, "after"),
    ],
)
def test_wrong_questions_are_told_what_is_wrong(
    merged: tuple[TestClient, dict[str, Any], str], path: str, status: int, field: str
) -> None:
    answer = merged[0].get(path)
    assert answer.status_code == status
    assert answer.json().get("field", field) == field
