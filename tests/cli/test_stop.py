"""A command that is stopped leaves nothing behind, says so in one line and tells by its exit code how."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HEEDFUL = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""As at a terminal: a shell's background jobs ignore Ctrl-C, and so would a test run as one."""

RUN = [sys.executable, "-c", f"{HEEDFUL}; from gridsvc.cli import main; main()"]


def _cells(folder: Path, side: int = 60) -> tuple[Path, Path]:
    """A board of squares as CELLS and EDGES."""
    cells, edges = folder / "cells.csv", folder / "edges.csv"
    rows = [f"x{x}y{y},{x},{y},1,4,{1 + (x * 7 + y * 3) % 5}" for x in range(side) for y in range(side)]
    cells.write_text("\n".join(["cell,x,y,area,perimeter,customers", *rows]) + "\n")
    pairs = [f"x{x}y{y},x{x + 1}y{y}" for x in range(side - 1) for y in range(side)]
    pairs += [f"x{x}y{y},x{x}y{y + 1}" for x in range(side) for y in range(side - 1)]
    edges.write_text("\n".join(["a,b", *pairs]) + "\n")
    return cells, edges


@pytest.mark.parametrize(("by", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_balance_that_is_stopped(tmp_path: Path, by: signal.Signals, code: int) -> None:
    cells, edges = _cells(tmp_path)
    before = sorted(tmp_path.iterdir())
    command = ["balance", str(cells), "--adjacency", str(edges), "--grids", "30", "--measure", "customers"]
    out = ["-o", str(tmp_path / "grids.csv")]
    with _started(*command, "--sweeps", "100000000", *out) as process:
        _until_working(process)
        process.send_signal(by)
        told, faults = process.communicate(timeout=30)
    assert process.returncode == code, faults
    assert faults.strip() == "gridsvc: stopped; nothing was left half done"
    assert told == ""
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("by", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_an_assignment_that_is_stopped(tmp_path: Path, by: signal.Signals, code: int) -> None:
    cells, edges = _cells(tmp_path, side=40)
    grids, teams = tmp_path / "grids.csv", tmp_path / "teams.csv"
    names = [row.split(",")[0] for row in cells.read_text().splitlines()[1:]]
    grids.write_text("\n".join(["cell,grid", *(f"{name},{name}" for name in names)]) + "\n")
    rooms = [f"t{i},t{i},p{i},{24 + i % 3}" for i in range(192)]
    teams.write_text("\n".join(["id,name,lead_name,capacity_customers", *rooms]) + "\n")
    before = sorted(tmp_path.iterdir())
    out = ["-o", str(tmp_path / "owners.csv"), "--report", str(tmp_path / "report.json")]
    command = ["assign", str(grids), str(cells), "--adjacency", str(edges), "--teams", str(teams)]
    with _started(*command, *out) as process:
        _until_working(process)
        process.send_signal(by)
        told, faults = process.communicate(timeout=30)
    assert process.returncode == code, faults
    assert (told, faults.strip()) == ("", "gridsvc: stopped; nothing was left half done")
    assert sorted(tmp_path.iterdir()) == before


@contextmanager
def _started(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A command that has begun to work; it does not outlive the test, whatever becomes of that."""
    process = subprocess.Popen([*RUN, *command], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _until_working(process: subprocess.Popen[str], seconds: float = 3.0) -> None:
    """Until it has used so many seconds of a core: then it is beyond its imports."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        if (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") > seconds:
            return
        time.sleep(0.05)
    raise TimeoutError


LOST = """
import os, signal, time
from gridsvc.cli import main as cli
from gridsvc.cli.main import cli as commands
def lose(**_):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(9)
    except BaseException:
        pass
    try:
        time.sleep(9)
    finally:
        time.sleep(1.5)
        print("cleared away")
commands.main = lose
cli()
"""


def test_a_term_which_got_lost_in_somebody_elses_code_is_heeded_all_the_same() -> None:
    begun = time.monotonic()
    found = subprocess.run(
        [sys.executable, "-c", LOST], capture_output=True, text=True, timeout=60, check=False
    )
    assert (found.returncode, found.stdout) == (143, "cleared away\n"), found.stderr
    assert found.stderr == "gridsvc: stopped; nothing was left half done\n"
    assert time.monotonic() - begun < 9


def test_a_second_term_does_not_disturb_the_clearing_away(tmp_path: Path) -> None:
    with _started("sample", "--size", "city", "-o", str(tmp_path / "city")) as process:
        _until_working(process, 2.0)
        for _ in range(5):
            process.terminate()
        _, faults = process.communicate(timeout=30)
    assert (process.returncode, faults.strip()) == (143, "gridsvc: stopped; nothing was left half done")
    assert list(tmp_path.iterdir()) == []
