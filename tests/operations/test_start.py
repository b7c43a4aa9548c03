"""What a process loads when it starts: only what answers; the rest is loaded where it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    *("numba", "llvmlite", "scipy", "pandas", "geopandas", "pyarrow", "pyogrio", "pyproj", "openpyxl"),
    *("alembic", "joserfc", "cql2"),
)
MORE = (*HEAVY, "sqlalchemy", "geoalchemy2", "fastapi", "pydantic")


@pytest.mark.parametrize(
    ("module", "unwanted"), [("api.app", HEAVY), ("api.front", HEAVY), ("gridsvc.node", MORE)]
)
def test_a_process_starts_without(module: str, unwanted: tuple[str, ...]) -> None:
    asked = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert module.partition(".")[0] in loaded
    assert loaded & set(unwanted) == set()
