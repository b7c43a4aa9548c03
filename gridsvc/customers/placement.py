"""What became of the rows of a file: verdicts, cells, the placement rate, and whether it is enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.customers.columns import Columns
from gridsvc.customers.verdicts import Verdict
from gridsvc.errors import InvalidInput

__all__ = ["Elsewhere", "Fault", "Placement", "check"]

_FIRST = 10  # rows told of


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why rows were left out.

    Attributes
    ----------
    rows : int
        How many.
    first_row : int
        The first of them; 1 is the first data row.
    field : str
        The column at fault there.
    what : str
        What is wrong in the first row: the kind of the value, never the value.
    """

    verdict: Verdict
    rows: int
    first_row: int
    field: str
    what: str


@dataclass(frozen=True, slots=True, eq=False)
class Elsewhere:
    """Rows whose coordinates lie in another area than their code says.

    Attributes
    ----------
    compared : int
        Rows with coordinates and the code of a known area.
    rows : int64 array
        Those which lie elsewhere; 1 is the first data row.
    """

    compared: int
    rows: NDArray[np.int64]

    def summary(self) -> dict[str, Any]:
        """JSON-ready: how many were compared, how many disagree, their share and the first rows."""
        share = len(self.rows) / self.compared if self.compared else 0.0
        first = self.rows[:_FIRST].tolist()
        return {"compared": self.compared, "elsewhere": len(self.rows), "share": share, "first_rows": first}


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Where each row of a table went.

    Attributes
    ----------
    verdict : int8 array, shape (n,)
        Codes of `Verdict`.
    cell : int32 array, shape (n,)
        Row in the tiling; -1 for a row left out, and for no other.
    lon, lat : float64 array, shape (n,), WGS-84 degrees
        NaN where there are no coordinates.
    faults : tuple of Fault
        Why rows were left out, commonest first (rows not selected are no fault).
    source : str
        Name of the file.
    columns : Columns
        The columns used.
    notes : tuple of dict
        Further hints: ``code``, ``message``, ``message_zh``.
    elsewhere : Elsewhere or None
        How codes of areas agree with coordinates; None without areas or codes.
    """

    verdict: NDArray[np.int8]
    cell: NDArray[np.int32]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    faults: tuple[Fault, ...]
    source: str
    columns: Columns
    notes: tuple[dict[str, str], ...] = ()
    elsewhere: Elsewhere | None = None

    def counts(self) -> dict[Verdict, int]:
        """Rows of each verdict, none left out."""
        counted = np.bincount(self.verdict, minlength=max(Verdict) + 1)
        return {v: int(counted[v]) for v in Verdict}

    @property
    def rate(self) -> float:
        """Placed rows over selected rows; 0 where none is selected."""
        selected = len(self.verdict) - self.counts()[Verdict.NOT_SELECTED]
        return int((self.cell >= 0).sum()) / selected if selected else 0.0

    @property
    def hints(self) -> tuple[dict[str, str], ...]:
        """What the file as a whole suggests, as ``{"code", "message", "message_zh"}``."""
        counts = self.counts()
        selected = len(self.verdict) - counts[Verdict.NOT_SELECTED]
        tests = {
            "swapped-axes": counts[Verdict.SWAPPED_AXES] * 2 > selected,
            "all-outside": counts[Verdict.OUTSIDE] * 2 > selected,
            "not-degrees": counts[Verdict.BAD_COORDINATE] * 2 > selected,
            "no-id-column": self.columns.id is None,
        }
        found = [_hint(code, self.columns) for code, true in tests.items() if true]
        if self.elsewhere is not None and len(self.elsewhere.rows):
            found.append(_elsewhere_hint(self.elsewhere))
        return (*found, *self.notes)

    def summary(self) -> dict[str, Any]:
        """JSON-ready account of all rows, the placement rate first."""
        counts = self.counts()
        placed = int((self.cell >= 0).sum())
        return {
            "placement_rate": self.rate,
            "read": len(self.verdict),
            "placed": placed,
            "left_out": len(self.verdict) - placed,
            "not_selected": counts[Verdict.NOT_SELECTED],
            "verdicts": {
                v.slug: {
                    "rows": rows,
                    "placed": v.placed,
                    "first_row": int(np.argmax(self.verdict == v)) + 1,
                    "reason": v.reason,
                    "reason_zh": v.reason_zh,
                    "cure": v.cure,
                }
                for v, rows in counts.items()
                if rows
            },
            "hints": list(self.hints),
            **({} if self.elsewhere is None else {"areas": self.elsewhere.summary()}),
            "source": self.source,
        }


def check(placement: Placement, min_placed: float = 0.95, *, strict: bool = False) -> None:
    """Refuse a file of which too little was placed.

    Parameters
    ----------
    min_placed : float
        Lowest placement rate to accept, 0 to 1.
    strict : bool
        Refuse any row left out (rows not selected do not count).

    Raises
    ------
    InvalidInput
        Names the commonest fault, its first row, the column and the cure.
    """
    if not 0 <= min_placed <= 1:
        raise InvalidInput(
            "must lie between 0 and 1", field="min_placed", cure="for instance --min-placed 0.9"
        )
    if placement.counts()[Verdict.NOT_SELECTED] == len(placement.verdict):
        raise InvalidInput("--where selects no row", source=placement.source, cure="check the condition")
    if placement.rate >= min_placed and not (strict and placement.faults):
        return
    raise _refusal(placement, placement.faults[0], strict=placement.rate >= min_placed)


def _refusal(placement: Placement, fault: Fault, *, strict: bool) -> InvalidInput:
    columns = placement.columns
    cure = fault.verdict.cure
    if any(hint["code"] == "swapped-axes" for hint in placement.hints):
        cure = _swap_cure(columns)
    elif placement.notes:
        cure = placement.notes[0]["message"]
    way_out = (
        "leave out --strict"
        if strict
        else f"accept it with --min-placed {np.floor(placement.rate * 100) / 100:g}"
    )
    return InvalidInput(
        f"{fault.what} ({fault.rows} such rows); only {_percent(placement.rate)} of the rows were placed",
        source=placement.source,
        row=fault.first_row,
        field=fault.field,
        cure=f"{cure}, or {way_out}",
        summary=placement.summary(),
    )


def _percent(share: float) -> str:
    """A share in percent, rounded down, so that 100 % means all."""
    return f"{np.floor(share * 1000) / 10:.1f} %"


def _swap_cure(columns: Columns) -> str:
    if columns.lon is None or columns.lat is None:
        return "lon and lat look exchanged: exchange the coordinates of the points"
    return (
        "lon and lat look exchanged: pass --lon and --lat the other way round "
        f"(--lon {columns.lat} --lat {columns.lon})"
    )


def _elsewhere_hint(found: Elsewhere) -> dict[str, str]:
    told = f"{len(found.rows):,} of {found.compared:,} rows ({_percent(len(found.rows) / found.compared)})"
    first = ", ".join(str(row) for row in found.rows[:3].tolist())
    told_zh = f"{found.compared:,} 行中有 {len(found.rows):,} 行"
    return {
        "code": "areas-disagree",
        "message": f"{told} lie in another area than their code says, such as row {first}: correct either",
        "message_zh": f"{told_zh}的坐标不在其区域编码所指的区域内，例如第 {first} 行：请更正其一",
    }


def _hint(code: str, columns: Columns) -> dict[str, str]:
    message, message_zh = {
        "swapped-axes": (_swap_cure(columns), "经纬度似乎写反：请对调 --lon 与 --lat"),
        "all-outside": (
            "most rows lie outside the territory: check --crs and the boundary",
            "多数记录位于服务区域之外：请检查 --crs 与边界",
        ),
        "not-degrees": (
            "most coordinates are not degrees: name their coordinate system with --crs EPSG:n",
            "多数坐标不是经纬度：请用 --crs EPSG:n 指明坐标系",
        ),
        "no-id-column": (
            "there is no id column: rows are known by their number (name one with --id)",
            "没有编号列：以行号代替（可用 --id 指定）",
        ),
    }[code]
    return {"code": code, "message": message, "message_zh": message_zh}
