"""Moves marked by hand in a table of cells: which of them hold, and why the others do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

__all__ = ["Judged", "Mark", "Standing", "Verdict", "judge"]


class Verdict(Enum):
    """What is said of a marked row.

    Attributes
    ----------
    slug : str
        Name in JSON.
    taken : bool
        Whether the move can be made.
    reason, reason_zh, cure, cure_zh : str
    """

    slug: str
    taken: bool
    reason: str
    reason_zh: str
    cure: str
    cure_zh: str

    def __init__(self, slug: str, taken: bool, *texts: str) -> None:
        self.slug, self.taken = slug, taken
        self.reason, self.reason_zh, self.cure, self.cure_zh = texts

    MOVE = ("move", True, "goes to the other grid", "划转到新网格", "", "")
    SAME = (
        "same",
        False,
        "is in that grid already",
        "已在该网格",
        "nothing needs doing",
        "无需处理",
    )
    UNKNOWN_CELL = (
        "unknown-cell",
        False,
        "names no cell of this plan",
        "不是本方案的单元",
        "leave the cell's id as it was in the sheet",
        "请保留表中原有的单元编号",
    )
    UNKNOWN_GRID = (
        "unknown-grid",
        False,
        "names no grid of this plan to move to",
        "目标网格不在本方案中",
        "write the code of a grid of the plan",
        "请填写本方案中的网格编码",
    )
    TWICE = (
        "twice",
        False,
        "marks a cell which an earlier row sends elsewhere",
        "与前面的行重复，目标不同",
        "keep one of the rows",
        "请只保留一行",
    )
    CHANGED = (
        "changed",
        False,
        "is in another grid now than when the sheet was made",
        "导出后该单元已被调整到其他网格",
        "look at the map, and export the sheet again",
        "请查看地图并重新导出",
    )
    LOCKED = (
        "locked",
        False,
        "is locked",
        "该单元已锁定",
        "leave it where it is, or make a plan without this lock",
        "请保留原网格，或另建不含此锁定的方案",
    )


@dataclass(frozen=True, slots=True)
class Mark:
    """A row which asks for a move; `row` is 1 for the first below the header.

    Attributes
    ----------
    grid : str
        Code of the grid the cell was in when the sheet was made; empty where the sheet does not tell.
    to : str
        Code of the grid it is to go to.
    """

    row: int
    cell: str
    grid: str
    to: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A mark and what is said of it; `now` is the grid the cell is in, None for none."""

    mark: Mark
    verdict: Verdict
    now: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """What marks are judged by.

    Attributes
    ----------
    grid_of : mapping of cell to code
        The grid each cell of the plan is in now, None for none.
    codes : collection of str
        Grids which cells can be moved to.
    held : mapping of cell to code
        Where locks hold cells.
    """

    grid_of: Mapping[str, str | None]
    codes: frozenset[str]
    held: Mapping[str, str]


def judge(marks: Sequence[Mark], standing: Standing) -> list[Judged]:
    """Judge marks in the order of the sheet; the first row of a cell is the one which counts."""
    first: dict[str, str] = {}
    found = []
    for mark in marks:
        verdict = _verdict(mark, standing, first.setdefault(mark.cell, mark.to))
        found.append(Judged(mark, verdict, standing.grid_of.get(mark.cell)))
    return found


def _verdict(mark: Mark, standing: Standing, first: str) -> Verdict:
    if mark.cell not in standing.grid_of:
        return Verdict.UNKNOWN_CELL
    if mark.to not in standing.codes:
        return Verdict.UNKNOWN_GRID
    now = standing.grid_of[mark.cell]
    if now == mark.to:
        return Verdict.SAME
    if first != mark.to:
        return Verdict.TWICE
    if mark.grid and now != mark.grid:
        return Verdict.CHANGED
    return Verdict.LOCKED if standing.held.get(mark.cell, mark.to) != mark.to else Verdict.MOVE
