"""Open items and contacts from files of other systems: which rows belong to a grid, a verdict each."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gridsvc.errors import InvalidInput, TooLarge, UnknownColumn
from gridsvc.tiling.table import Table, read_table

__all__ = ["Extra", "Kind", "Sorted", "Verdict", "read_extra"]

Kind = Literal["open_items", "contacts"]
Verdict = Literal["taken", "other_grid", "unknown_customer", "unknown_grid", "no_key"]

_CUSTOMER = ("customer", "customer_id", "客户", "客户编号", "用户", "用户编号")
_GRID = ("grid", "grid_code", "网格", "网格编号")
_MOST = 20_000

CURES: dict[Verdict, str] = {
    "taken": "",
    "other_grid": "it is in that grid's pack",
    "unknown_customer": "check the id, or import the customer first",
    "unknown_grid": "check the code; codes are those of the publication in force",
    "no_key": "give the customer's id or the grid's code",
}


@dataclass(frozen=True, slots=True)
class Sorted:
    """A row and where it belongs; `row` is 1 for the first below the header."""

    row: int
    verdict: Verdict


@dataclass(frozen=True)
class Extra:
    """A file's rows of one grid, and a verdict on each of its rows.

    Attributes
    ----------
    columns : tuple of str
    rows : tuple of tuples of str
        Those which belong to the grid, in the file's order.
    verdicts : tuple of Sorted
        One a row of the file.
    """

    kind: Kind
    source: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    verdicts: tuple[Sorted, ...]

    def counts(self) -> dict[Verdict, int]:
        """Number of rows by verdict, those which are taken first."""
        found: dict[Verdict, int] = {}
        for verdict in CURES:
            number = sum(one.verdict == verdict for one in self.verdicts)
            if number or verdict == "taken":
                found[verdict] = number
        return found

    def document(self) -> dict[str, Any]:
        """As JSON values; rows which are not taken are told by number only."""
        left = [
            {"row": one.row, "verdict": one.verdict, "cure": CURES[one.verdict]}
            for one in self.verdicts
            if one.verdict != "taken"
        ]
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"kind": self.kind, "source": self.source, "counts": self.counts(), "rows": rows, "left": left}


def read_extra(
    kind: Kind,
    path: Path,
    source: str,
    code: str,
    grids: Collection[str],
    mine: Collection[str],
    known: Callable[[list[str]], Collection[str]],
) -> Extra:
    """Sort the rows of a CSV file or a workbook.

    Parameters
    ----------
    source : str
        Name of the file, for errors.
    code : str
        The grid whose pack is made.
    grids : collection of str
        The codes there are.
    mine : collection of str
        Ids of the customers in the grid, and of the team's named accounts.
    known : callable
        Those of some ids under which there is a customer.

    Raises
    ------
    UnreadableFile
        Neither CSV nor a workbook.
    UnknownColumn
        There is a column neither of customers nor of grids.
    TooLarge
        More than 20,000 rows.
    """
    table = Table(read_table(path).columns, source)
    if len(table) > _MOST:
        raise TooLarge(f"{len(table):,} rows", source=source, cure=f"give at most {_MOST:,}")
    customer, grid = (_column(table, names) for names in (_CUSTOMER, _GRID))
    if customer is None and grid is None:
        raise UnknownColumn(
            "there is a column neither of customers nor of grids",
            source=source,
            field="customer",
            cure=f"name one customer or grid; there are {', '.join(table.columns) or 'none'}",
        )
    ids = table.text(customer) if customer else [""] * len(table)
    codes = table.text(grid) if grid else [""] * len(table)
    others = set(known(sorted({i for i in ids if i and i not in mine})))
    verdicts = tuple(
        Sorted(row, _verdict(i, c, code, grids, mine, others))
        for row, (i, c) in enumerate(zip(ids, codes, strict=True), 1)
    )
    lines = list(zip(*table.columns.values(), strict=True))
    taken = tuple(lines[one.row - 1] for one in verdicts if one.verdict == "taken")
    return Extra(kind, source, tuple(table.columns), taken, verdicts)


def _column(table: Table, names: Collection[str]) -> str | None:
    found = [column for column in table.columns if column.strip().lower() in names]
    if len(found) > 1:
        raise InvalidInput(
            f"columns {' and '.join(found)} mean the same",
            source=table.source,
            field=found[1],
            cure="keep one",
        )
    return found[0] if found else None


def _verdict(
    customer: str,
    grid: str,
    code: str,
    grids: Collection[str],
    mine: Collection[str],
    others: Collection[str],
) -> Verdict:
    if customer:
        if customer in mine:
            return "taken"
        return "other_grid" if customer in others else "unknown_customer"
    if grid:
        if grid == code:
            return "taken"
        return "other_grid" if grid in grids else "unknown_grid"
    return "no_key"
