"""What is in force now, as a small file which names all others, and a counter which says that it changed.

Whoever keeps the files up to date writes a head under the next generation's name and then moves the counter;
readers look at the counter on each request and, where it moved, take the new head as a whole. So they see one
state or the next, never a mix.
"""

from __future__ import annotations

import json
import mmap
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

__all__ = ["Counter", "Head", "LineHead"]

_TIMES = ("valid_from", "valid_to", "transition_until")


@dataclass(frozen=True, slots=True)
class LineHead:
    """The state of one line of a territory: numbers, times and the names of its files.

    Attributes
    ----------
    n : int
        Publication in force.
    tiling : str
        Id of its tiling.
    r : int or None
        Roster in force.
    places, holdings : str
        Files of the tiling and of the publication.
    roster, former : str or None
        Files of the roster and of the former publication, while customers may stay there.
    customers : tuple of str or None
        Files of the customers, those of later changes first; None while they are being made.
    """

    territory: str
    line: str
    n: int
    tiling: str
    r: int | None
    valid_from: datetime
    valid_to: datetime | None
    transition_until: datetime | None
    places: str
    holdings: str
    roster: str | None
    former: str | None
    customers: tuple[str, ...] | None

    def files(self) -> set[str]:
        """Names of the files it needs."""
        names = (self.places, self.holdings, self.roster, self.former, *(self.customers or ()))
        return {name for name in names if name is not None}


@dataclass(frozen=True, slots=True)
class Head:
    """What is in force everywhere.

    Attributes
    ----------
    seq : int
        Commit counter of the database when the state was read.
    at : float
        When it was read, seconds since 1970.
    until : float or None
        When it ends by the clock alone, because something scheduled comes into force.
    lines : tuple of LineHead
    """

    seq: int
    at: float
    until: float | None
    lines: tuple[LineHead, ...]

    def write(self, folder: Path, generation: int) -> None:
        """Keep it as the head of a generation."""
        text = json.dumps(asdict(self), default=datetime.isoformat, ensure_ascii=False)
        path = self.path(folder, generation)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_text(text, "utf-8")
        temporary.replace(path)

    @classmethod
    def read(cls, folder: Path, generation: int) -> Head:
        """The head of a generation.

        Raises
        ------
        FileNotFoundError
            There is none, or none any more.
        ValueError, TypeError, KeyError
            It is damaged, or of another version.
        """
        named: dict[str, Any] = json.loads(cls.path(folder, generation).read_text("utf-8"))
        lines = tuple(
            LineHead(**{**line, **_times(line), "customers": _names(line)}) for line in named.pop("lines")
        )
        return cls(**named, lines=lines)

    @staticmethod
    def path(folder: Path, generation: int) -> Path:
        """Where the head of a generation stands."""
        return folder / f"head-{generation}.json"


def _times(line: dict[str, Any]) -> dict[str, datetime | None]:
    return {name: line[name] and datetime.fromisoformat(line[name]) for name in _TIMES}


def _names(line: dict[str, Any]) -> tuple[str, ...] | None:
    names = line["customers"]
    return (names,) if isinstance(names, str) else names and tuple(names)  # an older version wrote one


class Counter:
    """Sixteen mapped bytes: the generation, and when somebody last saw to it that it is the right one.

    Eight bytes are written and read at once, so no reader sees half a number.
    """

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        if writable:
            _make(path)
        with path.open("r+b" if writable else "rb") as file:
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            block = memoryview(mmap.mmap(file.fileno(), 16, access=access))
            self._file = os.fstat(file.fileno())
        self._generation, self._beat = block[:8].cast("Q"), block[8:].cast("d")

    def is_replaced(self, path: Path) -> bool:
        """Whether another file, or none, is in its place by now."""
        try:
            return not os.path.samestat(self._file, path.stat())
        except FileNotFoundError:
            return True

    @property
    def generation(self) -> int:
        """Number of the head which counts; 0 before the first."""
        return self._generation[0]

    @generation.setter
    def generation(self, value: int) -> None:
        self._generation[0] = value

    @property
    def beat(self) -> float:
        """When the head was last known to be the right one, seconds since 1970."""
        return self._beat[0]

    @beat.setter
    def beat(self, value: float) -> None:
        self._beat[0] = value


def _make(path: Path) -> None:
    if path.exists() and path.stat().st_size == 16:
        return
    temporary = path.with_suffix(f".{os.getpid()}")
    temporary.write_bytes(bytes(16))
    temporary.replace(path)
