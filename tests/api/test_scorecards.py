"""Scorecards and loads over HTTP, in each of the forms."""

from __future__ import annotations

import csv
import io
from typing import Any

import openpyxl
import pytest
from fastapi.testclient import TestClient

from tests.api.strip import solve

Town = tuple[TestClient, dict[str, Any]]
URLS = (
    "/v1/publications/1/scorecard?territory=strip",
    "/v1/territories/strip/scorecard",
    "/v1/territories/strip/loads",
)


@pytest.mark.parametrize("url", URLS)
def test_each_report_comes_in_each_form(town: Town, url: str) -> None:
    client, _ = town
    mark = "&" if "?" in url else "?"
    found = client.get(url)
    assert (found.status_code, found.json()["territory"]) == (200, "strip")
    rows = list(csv.DictReader(io.StringIO(client.get(url, headers={"Accept": "text/csv"}).text)))
    assert sum(float(row["customers"]) for row in rows if row.get("kind", "team") == "team") == 90
    page = client.get(f"{url}{mark}format=html&lang=zh")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert page.headers["content-language"] == "zh"
    book = client.get(f"{url}{mark}format=xlsx")
    assert len(openpyxl.load_workbook(io.BytesIO(book.content)).sheetnames) >= 2
    assert "attachment" in book.headers["content-disposition"]


@pytest.mark.parametrize("url", URLS)
def test_a_report_which_says_the_same_is_not_sent_again(town: Town, url: str) -> None:
    client, _ = town
    tag = client.get(url).headers["etag"]
    again = client.get(url, headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    page = client.get(url, headers={"If-None-Match": tag, "Accept": "text/html"})
    assert page.status_code == 200 and page.headers["etag"] != tag
    roster = client.get("/v1/territories/strip/roster").json()
    body = {name: roster[name] for name in ("departments", "people", "members", "fallback")}
    teams = [{**team, "name": "Renamed", "lon": 0.3, "lat": 0.0} for team in roster["teams"]]
    assert client.put("/v1/territories/strip/roster", json={**body, "teams": teams}).status_code == 200
    assert client.get(url, headers={"If-None-Match": tag}).status_code == 200


def test_a_drafts_scorecard_and_loads(town: Town) -> None:
    client, published = town
    plan = solve(client, published["tiling"], grids=2)
    card = client.get(f"/v1/plans/{plan}/scorecard").json()
    assert (len(card["grids"]), card["status"]) == (2, "draft")
    loads = client.get(f"/v1/territories/strip/loads?plan={plan}&share=role").json()
    assert [(row["id"], row["loads"]["customers"]) for row in loads["teams"]] == [("t", 0), (None, 90)]
    assert loads["before"]["publication"] == 1


def test_the_companys_rules_are_put_and_got(town: Town) -> None:
    client, _ = town
    assert client.get("/v1/company/scorecard").json()["revision"] == 0
    put = client.put(
        "/v1/company/scorecard", json={"parts": {"sales": {"of": ["kwh"]}}, "weights": {"potential": 2}}
    )
    assert (put.status_code, put.json()["weights"]) == (200, {"potential": 2})
    card = client.get(URLS[0]).json()
    assert card["rules"]["parts"] == {"sales": {"of": ["kwh"], "by": None}}
    again = client.get("/v1/company/scorecard").json()
    assert (again["revision"], again["parts"]["sales"]["of"]) == (1, ["kwh"])


@pytest.mark.parametrize(
    ("method", "url", "body", "status"),
    [
        ("GET", "/v1/publications/7/scorecard?territory=strip", None, 404),
        ("GET", "/v1/publications/1/scorecard?territory=none", None, 404),
        ("GET", "/v1/plans/none/scorecard", None, 404),
        ("GET", "/v1/territories/strip/scorecard?as_of=2020-01-01T00:00:00Z", None, 404),
        ("GET", "/v1/territories/strip/scorecard?as_of=2020-01-01T00:00:00", None, 422),
        ("GET", "/v1/territories/strip/loads?before=9", None, 404),
        ("GET", "/v1/territories/strip/loads?share=evenly", None, 422),
        ("PUT", "/v1/company/scorecard", {"parts": {"luck": {"of": ["x"]}}}, 422),
        ("PUT", "/v1/company/scorecard", {"weights": {"customers": -1}}, 422),
        ("PUT", "/v1/company/scorecard", {"parts": {"sales": {"of": ["x", "x"]}}}, 422),
        ("PUT", "/v1/company/scorecard", {"weight": {}}, 422),
    ],
)
def test_wrong_questions_are_problems(town: Town, method: str, url: str, body: Any, status: int) -> None:
    answer = town[0].request(method, url, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"]
