"""The sub-trees of a territory which a caller sees: their cells, and what of a plan lies on these."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from gridsvc.ownership.part import plan_within, within
from gridsvc.plans.carveouts import CarveOut
from gridsvc.plans.levels import uppers_of
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services.series import published_plan
from gridsvc.store.database import Reader
from gridsvc.store.records import PublicationRecord

__all__ = ["SubTrees", "plan_seen", "subtrees_of", "uppers_in_force"]

_INSIDE_MEETS_INSIDE = "T********"


@dataclass(frozen=True, slots=True)
class SubTrees:
    """Sub-trees of a territory, on the cells of one tiling.

    Attributes
    ----------
    codes : frozenset of str
        Of the grids at their tops, as `gridsvc.principal.Principal.parts` has them.
    above : tuple of (level, series, number)
        The publications of the upper levels which say where these grids lie.
    """

    territory: str
    tiling: str
    codes: frozenset[str]
    above: tuple[tuple[str, str, int], ...]

    @property
    def token(self) -> str:
        """Differs where their cells may."""
        said = orjson.dumps([self.tiling, sorted(self.codes), self.above])
        return hashlib.sha256(said).hexdigest()[:12]

    def cells(self, reader: Reader) -> NDArray[np.bool_]:
        """Which cells of the tiling lie in them: bool array, shape (n_cells,)."""
        uppers = [
            (level, published_plan(reader, self.territory, series, n)) for level, series, n in self.above
        ]
        return within(uppers, self.codes, reader.tilings.get(self.tiling).n_cells)


def subtrees_of(
    reader: Reader, who: Principal, territory: str, line: str, tiling: str, at: datetime | None = None
) -> SubTrees | None:
    """The sub-trees a caller sees by the levels in force at a time, now if None; None means the whole."""
    codes = who.parts.get(territory)
    if codes is None:
        return None
    now = datetime.now(UTC)
    found = uppers_in_force(reader, territory, line, tiling, at or now, now)
    return SubTrees(
        territory, tiling, codes, tuple((level, record.line, record.n) for level, record in found)
    )


def uppers_in_force(
    reader: Reader, territory: str, line: str, tiling: str, at: datetime, known: datetime
) -> list[tuple[str, PublicationRecord]]:
    """The levels above a line which are in force at a time on the same tiling, as known at another time."""
    there = [series for owner, series in reader.publications.lines() if owner == territory]
    return [
        (level, record)
        for level, series in uppers_of(line, there)
        if (record := reader.publications.in_force(territory, series, at, known)) is not None
        and record.tiling == tiling
    ]


def plan_seen(reader: Reader, plan: Plan, tiling: str, cells: NDArray[np.bool_]) -> Plan:
    """A plan with the grids which lie on some cells, and the carve-outs which have ground there."""
    carved = tuple(_on_own_ground(reader, plan.carve_outs, tiling, cells))
    return replace(plan_within(plan, cells), carve_outs=carved)


def _on_own_ground(
    reader: Reader, carve_outs: Iterable[CarveOut], tiling: str, cells: NDArray[np.bool_]
) -> list[CarveOut]:
    found = []
    for carved in carve_outs:
        rows, _ = reader.features.near(tiling, carved.polygon.bounds)
        own = rows[cells[rows]]
        if len(own):
            shapes = reader.features.cells(tiling, own)
            if shapely.relate_pattern(shapes, carved.polygon, _INSIDE_MEETS_INSIDE).any():
                found.append(carved)
    return found
