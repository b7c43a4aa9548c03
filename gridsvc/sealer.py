"""Seals the audit: a thread beside each supervisor, which numbers and chains what was committed.

Any number of them share the work, one at a time: what one has sealed the others do not find any more.
"""

from __future__ import annotations

import logging
import threading

from gridsvc.outages import Tried
from gridsvc.services import audit
from gridsvc.store.database import Database

__all__ = ["Sealer"]

_log = logging.getLogger("gridsvc.sealer")

_POLL = 0.3


class Sealer:
    """Seals within a second of the commit.

    Parameters
    ----------
    url : str
        Database, opened by the thread for itself.
    poll : float
        Seconds between two looks for rows which wait.
    """

    def __init__(self, url: str, *, poll: float = _POLL) -> None:
        self._url, self._poll, self._stop = url, poll, threading.Event()
        self._thread = threading.Thread(target=self._run, name="gridsvc-sealer", daemon=True)
        self._tried = Tried(_log, "the audit cannot be sealed")

    def start(self) -> None:
        """Begin to seal."""
        self._thread.start()

    def stop(self) -> None:
        """Seal what is there, and end."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        database = Database.open_existing(self._url)
        try:
            while not self._stop.wait(self._poll):
                self._turn(database)
            self._turn(database)
        finally:
            database.close()

    def _turn(self, database: Database) -> None:
        with self._tried.turn():  # the thread must outlive a database that is away for a while
            while audit.seal_waiting(database):
                pass
