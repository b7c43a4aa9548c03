"""Forgetting a customer over HTTP and on the command line, beside mapped files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from fastapi.testclient import TestClient

from gridsvc.cli.main import cli
from gridsvc.config import Settings

WHOM, OTHER = "client-4711", "client-4712"


def tell(client: TestClient, customer: str) -> None:
    said = {"source_updated_at": "2026-01-01T00:00:00Z", "lon": 0.35, "lat": 0.05}
    answer = client.put(f"/v1/territories/strip/customers/{customer}", json=said)
    assert answer.status_code == 200, answer.text


def status(client: TestClient, customer: str, seq: int = 0) -> Any:
    body = {"customer": customer, "territory": "strip", "on_miss": "status", "min_seq": seq}
    return client.post("/v1/owner/query", json=body).json()["status"]


def test_lookups_from_mapped_files_forget_too(own_town: tuple[TestClient, Any], tmp_path: Path) -> None:
    client, _ = own_town
    for customer in (WHOM, OTHER):
        tell(client, customer)
    assert status(client, WHOM) == "owned"
    answer = client.post("/v1/territories/strip/erasures", json={"customer": WHOM, "reason": "asked"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["rows"]["customer_changes"] == 1 and WHOM not in answer.text
    assert status(client, WHOM, told["seq"]) == "unknown_customer"
    assert client.get(f"/v1/owner/customers/{WHOM}").status_code == 404
    assert status(client, OTHER, told["seq"]) == "owned"
    left = [path for path in tmp_path.rglob("*") if path.is_file() and WHOM.encode() in path.read_bytes()]
    assert left == []


def test_the_command_reads_the_id_where_nobody_sees_it(
    own_town: tuple[TestClient, Any], own_settings: Settings
) -> None:
    client, _ = own_town
    tell(client, WHOM)
    command = ["customers", "erase", "--reason", "asked", "--json", "--database", own_settings.url]
    done = CliRunner().invoke(cli, command, input=f"{WHOM}\n", catch_exceptions=False)
    assert json.loads(done.output)["rows"]["customer_changes"] == 1
    assert status(client, WHOM) == "unknown_customer"
