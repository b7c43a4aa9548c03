"""Requests made up from the API's own description: no 5xx, and every answer as described.

What is bounded here: the stream of events never ends and is left out; tilings are cut no finer than some
hundred cells; plans and files are asked for by ids which exist in half of the requests only.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from gridsvc.store import Database
from tests.api.strip import make_territory, make_tiling, publish
from tests.conftest import DIALECTS
from tests.databases import copy_postgis

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
    return create_app(Settings(data_dir=Path("nowhere"))).openapi()


def _operations() -> list[str]:
    found = [f"{method.upper()} {path}" for path, item in _description()["paths"].items() for method in item]
    return sorted(set(found) - ENDLESS)


@dataclass(frozen=True)
class Town:
    """A running application with a publication, as schemathesis sees it, and ids which exist."""

    schema: Any
    known: dict[str, Any]


@pytest.fixture(scope="module", params=DIALECTS)
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("described")
    if request.param == "postgis":
        urls = copy_postgis(request.getfixturevalue("postgis_server"), "migrated")
    else:
        urls = iter([f"sqlite:///{folder / 'api.db'}"])
    for url in urls:
        database = Database.open(url)
        database.upgrade()
        database.close()
        app = create_app(Settings(data_dir=folder, database_url=url, max_upload_mb=1))

        async def started(scope: Any, receive: Any, send: Any, app: Any = app) -> None:
            """The application, which the client below has started already."""
            if scope["type"] != "lifespan":
                await app(scope, receive, send)
                return
            for message in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{message}.complete"})

        with TestClient(app, raise_server_exceptions=False) as client:
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
            yield Town(schemathesis.openapi.from_dict(_description()), {**ids, **more, "app": started})


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


def _check(town: Town, label: str, examples: int) -> None:
    method, path = label.split(" ")
    operation = town.schema[path][method]
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    app = town.known["app"]

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
        if known:
            _point_to(case, town.known)
        case.validate_response(case.call(app=app), checks=CHECKS)

    run()


OPERATIONS = _operations()


@pytest.mark.parametrize("label", OPERATIONS)
def test_answers_are_as_described(town: Town, label: str) -> None:
    _check(town, label, 20)


@pytest.mark.proof
@pytest.mark.parametrize("label", [label for label in OPERATIONS if "owner" in label or "snapshot" in label])
def test_500_requests_of_each_lookup_are_answered_as_described(town: Town, label: str) -> None:
    _check(town, label, 500)
