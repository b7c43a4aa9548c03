"""A body which is too long is refused on every route, whether or not it says how long it is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from gridsvc.config import Settings

LONG = 1_100_000


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("bodies")
    shutil.copy(migrated_file, folder / "api.db")
    url = f"sqlite:///{folder / 'api.db'}"
    settings = Settings(data_dir=folder, database_url=url, max_upload_mb=1, max_json_mb=1)
    with TestClient(create_app(settings), raise_server_exceptions=False) as found:
        yield found


ROUTES = [
    "/v1/territories",
    "/v1/plans",
    "/v1/owner/query",
    "/v1/owner/batch",
    "/v1/webhooks",
    "/v1/requests",
]


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("declared", [True, False], ids=["with its length", "in chunks"])
def test_json(client: TestClient, path: str, declared: bool) -> None:
    body = b'{"name": "' + b"x" * LONG
    sent = body if declared else iter([body[:1000], body[1000:]])
    answer = client.post(path, content=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    told = answer.json()
    assert (told["type"], told["field"]) == ("urn:gridsvc:problem:too-large", "body")
    assert told["detail"] == "the body has more than 1 MB"


def test_a_form_with_files(client: TestClient) -> None:
    def form() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.geojson"\r\n\r\n'
        for _ in range(30):
            yield b"x" * 100_000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post("/v1/layers", content=form(), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:gridsvc:problem:too-large")


def test_a_file_which_just_fits_a_form_is_told_by_its_name(client: TestClient) -> None:
    answer = client.post("/v1/layers", files={"file": ("a.geojson", b"x" * LONG)})
    assert (answer.status_code, answer.json()["field"]) == (413, "file")


def test_what_is_short_enough_is_read(client: TestClient) -> None:
    body = b'{"name": "' + b"x" * 900_000 + b'"}'
    answer = client.post("/v1/territories", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
