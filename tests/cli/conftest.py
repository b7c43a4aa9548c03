"""The command line as a person uses it, in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gridsvc.cli import main

SQUARE = [[0.0, 0.0], [0.1, 0.0], [0.1, 0.1], [0.0, 0.1], [0.0, 0.0]]


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs `gridsvc` with arguments; files and database lie in a folder of the test's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRIDSVC_DATA_DIR", str(tmp_path / "var"))
    monkeypatch.delenv("GRIDSVC_DATABASE_URL", raising=False)

    def run_(*arguments: object) -> Said:
        monkeypatch.setattr(sys, "argv", ["gridsvc", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return Said(int(left.value.code or 0), said.out, said.err)

    return run_


def polygon(*rings: list[list[float]], **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": "Polygon", "coordinates": list(rings)},
    }


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


@pytest.fixture
def square(tmp_path: Path) -> Path:
    """A territory of about 11 x 11 km."""
    path = tmp_path / "square.geojson"
    path.write_text(json.dumps(collection(polygon(SQUARE))))
    return path


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    """400 customers on a lattice in the square."""
    rows = ["id,lon,lat,kwh"]
    for i in range(20):
        rows += [
            f"{i * 20 + j:04},{0.0025 + 0.005 * i:.4f},{0.0025 + 0.005 * j:.4f},{10 + j}" for j in range(20)
        ]
    path = tmp_path / "customers.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture
def teams(tmp_path: Path) -> Path:
    path = tmp_path / "teams.csv"
    path.write_text(
        "id,name,lead_id,lead_name,lon,lat,fallback\n"
        "T0,Head office,P0,Ann,0.05,0.05,true\n"
        "T1,West,P1,Bo,0.02,0.05,false\n"
        "T2,East,P2,Cy,0.08,0.05,false\n"
    )
    return path


@pytest.fixture
def refused(run: Run, tmp_path: Path) -> Any:
    """Runs a command that must be refused, and gives its one line."""

    def refused_(*arguments: object) -> str:
        before = {path.name for path in tmp_path.iterdir()}
        said = run(*arguments)
        assert said.code == 2, (said.code, said.out, said.err)
        assert said.err.startswith("gridsvc: ")
        assert said.err.count("\n") == 1, said.err
        assert "Traceback" not in said.err
        assert str(tmp_path) not in said.err
        assert {path.name for path in tmp_path.iterdir()} == before
        return said.err

    return refused_
