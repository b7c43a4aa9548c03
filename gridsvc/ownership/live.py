"""The present state, read from mapped files: what API workers and the compute process answer from."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from gridsvc.ownership.accounts import Accounts, Layers
from gridsvc.ownership.container import Container, DamagedFileError
from gridsvc.ownership.head import Counter, Head, LineHead
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.ready import Ready
from gridsvc.ownership.snapshot import Moment, Snapshot
from gridsvc.ownership.transition import Former
from gridsvc.teams.document import stored_roster
from gridsvc.teams.model import Roster
from gridsvc.tiling.places import Places

__all__ = ["COUNTER", "EMPTY", "LATE", "Line", "Live", "State", "open_places", "open_roster"]

COUNTER = "counter"
LATE = 2.0
"""Seconds without a beat after which the files count as kept by nobody."""

EMPTY = Roster((), (), (), ())

T = TypeVar("T")

_log = logging.getLogger("gridsvc.ownership")


def open_places(path: Path, *, verify: bool = False) -> Places:
    """Map the file of a tiling.

    Raises
    ------
    FileNotFoundError, DamagedFileError
    """
    found = Container.open(path, "tiling", verify=verify)
    try:
        return Places.of_arrays(found.meta, found.arrays)
    except (KeyError, ValueError) as error:
        raise DamagedFileError(f"{path.name} has other arrays than this version's") from error


def open_roster(path: Path, *, verify: bool = False) -> Roster:
    """Read the file of a roster."""
    return stored_roster(Container.open(path, "roster", verify=verify).meta)


@dataclass(frozen=True)
class Line:
    """One line of a territory: ready to answer.

    Attributes
    ----------
    accounts : Layers or None
        Its customers; None where the database must be asked for them.
    """

    snapshot: Snapshot
    accounts: Layers | None

    @cached_property
    def ready(self) -> Ready:
        """Answers which only need their cell."""
        return Ready(self.snapshot, self.accounts)


@dataclass(frozen=True)
class State:
    """All lines as they are now.

    Attributes
    ----------
    seq : int
    until : float
        When it ends by the clock, seconds since 1970; infinite if never.
    lines : dict of (territory, line) to Line
    sole : dict of line to territory
        Lines with one published territory, which need not be named.
    parts : dict of file name to what is open
    """

    generation: int
    seq: int
    until: float
    lines: dict[tuple[str, str], Line]
    sole: dict[str, str]
    parts: dict[str, Any] = field(repr=False)

    def line(self, territory: str | None, line: str) -> Line | None:
        """A line of a territory, or of the only one published; None where there is none."""
        named = self.sole.get(line) if territory is None else territory
        return None if named is None else self.lines.get((named, line))


_NOTHING = State(0, -1, 0.0, {}, {}, {})


class Live:
    """The present state as the files in a folder have it; safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, Lock()
        self._counter: Counter | None = None
        self._state = _NOTHING

    def state(self) -> State | None:
        """The state in force; None while nobody keeps the files, and the database must be asked."""
        counter = self._counter
        if counter is None:
            counter = self._open()
            if counter is None:
                return None
        if counter.generation != self._state.generation:
            self._load(counter)
        state, now = self._state, time.time()
        if now >= counter.beat + LATE:
            self._look_anew(counter)
            return None
        return state if now < state.until else None

    def wait(self, seq: int, seconds: float) -> State | None:
        """The state once it is not older than `seq`; None if that takes longer than `seconds`."""
        end = time.monotonic() + seconds
        while True:
            state = self.state()
            if state is not None and state.seq >= seq:
                return state
            if time.monotonic() >= end:
                return None
            time.sleep(0.002)

    def _open(self) -> Counter | None:
        try:
            self._counter = Counter(self._folder / COUNTER)
        except (OSError, ValueError):
            return None
        return self._counter

    def _look_anew(self, counter: Counter) -> None:
        """Open the counter next time, if nobody moves this one because another has taken its place."""
        if counter.is_replaced(self._folder / COUNTER):
            with self._lock:
                if self._counter is counter:
                    self._counter, self._state = None, _NOTHING

    def _load(self, counter: Counter) -> None:
        with self._lock:
            while counter.generation != self._state.generation:
                generation = counter.generation
                try:
                    head = Head.read(self._folder, generation)
                    self._state = self._opened(generation, head)
                except (OSError, DamagedFileError, ValueError, TypeError, KeyError):
                    if counter.generation == generation:
                        _log.exception("the mapped files cannot be read; the database is asked instead")
                        self._state = replace(_NOTHING, generation=generation)

    def _opened(self, generation: int, head: Head) -> State:
        parts: dict[str, Any] = {}

        def part(name: str, opened: Callable[[Path], T]) -> T:
            if name not in parts:
                kept = self._state.parts.get(name)
                parts[name] = opened(self._folder / name) if kept is None else kept
            found: T = parts[name]
            return found

        lines = {(line.territory, line.line): _line(line, head, part) for line in head.lines}
        until = float("inf") if head.until is None else head.until
        return State(generation, head.seq, until, lines, _sole(head), parts)


def _line(line: LineHead, head: Head, part: Callable[[str, Callable[[Path], Any]], Any]) -> Line:
    roster = EMPTY if line.roster is None else part(line.roster, open_roster)
    former = None
    if line.former is not None and line.transition_until is not None:
        held = part(line.former, Holdings.open)
        former = Former(line.transition_until, held.labels, held.grids)
    moment = Moment(line.n, line.r, head.seq, line.valid_from, line.valid_to, _instant(head.at))
    holdings, places = part(line.holdings, Holdings.open), part(line.places, open_places)
    files = line.customers
    accounts = None if files is None else Layers(tuple(part(name, Accounts.open) for name in files))
    return Line(Snapshot(holdings, places, line.tiling, roster, moment, former), accounts)


def _sole(head: Head) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for line in head.lines:
        found.setdefault(line.line, []).append(line.territory)
    return {line: names[0] for line, names in found.items() if len(names) == 1}


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
