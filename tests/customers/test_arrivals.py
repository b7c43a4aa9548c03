"""A customer told of alone is placed as an import would place it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from gridsvc.customers.arrivals import place_messages
from gridsvc.customers.messages import LIMIT, Message, read_rows
from gridsvc.customers.place import place
from gridsvc.customers.read import read_customers
from gridsvc.customers.verdicts import Verdict
from gridsvc.errors import TooLarge
from gridsvc.tiling.locate import Locator
from tests.services.board import SIDE, board

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DEGREE = SIDE / 111_320


def _rows() -> list[tuple[str, float | None, float | None, str | None]]:
    """Every rung of the ladder, and points at random in and around the board."""
    rng = np.random.default_rng(3)
    odd: list[tuple[float | None, float | None, str | None]] = [
        *((None, None, None), (None, None, "x001y001"), (None, None, "nowhere"), (None, 0.5 * DEGREE, None)),
        *((200.0, 0.0, None), (200.0, 0.0, "x002y000"), (0.5 * DEGREE, 95.0, None), (50.0, 50.0, "x000y000")),
        (0.5 * DEGREE, 5.5 * DEGREE, None),  # on the board only when exchanged
    ]
    points = [(float(x), float(y), None) for x, y in rng.uniform(-1, 7, (200, 2)) * DEGREE]
    return [(f"k{i}", *row) for i, row in enumerate([*odd, *points])]


@pytest.mark.parametrize("crs", ["wgs84", "gcj02", "EPSG:4490"])
def test_it_is_placed_as_by_an_import(tmp_path: Path, crs: str) -> None:
    tiling, rows = board(6, 3), _rows()
    lines = [",".join("" if value is None else str(value) for value in row) for row in rows]
    (tmp_path / "c.csv").write_text("\n".join(["id,lon,lat,code", *lines]))
    expected = place(read_customers(tmp_path / "c.csv", crs=crs), tiling, Locator(tiling).rows)
    names = list(tiling.names())
    told = [Message(id=i, source_updated_at=NOW, lon=x, lat=y, code=c) for i, x, y, c in rows]
    found = place_messages(
        told, crs, Locator(tiling).rows, lambda name: names.index(name) if name in names else -1
    )
    assert [arrival.verdict for arrival in found] == expected.verdict.tolist()
    assert [arrival.cell for arrival in found] == expected.cell.tolist()
    lon = np.array([arrival.lon for arrival in found], np.float64)
    np.testing.assert_array_equal(lon, expected.lon)
    if crs == "wgs84":
        assert {arrival.verdict for arrival in found} >= {
            *(Verdict.PLACED, Verdict.OUTSIDE, Verdict.SWAPPED_AXES, Verdict.BAD_COORDINATE),
            *(Verdict.PLACED_BY_CODE, Verdict.UNKNOWN_CODE, Verdict.MISSING_LOCATION),
        }


def test_a_batch_has_a_limit() -> None:
    assert len(read_rows(b"[" + b"{}," * (LIMIT - 1) + b"{}]", lines=False)) == LIMIT
    with pytest.raises(TooLarge):
        read_rows(b"{}\n" * (LIMIT + 1), lines=True)
