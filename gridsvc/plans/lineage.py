"""Lineage: what became of each grid code when one publication followed another.

Codes are matched by the ground under them: a grid which is no more lives on in the grids which hold its cells
now, in shares of the customers there, or of the cells where nobody lives.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Fate", "Flow", "Kind", "Pairs", "Trace", "exact_shares", "flows_between", "rounded", "trace"]

Ints = NDArray[np.int64]
Kind = Literal["new", "kept", "renamed", "split", "merged", "retired", "revived", "gone"]
_NOWHERE = -1


@dataclass(frozen=True, slots=True)
class Flow:
    """Ground which two grids, one before and one after, have in common.

    Attributes
    ----------
    code : str or None
        The other grid; None for ground which has no grid.
    cells, customers : int
    """

    code: str | None
    cells: int
    customers: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pieces of ground by the cells they were and are in.

    Attributes
    ----------
    before, after : int64 arrays, shape (n,)
        Rows of the former and of the present tiling; -1 for none. Within one tiling both are the same.
    cells, customers : int64 arrays, shape (n,)
        What each piece counts.
    """

    before: Ints
    after: Ints
    cells: Ints
    customers: Ints


@dataclass(frozen=True, slots=True)
class Fate:
    """What a publication did to one grid code.

    Attributes
    ----------
    kind : str
        For a code that lives: ``new``, ``kept``, ``renamed`` (the same grid under another code or name),
        ``split`` (a new grid was cut out of it, or it out of another), ``merged`` (it took in a grid that
        ended) or ``revived`` (it had ended before). For one that this publication ended: ``renamed``,
        ``split``, ``merged`` or ``retired`` (dealt out to grids that were there). ``gone``: ended before.
    successors : tuple of Flow
        Where its former ground is now, the largest first; empty for a code which had none.
    origins : tuple of Flow
        Where its present ground was, likewise.
    """

    code: str
    name: str
    kind: Kind
    alive: bool
    successors: tuple[Flow, ...] = ()
    origins: tuple[Flow, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """Two states of one series of grids.

    Attributes
    ----------
    before, after : mapping of code to name
    gone : collection of codes which ended earlier
    onward : mapping of former code to flows
    origins : mapping of present code to flows
    """

    before: Mapping[str, str]
    after: Mapping[str, str]
    gone: Iterable[str] = ()
    onward: Mapping[str, Sequence[Flow]] = field(default_factory=dict)
    origins: Mapping[str, Sequence[Flow]] = field(default_factory=dict)


# --- shares


def exact_shares(flows: Sequence[Flow]) -> list[Fraction]:
    """The part each flow has in the whole: of customers if there are any, else of cells; they add to 1.

    Where the grid had neither, nothing is shared out and all parts are 0.
    """
    amounts = [flow.customers for flow in flows]
    if not sum(amounts):
        amounts = [flow.cells for flow in flows]
    total = sum(amounts)
    return [Fraction(amount, total) if total else Fraction(0) for amount in amounts]


def rounded(shares: Sequence[Fraction], digits: int = 6) -> list[float]:
    """Shares as decimals whose sum is that of the exact ones: the largest remainders are rounded up."""
    unit = 10**digits
    scaled = [share * unit for share in shares]
    down = [int(part) for part in scaled]
    left = int(sum(scaled, Fraction(0))) - sum(down)
    order = sorted(range(len(shares)), key=lambda i: (down[i] - scaled[i], i))
    for i in order[:left]:
        down[i] += 1
    return [part / unit for part in down]


# --- flows


def flows_between(
    codes: Sequence[str], others: Sequence[str], mine: Ints, theirs: Ints, pairs: Pairs
) -> dict[str, tuple[Flow, ...]]:
    """For each of `codes` how much of its ground lies in which of `others`, the largest first.

    Parameters
    ----------
    mine, theirs : int64 arrays, shape (n,)
        Position among `codes` and among `others` of each piece of ground in `pairs`; -1 for none.
    """
    found: dict[str, list[Flow]] = {code: [] for code in codes}
    width = len(others) + 1
    held = mine >= 0
    key, place = np.unique(mine[held] * width + theirs[held] + 1, return_inverse=True)
    cells, customers = (
        np.bincount(place, amount[held], len(key)).astype(np.int64)
        for amount in (pairs.cells, pairs.customers)
    )
    for k, n_cells, n_customers in zip(key.tolist(), cells.tolist(), customers.tolist(), strict=True):
        other = k % width - 1
        flow = Flow(None if other == _NOWHERE else others[other], n_cells, n_customers)
        found[codes[k // width]].append(flow)
    return {code: tuple(sorted(flows, key=_order)) for code, flows in found.items()}


def _order(flow: Flow) -> tuple[int, int, str]:
    return -flow.customers, -flow.cells, flow.code or ""


def _main(flows: Sequence[Flow]) -> str | None:
    """The grid which has most of the ground; None where there is none, or most of it has no grid."""
    shares = exact_shares(flows)
    best = min(zip(shares, flows, strict=True), key=lambda pair: (-pair[0], _order(pair[1])), default=None)
    return None if best is None else best[1].code


# --- fates


def trace(found: Trace) -> list[Fate]:
    """What became of each code, by code; those which ended earlier are left to their own ground."""
    return _Tracer(found).fates()


class _Tracer:
    """Finds heirs (who has most of a code's ground now) and sources (whose ground most of it was)."""

    def __init__(self, found: Trace) -> None:
        self._found = found
        self._gone = set(found.gone)
        ended = [code for code in found.before if code not in found.after]
        fresh = [code for code in found.after if code not in found.before]
        self._heir = {code: _main(found.onward.get(code, ())) for code in ended}
        self._source = {code: _main(found.origins.get(code, ())) for code in fresh}
        self._took_in = _inverted(self._heir)
        self._cut_out = _inverted(self._source)

    def fates(self) -> list[Fate]:
        found = self._found
        out = []
        for code in sorted({*found.before, *found.after}):
            alive = code in found.after
            kind = self._ended(code) if not alive else self._living(code)
            name = found.after[code] if alive else found.before[code]
            onward, origins = (tuple(flows.get(code, ())) for flows in (found.onward, found.origins))
            out.append(Fate(code, name, kind, alive, onward, origins))
        return out

    def _living(self, code: str) -> Kind:
        found = self._found
        if code not in found.before:
            return "revived" if code in self._gone else self._fresh(code)
        if self._cut_out.get(code):
            return "split"
        if self._took_in.get(code):
            return "merged"
        return "kept" if found.before[code] == found.after[code] else "renamed"

    def _ended(self, code: str) -> Kind:
        heir, parts = self._heir[code], self._cut_out.get(code, set())
        flows = self._found.onward.get(code, ())
        if len(parts) > 1 or (parts and heir not in parts):
            return "split"
        if heir is None:
            return "retired"
        if heir in self._source:
            alone = self._took_in[heir] == {code} and self._source[heir] == code
            return "renamed" if alone else "merged"
        return "merged" if len(flows) == 1 else "retired"

    def _fresh(self, code: str) -> Kind:
        source = self._source[code]
        if len(self._took_in.get(code, ())) > 1:
            return "merged"
        if source is None:
            return "new"
        if source in self._found.after:
            return "split"
        kind = self._ended(source)
        return kind if kind in {"renamed", "split"} else "new"


def _inverted(of: Mapping[str, str | None]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for key, value in of.items():
        if value is not None:
            found.setdefault(value, set()).add(key)
    return found
