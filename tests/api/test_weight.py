"""API workers stay light: what only jobs need is not loaded into them."""

from __future__ import annotations

import subprocess
import sys


def test_workers_load_no_engine_and_no_file_readers() -> None:
    heavy = ["numba", "geopandas", "pyogrio", "pandas", "pyarrow", "scipy", "alembic", "openpyxl", "rich"]
    code = f"import api.app, gridsvc.cli.serve, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
