"""`gridsvc assign` on cells from a CSV: who may not be set beside whom, and what a time limit says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run

PLACED = "cell,lon,lat,customers\na,112.90,28.60,5\nb,112.91,28.60,5\nc,112.93,28.60,5\nd,112.94,28.60,5\n"
METRES = "cell,x,y,customers\na,0,0,5\nb,1000,0,5\nc,3000,0,5\nd,4000,0,5\n"
TEAMS = "id,name,lead_name,lon,lat,capacity_customers\nw,West,Wu,112.90,28.60,10\ne,East,Ed,112.94,28.60,10\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "edges.csv").write_text("a,b\na,b\nb,c\nc,d\n")
    (tmp_path / "grids.csv").write_text("cell,grid\na,1\nb,2\nc,3\nd,4\n")
    (tmp_path / "teams.csv").write_text(TEAMS)
    return ("grids.csv", "cells.csv", "--adjacency", "edges.csv", "--teams", "teams.csv", "-o", "owners.csv")


def test_grids_of_cells_without_geometry_go_to_the_near_team(
    run: Run, tmp_path: Path, files: tuple[str, ...]
) -> None:
    (tmp_path / "cells.csv").write_text(PLACED)
    said = run("assign", *files, "--time-limit", "60")
    assert said.code == 0 and "stopped" not in said.out, said.err
    rows = [line.split(",")[:2] for line in (tmp_path / "owners.csv").read_text().splitlines()[1:]]
    assert rows == [["1", "w"], ["2", "w"], ["3", "e"], ["4", "e"]]
    short = run("assign", *files, "--time-limit", "1e-9", "--json")
    assert short.code == 0 and short.json["truncated"] is True
    assert "stopped by the time limit" in run("assign", *files, "--time-limit", "1e-9").out


def test_bases_in_degrees_are_not_set_beside_cells_in_metres(
    run: Run, tmp_path: Path, files: tuple[str, ...]
) -> None:
    (tmp_path / "cells.csv").write_text(METRES)
    said = run("assign", *files)
    assert said.code == 2 and "cells.csv, x" in said.err and "give lon,lat instead of x,y" in said.err
    (tmp_path / "teams.csv").write_text("id,name,lead_name,capacity_customers\nw,W,Wu,10\ne,E,Ed,10\n")
    assert run("assign", *files).code == 0


def test_a_time_limit_of_nothing_is_refused(run: Run, tmp_path: Path, files: tuple[str, ...]) -> None:
    (tmp_path / "cells.csv").write_text(PLACED)
    said = run("assign", *files, "--time-limit", "0")
    assert said.code == 2 and "--time-limit" in said.err
