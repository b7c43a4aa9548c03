"""Name lists over HTTP: part of the roster, and silent about customers when something is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.api.strip import ROSTER, make_territory

PATH = "/v1/territories/strip/roster"
NAMED = {"customer": "secret-1", "team": "t", "reason": "bank", "until": "2026-12-01T08:00:00+08:00"}


def test_a_name_list_goes_in_and_comes_back_with_the_roster(client: TestClient) -> None:
    make_territory(client)
    assert client.get(PATH).json()["named"] == []
    other = {"customer": "secret-2", "team": "t", "reason": "hospital"}
    answer = client.put(PATH, json={**ROSTER, "named": [NAMED, other]})
    assert answer.status_code == 200, answer.text
    named = [{**NAMED, "until": "2026-12-01T00:00:00+00:00"}, {**other, "until": None}]
    assert answer.json()["named"] == client.get(PATH).json()["named"] == named
    read_back = {name: value for name, value in client.get(PATH).json().items() if name in {*ROSTER, "named"}}
    assert client.put(PATH, json=read_back).json()["named"] == named


@pytest.mark.parametrize(
    ("named", "row", "field"),
    [
        ([NAMED, {**NAMED, "reason": "again"}], 2, "customer"),
        ([{**NAMED, "team": "ghost"}], 1, "team"),
        ([{**NAMED, "customer": ["secret-1"]}], 1, "customer"),
        ([{**NAMED, "until": "soon"}], 1, "until"),
        (["secret-1"], None, "named.0"),
    ],
)
def test_a_fault_names_row_and_field_and_never_the_customer(
    cut: tuple[TestClient, str], named: Any, row: int | None, field: str
) -> None:
    answer = cut[0].put(PATH, json={**ROSTER, "named": named})
    found = answer.json()
    assert (answer.status_code, found.get("row"), found["field"]) == (422, row, field)
    assert found["cure"]
    assert "secret" not in answer.text
