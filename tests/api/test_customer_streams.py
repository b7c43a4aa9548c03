"""All customers of a cell or grid as one stream: JSON lines, CSV or Arrow, from one state."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import threading
from collections.abc import Iterator
from typing import Any

import h3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from api import streams
from api.app import create_app
from gridsvc.errors import Conflict
from gridsvc.exchange.streams import stream_rows
from gridsvc.principal import LOCAL
from gridsvc.services import customers
from tests.api.strip import ROWS, make_territory, make_tiling, publish, upload

Town = tuple[TestClient, dict[str, Any]]
MEASURES = ["customers=count", "kwh=sum:kwh"]
"""What the published plan is made of, and so every import has."""

FORMS = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
COLUMNS = ["id", "premise", "cell", "verdict", "lon", "lat"]


def read(form: str, body: bytes) -> list[dict[str, Any]]:
    """Rows of a stream, as any client would read them."""
    if form == "ndjson":
        return [json.loads(line) for line in body.splitlines()]
    if form == "arrow":
        return pa.ipc.open_stream(body).read_all().to_pylist()
    if form == "parquet":
        return pq.read_table(pa.BufferReader(body)).to_pylist()
    rows = csv.DictReader(io.StringIO(body.decode()))
    numbers = {"lon", "lat"}
    return [{k: (float(v) if k in numbers else v) if v else None for k, v in r.items()} for r in rows]


def paged(client: TestClient, path: str) -> list[dict[str, Any]]:
    """The same customers in pages of JSON."""
    items: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": None}
    while not items or page["next"]:
        after = {"after": page["next"]} if page["next"] else {}
        page = client.get(path, params={"limit": 7, **after}).json()
        items += page["items"]
    return items


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several chunks, also for the few customers of a test."""
    monkeypatch.setattr(customers, "_CHUNK", 4)
    monkeypatch.setattr(customers, "_CELLS", 3)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("form", FORMS)
def test_a_stream_has_the_customers_of_all_pages(town: Town, form: str) -> None:
    client, _ = town
    seen = []
    for code in ("01", "02", "03"):
        path = f"/v1/grids/{code}/customers"
        answer = client.get(path, params={"format": form})
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] == FORMS[form]
        rows = read(form, answer.content)
        assert list(rows[0]) == COLUMNS
        by_id = sorted(rows, key=lambda row: row["id"])
        assert by_id == paged(client, path)
        seen += [row["id"] for row in rows]
    assert sorted(seen) == [f"{i:03}" for i in range(90)]


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("application/x-ndjson", "ndjson"),
        ("text/csv", "csv"),
        ("Text/CSV; charset=utf-8", "csv"),
        ("application/vnd.apache.arrow.stream", "arrow"),
        ("application/json;q=0.5, text/csv", "csv"),
        ("text/csv;q=0.5, application/json;q=0.9", "json"),
        ("text/csv;q=0, */*;q=0.1", "json"),
        ("text/csv;q=x", "json"),
        ("*/*", "json"),
        ("image/png", "json"),
        ("", "json"),
    ],
)
def test_the_form_follows_the_header_accept(town: Town, accept: str, form: str) -> None:
    answer = town[0].get("/v1/grids/01/customers", headers={"Accept": accept})
    assert answer.headers["content-type"].split(";")[0] == FORMS.get(form, "application/json")


def test_the_form_in_the_address_goes_first(town: Town) -> None:
    answer = town[0].get("/v1/grids/01/customers?format=csv", headers={"Accept": "application/json"})
    assert answer.text.splitlines()[0] == ",".join(COLUMNS)
    assert town[0].get("/v1/grids/01/customers?format=xml").status_code == 422


@pytest.mark.parametrize("form", FORMS)
def test_what_is_wrong_with_the_question_shows_before_the_first_byte(town: Town, form: str) -> None:
    client, _ = town
    for path, status in (
        ("grids/99", 404),
        (f"cells/{h3.latlng_to_cell(50, 50, 8)}", 404),
        ("cells/nothing", 422),
        ("grids/01", 422),
    ):
        query = {"format": form, **({"after": "007"} if status == 422 and "grids" in path else {})}
        answer = client.get(f"/v1/{path}/customers", params=query)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"


# --- cells


def test_a_finer_cell_stands_for_the_cell_at_its_centre_a_coarser_one_for_those_in_it(town: Town) -> None:
    client, _ = town
    cell = h3.latlng_to_cell(0.05, 0.35, 8)
    own = paged(client, f"/v1/cells/{cell}/customers")
    assert own
    assert {row["cell"] for row in own} == {cell}
    child = h3.latlng_to_cell(*h3.cell_to_latlng(cell), 11)
    assert paged(client, f"/v1/cells/{child}/customers") == own
    coarse = h3.latlng_to_cell(0.05, 0.35, 6)
    rows = read("ndjson", client.get(f"/v1/cells/{coarse}/customers?format=ndjson").content)
    everybody = [r for g in ("01", "02", "03") for r in paged(client, f"/v1/grids/{g}/customers")]
    inside = [r for r in everybody if h3.latlng_to_cell(*h3.cell_to_latlng(r["cell"]), 6) == coarse]
    assert len(own) < len(inside) < len(everybody)
    assert sorted(rows, key=lambda r: r["id"]) == sorted(inside, key=lambda r: r["id"])


# --- spreadsheets


def test_no_cell_of_a_csv_runs_as_a_formula(client: TestClient) -> None:
    make_territory(client)
    nasty = ["=1+1", "+SUM(A1)", "-cmd|x", "@x", '=HYPERLINK("http://x")', "-5", "+8613900000000", "a,b"]
    ids = "".join(f'"{i.replace(chr(34), chr(34) * 2)}",0.35,0.05,1\n' for i in nasty)
    tiling = make_tiling(client)
    publish(client, tiling)
    assert upload(client, tiling, ROWS + ids, measure=MEASURES, id="id").status_code == 201
    cell = h3.latlng_to_cell(0.05, 0.35, 8)
    rows = read("csv", client.get(f"/v1/cells/{cell}/customers?format=csv").content)
    shown = {row["id"] for row in rows}
    assert {f"'{i}" for i in nasty[:5]} | {"-5", "+8613900000000", "a,b"} <= shown
    plain = read("ndjson", client.get(f"/v1/cells/{cell}/customers?format=ndjson").content)
    assert set(nasty) <= {row["id"] for row in plain}


@pytest.mark.parametrize("form", FORMS)
def test_nothing_at_all_is_a_whole_document_too(form: str) -> None:
    columns = {"id": "text", "lon": "number"}
    body = b"".join(stream_rows(form, columns, iter([])))  # type: ignore[arg-type]
    assert read(form, body) == []
    gaps = [[("a", None), ("中", 1.5)], [], [(None, 2.0)]]
    found = read(form, b"".join(stream_rows(form, columns, iter(gaps))))  # type: ignore[arg-type]
    assert found == [{"id": "a", "lon": None}, {"id": "中", "lon": 1.5}, {"id": None, "lon": 2.0}]


# --- one state, little memory, and an end


@pytest.mark.usefixtures("small_chunks")
def test_a_stream_shows_one_state_whatever_is_imported_meanwhile(settings: Any) -> None:
    with TestClient(create_app(settings)) as client:
        make_territory(client)
        tiling = make_tiling(client)
        publish(client, tiling)
        desk = client.app.state.gridsvc.desk  # type: ignore[attr-defined]
        before = [row["id"] for row in paged(client, "/v1/grids/02/customers")]
        chunks = customers.stream(desk, LOCAL, None, customers.of_grid("02"))
        first = next(chunks)
        other = ROWS.replace("\n0", "\nnew0")
        assert upload(client, tiling, other, measure=MEASURES).status_code == 201
        rest = list(chunks)
        assert len(rest) > 1
        assert max(map(len, [first, *rest])) <= 4
        assert sorted(c.id for chunk in [first, *rest] for c in chunk) == before
        assert all(row["id"].startswith("new") for row in paged(client, "/v1/grids/02/customers"))


@pytest.fixture
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A single stream may be read; after a test it must have ended."""
    monkeypatch.setattr(customers, "_STREAMS", threading.BoundedSemaphore(1))
    monkeypatch.setattr(customers, "_WAIT", 0.05)
    yield
    assert customers._STREAMS.acquire(timeout=5), "a read was left open"


async def _ask(app: Any, send: Any, receive: Any) -> None:
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/v1/grids/02/customers",
        "raw_path": b"/v1/grids/02/customers",
        "query_string": b"format=ndjson",
        "headers": [],
        "server": ("localhost", 80),
        "client": ("localhost", 1),
        "app": app,
    }
    await app(scope, receive, send)


@pytest.mark.usefixtures("small_chunks", "one_at_a_time")
def test_a_client_that_goes_away_ends_the_read(town: Town) -> None:
    client, _ = town
    sent: list[Any] = []

    async def leave_early() -> None:
        gone, asked = asyncio.Event(), iter([{"type": "http.request", "body": b""}])

        async def receive() -> Any:
            message = next(asked, None)
            if message is None:
                await gone.wait()
                return {"type": "http.disconnect"}
            return message

        async def send(message: Any) -> None:
            sent.append(message)
            if message.get("body"):
                gone.set()
                await asyncio.sleep(30)  # the client takes nothing more

        await asyncio.wait_for(_ask(client.app, send, receive), 10)

    assert client.portal is not None
    client.portal.call(leave_early)
    assert len([m for m in sent if m.get("body")]) == 1
    assert client.get("/v1/grids/02/customers?format=ndjson").status_code == 200


@pytest.mark.usefixtures("small_chunks", "one_at_a_time")
def test_a_client_that_takes_nothing_is_given_up(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = town
    monkeypatch.setattr(streams, "_PATIENCE", 0.05)
    sent: list[Any] = []

    async def stall() -> None:
        async def receive() -> Any:
            await asyncio.sleep(30)

        async def send(message: Any) -> None:
            sent.append(message)
            if message.get("body"):
                await asyncio.sleep(30)

        await asyncio.wait_for(_ask(client.app, send, receive), 10)

    assert client.portal is not None
    client.portal.call(stall)
    assert all(m.get("more_body", True) for m in sent if m["type"] == "http.response.body")


@pytest.mark.usefixtures("small_chunks", "one_at_a_time")
def test_only_so_many_streams_are_read_at_once(town: Town) -> None:
    client, _ = town
    desk = client.app.state.gridsvc.desk  # type: ignore[attr-defined]
    open_one = customers.stream(desk, LOCAL, None, customers.of_grid("01"))
    with pytest.raises(Conflict):
        customers.stream(desk, LOCAL, None, customers.of_grid("01"))
    assert client.get("/v1/grids/01/customers?format=csv").status_code == 409
    assert client.get("/v1/grids/01/customers").status_code == 200
    open_one.close()
    assert client.get("/v1/grids/01/customers?format=csv").status_code == 200


# --- described


@pytest.mark.parametrize("path", ["/v1/cells/{cell}/customers", "/v1/grids/{code}/customers"])
def test_the_description_names_every_form(town: Town, path: str) -> None:
    operation = town[0].get("/openapi.json").json()["paths"][path]["get"]
    assert set(operation["responses"]["200"]["content"]) == {"application/json", *FORMS.values()}
    named = next(p for p in operation["parameters"] if p["name"] == "format")
    assert set(FORMS) < set(json.dumps(named["schema"]).replace('"', " ").split())
