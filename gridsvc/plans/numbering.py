"""Grid codes of 15 digits: district, street, community and a number within it.

A code is 6 digits of the district, 3 of the street (街道, 乡镇), 3 of the community (社区, 村) and 3 of the
grid, numbered as one reads a map. It is text, and stays with its grid for life.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import count
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import InvalidInput
from gridsvc.plans.codes import number_grids, reading_order
from gridsvc.plans.plan import Grid

__all__ = ["Numbering", "Plain", "Standard15", "area_codes"]

_DISTRICT, _STREET, _COMMUNITY = 6, 9, 12
_LAST = 999
_CURE = "give 6 digits of the district, 9 with the street or 12 with the community, for each cell"


class Numbering(Protocol):
    """Gives new grids their codes."""

    def codes(self, labels: NDArray[np.int32], n_grids: int, known: Sequence[Grid | None]) -> list[str]:
        """Code of each grid in label order; known ones keep theirs."""
        ...

    def free(self, rows: NDArray[np.int32], taken: Collection[str]) -> str:
        """A code for one new grid of these cells."""
        ...

    def within(self, rows: NDArray[np.int64]) -> Numbering:
        """The same for a part of the cells, whose rows are counted from 0."""
        ...


def area_codes(values: Iterable[object], names: Sequence[str], field: str) -> list[str]:
    """Codes of the communities as 12 digits each: what is not said is 000.

    Parameters
    ----------
    values : iterable, one a cell
        Of 6, 9 or 12 digits.
    names : sequence of str
        Ids of the cells, for errors.

    Raises
    ------
    InvalidInput
        A cell has no code, or one of another form.
    """
    found = []
    for name, value in zip(names, values, strict=True):
        text = f"{value:.15g}" if isinstance(value, float) else str(value or "").strip()
        if not (text.isascii() and text.isdecimal() and len(text) in (_DISTRICT, _STREET, _COMMUNITY)):
            what = "no area code" if text in {"", "nan"} else f"the area code {text[:20]!r}"
            raise InvalidInput(f"cell {name} has {what}", field=field, cure=_CURE)
        found.append(text.ljust(_COMMUNITY, "0"))
    return found


class Standard15:
    """Codes of 15 digits.

    A grid belongs to the community in which more than half of its customers live (of its cells, where nobody
    does). One which no community can claim so belongs to a street, its community being 000; failing that to a
    district, its street and community being 000; the district with most of it, if none has more than half.

    Parameters
    ----------
    areas : sequence of str, one a cell
        12 digits each; see `area_codes`.
    customers : float64 array, shape (n_cells,)
    x, y : float64 arrays, shape (n_cells,), metres
    taken : collection of str
        Codes which were given to grids before, whether they live or have ended.
    """

    def __init__(
        self,
        areas: Sequence[str],
        customers: NDArray[np.float64],
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        taken: Collection[str] = (),
    ) -> None:
        self._areas = np.array(areas, dtype=object)
        self._customers, self._x, self._y = customers, x, y
        self._taken = frozenset(taken)

    def area(self, rows: NDArray[np.int32]) -> str:
        """The first 12 digits for a grid of these cells, at least one."""
        customers = self._customers[rows]
        weights = customers if customers.sum() > 0 else np.ones(len(rows))
        held = Counter[str]()
        for area, weight in zip(self._areas[rows].tolist(), weights.tolist(), strict=True):
            held[area] += weight
        for digits in (_COMMUNITY, _STREET):
            best, most = _largest(held, digits)
            if 2 * most > weights.sum():
                return best.ljust(_COMMUNITY, "0")
        return _largest(held, _DISTRICT)[0].ljust(_COMMUNITY, "0")

    def codes(self, labels: NDArray[np.int32], n_grids: int, known: Sequence[Grid | None]) -> list[str]:
        """Code of each grid in label order; known ones keep theirs.

        Within their area new grids are numbered in bands from north to south, each from west to east.

        Raises
        ------
        InvalidInput
            A grid has no cell, or an area needs more than 999 numbers.
        """
        out = [grid.code if grid else "" for grid in known]
        taken, new = self._taken | set(out), [g for g in range(n_grids) if not out[g]]
        rows = {g: np.flatnonzero(labels == g).astype(np.int32) for g in new}
        for g in new:
            if not len(rows[g]):
                raise InvalidInput(
                    "a new grid has no cells", field="grids", cure="give each grid at least one cell"
                )
        area = {g: self.area(rows[g]) for g in new}
        for prefix in sorted(set(area.values())):
            inside = [g for g in new if area[g] == prefix]
            middle = np.array([[self._x[rows[g]].mean(), self._y[rows[g]].mean()] for g in inside])
            numbers = _free(prefix, taken)
            for place in reading_order(middle[:, 0], middle[:, 1]).tolist():
                out[inside[place]] = next(numbers)
        return out

    def free(self, rows: NDArray[np.int32], taken: Collection[str]) -> str:
        """A code for one new grid of these cells, which is none of `taken` either."""
        return next(_free(self.area(rows), self._taken | set(taken)))

    def within(self, rows: NDArray[np.int64]) -> Standard15:
        """The same for a part of the cells, whose rows are counted from 0."""
        areas = self._areas[rows].tolist()
        return Standard15(areas, self._customers[rows], self._x[rows], self._y[rows], self._taken)


class Plain:
    """Plain numbers which skip those that were given before.

    Parameters
    ----------
    x, y : float64 arrays, shape (n_cells,), metres
    taken : collection of str
    """

    def __init__(self, x: NDArray[np.float64], y: NDArray[np.float64], taken: Collection[str]) -> None:
        self._x, self._y, self._taken = x, y, frozenset(taken)

    def codes(self, labels: NDArray[np.int32], n_grids: int, known: Sequence[Grid | None]) -> list[str]:
        """Code of each grid in label order; known ones keep theirs."""
        out = [grid.code if grid else "" for grid in known]
        order = number_grids(self._x, self._y, labels, n_grids)
        taken = self._taken | set(out)
        free = (code for n in count(1) if (code := f"{n:02d}") not in taken)
        for g in sorted(range(n_grids), key=order.__getitem__):
            out[g] = out[g] or next(free)
        return out

    def free(self, rows: NDArray[np.int32], taken: Collection[str]) -> str:  # noqa: ARG002
        """A code for one new grid, wherever it is."""
        held = self._taken | set(taken)
        return next(code for n in count(1) if (code := f"{n:02d}") not in held)

    def within(self, rows: NDArray[np.int64]) -> Plain:
        """The same for a part of the cells, whose rows are counted from 0."""
        return Plain(self._x[rows], self._y[rows], self._taken)


def _largest(held: Counter[str], digits: int) -> tuple[str, float]:
    """The area of so many digits which has most, the lowest code of equal ones."""
    sums = Counter[str]()
    for area, weight in held.items():
        sums[area[:digits]] += weight
    return min(sums.items(), key=lambda item: (-item[1], item[0]))


def _free(prefix: str, taken: Collection[str]) -> Iterator[str]:
    for number in count(1):
        if number > _LAST:
            raise InvalidInput(
                f"area {prefix} has had {_LAST} grids, and the code has room for no more",
                field="codes",
                cure="give area codes of smaller areas, or choose plain numbers",
            )
        if (code := f"{prefix}{number:03d}") not in taken:
            yield code
