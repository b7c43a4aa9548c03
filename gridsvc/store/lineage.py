"""What became of grid codes with each publication; written with it, never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row, insert, select

from gridsvc.plans.lineage import Fate, Flow
from gridsvc.store import codec
from gridsvc.store.handle import Handle
from gridsvc.store.tables import lineage

__all__ = ["Ended", "Line", "LineageReader", "LineageRecord", "LineageWriter"]

Line = tuple[str, str]
"""Territory and line."""

_HEAD = [c for c in lineage.c if c.name not in {"tiling_id", "ground"}]


@dataclass(frozen=True)
class Ended:
    """Where a grid was when it ended.

    Attributes
    ----------
    tiling : str
    rows : int64 array, shape (n,)
        Its last cells, as rows of that tiling.
    """

    tiling: str
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class LineageRecord:
    """What one publication did to one grid code.

    Attributes
    ----------
    fate : Fate
    n : int
        The publication; filled by the store.
    follows : int or None
        The publication it was compared with.
    ended : int or None
        The publication which ended the code; None while it lives. For one which this publication ends the
        store fills it, and `ground` says where it was.
    """

    fate: Fate
    follows: int | None
    ended: int | None = None
    ground: Ended | None = None
    n: int = 0


def _flows(found: Any) -> tuple[Flow, ...]:
    return tuple(Flow(code, cells, customers) for code, cells, customers in found)


def _record(row: Row[*tuple[Any, ...]]) -> LineageRecord:
    fate = Fate(row.code, row.name, row.fate, row.ended is None, _flows(row.successors), _flows(row.origins))
    return LineageRecord(fate, row.follows, row.ended, n=row.n)


class LineageReader:
    """Reads lineage."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def get(self, line: Line, code: str, n: int) -> LineageRecord | None:
        """What publication `n` did to a code; None where it knew none of that code."""
        c = lineage.c
        rows = select(*_HEAD).where(c.territory == line[0], c.line == line[1], c.code == code, c.n == n)
        found = self._handle.connection.execute(rows).first()
        return None if found is None else _record(found)

    def of_code(self, line: Line, code: str) -> list[LineageRecord]:
        """What each publication did to a code, by number."""
        c = lineage.c
        rows = select(*_HEAD).where(c.territory == line[0], c.line == line[1], c.code == code)
        return [_record(row) for row in self._handle.connection.execute(rows.order_by(c.n))]

    def codes(self, line: Line) -> set[str]:
        """All codes which publications have had."""
        c = lineage.c
        rows = select(c.code).where(c.territory == line[0], c.line == line[1]).distinct()
        return set(self._handle.connection.execute(rows).scalars())

    def at(self, line: Line, n: int) -> list[LineageRecord]:
        """What publication `n` did to every code, by code."""
        c = lineage.c
        rows = select(*_HEAD).where(c.territory == line[0], c.line == line[1], c.n == n)
        return [_record(row) for row in self._handle.connection.execute(rows.order_by(c.code))]

    def ended(self, line: Line, wanted: Mapping[str, int]) -> dict[str, Ended]:
        """Where codes were when the given publications ended them."""
        c = lineage.c
        rows = select(c.code, c.n, c.tiling_id, c.ground).where(
            c.territory == line[0], c.line == line[1], c.ground.is_not(None), c.n.in_(set(wanted.values()))
        )
        return {
            code: Ended(tiling or "", codec.unpack(block or b"")["rows"])
            for code, n, tiling, block in self._handle.connection.execute(rows)
            if wanted.get(code) == n
        }


class LineageWriter(LineageReader):
    """Writes lineage."""

    def write(self, line: Line, n: int, records: Sequence[LineageRecord]) -> None:
        """Write what publication `n` did, in the transaction which writes it."""
        rows = [
            {
                "territory": line[0],
                "line": line[1],
                "code": record.fate.code,
                "n": n,
                "follows": record.follows,
                "fate": record.fate.kind,
                "name": record.fate.name,
                "ended": None if record.fate.alive else record.ended or n,
                "successors": [[f.code, f.cells, f.customers] for f in record.fate.successors],
                "origins": [[f.code, f.cells, f.customers] for f in record.fate.origins],
                "tiling_id": None if record.ground is None else record.ground.tiling,
                "ground": None if record.ground is None else codec.pack({"rows": record.ground.rows}),
            }
            for record in records
        ]
        if rows:
            self._handle.connection.execute(insert(lineage), rows)
