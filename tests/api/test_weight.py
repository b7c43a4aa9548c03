"""API workers stay light: what only jobs need is not loaded into them."""

from __future__ import annotations

import subprocess
import sys


def test_workers_load_no_engine_and_no_file_readers() -> None:
    heavy = ["numba", "geopandas", "pyogrio", "pandas", "pyarrow", "scipy", "alembic", "openpyxl", "rich"]
    code = f"import api.app, gridsvc.cli.serve, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_moves_need_is_loaded_beside_the_first_request_for_plans() -> None:
    code = (
        "import asyncio, sys, threading, api.expecting, api.routes.plans\n"
        "(asked,) = [d.dependency for d in api.routes.plans.router.dependencies]\n"
        "before = 'gridsvc.balance.metrics' in sys.modules\n"
        "for _ in range(2): asyncio.run(asked())\n"
        "[t.join() for t in threading.enumerate() if t is not threading.current_thread()]\n"
        "print(before, 'gridsvc.balance.metrics' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False True"
