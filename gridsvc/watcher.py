"""Keeps the files which lookups map up to date: one watcher a machine, whichever process has the lock.

It hears of each commit, reads what is in force now, makes files which are missing, writes a new head and
moves the counter. By the clock it does the same when something scheduled comes into force. While it watches
it beats; where the beat is missing, readers ask the database. When the database goes away it beats on: what
was in force when it was last heard of stays so until the clock says otherwise, and lookups go on.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING

from gridsvc.errors import OutOfService
from gridsvc.ownership.container import is_whole
from gridsvc.ownership.head import Counter, Head
from gridsvc.ownership.live import COUNTER
from gridsvc.store.pulse import Pulse, UnreachableError, open_pulse

if TYPE_CHECKING:
    from gridsvc.services.keeping import Keeper
    from gridsvc.store.database import Database

__all__ = ["Watcher"]

_log = logging.getLogger("gridsvc.watcher")

_BEAT = 0.25
_AGAIN = 0.5
"""Seconds after which a database that could not be reached is tried again."""

_KEPT_HEADS = 4
_KEPT_SECONDS = 3600.0
"""Files which no head names stay so long: who asks about another day needs them again."""

_KEPT_LAYERS = 60.0
"""Those of customers and people shorter: somebody may have been erased from what is named now."""


class Watcher:
    """Watches a database in a thread.

    Parameters
    ----------
    url : str
        Database.
    folder : Path
        Of the files; made if it is not there.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._stop = threading.Event()
        self._again = threading.Event()  # customers' files are there now
        self._store: tuple[Database, Keeper] | None = None
        self._seen: dict[str, tuple[int, int, int]] = {}  # files as they were
        self._current: Counter | None = None  # while the head is what the database last said
        self._away = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gridsvc-watcher", daemon=True)

    def start(self) -> None:
        """Begin to watch, once no other process does."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching; another process may go on."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # rosters lie in it
                with (self._folder / "lock").open("w") as lock:
                    if self._is_ours(lock):
                        self._watch(lock)
            except (UnreachableError, OutOfService):
                self._hold()
                self._stop.wait(_AGAIN)
            except Exception:  # noqa: BLE001 - logged, and tried again
                # The thread must outlive a database that is away for a while.
                self._release()
                _log.exception("the database could not be watched; it will be tried again")
                self._stop.wait(_AGAIN)
        self._release()
        self._close()

    def _hold(self) -> None:
        """Beat on beside, while the database is away."""
        counter = self._current
        if self._away.is_set() or counter is None:
            return
        _log.warning("the database cannot be reached; lookups go on with what was in force")
        self._away.set()

        self._beat_beside(counter, self._away)

    def _beat_beside(self, counter: Counter, held: threading.Event) -> None:
        """Beat in a thread as long as `held` is set."""

        def beat() -> None:
            while held.is_set() and not self._stop.wait(_BEAT):
                counter.beat = time.time()

        threading.Thread(target=beat, name="gridsvc-hold", daemon=True).start()

    def _release(self) -> None:
        """What is mapped may no longer be what the database says."""
        self._current = None
        self._away.clear()

    def _is_ours(self, lock: IO[str]) -> bool:
        """Wait for the lock; False if watching ends before, or the file is not in its place any more."""
        while not self._stop.is_set() and _is_here(lock):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._stop.wait(0.1)
            else:
                return _is_here(lock)
        return False

    def _watch(self, lock: IO[str]) -> None:
        """Keep the files until watching ends, or somebody takes the folder away."""
        pulse = open_pulse(self._url)
        try:
            counter = Counter(self._folder / COUNTER, writable=True)
            head = self._kept_head(counter, pulse)
            while not self._stop.is_set() and _is_here(lock):
                if head is not None and not self._whole(head):
                    self._forget()
                    head = None
                if head is None or self._ended(head, pulse):
                    self._release()
                    head = self._renew(counter)
                elif self._again.is_set():
                    head = self._complete(counter)
                self._away.clear()
                counter.beat = time.time()
                self._current = counter
                self._wait(pulse, head)
        finally:
            pulse.close()

    def _kept_head(self, counter: Counter, pulse: Pulse) -> Head | None:
        """The head left by the last watcher, if nothing has happened since: then a start reads nothing."""
        try:
            head = Head.read(self._folder, counter.generation)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        if not all(is_whole(self._folder / name) for name in _files(head)):
            self._forget()
            return None
        # Customers' files which the last watcher did not come to are still to be made.
        made = all(line.customers is not None for line in head.lines)
        return head if made and not self._ended(head, pulse) else None

    def _whole(self, head: Head) -> bool:
        """Whether its files are those which were there when it was made, as far as the folder tells."""
        for name in _files(head):
            found = _mark(self._folder / name)
            if found is None or self._seen.setdefault(name, found) != found:
                return False
        return True

    def _forget(self) -> None:
        """Take nothing from memory: each file is looked at again, and made again where it must be."""
        _log.warning("files of lookups are missing or not as they were written; they are made again")
        self._seen.clear()
        self._close()

    def _ended(self, head: Head, pulse: Pulse) -> bool:
        late = head.until is not None and time.time() >= head.until
        return late or pulse.seq() != head.seq

    def _wait(self, pulse: Pulse, head: Head) -> None:
        """Until a commit, the next beat, or what is scheduled."""
        left = _BEAT if head.until is None else min(_BEAT, head.until - time.time())
        if left > 0:
            pulse.wait(left)

    def _renew(self, counter: Counter) -> Head:
        from gridsvc.services.heads import read_head
        from gridsvc.services.layers import heavy

        self._again.clear()
        head = read_head(*self._opened())
        self._whole(head)  # notes the files as they are before anybody sees them
        generation = counter.generation + 1
        head.write(self._folder, generation)
        counter.beat = time.time()
        counter.generation = generation
        self._sweep(generation, head)
        if any(line.customers is None or heavy(self._folder, line.customers) for line in head.lines):
            self._make_accounts()
        return head

    def _complete(self, counter: Counter) -> Head:
        """Take up customers' files which are there now; what is mapped is right meanwhile, however long."""
        held = threading.Event()
        held.set()
        self._beat_beside(counter, held)
        try:
            return self._renew(counter)
        finally:
            held.clear()

    def _opened(self) -> tuple[Database, Keeper]:
        if self._store is None:
            self._store = self._open()
        return self._store

    def _open(self) -> tuple[Database, Keeper]:
        from gridsvc.services.keeping import Keeper
        from gridsvc.store.database import Database

        return Database.open_existing(self._url), Keeper(self._folder)

    def _make_accounts(self) -> None:
        """Make customers' files beside, as that may take a minute, and look again."""
        from gridsvc.services.heads import make_accounts

        def make() -> None:
            database, keeper = self._open()  # of its own: the watcher may close what it has meanwhile
            try:
                if make_accounts(database, keeper):
                    self._again.set()
            finally:
                database.close()

        _in_background(make, "gridsvc-accounts")

    def _sweep(self, generation: int, head: Head) -> None:
        """Delete what is no longer named; who has it mapped keeps it until he lets go."""
        from gridsvc.services.keeping import ROSTER
        from gridsvc.services.layers import PREFIX

        named = _files(head)
        now = time.time()
        for path in self._folder.iterdir():
            if path.name.startswith("head-"):
                number = path.stem.removeprefix("head-")
                if number.isdigit() and int(number) <= generation - _KEPT_HEADS:
                    path.unlink(missing_ok=True)
            elif path.name.endswith(".own") and path.name not in named:
                kept = _KEPT_LAYERS if path.name.startswith((PREFIX, ROSTER)) else _KEPT_SECONDS
                if _written(path) < now - kept:
                    path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._store is not None:
            self._store[0].close()
            self._store = None


_background = threading.Semaphore(1)


def _in_background(work: Callable[[], None], name: str) -> None:
    """Run one such piece of work at a time; a second is left out, for the first will look again."""
    if not _background.acquire(blocking=False):
        return

    def run() -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - logged; the database is asked instead
            _log.exception("a file could not be made")
        finally:
            _background.release()

    threading.Thread(target=run, name=name, daemon=True).start()


def _files(head: Head) -> set[str]:
    return {name for line in head.lines for name in line.files()}


def _is_here(lock: IO[str]) -> bool:
    """Whether a file which is open still has its name."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), Path(lock.name).stat())
    except FileNotFoundError:
        return False


def _mark(path: Path) -> tuple[int, int, int] | None:
    """What is another where a file was replaced or written to; None where it is not there."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
