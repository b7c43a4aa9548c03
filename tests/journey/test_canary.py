"""Canaries: people and customers with names which nothing else has, sent through every route.

Nothing of them may turn up in the log, in an error, or in what leaves without the scope for it. An error may
quote what was given for something which is neither (a plan, a code): there the requests are odd otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest

from gridsvc.principal import SCOPES, SYSTEM, Principal
from gridsvc.services import (
    current,
    exports,
    features,
    loads,
    orders,
    ownership,
    packs,
    publications,
    rosters,
    scorecards,
)
from gridsvc.services.desk import Desk
from gridsvc.services.exports import Source, Wanted
from gridsvc.services.feature_tables import Shelf
from gridsvc.services.keeping import Keeper
from gridsvc.store import Database
from tests.api.strip import ROSTER, SQUARE
from tests.conftest import DIALECTS
from tests.databases import migrated
from tests.journey.client import Client
from tests.journey.served import served

BIRD = "Kanarienvogel"
"""In every name, and every id of a customer, and nowhere else."""

CUSTOMER = f"{BIRD}-7701"
PERSON = "p-Zeisig"
"""An id of a person: no log and no event has it, but an error about a roster may say whom it means."""


ROSTER_ = {
    **ROSTER,
    "departments": [{"id": "m", "name": "Marketing", "head": "lead"}],
    "people": [
        {"id": PERSON, "name": f"Greta {BIRD}", "department": "m", "lon": 0.35, "lat": 0.05},
        {"id": "lead", "name": "Lead", "department": "m"},
    ],
    "members": [
        {"team": "t", "person": "lead", "role": "lead"},
        {"team": "t", "person": PERSON, "role": "vip"},
    ],
    "named": [{"customer": f"{BIRD}-named", "team": "t", "reason": f"{BIRD} insists"}],
}
ROWS = "id,lon,lat,kwh,premise,contact\n" + "".join(
    f"{BIRD}-{i:03},{0.305 + i * 0.001:.3f},0.05,{i},house {BIRD} {i},Mrs {BIRD}\n" for i in range(90)
)
DIRTY = ROWS + f"{BIRD}-001,0.31,0.05,1,,\n{BIRD}-lost,,,1,,\n{BIRD}-far,170,80,1,,\n,0.31,0.05,1,{BIRD},\n"


@pytest.fixture(scope="module", params=DIALECTS)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated(request, tmp_path_factory.mktemp("canary"), request.param) as found:
        yield found


@pytest.fixture(scope="module")
def town(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, dict[str, str]]]:
    """A service with a published town full of canaries: its address, its log, and ids of what is there."""
    folder = tmp_path_factory.mktemp("served")
    with served(url, folder) as (base_url, _), Client(base_url, timeout=120) as client:
        yield base_url, folder / "serve.log", _settled(client, folder)


def _settled(client: Client, folder: Path) -> dict[str, str]:
    client.post("/v1/territories", {"id": "strip", "name": "Strip", "boundary": SQUARE})
    client.call("PUT", "/v1/territories/strip/roster", {**ROSTER_, "reason": f"{BIRD} came"})
    tiling = client.post("/v1/territories/strip/tilings", {"kind": "h3", "resolution": 8})["id"]
    (folder / "customers.csv").write_text(DIRTY, encoding="utf-8")
    upload = {"measure": ["customers=count", "kwh=sum:kwh"], "place_key": "premise", "min_placed": "0.5"}
    client.upload(f"/v1/tilings/{tiling}/customers", folder / "customers.csv", upload)
    wanted = {"tiling": tiling, "grids": 3, "measures": [{"name": "customers"}]}
    made = client.post("/v1/plans", wanted)
    client.done(made["job"]["id"])
    plan = str(made["plan"])
    for step in ("teams", "publish"):
        _, headers = client.call("GET", f"/v1/plans/{plan}")
        client.post(f"/v1/plans/{plan}/{step}", **{"If_Match": headers["ETag"]})
    said = {
        "source_updated_at": "2026-01-01T00:00:00Z",
        "lon": 0.35,
        "lat": 0.05,
        "premise": f"house {BIRD}",
        "values": {"contact": f"Mr {BIRD}"},
    }
    client.call("PUT", f"/v1/territories/strip/customers/{CUSTOMER}", said)
    wish = {"kind": "customer", "customer": CUSTOMER, "team": "t", "reason": f"{BIRD} wants it"}
    request = client.post("/v1/requests", {"territory": "strip", **wish})["id"]
    return {"territory": "strip", "tiling": tiling, "plan": plan, "n": "1", "request": request}


# --- routes


def _operations(client: Client) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in client.get("/openapi.json")["paths"].items():
        for method, operation in item.items():
            if path not in {"/v1/events"}:  # never ends
                yield method.upper(), path, operation


_BODIES: tuple[bytes, ...] = (
    b"{" + BIRD.encode(),
    orjson.dumps(BIRD),
    orjson.dumps([{"id": CUSTOMER, "lat": BIRD, "lon": {"name": BIRD}}]),
    orjson.dumps(
        {
            "id": CUSTOMER,
            "customer": f"{BIRD}-9",
            "person": f"{BIRD}-9",
            "name": f"Mr {BIRD}",
            "reason": BIRD,
            "territory": "strip",
            "kind": "customer",
            "team": "odd-1",
            "lat": 91,
            "lon": BIRD,
            "source_updated_at": BIRD,
            "values": {BIRD: [BIRD]},
            "people": [{"id": PERSON, "name": BIRD, "department": "odd-1"}],
            "operations": [{"op": "add", "what": "person", "entry": {"id": BIRD, "name": BIRD}}],
            "features": [{"customer": CUSTOMER}],
        }
    ),
)


_PERSONAL = frozenset({"customer", "reason"})


def _odd(name: str) -> str:
    """Something which is not there: a canary where a person or customer is meant."""
    return CUSTOMER[::-1] + BIRD if name in _PERSONAL else "odd-1"


def _requests(
    method: str, path: str, operation: dict[str, Any], ids: dict[str, str]
) -> Iterator[tuple[str, bytes | None]]:
    """Targets and bodies for one operation: with what there is, and with a canary in every place."""
    parameters = operation.get("parameters", [])
    queries = [p["name"] for p in parameters if p["in"] == "query"]
    for known in (True, False):
        target = path
        for parameter in parameters:
            if parameter["in"] == "path":
                name = parameter["name"]
                given = ids.get(name) if known else None
                target = target.replace(f"{{{name}}}", quote(given or _odd(name), safe=""))
        spoken = {n: ids[n] for n in queries if n in ids} if known else {}
        odd = {n: _odd(n) for n in queries} | ({"territory": "strip"} if "territory" in queries else {})
        for query in (spoken, odd, {**odd, **spoken, "customer": f"{BIRD}-8", "person": f"{BIRD}-8"}):
            for body in (None,) if method in {"GET", "HEAD", "DELETE"} else (None, *_BODIES):
                yield f"{target}?{urlencode(query)}", body


_NAMED = {"customer": f"{BIRD}-named", "team": "t", "reason": f"{BIRD} insists"}
_ROSTER = "/v1/territories/strip/roster"
_DEEP: tuple[tuple[str, str, Any], ...] = (
    ("POST", "/v1/owner/query", {"customer": f"{BIRD}-absent", "territory": "strip"}),
    ("GET", f"/v1/owner/customers/{BIRD}-absent?territory=strip", None),
    *(
        ("POST", "/v1/requests", {"territory": "strip", "kind": "customer", "reason": f"{BIRD} asks", **wish})
        for wish in (
            {"customer": f"{BIRD}-absent", "team": "t"},
            {"customer": CUSTOMER, "team": "absent"},
            {"customer": f"{BIRD}-named", "team": "t"},
            {"customer": CUSTOMER},
        )
    ),
    *(
        ("PUT", _ROSTER, {**ROSTER_, **wrong})
        for wrong in (
            {"named": [_NAMED, _NAMED]},
            {"named": [{**_NAMED, "team": "absent"}]},
            {"named": [{**_NAMED, "until": BIRD}]},
            {"people": [*ROSTER_["people"], ROSTER_["people"][0]]},
            {"people": [{**ROSTER_["people"][0], "department": "absent"}, ROSTER_["people"][1]]},
            {"people": [{**ROSTER_["people"][0], "lon": BIRD}, ROSTER_["people"][1]]},
            {"members": ROSTER_["members"][1:]},
            {"valid_from": "2020-01-01T00:00:00Z"},
        )
    ),
    *(
        ("POST", f"{_ROSTER}/changes", {"base_roster": 1, "operations": [operation], "reason": BIRD})
        for operation in (
            {"op": "end", "what": "named", "entry": {"customer": f"{BIRD}-absent"}},
            {"op": "add", "what": "named", "entry": _NAMED},
            {"op": "change", "what": "named", "entry": {**_NAMED, "team": "absent"}},
            {"op": "add", "what": "person", "entry": {"id": PERSON, "name": BIRD, "department": "m"}},
            {"op": "add", "what": "person", "entry": {"id": "new", "name": BIRD, "department": "absent"}},
            {"op": BIRD, "what": "named", "entry": _NAMED},
        )
    ),
    *(
        ("POST", "/v1/territories/strip/handovers", {"kind": "leaver", "reason": f"{BIRD} leaves", **who})
        for who in ({"person": "absent"}, {"person": "lead", "successors": []})
    ),
    *(
        ("POST", "/v1/territories/strip/customers/batch", rows)
        for rows in (
            [{"id": f"{BIRD}-x", "lat": 1, "lon": BIRD}],
            {"id": f"{BIRD}-x"},
        )
    ),
    ("PUT", f"/v1/territories/strip/customers/{CUSTOMER}", {"id": f"{BIRD}-other"}),
    ("POST", "/v1/territories/strip/erasures", {"customer": f"{BIRD}-absent", "reason": " "}),
)
"""Requests which come far before they fail."""


def test_neither_log_nor_errors_name_anybody(town: tuple[str, Path, dict[str, str]]) -> None:
    base_url, log, ids = town
    told, asked = list[tuple[str, str, int, str]](), 0
    with Client(base_url, timeout=120) as client:
        for method, path, operation in list(_operations(client)):
            for target, body in _requests(method, path, operation, ids):
                headers = {} if body is None else {"Content-Type": "application/json"}
                status, _, answer = client.raw(method, target, body, headers)
                asked += 1
                assert status < 500, (method, target, answer[:300])
                if status >= 400 and BIRD.encode() in answer:
                    told.append((method, path, status, answer.decode()[:400]))
        for method, target, document in _DEEP:
            body, headers = orjson.dumps(document), {"Content-Type": "application/json"}
            status, _, answer = client.raw(method, target, body, headers)
            assert status >= 400 or "/batch" in target, (target, answer)
            if BIRD.encode() in answer:
                told.append((method, target, status, answer.decode()[:400]))
        seen = client.raw("GET", "/v1/audit?limit=1000")[2]
    assert asked > 500
    assert sorted(set(told)) == []
    logged = log.read_text(encoding="utf-8")
    for word in (BIRD, PERSON):
        assert word.encode() not in seen
        assert word not in logged


def test_jobs_and_events_name_nobody(town: tuple[str, Path, dict[str, str]], url: str) -> None:
    database = Database.open(url)
    try:
        with database.read(SYSTEM) as reader:
            events = [event.payload for event in reader.outbox(0, 10_000)]
            jobs = [[job.message, job.result, job.problem] for job in reader.jobs.list(limit=1000)]
            audit = [[row.subject, row.before, row.after, row.reason] for row in reader.audit_log(10_000)]
    finally:
        database.close()
    assert events and jobs and audit
    for told in (events, jobs, audit):
        said = json.dumps(told, ensure_ascii=False, default=str)
        assert BIRD not in said and PERSON not in said


# --- what leaves without the scope for it


VIEWER = Principal("viewer", SCOPES - {"customers:read", "roster:read_pii"})


def test_what_leaves_without_the_scope_names_nobody(
    town: tuple[str, Path, dict[str, str]], url: str, tmp_path: Path
) -> None:
    ids, database = town[2], Database.open(url)
    desk = Desk(database, keeper=Keeper(tmp_path / "kept"))
    (tmp_path / "kept").mkdir()
    try:
        told = dict(_told(desk, ids, tmp_path))
    finally:
        database.close()
    assert {name for name, content in told.items() if BIRD.encode() in content} == set()
    assert len(told) > 20 and all(told.values())


def _told(desk: Desk, ids: dict[str, str], folder: Path) -> Iterator[tuple[str, bytes]]:
    database, plan = desk.database, ids["plan"]
    for layer in ("grids", "cells", "teams"):
        for format_ in ("geojson", "gpkg", "fgb", "parquet", "csv", "kml", "xlsx", "shp"):
            for source in (Source(plan), Source(territory="strip", n=1)):
                path = folder / f"{layer}.{'zip' if format_ == 'shp' else format_}"
                exports.write(database, VIEWER, source, Wanted(layer, format_), path)  # type: ignore[arg-type]
                yield f"{layer} {format_} {source.n}", path.read_bytes()
    current.write(database, VIEWER, folder)
    yield "current", (folder / "current.gpkg").read_bytes()
    yield "bundle", ownership.bundle(desk, VIEWER, "strip", 1).read_bytes()
    yield "roster", _listed(rosters.get(database, VIEWER, "strip")[1])
    yield "loads", repr(loads.report(database, VIEWER, "strip").people).encode()
    yield "scorecard", repr(scorecards.of_publication(database, VIEWER, "strip", 1)).encode()
    yield "publication", repr(publications.get(database, VIEWER, "strip", 1)).encode()
    said = orders.orders(database, VIEWER, "strip", PERSON, "routine")
    yield "orders", json.dumps(said).encode()
    pack = packs.pack(desk, VIEWER, "strip", "01")[0]
    yield "pack", repr(pack).encode()
    for collection in features.collections(database, VIEWER):
        state = features.version(database, VIEWER, collection)
        assert state is not None
        table = features.table(database, Shelf(), state)
        yield collection.id, repr(table.columns).encode()


def _listed(roster: Any) -> bytes:
    """All of a roster's people and name list, what their `repr` leaves out too, but for the people's ids."""
    entries = [{n: getattr(e, n) for n in e.__dataclass_fields__} for e in (*roster.people, *roster.named)]
    return repr(entries).encode()
