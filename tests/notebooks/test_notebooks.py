"""Each notebook runs from top to bottom with the Python of the tests, draws, and holds no outputs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# A process of its own: the client's sockets are closed by the garbage collector, with a warning, and
# warnings are errors here. nbclient raises on the first cell which fails, naming it.
RUN = """
import sys, nbformat
from nbclient import NotebookClient
source, target, folder = sys.argv[1:]
notebook = nbformat.read(source, as_version=4)
where = {"metadata": {"path": folder}}
NotebookClient(notebook, timeout=180, kernel_name="python3", resources=where).execute()
nbformat.write(notebook, target)
"""


QUICK = 3
"""Sweeps of the search for a plan in the everyday run, which proves nothing about how good the plan is."""


def hastened(path: Path, scratch: Path) -> Path:
    """A copy of a notebook whose search for a plan ends soon."""
    asked = "SolveRequest(\n"
    text = nbformat.read(path, as_version=4)
    (cell,) = (cell for cell in text.cells if asked in cell.source)
    cell.source = cell.source.replace(asked, f"{asked}    sweeps={QUICK},\n")
    nbformat.write(text, scratch / f"quick-{path.name}")
    return scratch / f"quick-{path.name}"


def executed(path: Path, scratch: Path, *, quick: bool) -> nbformat.NotebookNode:
    # Neither settings nor kernels of the person who runs the tests take part.
    homes = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR")
    environment = {**os.environ, **{name: str(scratch / name.lower()) for name in homes}}
    target = scratch / path.name
    source = hastened(path, scratch) if quick else path
    command = [sys.executable, "-c", RUN, str(source), str(target), str(path.parent)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return nbformat.read(target, as_version=4)


def outputs(notebook: nbformat.NotebookNode) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("quick", [True, pytest.param(False, marks=pytest.mark.proof)], ids=["quick", "full"])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_without_a_warning_and_draws_a_picture(path: Path, quick: bool, tmp_path: Path) -> None:
    found = outputs(executed(path, tmp_path, quick=quick))
    assert any("image/png" in output.get("data", {}) for output in found)
    said = [output.text for output in found if output.output_type == "stream" and output.name == "stderr"]
    assert not [text for text in said if "Warning" in text]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_stored_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    assert outputs(notebook) == []
    assert all(cell.get("execution_count") is None for cell in notebook.cells)
