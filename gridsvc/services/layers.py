"""The customers' files: one with all of them, and small ones on it with those who changed since.

Each file says in its name from which point to which it reaches: the number of the last message, and the last
time at which anything changed by the clock. What is in a layer holds at the layer's end, so layers may
overlap, and any of them which leave no gap serve. Layers of like size are merged as they come, so that there
are few and each customer is written few times; when they are large together, all is merged into a new file in
the background.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.ownership.accounts import GONE, Accounts
from gridsvc.ownership.container import DamagedFileError
from gridsvc.store.changes import Standing
from gridsvc.store.database import Reader
from gridsvc.tiling.places import Places

__all__ = ["PREFIX", "CustomerFiles", "heavy"]

PREFIX = "customers-"

_log = logging.getLogger("gridsvc.ownership")

_CHUNK = 50_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_HEAVY = 1 << 20
"""Bytes of layers worth a new file of all: some 50,000 customers, and no less than a quarter of all."""

_STEP = 2
"""A layer at most so many times as large as the one which comes on it is merged with it."""

_MOST = 10_000

Point = tuple[int, int]
"""Number of the last message, and when the last state began, in microseconds since 1970."""


def heavy(folder: Path, names: Sequence[str]) -> bool:
    """Whether layers, the first on top, should be merged into what lies under them."""
    *layers, base = (_size(folder / name) for name in names)
    return sum(layers) > max(_HEAVY, base // 4)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


@dataclass(frozen=True, slots=True)
class _File:
    """A file by its name; `since` is None where it has all customers."""

    stem: str
    since: Point | None
    until: Point

    @property
    def name(self) -> str:
        points = ([] if self.since is None else [*self.since]) + [*self.until]
        return "-".join([self.stem, *map(str, points)]) + ".own"

    @classmethod
    def of(cls, stem: str, name: str) -> _File | None:
        parts = name.removeprefix(stem).removesuffix(".own").split("-")[1:]
        if len(parts) not in (2, 4) or not all(part.isdigit() for part in parts):
            return None
        *since, no, at = map(int, parts)
        return cls(stem, (since[0], since[1]) if since else None, (no, at))


class CustomerFiles:
    """Makes and finds the files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checked: set[str] = set()

    def names(
        self, reader: Reader, territory: str, tiling: str, places: Places, now: datetime
    ) -> tuple[tuple[str, ...] | None, datetime | None]:
        """Files which tell how the customers stand now, the first on top, and when that ends by the clock.

        No files where that of all customers is missing: `make` makes it, which may take long.
        """
        stem, behind = _asked(reader, territory, tiling)
        change = reader.changes.next_start(territory, behind, now)
        chain = self._chain(stem)
        if not chain:
            return None, change
        since, until = chain[-1].until, _reached(reader, territory, now)
        changed = reader.changes.changed(territory, behind, (since[0], _instant(since[1])), (until[0], now))
        if changed:
            chain = self._with_layer(chain, _rows(changed, tiling, places), until)
        return tuple(file.name for file in reversed(chain)), change

    def make(self, reader: Reader, territory: str, tiling: str, places: Places, now: datetime) -> bool:
        """Make the file of all customers where it is missing or its layers are heavy; gives whether."""
        stem, behind = _asked(reader, territory, tiling)
        chain = self._chain(stem)
        if not chain:
            file = _File(stem, None, _reached(reader, territory, now))
            told = reader.changes.standing(territory, behind, now)
            made = Accounts.of(_all(reader, territory, tiling, places, told))
        elif heavy(self._folder, [file.name for file in reversed(chain)]):
            file = _File(stem, None, chain[-1].until)
            made = Accounts.merged([self._open(layer) for layer in reversed(chain)])
        else:
            return False
        made.without_gone().write(self._folder / file.name)
        return True

    def _chain(self, stem: str) -> list[_File]:
        """The newest file of all customers and the fewest layers which reach from it as far as any."""
        found = [_File.of(stem, path.name) for path in self._folder.glob(f"{stem}-*.own")]
        self._checked = set() if len(self._checked) > _MOST else self._checked
        files = [file for file in found if file is not None and self._sound(file)]
        whole = [file for file in files if file.since is None]
        if not whole:
            return []
        chain = [max(whole, key=lambda file: file.until)]
        while True:
            reached = chain[-1].until
            onward = [f for f in files if f.since is not None and f.since <= reached < f.until]
            if not onward:
                return chain
            chain.append(max(onward, key=lambda file: file.until))

    def _sound(self, file: _File) -> bool:
        """Whether a file is as it was written; looked at once, by whoever keeps the files."""
        path = self._folder / file.name
        if file.name not in self._checked:
            try:
                Accounts.open(path, verify=True)
            except FileNotFoundError:
                return False
            except DamagedFileError as error:
                _log.warning("%s; it is made again", error)
                path.unlink(missing_ok=True)
                return False
            self._checked.add(file.name)
        return True

    def _open(self, file: _File) -> Accounts:
        return Accounts.open(self._folder / file.name)

    def _with_layer(
        self, chain: list[_File], rows: tuple[list[str], NDArray[np.int32]], until: Point
    ) -> list[_File]:
        """The chain with a layer on top, merged with those below which are no larger."""
        base, *layers = chain
        top = Accounts.of([rows], self._open(base).key)
        since = chain[-1].until
        while layers and len(below := self._open(layers[-1])) <= _STEP * len(top):
            top, since = Accounts.merged([top, below]), layers.pop().since or since
        file = _File(base.stem, since, until)
        top.write(self._folder / file.name)
        self._checked.add(file.name)
        return [base, *layers, file]


def _asked(reader: Reader, territory: str, tiling: str) -> tuple[str, int]:
    """What files of a territory's customers are called, and behind which message they look."""
    imports = reader.customers.live_imports(territory)
    # Files of before an erasure are not looked at any more.
    parts = [territory, tiling, str(reader.trail.erasures(territory)), *(record.id for record in imports)]
    named = " ".join(parts)
    return f"{PREFIX}{hashlib.sha256(named.encode()).hexdigest()[:40]}", imports[0].behind if imports else 0


def _reached(reader: Reader, territory: str, now: datetime) -> Point:
    started = reader.changes.last_start(territory, now)
    return reader.changes.last(), 0 if started is None else max(0, (started - _EPOCH) // _MICROSECOND)


def _instant(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND


def _all(
    reader: Reader, territory: str, tiling: str, places: Places, told: Sequence[Standing]
) -> Iterator[tuple[list[str], NDArray[Any]]]:
    """All customers of a territory: those told of first, then of its live imports the newest counts."""
    yield _rows(told, tiling, places)
    for record in reader.customers.live_imports(territory):
        for ids, cells, lon, lat in reader.customers.in_chunks(record.id, _CHUNK):
            # Those placed on another tiling are placed anew, by their point.
            yield ids, cells if record.tiling == tiling else places.rows(lon, lat)


def _rows(told: Sequence[Standing], tiling: str, places: Places) -> tuple[list[str], NDArray[np.int32]]:
    """Ids of customers and the rows of their cells; those placed on another tiling are placed anew."""
    rows = np.array([state.cell if state.there else GONE for state in told], np.int32)
    moved = [at for at, state in enumerate(told) if state.there and state.tiling != tiling]
    if moved:
        lon = np.array([told[at].lon for at in moved], np.float64)
        lat = np.array([told[at].lat for at in moved], np.float64)
        rows[moved] = places.rows(lon, lat)
    return [state.id for state in told], rows
