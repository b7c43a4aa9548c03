"""Requests made up from the API's own description: no 5xx, and every answer as described.

The service wants keys and knows a company's provider; an administrator asks. What is bounded here: the
stream of events never ends and is left out; tilings are cut no finer than some hundred cells; plans and files
are asked for by ids which exist in half of the requests only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from api.app import create_app
from gridsvc.config import Settings
from gridsvc.principal import LOCAL
from gridsvc.services import keys
from gridsvc.store import Database
from tests.api.strip import make_territory, make_tiling, publish
from tests.databases import copy_postgis, postgis_binaries
from tests.openid.company import AUDIENCE, OpenId, openid

ENDLESS = {"GET /v1/events"}
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]


@cache
def _description() -> dict[str, Any]:
    return create_app(Settings(data_dir=Path("nowhere"), access="keys")).openapi()


@cache
def _schema() -> Any:
    return schemathesis.openapi.from_dict(_description())


def _operations() -> list[str]:
    found = [f"{method.upper()} {path}" for path, item in _description()["paths"].items() for method in item]
    return sorted(set(found) - ENDLESS)


@dataclass(frozen=True)
class Town:
    """A running application with a publication, and ids which exist."""

    app: Any
    known: dict[str, Any]


@pytest.fixture(scope="module")
def towns(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Town]]:
    """One on each kind of database: to make a request up costs more than to answer it, so both get each."""
    with ExitStack() as stack:
        company = stack.enter_context(openid())
        urls = [""]
        if os.environ.get("CI") or postgis_binaries():
            server = request.getfixturevalue("postgis_server")
            urls.append(stack.enter_context(contextmanager(copy_postgis)(server, "migrated")))
        yield [
            stack.enter_context(_running(_settings(company, tmp_path_factory.mktemp("described"), url)))
            for url in urls
        ]


def _settings(company: OpenId, folder: Path, url: str) -> Settings:
    return Settings(
        data_dir=folder,
        database_url=url or f"sqlite:///{folder / 'api.db'}",
        max_upload_mb=1,
        access="keys",
        public_url="https://testserver",
        oidc_issuer=company.issuer,
        oidc_client_id=company.client[0],
        oidc_audience=AUDIENCE,
    )


@contextmanager
def _running(settings: Settings) -> Iterator[Town]:
    key = _administrator(settings.url)
    app = create_app(settings)
    with TestClient(app, headers={"Authorization": key}, raise_server_exceptions=False) as client:
        make_territory(client)
        tiling = make_tiling(client)
        published = publish(client, tiling)
        cell = client.get("/v1/owner?lat=0.05&lon=0.35").json()["cell"]
        ids = {"territory": "strip", "tiling": tiling, "plan": published["plan"], "n": 1, "code": "01"}
        more = {
            "customer": "007",
            "cell": cell,
            "other": "publication:1",
            "revision": 1,
            "lat": 0.05,
            "lon": 0.35,
        }
        yield Town(_asked_by(key, app), ids | more)


def _administrator(url: str) -> str:
    database = Database.open(url)
    database.upgrade()
    key = keys.create(database, LOCAL, keys.Wanted("root", "administrator"))[1]
    database.close()
    return f"Bearer {key}"


def _asked_by(key: str, app: Any) -> Any:
    """The application, started already, as the holder of `key` asks it."""

    async def started(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            shown = [pair for pair in scope["headers"] if pair[0] != b"authorization"]
            await app({**scope, "headers": [*shown, (b"authorization", key.encode())]}, receive, send)
            return
        for message in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{message}.complete"})

    return started


def _bounded(case: Any) -> None:
    """Keep what would take long small."""
    if case.operation.path.endswith("/tilings") and isinstance(case.body, dict):
        resolution = case.body.get("resolution")
        case.body["resolution"] = int(resolution) % 8 if isinstance(resolution, int | float) else 7


def _point_to(case: Any, known: dict[str, Any]) -> None:
    """Let a request be about what there is."""
    for name in case.path_parameters or {}:
        case.path_parameters[name] = known.get(name, case.path_parameters[name])
    for parameter in case.operation.query:
        if parameter.name in ("territory", "lat", "lon"):
            case.query = {**(case.query or {}), parameter.name: known[parameter.name]}
    for parameter in case.operation.headers:
        if parameter.name == "If-Match":
            case.headers["If-Match"] = '"1"'


def _check(towns: list[Town], label: str, examples: int) -> None:
    method, path = label.split(" ")
    operation = _schema()[path][method]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)

    @seed(5)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # to make a long document small takes minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes]), st.booleans())
    def run(case: Any, known: bool) -> None:
        _bounded(case)
        for town in towns:
            if known:
                _point_to(case, town.known)
            case.validate_response(case.call(app=town.app, timeout=120), checks=CHECKS)

    run()


OPERATIONS = _operations()


@pytest.mark.parametrize("label", OPERATIONS)
def test_answers_are_as_described(towns: list[Town], label: str) -> None:
    _check(towns, label, 10)


@pytest.mark.proof
@pytest.mark.parametrize("label", OPERATIONS)
def test_500_requests_are_answered_as_described(towns: list[Town], label: str) -> None:
    _check(towns, label, 500)
