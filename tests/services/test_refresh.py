"""Measures of customers as they are now equal those of an import of the same customers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gridsvc.customers.measures import parse_measure
from gridsvc.errors import NotFound
from gridsvc.principal import SYSTEM
from gridsvc.services import imports, refresh
from gridsvc.services.imports import ImportOptions
from gridsvc.store import Database
from tests.services.board import ANNA
from tests.services.series import draft, ground, publish
from tests.services.test_arrivals import ended, message, place, tell

MEASURES = ("customers=count", "kwh=sum:kwh", "use=mean:kwh", "kinds=count_distinct:kind")

Row = tuple[int, float | None, str]


def _file(path: Path, rows: dict[str, Row]) -> None:
    lines = ["id,lon,lat,kwh,kind"]
    for name, (x, kwh, kind) in rows.items():
        lines.append(f"{name},{place(x)['lon']},{place(x)['lat']},{'' if kwh is None else kwh},{kind}")
    path.write_text("\n".join(lines))


def _import(database: Database, tiling: str, path: Path, rows: dict[str, Row]) -> None:
    _file(path, rows)
    options = ImportOptions(tuple(parse_measure(text) for text in MEASURES), missing="zero")
    imports.put_file(database, ANNA, tiling, path, options)


def _measures(database: Database, tiling: str) -> dict[str, tuple[list[float], list[float]]]:
    with database.read(SYSTEM) as reader:
        found = reader.tilings.measures(tiling)
    return {
        name: (np.round(m.values, 9).tolist(), [] if m.largest is None else m.largest.tolist())
        for name, m in found.items()
        if name in {"customers", "kwh", "use", "kinds"}
    }


def test_they_are_those_of_an_import_of_the_same_customers(database: Database, tmp_path: Path) -> None:
    tiling, rng = ground(database), np.random.default_rng(2)

    def some() -> Row:
        value = None if rng.random() < 0.2 else float(rng.integers(0, 99))
        return int(rng.integers(6)), value, str(rng.choice(["shop", "home", ""]))

    publish(database, draft(database, tiling, "aabbcc"))
    rows = {f"k{i}": some() for i in range(40)}
    _import(database, tiling, tmp_path / "a.csv", rows)
    for step in (1, 2):
        told = {f"k{i}": some() for i in rng.integers(0, 60, 12)}
        batch = [
            {"id": name, **message(x, step), "values": {"kwh": kwh, "kind": kind}}
            for name, (x, kwh, kind) in told.items()
        ]
        assert tell(database, batch)["recorded"] == len(told)
        gone = next(name for name in rows if name not in told)
        assert ended(database, gone, step) == "recorded"
        rows = {name: row for name, row in (rows | told).items() if name != gone}
        answer = refresh.refresh(database, ANNA, tiling)
        assert answer["measures"]["customers"]["now"] == len(rows)
        refreshed = _measures(database, tiling)
    _import(database, tiling, tmp_path / "b.csv", rows)
    assert refreshed == _measures(database, tiling)


def test_without_an_import_there_is_nothing_to_measure(database: Database) -> None:
    with pytest.raises(NotFound, match="no import"):
        refresh.refresh(database, ANNA, ground(database))
