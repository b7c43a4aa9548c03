"""Columns of a customers' file as text or as numbers, in one way for all modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_numbers", "as_text", "is_number"]

# How spreadsheets, databases and people write "nothing here".
_BLANK = ("", "-", "--", "na", "n/a", "#n/a", "nan", "null", "none", "nil", r"\n", "空", "无")


def as_text(column: pd.Series[Any]) -> NDArray[np.object_]:
    """Opaque text of each row, without surrounding blanks.

    Parameters
    ----------
    column : Series of any dtype, shape (n,)
        Whole numbers kept as floats (a column of ids with holes) are written without the ``.0``.

    Returns
    -------
    object array of str, shape (n,)
        ``""`` where there is nothing.
    """
    import pandas as pd

    if pd.api.types.is_float_dtype(column.dtype):
        numbers = column.to_numpy(np.float64, na_value=np.nan)
        if bool(np.all(np.isnan(numbers) | (np.abs(numbers) < 2**53) & (numbers == np.trunc(numbers)))):
            column = column.astype("Int64")
    text = column.astype("str").where(column.notna(), "").str.strip()
    return text.to_numpy(dtype=object)


def as_numbers(
    column: pd.Series[Any],
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Numbers of each row, and where there are none.

    Parameters
    ----------
    column : Series of any dtype, shape (n,)

    Returns
    -------
    values : float64 array, shape (n,)
        NaN where blank or bad.
    blank : bool array, shape (n,)
        Nothing there: empty, or one of the usual words for it (``NA``, ``null``, ``-``, ...).
    bad : bool array, shape (n,)
        Something there which is not a finite number.
    """
    import pandas as pd

    blank = column.isna().to_numpy(dtype=bool, copy=True)
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(np.float64, na_value=np.nan)
    else:
        text = column.astype("str")
        values = _parsed(text)
        doubtful = np.flatnonzero(np.isnan(values) & ~blank)
        words = text.iloc[doubtful].str.strip().str.lower()
        blank[doubtful] = words.isin(_BLANK).to_numpy(dtype=bool)
    bad = ~np.isfinite(values) & ~blank
    return np.where(bad, np.nan, values), blank, bad


def _parsed(text: pd.Series[Any]) -> NDArray[np.float64]:
    """The number each text is; NaN where it is none."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    arrow = pa.array(text)
    try:
        # Arrow is five to twenty times faster, but refuses a column with a single text it cannot read.
        numbers = pc.cast(pc.if_else(pc.equal(arrow, ""), None, arrow), pa.float64())
    except pa.ArrowInvalid:
        return pd.to_numeric(text, errors="coerce").to_numpy(np.float64)
    out: NDArray[np.float64] = numbers.to_numpy(zero_copy_only=False)
    return out


def is_number(text: str) -> bool:
    """Whether Python reads the text as a number (infinite ones and NaN included)."""
    try:
        float(text)
    except ValueError:
        return False
    return True
