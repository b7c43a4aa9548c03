"""Answers as JSON, told once for each owner and then only filled in with the cell."""

from __future__ import annotations

import os
from typing import Any

import orjson

from gridsvc.ownership.accounts import Layers
from gridsvc.ownership.answer import Lang
from gridsvc.ownership.snapshot import Snapshot

__all__ = ["Ready"]

_CELL = f"<{os.urandom(16).hex()}>"  # stands for the cell in an answer told in advance; no text has it
_MARK = _CELL.encode()


class Ready:
    """The answers of one snapshot, as bytes.

    Each method gives None where it has no answer at hand: whatever is not simply owned or left to the
    fallback is told by `Snapshot`.
    """

    def __init__(self, snapshot: Snapshot, accounts: Layers | None) -> None:
        self._snapshot, self._accounts = snapshot, accounts
        self._places, self._teller = snapshot.places, snapshot.teller
        self._outside = snapshot.holdings.outside
        self._told: dict[tuple[Any, ...], list[bytes]] = {}
        self._named = snapshot.named
        self._plain = not snapshot.holdings.overlays
        moment = snapshot.moment
        self.tag = f'"{moment.publication}-{moment.roster or 0}-{moment.seq}"'.encode()

    def point(self, lon: float, lat: float, lang: Lang, crs: str) -> bytes | None:
        """Owner of a WGS-84 point in range; `crs` is the system in which it was given."""
        row = self._places.row(lon, lat)
        inside = self._places.inside(lon, lat, row)
        code = self._snapshot.code_at(row, lon, lat, inside=inside)
        if code == self._outside:
            return None
        return self._fill(code, row, lang, inside, crs)

    def cell(self, cell: str, lang: Lang) -> bytes | None:
        """Owner of a cell of the tiling."""
        row = self._places.find(cell)
        return None if row < 0 else self._fill(self._snapshot.code_of(row), row, lang, None, None)

    def customer(self, customer: str, lang: Lang) -> bytes | None:
        """Owner of a customer who is not on the name list."""
        if self._accounts is None or not self._plain or customer in self._named:
            return None
        row = self._accounts.find(customer)
        if row is None or row < 0:
            return None
        return self._fill(self._snapshot.code_of(row), row, lang, None, None)

    def _fill(self, code: int, row: int, lang: Lang, inside: bool | None, crs: str | None) -> bytes:
        former = self._teller.former_grid(row, code)
        key = (code, row >= 0, lang, inside, crs, None if former is None else former.code)
        parts = self._told.get(key)
        if parts is None:
            parts = self._told[key] = self._tell(code, row, lang, inside, crs)
        return self._name(row).join(parts) if row >= 0 else parts[0]

    def _name(self, row: int) -> bytes:
        name = self._places.name(row)
        return name.encode() if self._places.kind == "h3" else orjson.dumps(name)[1:-1]

    def _tell(self, code: int, row: int, lang: Lang, inside: bool | None, crs: str | None) -> list[bytes]:
        """The answer in the pieces between which the cell stands."""
        named = {} if row < 0 else {"cell": _CELL}
        answer = self._teller.tell(code, row, lang, inside_territory=inside, crs=crs, **named)
        return orjson.dumps(answer.as_dict()).split(_MARK)
