"""The keys that are good, in the memory of a process: a request costs no question to the database.

A thread looks twice a second which keys are good. While the database is away what was known
stays good: nobody can have revoked a key meanwhile.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from gridsvc.identity import BEGINS, Known, digest_of
from gridsvc.outages import Tried
from gridsvc.principal import SYSTEM
from gridsvc.services import keys
from gridsvc.store.database import Database
from gridsvc.store.keys import KeyRecord

__all__ = ["SOON", "Keyring"]

_log = logging.getLogger("gridsvc.keys")

_LOOK = 0.5
_NOTE = 60.0
"""Seconds after which it is written down which keys were used: a request writes nothing."""

SOON = 0.1
"""Unknown keys make us look at most so often: a key just made works at once, and guessing costs little."""


class Keyring:
    """Knows who shows a key.

    Parameters
    ----------
    db : Database
    changed : callable
        Called when a key is good no more.
    """

    def __init__(self, db: Database, changed: Callable[[], None]) -> None:
        self._db, self._changed = db, changed
        self._known: dict[str, tuple[str, Known]] = {}  # by digest: the key's id, and who has it
        self._noted: dict[str, float] = {}
        self._good, self._looked = frozenset[str](), 0.0
        self._begun = self._taken = 0  # looks: what an earlier one saw never takes the place of a later one's
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._tried = Tried(_log, "keys cannot be looked after, and those known stay good")
        self._thread = threading.Thread(target=self._run, name="gridsvc-keys", daemon=True)

    def start(self) -> None:
        """Read the keys, and go on looking."""
        self._look()
        self._thread.start()

    def stop(self) -> None:
        """Look no more, and write down what was used."""
        self._stop.set()
        self._thread.join()
        self._note()

    def authenticate(self, token: str) -> Known | None:
        """As `gridsvc.identity.Authenticator`."""
        if not token.startswith(BEGINS):
            return None
        digest = digest_of(token)
        if digest not in self._known:
            self._look_soon()
        _, found = self._known.get(digest, ("", None))
        return None if found is None or found.until <= time.time() else found

    def _run(self) -> None:
        last = time.monotonic()
        while not self._stop.wait(_LOOK):
            with self._tried.turn():  # the thread must outlive a database that is away for a while
                self._look()
                if time.monotonic() > last + _NOTE:
                    last = time.monotonic()
                    self._note()

    def _look_soon(self) -> None:
        with self._lock:
            if time.monotonic() < self._looked + SOON:
                return
            self._looked = time.monotonic()
        with self._tried.turn():
            self._look()

    def _look(self) -> None:
        with self._lock:
            self._begun += 1
            turn = self._begun
        now = datetime.now(UTC)
        with self._db.read(SYSTEM) as reader:
            seen, known = reader.keys.good_ids(now), self._good
            good = None if seen == known else reader.keys.good(now)
        self._take(turn, known, good)

    def _take(self, turn: int, known: frozenset[str], good: Sequence[KeyRecord] | None) -> None:
        with self._lock:
            if turn < self._taken:
                return  # another thread was quicker
            if good is None:  # nothing new, compared with `known`
                self._taken = turn if known is self._good else self._taken
                return
            before, self._known = self._known, {record.digest: self._entry(record) for record in good}
            self._good, self._taken = frozenset(record.id for record in good), turn
        if before.keys() - self._known.keys():
            self._changed()

    def _entry(self, record: KeyRecord) -> tuple[str, Known]:
        kept = self._known.get(record.digest)  # of a key only its end ever changes
        return kept or (record.id, Known(record.principal, _until(record)))

    def _note(self) -> None:
        """Write down when keys were last used, of those which were used since the last time."""
        used = {key: known.used for key, known in self._known.values()}
        fresh = {key: seconds for key, seconds in used.items() if seconds > self._noted.get(key, 0.0)}
        if fresh:
            keys.note_uses(self._db, {key: datetime.fromtimestamp(s, UTC) for key, s in fresh.items()})
            self._noted |= fresh


def _until(record: KeyRecord) -> float:
    return float("inf") if record.expires_at is None else record.expires_at.timestamp()
