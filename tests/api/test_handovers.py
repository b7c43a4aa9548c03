"""Handovers, packs, orders, checks and disputes over HTTP."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from api.app import create_app
from gridsvc.config import Settings
from tests.api.strip import ROSTER, make_territory, make_tiling, publish

V1 = "/v1/territories/strip"
PEOPLE = [{"id": p, "name": n, "department": "m"} for p, n in (("p", "Ann"), ("q", "Bo"), ("r", "=Cy"))]
TWO = {
    **ROSTER,
    "departments": [{"id": "m", "name": "Marketing", "head": "q"}],
    "people": PEOPLE,
    "teams": [{"id": "t", "name": "Team"}, {"id": "u", "name": "Other"}],
    "members": [{"team": "t", "person": "p", "role": "lead"}, {"team": "u", "person": "q", "role": "lead"}],
}
LEAVER = {"kind": "leaver", "person": "p", "reason": "retires", "successors": [{"person": "r"}]}


@contextmanager
def _published(settings: Settings) -> Iterator[tuple[TestClient, str]]:
    """A published territory, and the grid of customer 003."""
    with TestClient(create_app(settings)) as client:
        make_territory(client)
        assert client.put(f"{V1}/roster", json=TWO).status_code == 200
        rules = {"tier_column": "kwh", "tiers": ["3"]}
        assert client.put("/v1/pack-rules", json=rules).json()["revision"] == 1
        publish(client, make_tiling(client))
        yield client, client.get("/v1/owner/customers/003").json()["grid"]["code"]


@pytest.fixture(scope="module")
def ground(settings: Settings) -> Iterator[tuple[TestClient, str]]:
    """For questions, and for handovers which must be refused."""
    with _published(settings) as found:
        yield found


@pytest.fixture
def own_ground(own_settings: Settings) -> Iterator[tuple[TestClient, str]]:
    """For handovers which are made."""
    with _published(own_settings) as found:
        yield found


def day(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def hand_over(client: TestClient, **more: Any) -> Any:
    return client.post(f"{V1}/handovers", json={**LEAVER, "effective_at": day(5), **more})


def test_a_handover_is_shown_made_listed_and_told_to_lookups(own_ground: tuple[TestClient, str]) -> None:
    client, _ = own_ground
    leaver = client.get("/v1/owner/customers/003").json()["lead"]["id"]
    other = {"p": "q", "q": "p"}[leaver]
    shown = hand_over(client, person=leaver, dry_run=True)
    assert (shown.status_code, shown.json()["id"], shown.json()["state"]) == (200, None, "shown")
    heirs = [{"person": "r", "from": day(9), "acting": other}]
    made = hand_over(client, person=leaver, successors=heirs)
    assert made.status_code == 201, made.text
    body = made.json()
    assert client.get(made.headers["Location"]).json() == body
    assert client.get(f"{V1}/handovers").json()["items"] == [body]
    assert (body["state"], body["reason"], body["proof"]["after"]["orphans"]) == ("scheduled", "retires", [])
    leads = [
        client.get("/v1/owner/customers/003", params={"as_of": day(d)}).json()["lead"] for d in (4, 6, 10)
    ]
    assert [(lead["id"], lead["acting"]) for lead in leads] == [(leaver, False), (other, True), ("r", False)]
    again = hand_over(client, person=other, successors=[{"person": leaver}], effective_at=day(20))
    assert (again.status_code, again.json()["row"], again.json()["field"]) == (422, 1, "person")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"successors": []}, "successors"),
        ({"person": "z"}, "person"),
        ({"effective_at": "soon"}, "effective_at"),
        ({"successors": [{"person": "r", "from": "2026-13-01"}]}, "from"),
        ({"grid": "01"}, "body"),
        ({"reason": " "}, "reason"),
    ],
)
def test_a_wrong_handover_names_field_and_cure(ground: tuple[TestClient, str], more: Any, field: str) -> None:
    answer = hand_over(ground[0], person=more.pop("person", "p"), **more)
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
    assert answer.json()["cure"]


def test_a_grid_goes_to_another_team(own_ground: tuple[TestClient, str]) -> None:
    client, grid = own_ground
    owner = client.get("/v1/owner/customers/003").json()["team"]["id"]
    other = {"t": "u", "u": "t"}[owner]
    wanted = {"kind": "grid", "grid": grid, "team": other, "reason": "nearer", "effective_at": day(3)}
    made = client.post(f"{V1}/handovers", json={**wanted, "publish": True})
    assert made.status_code == 201, made.text
    assert (made.json()["state"], made.json()["refused"]) == ("scheduled", None)
    later = client.get("/v1/owner/customers/003", params={"as_of": day(4)}).json()
    assert later["team"]["id"] == other
    pack = client.get(f"{V1}/grids/{grid}/pack", params={"handover": made.json()["id"]}).json()
    assert [stage["team"] for stage in pack["stages"]] == [owner, other]
    assert pack["reason"] == "nearer"


def test_a_pack_comes_in_three_forms_and_sorts_files(ground: tuple[TestClient, str]) -> None:
    client, grid = ground
    path = f"{V1}/grids/{grid}/pack"
    items = "customer,what\n003,=cmd|' /C calc'!A0\n089,far away\n777,nobody\n,nothing\n"
    files = {"open_items": ("items.csv", items, "text/csv")}
    made = client.post(path, files=files).json()
    assert made["extras"][0]["rows"] == [{"customer": "003", "what": "=cmd|' /C calc'!A0"}]
    left = [(one["row"], one["verdict"]) for one in made["extras"][0]["left"]]
    assert left == [(2, "other_grid"), (3, "unknown_customer"), (4, "no_key")]
    assert made["tiers"][0] == {"tier": "3", "customers": 1}
    assert {c["id"] for c in made["customers"]} >= {"002", "003"}
    assert sum(t["customers"] for t in made["tiers"]) == len(made["customers"])
    book = client.post(path, files=files, params={"format": "xlsx", "lang": "zh"})
    sheets = load_workbook(io.BytesIO(book.content))
    cells = [cell for sheet in sheets for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert any(cell.value == "=cmd|' /C calc'!A0" for cell in cells)
    page = client.get(path, params={"format": "html"})
    assert "script" not in page.text and "style-src 'sha256-" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"


def test_wrong_files_and_dates_of_packs_are_refused(ground: tuple[TestClient, str]) -> None:
    client, grid = ground
    path = f"{V1}/grids/{grid}/pack"
    found = client.post(path, files={"contacts": ("c.csv", "name\nA\n", "text/csv")}).json()
    assert (found["status"], found["source"], found["field"]) == (422, "c.csv", "customer")
    assert client.get(f"{V1}/grids/zz/pack").status_code == 404
    both = client.get(path, params={"at": "2026-12-01", "handover": "hnd_1"}).json()
    assert (both["status"], both["field"]) == (422, "at")
    twice = client.put("/v1/pack-rules", json={"tier_column": "kwh", "tiers": ["a", "a"]}).json()
    assert (twice["status"], twice["row"], twice["field"]) == (422, 2, "tiers")


def test_orders_checks_and_disputes_answer(ground: tuple[TestClient, str]) -> None:
    client, _ = ground
    orders = client.get(f"{V1}/orders", params={"person": "p", "work": "other"}).json()
    assert (orders["rule"], [g["person"]["id"] for g in orders["by"]]) == ("own_line", ["q"])
    now = client.get("/v1/owner/customers/003").json()["team"]["id"]
    mine, other = ("p", "q") if now == "t" else ("q", "p")
    where = {"customer": "003"}
    verdicts = [
        client.get(f"{V1}/check", params={"person": p, **where}).json()["verdict"] for p in (mine, other, "r")
    ]
    assert verdicts == ["inside", "outside", "no_membership"]
    place = client.get(f"{V1}/check", params={"person": mine, "lat": 0.05, "lon": 0.308, "lang": "zh"}).json()
    assert place["verdict"] == "inside" and "网格" in place["why"]
    found = client.get(f"{V1}/disputes", params={**where, "team": ["t", "u"]}).json()
    assert sorted(claim["right"] for claim in found["claims"]) == [False, True]
    neither = client.get(f"{V1}/check", params={"person": "p"}).json()
    assert (neither["status"], neither["field"]) == (422, "customer")
