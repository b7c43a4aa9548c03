"""Whatever is wrong with a question, a real server says what, and its log keeps quiet about it."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import h3.api.basic_str as h3
import pyarrow as pa
import pytest

from tests.api.odd_places import COARSE, CUSTOMERS, HEXES, many, overlaid, parcels, plain, put_all
from tests.journey.client import Client
from tests.journey.served import served

HERE = "territory=city&lat=39.91&lon=116.4"
CELL = f"{int(HEXES[0]):x}"
BATCH = "/v1/owner/batch?territory=city"
STREAM = "application/vnd.apache.arrow.stream"
SECRETS = ("39.91234", "116.41234", "secret-customer")
Answer = tuple[int, dict[str, Any]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[tuple[str, Path]]:
    """Of a real server; with its log."""
    folder = tmp_path_factory.mktemp("bad")
    shutil.copy(migrated_file, folder / "gridsvc.db")
    url = f"sqlite:///{folder / 'gridsvc.db'}"
    put_all(url, plain(), overlaid(), parcels(), many())
    with served(url, folder) as (base_url, _):
        yield base_url, folder / "serve.log"


@pytest.fixture
def client(server: tuple[str, Path]) -> Iterator[Client]:
    with Client(server[0], timeout=20) as found:
        yield found


def _ask(client: Client, target: str, body: bytes | None = None, **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    status, got, answer = client.raw("GET" if body is None else "POST", target, body, sent)
    if status >= 400:
        assert got["Content-Type"] == "application/problem+json", answer[:200]
    return status, json.loads(answer) if answer else {}


def _is_problem(answer: Answer, status: int, *, field: str | None = None, row: int | None = None) -> None:
    found, problem = answer
    assert (found, problem["status"]) == (status, status), problem
    assert problem["type"].startswith("urn:gridsvc:problem:")
    assert problem["detail"]
    assert problem["cure"]
    assert (problem.get("field"), problem.get("row")) == (field, row), problem


# --- one at a time

POINTS = [
    *(
        (f"territory=city&lat={lat}&lon=116.4", 422, "lat")
        for lat in ["nan", "1e300", "1e400", "inf", "91", "-90.0001", "1_0.5", "x", "", "%20", "0x1", "39,9"]
    ),
    (f"territory=city&lat={quote('١٢')}&lon=116.4", 422, "lat"),
    (f"territory=city&lat={quote('３９')}&lon=116.4", 422, "lat"),
    ("territory=city&lat=39.9&lon=180.0001", 422, "lon"),
    ("territory=city&lat=39.9&lon=1_16", 422, "lon"),
    ("territory=city&lon=116.4", 422, "lat"),
    ("territory=city&lat=39.9", 422, "lon"),
    ("territory=city", 422, "lat"),
    (f"{HERE}&lat=39.9", 422, "lat"),
    (f"{HERE}&lon=1", 422, "lon"),
    (f"{HERE}&territory=parcels", 422, "territory"),
    (f"{HERE}&crs=mars", 422, "crs"),
    (f"{HERE}&crs=EPSG:99999999999999999999", 422, "crs"),
    (f"{HERE}&crs=EPSG:1", 422, "crs"),
    (f"{HERE}&crs=", 422, "crs"),
    (f"{HERE}&as_of=2026-01-01T00:00:00", 422, "as_of"),
    (f"{HERE}&as_of=2026-01-01", 422, "as_of"),
    (f"{HERE}&as_known=2026-01-01T00:00:00", 422, "as_known"),
    (f"{HERE}&as_of=yesterday", 422, "as_of"),
    (f"{HERE}&as_of=0001-01-01T00:00:00%2B14:00", 404, None),
    (f"{HERE}&as_known=0001-01-01T00:00:00%2B14:00", 404, None),
    (f"{HERE}&min_seq=-1", 422, "min_seq"),
    (f"{HERE}&min_seq=x", 422, "min_seq"),
    (f"{HERE}&min_seq={'9' * 30}", 422, "min_seq"),
    (f"{HERE}&min_seq={'9' * 5000}", 422, "min_seq"),
    (f"{HERE}&lang=fr", 422, "lang"),
    (f"{HERE}&on_miss=x", 422, "on_miss"),
    (f"{HERE}&line=vip", 404, None),
    (f"{HERE}&line=%00", 422, "line"),
    ("territory=ghost&lat=39.91&lon=116.4", 404, "territory"),
    ("territory=No%20Slug&lat=39.91&lon=116.4", 422, "territory"),
    ("lat=39.91&lon=116.4", 422, "territory"),
    ("territory=city&lat=0&lon=0", 404, None),
]  # fmt: skip


@pytest.mark.parametrize(("query", "status", "field"), POINTS)
def test_a_point_which_is_none(client: Client, query: str, status: int, field: str | None) -> None:
    _is_problem(_ask(client, f"/v1/owner?{query}"), status, field=field)


def test_the_last_moment_there_is_can_be_asked_about(client: Client) -> None:
    status, found = _ask(client, f"/v1/owner?{HERE}&as_of=9999-12-31T23:59:59-12:00")
    assert (status, found["status"]) == (200, "owned"), found


@pytest.mark.parametrize(
    "place", [f"?{HERE}", f"/cells/{CELL}?territory=city", "/customers/7?territory=city"]
)
def test_a_state_nobody_has_seen_is_a_conflict_soon(client: Client, place: str) -> None:
    began = time.monotonic()
    joint = "&" if "?" in place else "?"
    _is_problem(_ask(client, f"/v1/owner{place}{joint}min_seq=999999999"), 409, field="min_seq")
    assert time.monotonic() - began < 0.3


THINGS = [
    ("cells/zz", 422, "cell"),
    ("cells/", 422, "cell"),
    (f"cells/{'f' * 15}", 422, "cell"),
    (f"cells/{'8' * 10_000}", 422, "cell"),
    (f"cells/{quote('区')}", 422, "cell"),
    ("cells/%00", 422, "cell"),
    ("cells/%ff%fe", 422, "cell"),
    ("cells/8931aa42803ffff/x", 422, "cell"),
    ("customers/ghost", 404, None),
    ("customers/", 404, None),
    (f"customers/{quote('没有这个客户')}", 404, None),
    ("customers/%00", 422, "customer"),
    ("customers/%ff%fe", 404, None),
    ("customers/%ED%A0%80", 404, None),
    (f"customers/{'x' * 10_000}", 404, None),
    (f"customers/{'%F0%9F%98%80' * 2_000}", 404, None),
]


@pytest.mark.parametrize(("path", "status", "field"), THINGS)
def test_a_cell_or_customer_which_is_none(client: Client, path: str, status: int, field: str | None) -> None:
    _is_problem(_ask(client, f"/v1/owner/{path}?territory=city"), status, field=field)


@pytest.mark.parametrize("customer", [c for c in CUSTOMERS if c not in {".", ".."}])
def test_odd_customers_are_found(client: Client, customer: str) -> None:
    status, found = _ask(client, f"/v1/owner/customers/{quote(customer, safe='')}?territory=city")
    assert status == 200
    body = json.dumps({"customer": customer, "territory": "city"}).encode()
    again, repeated = _ask(client, "/v1/owner/query", body, Content_Type="application/json")
    assert found.pop("seq") <= repeated.pop("seq")  # what was told last may be seen between the two
    assert (again, repeated) == (200, found)


def test_a_coarse_cell_with_too_many_cells(client: Client) -> None:
    coarse = h3.int_to_str(COARSE)
    answer = _ask(client, f"/v1/owner/cells/{coarse}?territory=many")
    _is_problem(answer, 422, field="cell")
    assert "10,000" in answer[1]["detail"]
    finer = h3.cell_to_center_child(coarse, 6)
    assert _ask(client, f"/v1/owner/cells/{finer}?territory=many")[1]["via"] == "cells"


QUESTIONS: list[tuple[Any, int, str | None]] = [
    ({}, 422, "body"),
    ({"lat": 39.9}, 422, "body"),
    ({"lat": 39.9, "lon": 116.4, "cell": CELL}, 422, "body"),
    ({"lat": "x", "lon": 116.4}, 422, "lat"),
    ({"lat": 91, "lon": 116.4}, 422, "lat"),
    ({"lat": 39.9, "lon": 116.4, "crs": "mars"}, 422, "crs"),
    ({"lat": 39.9, "lon": 116.4, "colour": "red"}, 422, "colour"),
    ({"lat": 39.9, "lon": 116.4, "as_of": "2026-01-01T00:00:00"}, 422, "as_of"),
    ({"lat": 39.9, "lon": 116.4, "min_seq": 2**62}, 409, "min_seq"),
    ({"lat": 39.9, "lon": 116.4, "min_seq": 10**30}, 422, "min_seq"),
    ({"lat": 39.9, "lon": 116.4, "territory": "ghost"}, 404, "territory"),
    ({"lat": 39.9, "lon": 116.4, "territory": "\0"}, 422, "body"),
    ({"lat": 39.9, "lon": 116.4, "line": "\0"}, 422, "body"),
    ({"customer": "\ud800"}, 422, "body"),
    ({"customer": "\0"}, 422, "body"),
    ({"customer": 7}, 422, "customer"),
    ({"cell": ["x"]}, 422, "cell"),
    ([], 422, "body"),
    ("x", 422, "body"),
    (None, 422, "body"),
]


@pytest.mark.parametrize(("document", "status", "field"), QUESTIONS)
def test_a_question_in_a_body(client: Client, document: Any, status: int, field: str | None) -> None:
    if isinstance(document, dict):
        document = {"territory": "city", **document}
    body = json.dumps(document).encode()
    _is_problem(_ask(client, "/v1/owner/query", body, Content_Type="application/json"), status, field=field)


# --- batches


def _arrow(columns: dict[str, Any], compression: str | None = None) -> bytes:
    table = pa.table(columns)
    out = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(out, table.schema, options=options) as writer:
        writer.write_table(table)
    return bytes(out.getvalue().to_pybytes())


def _zeros(n: int) -> dict[str, list[float]]:
    return {"lat": [0.0] * n, "lon": [0.0] * n}


JSON = "application/json"
ARROW = _arrow({"lat": [1.0, 2.0], "lon": [1.0, 2.0]})
BODIES: dict[str, tuple[bytes, str, int, str | None, int | None]] = {
    "100,001 points in columns": (json.dumps(_zeros(100_001)).encode(), JSON, 413, "lat", None),
    "100,001 objects": (json.dumps([{"lat": 0, "lon": 0}] * 100_001).encode(), JSON, 413, "lat", None),
    "100,001 points in Arrow": (_arrow(_zeros(100_001)), STREAM, 413, "lat", None),
    "33 MB": (b" " * (33 << 20), JSON, 413, "body", None),
    "ragged columns": (b'{"lat":[1,2,3],"lon":[1,2]}', JSON, 422, "lon", 3),
    "a column is missing": (b'{"lat":[1,2,3]}', JSON, 422, "lon", None),
    "a column is no list": (b'{"lat":1,"lon":[1]}', JSON, 422, "lat", None),
    "a member is missing": (b'[{"lat":1,"lon":1},{"lat":1}]', JSON, 422, "lon", 2),
    "a member comes twice": (b'[{"lat":1,"lon":1,"lat":1}]', JSON, 422, "lat", 1),
    "an unknown member": (b'[{"lat":1,"lon":1,"alt":1}]', JSON, 422, "alt", 1),
    "a point is no object": (b'[{"lat":1,"lon":1},7]', JSON, 422, "points", 2),
    "nan": (b'{"lat":[NaN],"lon":[1]}', JSON, 422, "body", None),
    "half a body": (b'{"lat":[1,2', JSON, 422, "body", None),
    "nothing": (b"", JSON, 422, "body", None),
    "null": (b"null", JSON, 422, "body", None),
    "not UTF-8": (b'{"lat":[1],"lon":[1],"line":"\xff"}', JSON, 422, "body", None),
    "nested deep": (b"[" * 100_000, JSON, 422, "body", None),
    "nested deep and closed": (b"[" * 50_000 + b"]" * 50_000, JSON, 422, None, None),
    "no such territory": (b'{"territory":"ghost","lat":[1],"lon":[1]}', JSON, 404, "territory", None),
    "no such line": (b'{"line":"vip","lat":[1],"lon":[1]}', JSON, 404, None, None),
    "no such system": (b'{"crs":"mars","lat":[1],"lon":[1]}', JSON, 422, "crs", None),
    "as_of without offset": (b'{"as_of":"2026-01-01","lat":[1],"lon":[1]}', JSON, 422, "as_of", None),
    "as_of before time": (b'{"as_of":"0001-01-01T00:00+14:00","lat":[1],"lon":[1]}', JSON, 404, None, None),
    "min_seq beyond what is": (b'{"min_seq":99999999,"lat":[1],"lon":[1]}', JSON, 409, "min_seq", None),
    "strict": (b'{"strict":true,"lat":[1,null],"lon":[1,1]}', JSON, 422, "lat, lon", 2),
    "a column of text in Arrow": (_arrow({"lat": ["1"], "lon": [1.0]}), STREAM, 422, "lat", None),
    "a column of times in Arrow": (
        _arrow({"lat": [1.0], "lon": pa.array([1], pa.timestamp("s"))}), STREAM, 422, "lon", None
    ),
    "a column of booleans in Arrow": (_arrow({"lat": [True], "lon": [1.0]}), STREAM, 422, "lat", None),
    "a column of dictionaries in Arrow": (
        _arrow({"lat": pa.array([1.0]).dictionary_encode(), "lon": [1.0]}), STREAM, 422, "body", None
    ),
    "one column in Arrow": (_arrow({"lat": [1.0]}), STREAM, 422, "lon", None),
    "compressed Arrow": (_arrow(_zeros(999), "zstd"), STREAM, 422, "body", None),
    "half an Arrow table": (ARROW[: len(ARROW) // 2], STREAM, 422, "body", None),
    "an Arrow table without its end": (ARROW[:-8], STREAM, 422, "body", None),
    "no Arrow table": (b"x" * 1000, STREAM, 422, "body", None),
    "Arrow as JSON": (ARROW, JSON, 422, "body", None),
    "text": (b"1,2", "text/csv", 415, "Content-Type", None),
    "a form": (b"lat=1&lon=1", "application/x-www-form-urlencoded", 415, "Content-Type", None),
    "no type": (b'{"lat":[1],"lon":[1]}', "", 415, "Content-Type", None),
    "another character set": (b'{"lat":[1],"lon":[1]}', f"{JSON}; charset=gbk", 415, "Content-Type", None),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_a_body_which_is_no_batch(client: Client, name: str) -> None:
    body, kind, status, field, row = BODIES[name]
    answer = _ask(client, BATCH, body, Content_Type=kind)
    if name == "nested deep and closed":
        field = answer[1].get("field")  # which of the two guards sees it first depends on Python's version
        row = answer[1].get("row")
    _is_problem(answer, status, field=field, row=row)


def test_a_packed_body(client: Client) -> None:
    packed = gzip.compress(b'{"lat":[1],"lon":[1]}')
    answer = _ask(client, BATCH, packed, Content_Type=JSON, Content_Encoding="gzip")
    _is_problem(answer, 415, field="Content-Encoding")


@pytest.mark.parametrize("repeated", ["strict=true&strict=true", "crs=wgs84&crs=gcj02", "territory=city"])
def test_a_parameter_which_comes_twice(client: Client, repeated: str) -> None:
    answer = _ask(client, f"{BATCH}&{repeated}", b'{"lat":[1],"lon":[1]}', Content_Type=JSON)
    _is_problem(answer, 422, field=repeated.partition("=")[0])


@pytest.mark.parametrize(
    "bad", ["null", '"39.9"', "91", "1e300", "-1e999", "true", "[39.9]", '{"a":1}', '"١٢"', "9" * 400]
)
def test_a_bad_value_only_spoils_its_own_row(client: Client, bad: str) -> None:
    columns = f'{{"lat":[39.91,{bad},39.91],"lon":[116.4,116.4,116.4]}}'.encode()
    status, found = _ask(client, BATCH, columns, Content_Type=JSON)
    assert (status, found["status"]) == (200, ["owned", "invalid", "owned"])
    assert found["team"][1] is found["cell"][1] is None
    rows = f'[{{"lat":39.91,"lon":116.4}},{{"lat":39.9,"lon":{bad if bad != "91" else "181"}}}]'.encode()
    status, told = _ask(client, BATCH, rows, Content_Type=JSON)
    assert (status, [row["status"] for row in told]) == (200, ["owned", "invalid"])  # type: ignore[index]


# --- connections which end early


def _raw(server: str, sent: bytes, *, close: bool) -> bytes:
    parts = urlsplit(server)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(sent)
        if close:
            connection.shutdown(socket.SHUT_WR)
        got = b""
        while part := connection.recv(65536):
            got += part
        return got


def test_half_a_request_harms_nobody(server: tuple[str, Path], client: Client) -> None:
    about = f"Content-Type: {JSON}\r\nContent-Length: 1000"
    head = f"POST {BATCH} HTTP/1.1\r\nHost: localhost\r\n{about}\r\n\r\n".encode()
    for sent in (head + b'{"lat":[1', head, head[:40], b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n"):
        answer = _raw(server[0], sent, close=True)
        assert not answer.startswith(b"HTTP/1.1 5"), answer
        assert _ask(client, f"/v1/owner?{HERE}")[0] == 200
    assert "Traceback" not in server[1].read_text()


def test_a_body_without_an_end_is_not_read_to_it(server: tuple[str, Path]) -> None:
    head = f"POST {BATCH} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    parts = urlsplit(server[0])
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(head)
        sent = 0
        try:
            while sent < 200:  # MB; the service stops at 32
                connection.sendall(chunk)
                sent += 1
        except OSError:
            return
        got = connection.recv(65536)
        assert got.startswith(b"HTTP/1.1 413"), got


# --- what is written down


def test_the_log_holds_neither_ids_nor_places(server: tuple[str, Path], client: Client) -> None:
    lat, lon, customer = SECRETS
    for target in (
        f"/v1/owner?territory=city&lat={lat}&lon={lon}",
        f"/v1/owner?territory=city&lat={lat}&lon={lon}&as_of=2000-01-01T00:00:00Z",
        f"/v1/owner?territory=city&lat={lat}x&lon={lon}",
        f"/v1/owner/customers/{customer}?territory=city",
        f"/v1/owner/cells/{customer}?territory=city",
    ):
        _, found = _ask(client, target)
        assert not any(secret in json.dumps(found) for secret in SECRETS), found
    for document in (
        {"lat": lat, "lon": lon},
        {"customer": customer},
        {"customer": [customer]},
        {"cell": customer},
    ):
        _, found = _ask(client, "/v1/owner/query", json.dumps(document).encode(), Content_Type=JSON)
        assert not any(secret in json.dumps(found) for secret in SECRETS), found
    for body in (
        f'[{{"lat":{lat},"lon":"{customer}"}}]',
        f'{{"lat":[{lat}],"lon":[{lon},{lon}]}}',
        f'{{"lat":[{lat}',
    ):
        _ask(client, BATCH, body.encode(), Content_Type=JSON)
    log = server[1].read_text()
    assert "page http" in log
    assert not any(secret in log for secret in (*SECRETS, "39.9", "116.4", CELL, "没有这个客户"))
    assert "Traceback" not in log
