"""The to-do list: rows of a customers' file which need a person, as a CSV that is safe to open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np
from numpy.typing import NDArray

from gridsvc.customers.placement import Placement
from gridsvc.customers.read import Table
from gridsvc.customers.values import as_text
from gridsvc.customers.verdicts import Verdict

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["write_todo"]

_LISTED = [
    *(int(v) for v in Verdict if not v.placed and v is not Verdict.NOT_SELECTED),
    *(int(Verdict.SUSPECT_LOCATION), int(Verdict.PLACED_BY_CODE)),
]


def write_todo(target: Path | TextIO, table: Table, placement: Placement) -> int:
    """Write ``row,id,verdict,reason,cure,lon,lat`` for each row left out, suspect or placed by code.

    Coordinates are as given. Text which a spreadsheet would run as a formula gets an apostrophe in
    front; numbers stay numbers. A path is written in one piece, UTF-8 with the mark Excel looks for.

    Returns
    -------
    int
        Number of rows listed.
    """
    rows = np.flatnonzero(np.isin(placement.verdict, _LISTED))
    frame = _frame(table, placement, rows)
    if not isinstance(target, Path):
        frame.to_csv(target, index=False, lineterminator="\n")
        return len(rows)
    part = target.with_name(target.name + ".part")
    frame.to_csv(part, index=False, encoding="utf-8-sig", lineterminator="\n")
    part.replace(target)
    return len(rows)


def _frame(table: Table, placement: Placement, rows: NDArray[np.intp]) -> pd.DataFrame:
    import pandas as pd

    verdicts = {int(v): v for v in Verdict}
    of_row = pd.Series(placement.verdict[rows])
    lon = table.frame[table.columns.lon] if table.columns.lon else pd.Series(table.lon)
    lat = table.frame[table.columns.lat] if table.columns.lat else pd.Series(table.lat)
    return pd.DataFrame(
        {
            "row": rows + 1,
            "id": _safe(pd.Series(table.ids[rows], dtype=object)),
            "verdict": of_row.map({code: v.slug for code, v in verdicts.items()}),
            "reason": of_row.map({code: v.reason for code, v in verdicts.items()}),
            "cure": of_row.map({code: v.cure for code, v in verdicts.items()}),
            "lon": _safe(pd.Series(as_text(lon.iloc[rows]), dtype=object)),
            "lat": _safe(pd.Series(as_text(lat.iloc[rows]), dtype=object)),
        }
    )


def _safe(text: pd.Series[str]) -> pd.Series[str]:
    """Text with an apostrophe in front of whatever a spreadsheet takes for the start of a formula."""
    import pandas as pd

    risky = text.str.startswith(("=", "+", "-", "@", "\t", "\r"))
    number = pd.to_numeric(text.where(risky, "0"), errors="coerce").notna()
    return text.where(~risky | number, "'" + text)
