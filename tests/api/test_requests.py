"""What requests may say, and what the service answers when they say it wrong."""

from __future__ import annotations

import json
import time
from typing import Any

import h3
import pytest
from fastapi.testclient import TestClient

from tests.api.strip import (
    ROSTER,
    ROWS,
    SQUARE,
    make_territory,
    make_tiling,
    post_territory,
    solve,
    tag,
    upload,
)

Town = tuple[TestClient, dict[str, Any]]
Cut = tuple[TestClient, str]


def _problem(answer: Any, status: int, *words: str) -> None:
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert document["status"] == status
    told = " ".join(str(document.get(part, "")) for part in ("detail", "field", "cure", "row", "source"))
    for word in words:
        assert word in told, (word, document)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"boundary": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}},
            ["boundary"],
        ),
        ({"boundary": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0], [0, 0]]]}}, ["boundary"]),
        ({"boundary": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 91], [0, 0]]]}}, ["latitude"]),
        ({"boundary": {"type": "Point", "coordinates": [0, 0]}}, ["boundary"]),
        ({"boundary": {}}, ["boundary"]),
        ({"id": "Not A Slug"}, ["id"]),
        ({"time_zone": "Mars/Base"}, ["time_zone"]),
        ({"crs": "EPSG:1"}, ["crs"]),
        ({"colour": "red"}, ["colour"]),
    ],
)
def test_a_wrong_territory_is_refused(nobody: TestClient, change: dict[str, Any], words: list[str]) -> None:
    _problem(post_territory(nobody, **change), 422, *words)
    assert nobody.get("/v1/territories").json()["items"] == []


def test_a_taken_name_is_a_conflict(cut: Cut) -> None:
    client, _ = cut
    _problem(post_territory(client), 409, "strip")


def test_too_fine_a_resolution_is_estimated_not_tried(cut: Cut) -> None:
    client, tiling = cut
    answer = client.post("/v1/territories/strip/tilings", json={"kind": "h3", "resolution": 15})
    _problem(answer, 413, "5,000,000", "resolution")
    assert [t["id"] for t in client.get("/v1/territories/strip/tilings").json()["items"]] == [tiling]


@pytest.mark.parametrize(
    ("text", "form", "words"),
    [
        ("", {}, ["customers.csv", "empty"]),
        (b"\x00\xff\x00", {}, ["customers.csv"]),
        (ROWS, {"measure": "use=sum:volts"}, ["volts", "kwh"]),
        (ROWS, {"measure": "use=product:kwh"}, ["measure"]),
        ("id,lon,lat\n1,0.35,91\n", {}, ["1", "lat"]),
        ("id,lon,lat\n1,0.05,0.35\n2,0.06,0.36\n", {}, ["exchanged"]),
        ("id,lon,lat\n1,nan,nan\n", {}, ["1"]),
        ("id,lon,lat\n" + "7,0.35,0.05\n" * 5, {}, ["2", "id"]),
        ("id,lon,lat,kwh\n1,0.35,0.05,-3\n", {"measure": "kwh=sum:kwh"}, ["1", "kwh"]),
        (ROWS, {"lon": "longitude"}, ["longitude"]),
        (ROWS, {"min_placed": "2"}, ["min_placed"]),
    ],
)
def test_a_wrong_customer_file_is_refused_whole(
    cut: Cut, text: str | bytes, form: dict[str, Any], words: list[str]
) -> None:
    client, tiling = cut
    _problem(upload(client, tiling, text, **form), 422, *words)
    assert client.get(f"/v1/tilings/{tiling}").json()["measures"] == {}


def test_a_large_upload_is_refused(cut: Cut) -> None:
    client, tiling = cut
    _problem(upload(client, tiling, b"x" * 1_100_000), 413, "1 MB")


def test_rows_left_out_are_listed(client: TestClient) -> None:
    make_territory(client)
    tiling = make_tiling(client)
    text = ROWS + "=cmd(),0.35,91,5\n" + "001,0.35,0.05,5\n"
    found = upload(client, tiling, text, measure="kwh=sum:kwh").json()
    assert found["placed"] + found["left_out"] == found["read"] == 92
    assert {s: v["rows"] for s, v in found["verdicts"].items()} == {
        "placed": 90,
        "bad-coordinate": 1,
        "duplicate-id": 1,
    }
    todo = client.get(found["todo"]).text.splitlines()
    assert todo[0] == "row,id,verdict,reason,cure,lon,lat"
    assert len(todo) == 3
    assert "91,'=cmd()" in todo[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"grids": 10_000}, ["10000", "cells"]),
        ({"grids": 0}, ["grids"]),
        ({"measures": [{"name": "volts"}]}, ["volts"]),
        ({"measures": [{"name": "customers", "tolerance": 5}]}, ["tolerance"]),
        ({"measures": []}, ["measures"]),
        ({"measures": [{"name": "customers"}] * 2}, ["measures", "twice"]),
        ({"measures": [{"name": "customers", "weight": 0}]}, ["weight"]),
        ({"measures": [{"name": "customers", "min": 9, "max": 3}]}, ["measures", "min is above max"]),
        ({"measures": [{"name": "customers", "capacity": -1}]}, ["capacity"]),
        ({"objective": "round"}, ["objective"]),
        ({"compactness": 101}, ["compactness"]),
        ({"sweeps": 0}, ["sweeps"]),
        ({"time_limit": 0}, ["time_limit"]),
        ({"score": [{"name": "p", "weights": {"volts": 1}}]}, ["score", "volts", "kwh"]),
        ({"score": [{"name": "kwh", "weights": {"customers": 1}}]}, ["score", "kwh"]),
        ({"score": [{"name": "p", "weights": {"kwh": 0}}]}, ["score"]),
        ({"seeds": [{"cell": "x", "lon": 1, "lat": 2}]}, ["seeds", "either cell"]),
        ({"seeds": [{"lon": 1}]}, ["seeds", "lon and lat"]),
        ({"seeds": [{"lon": 1, "lat": 91}]}, ["seeds", "lat"]),
        ({"seeds": [{"cell": "x", "kind": "maybe"}]}, ["seeds", "kind"]),
        ({"locks": [{"grid": "01"}]}, ["locks", "cell"]),
        ({"locks": [{"cell": "x", "until": "soon"}]}, ["locks", "until"]),
        ({"targets": [{"values": {"volts": 1}}] * 3}, ["targets", "volts"]),
        ({"targets": [{"values": {"customers": 45}}] * 2}, ["grids", "2 rows"]),
        ({"grids": "auto"}, ["grids", "capacity"]),
        ({"from_plan": "nowhere"}, ["from_plan", "nowhere"]),
        ({"max_disruption": "5%"}, ["max_disruption", "from_plan"]),
        ({"move_cost": "kwh"}, ["move_cost", "from_plan"]),
    ],
)
def test_a_wrong_plan_is_refused(town: Town, change: dict[str, Any], words: list[str]) -> None:
    client, published = town
    wanted = {"tiling": published["tiling"], "grids": 3, "measures": [{"name": "customers"}], **change}
    _problem(client.post("/v1/plans", json=wanted), 422, *words)


def test_whole_plan_operations_need_the_state_they_were_made_on(town: Town) -> None:
    client, published = town
    plan = published["plan"]
    _problem(client.post(f"/v1/plans/{plan}/publish"), 428, "If-Match")
    _problem(client.post(f"/v1/plans/{plan}/teams", headers={"If-Match": '"x"'}), 422, "If-Match")
    _problem(client.post(f"/v1/plans/{plan}/teams", headers={"If-Match": '"1"'}), 409, "published")


def test_a_plan_without_teams_is_not_published(client: TestClient) -> None:
    make_territory(client)
    tiling = make_tiling(client)
    assert upload(client, tiling, ROWS).status_code == 201
    plan = solve(client, tiling)
    _problem(client.post(f"/v1/plans/{plan}/publish", headers={"If-Match": '"1"'}), 412, "revision")
    answer = client.post(f"/v1/plans/{plan}/publish", headers=tag(client, plan))
    _problem(answer, 409, "team")
    assert [gate["name"] for gate in answer.json()["gates"]] == ["team"]
    assert client.get("/v1/publications", params={"territory": "strip"}).json()["items"] == []


def test_the_owner_answer_has_its_final_form(town: Town) -> None:
    client, _ = town
    answer = client.get("/v1/owner", params={"lat": 0.05, "lon": 0.35}).json()
    assert set(answer) == {
        "status", "cell", "grid", "team", "lead", "roles", "rule", "why", "territory", "publication",
        "roster", "seq", "valid_from", "valid_to", "inside_territory", "crs", "via",
    }  # fmt: skip
    assert answer["status"] == "owned"
    assert answer["grid"] | {"code": "", "name": ""} == {"code": "", "name": "", "line": "base"}
    assert (answer["team"], answer["lead"]) == (
        {"id": "t", "name": "Team"},
        {"id": "p", "name": "Ann", "acting": False},
    )
    posted = client.post("/v1/owner/query", json={"lat": 0.05, "lon": 0.35}).json()
    assert posted == answer


@pytest.mark.parametrize("lat", ["nan", "1e300", "91", "inf", "x", "١٢", "1_0.5", ""])
def test_a_place_that_is_none(town: Town, lat: str) -> None:
    client, _ = town
    _problem(client.get("/v1/owner", params={"lat": lat, "lon": "0.35"}), 422, "lat")


def test_places_that_nobody_owns(town: Town) -> None:
    client, _ = town
    outside = client.get("/v1/owner", params={"lat": 5, "lon": 5})
    _problem(outside, 404, "outside")
    assert outside.json()["type"] == "urn:gridsvc:problem:outside-territory"
    asked = client.get("/v1/owner", params={"lat": 5, "lon": 5, "on_miss": "status", "lang": "zh"})
    assert (asked.status_code, asked.json()["status"]) == (200, "outside")
    assert "服务区域" in asked.json()["why"]
    _problem(client.get("/v1/owner/customers/nobody"), 404, "id")
    _problem(client.get("/v1/owner/cells/zzz"), 422, "cell")
    early = client.get("/v1/owner", params={"lat": 0.05, "lon": 0.35, "as_of": "2020-01-01T00:00:00+00:00"})
    _problem(early, 404, "in force")
    _problem(client.get("/v1/owner", params={"lat": 0.05, "lon": 0.35, "territory": "mars"}), 404, "mars")


def test_a_finer_cell_is_answered_by_its_centre(town: Town) -> None:
    client, _ = town
    coarse = client.get("/v1/owner", params={"lat": 0.05, "lon": 0.35}).json()["cell"]
    child = h3.cell_to_center_child(coarse, 11)
    answer = client.get(f"/v1/owner/cells/{child}").json()
    assert (answer["cell"], answer["via"]) == (coarse, "centre")
    whole = client.get(f"/v1/owner/cells/{h3.cell_to_parent(coarse, 5)}").json()
    assert (whole["via"], whole["grid"]) == ("cells", None)  # it has several owners
    assert coarse in {entry["cell"] for entry in whole["cells"]}


def test_a_batch_spoils_only_its_bad_rows(town: Town) -> None:
    client, _ = town
    points = {"lat": [0.05, 91, None, 5], "lon": [0.35, 0.35, 0.35, 5]}
    answer = client.post("/v1/owner/batch", json=points).json()
    assert answer["status"] == ["owned", "invalid", "invalid", "outside"]
    assert answer["team"] == ["t", None, None, None]
    _problem(client.post("/v1/owner/batch", json={**points, "strict": True}), 422, "2")
    _problem(client.post("/v1/owner/batch", json={"lat": [1], "lon": [1, 2]}), 422, "as many")
    many = {"lat": [0.05] * 100_001, "lon": [0.35] * 100_001}
    _problem(client.post("/v1/owner/batch", json=many), 413, "100,001")


def test_customers_of_a_grid_come_in_pages(town: Town) -> None:
    client, _ = town
    seen: list[str] = []
    for code in ("01", "02", "03"):
        after = None
        while True:
            query = {"limit": 7, **({"after": after} if after else {})}
            page = client.get(f"/v1/grids/{code}/customers", params=query).json()
            seen += [item["id"] for item in page["items"]]
            after = page["next"]
            if after is None:
                break
    assert sorted(seen) == [f"{i:03}" for i in range(90)]
    _problem(client.get("/v1/grids/99/customers"), 404, "99")


def test_a_repeated_request_counts_once(client: TestClient) -> None:
    make_territory(client)
    tiling = make_tiling(client)
    assert upload(client, tiling, ROWS).status_code == 201
    wanted = {"tiling": tiling, "grids": 2, "measures": [{"name": "customers"}]}
    first, second = (
        client.post("/v1/plans", json=wanted, headers={"Idempotency-Key": "k1"}).json() for _ in "ab"
    )
    assert first["plan"] == second["plan"]
    other = client.post("/v1/plans", json={**wanted, "grids": 3}, headers={"Idempotency-Key": "k1"})
    _problem(other, 422, "Idempotency-Key")
    assert len(client.get("/v1/plans", params={"territory": "strip"}).json()["items"]) == 1


def test_a_job_can_be_left_alone_and_cancelled(client: TestClient) -> None:
    make_territory(client)
    answer = client.post(
        "/v1/territories/strip/tilings",
        json={"kind": "h3", "resolution": 9},
        headers={"Prefer": "respond-async"},
    )
    assert answer.status_code == 202
    job = answer.json()["id"]
    assert answer.headers["location"] == f"/v1/jobs/{job}"
    cancelled = client.delete(f"/v1/jobs/{job}")
    assert cancelled.status_code in {200, 409}


def test_a_roster_names_what_is_wrong(cut: Cut) -> None:
    client, _ = cut
    members = [{"team": "t", "person": "ghost", "role": "lead"}]
    _problem(
        client.put("/v1/territories/strip/roster", json={**ROSTER, "members": members}), 422, "ghost", "1"
    )
    assert client.get("/v1/territories/strip/roster").json()["roster"] == 1


def test_a_file_without_ids_is_taken_with_a_hint(client: TestClient) -> None:
    make_territory(client)
    rows = "lon,lat\n" + "".join(f"{0.305 + i * 0.001:.3f},0.05\n" for i in range(9))
    found = upload(client, make_tiling(client), rows)
    assert found.status_code == 201, found.text
    assert [hint["code"] for hint in found.json()["hints"]] == ["no-id-column"]


def test_cures_name_fields_of_the_request(cut: Cut) -> None:
    client, tiling = cut
    swapped = upload(client, tiling, "id,lon,lat\n1,0.05,0.35\n2,0.06,0.36\n").json()
    assert "lon=lat lat=lon" in swapped["cure"]
    assert "--" not in json.dumps(swapped)


def test_a_repeated_territory_and_roster_count_once(client: TestClient) -> None:
    body = {"id": "strip", "name": "Strip", "boundary": SQUARE}
    first, second = (
        client.post("/v1/territories", json=body, headers={"Idempotency-Key": "t"}) for _ in "ab"
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["id"] == second.json()["id"]
    for _ in "ab":
        answer = client.put("/v1/territories/strip/roster", json=ROSTER, headers={"Idempotency-Key": "r"})
        assert answer.json()["roster"] == 1


def _failed(client: TestClient, **wanted: Any) -> dict[str, Any]:
    """The problem of a plan whose job fails."""
    started = client.post("/v1/plans", json=wanted)
    assert started.status_code == 202, started.text
    for _ in range(600):
        job = client.get(f"/v1/jobs/{started.json()['job']['id']}").json()
        if job["status"] == "failed":
            return dict(job["problem"])
        assert job["status"] in {"queued", "running"}, job
        time.sleep(0.05)
    raise TimeoutError


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seeds": [{"lon": 5, "lat": 5}]}, {"source": "seeds", "row": 1, "field": "lon"}),
        ({"locks": [{"cell": "nowhere", "grid": "a"}]}, {"source": "locks", "row": 1, "field": "cell"}),
    ],
)
def test_what_only_the_cells_tell_fails_the_job_and_names_the_row(
    town: Town, change: dict[str, Any], said: dict[str, Any]
) -> None:
    client, published = town
    wanted = {"tiling": published["tiling"], "grids": 3, "measures": [{"name": "customers"}], **change}
    problem = _failed(client, **wanted)
    assert {name: problem[name] for name in said} == said
    assert problem["cure"]


def test_every_wish_is_kept_with_the_plan(town: Town) -> None:
    client, published = town
    cell = client.get("/v1/owner", params={"lat": 0.05, "lon": 0.31}).json()["cell"]
    wishes: dict[str, Any] = {
        "measures": [{"name": "customers", "tolerance": "40%", "weight": 2, "min": 10, "max": 60}],
        "score": [{"name": "worth", "weights": {"kwh": 3, "customers": 1}}],
        "targets": [{"values": {"customers": n}, "max": {"customers": 80}} for n in (20, 30, 40)],
        "objective": "inertia",
        "compactness": 60,
        "sweeps": 50,
        "time_limit": 100,
        "seed_pull": 0.5,
        "locks": [{"cell": cell, "grid": "west", "reason": "depot", "until": "2020-01-31"}],
    }
    targets = [
        {"grid": code, **row} for code, row in zip(("west", "mid", "east"), wishes["targets"], strict=True)
    ]
    plan = solve(client, published["tiling"], **{**wishes, "targets": targets})
    params = client.get(f"/v1/plans/{plan}").json()["params"]
    assert params["limits"] == {"customers": [10, 60]}
    assert params["scores"] == [["worth", [["kwh", 3], ["customers", 1]]]]
    assert params["locks"] == [{"cell": cell, "grid": "west", "reason": "depot", "until": "2020-01-31"}]
    report = client.get(f"/v1/plans/{plan}/report").json()
    parameters = report["parameters"]
    told = {name: parameters[name] for name in ("objective", "compactness", "sweeps", "time_limit")}
    assert told == {"objective": "inertia", "compactness": 60, "sweeps": 50, "time_limit": 100}
    assert parameters["locks"]["expired"] == [{"row": 1, "cell": cell, "until": "2020-01-31"}]
    assert parameters["measures"]["customers"]["weight"] == 2
    assert parameters["score"]["worth"]["kwh"]["share"] == 0.75
    grids = client.get(f"/v1/plans/{plan}/grids").json()["items"]
    assert {g["code"]: g["targets"]["customers"] for g in grids} == {"west": 20, "mid": 30, "east": 40}
    assert sum(g["measures"]["worth"] for g in grids) == pytest.approx(1000)
    teams = client.post(f"/v1/plans/{plan}/teams", headers=tag(client, plan))
    assert teams.status_code == 200, teams.text


def test_a_plan_is_realigned_from_another_and_keeps_its_codes(town: Town) -> None:
    client, published = town
    wanted = {"measures": [{"name": "kwh", "tolerance": "20%"}], "from_plan": published["plan"]}
    plan = solve(client, published["tiling"], grids="auto", max_disruption="25%", **wanted)
    report = client.get(f"/v1/plans/{plan}/report").json()
    assert report["parameters"]["from"]["max_disruption"] == 0.25
    assert report["moved"]["moved_share"] <= 0.25
    assert [grid["code"] for grid in report["grids"]] == ["01", "02", "03"]
    problem = _failed(client, tiling=published["tiling"], grids=4, **wanted)
    assert "3" in problem["message"] and problem["field"] == "grids"
