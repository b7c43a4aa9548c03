"""Who asks loads little, and who answers does not load what asks."""

from __future__ import annotations

import subprocess
import sys

import gridsvc.client


def loaded(imported: str, watched: list[str]) -> str:
    code = f"import {imported}, sys; print([m for m in {watched} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_servers_and_commands_do_not_load_the_client() -> None:
    servers = "api.app, api.front, gridsvc.node, gridsvc.cli.serve, gridsvc.cli.lookup"
    assert loaded(servers, ["httpx", "gridsvc.client"]) == "[]"


def test_the_client_loads_no_database_no_web_framework_and_no_engine() -> None:
    heavy = [
        "sqlalchemy",
        "fastapi",
        "starlette",
        "numba",
        "geopandas",
        "pandas",
        "pyarrow",
        "pydantic",
        "scipy",
    ]
    assert loaded("gridsvc.client", heavy) == "[]"


def test_all_is_there() -> None:
    assert all(hasattr(gridsvc.client, name) for name in gridsvc.client.__all__)
    assert sorted(gridsvc.client.__all__) == gridsvc.client.__all__
