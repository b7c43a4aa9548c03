"""Sends events to webhooks: a thread beside each supervisor, of which one a database works at a time.

Which one is held in the database, as jobs are: when it dies another takes over, and sends again what it did
not note as delivered. So each event arrives at least once, under the same id.
"""

from __future__ import annotations

import logging
import threading
import time

from gridsvc.exchange.receivers import Receivers
from gridsvc.liveness import gone, own_name
from gridsvc.outages import Tried
from gridsvc.services import deliveries
from gridsvc.services.deliveries import Batch
from gridsvc.store.database import Database

__all__ = ["Sender"]

_log = logging.getLogger("gridsvc.sender")

_POLL = 1.0
_BEAT = 10.0
_FORGET = 3600.0
_HANDS = 8
"""Webhooks sent to at the same time: one which is slow keeps no other waiting."""

_PATIENCE = 2.0
"""Seconds which messages on their way have when the service stops; the next sender sends them again."""


class Sender:
    """Sends while it holds the lease.

    Parameters
    ----------
    url : str
        Database, opened by the sender's threads for themselves.
    poll : float
        Seconds between two looks for something to do.
    """

    def __init__(self, url: str, receivers: Receivers, *, poll: float = _POLL) -> None:
        self._url, self._receivers, self._poll = url, receivers, poll
        self._name = own_name()
        self._busy: dict[str, threading.Thread] = {}
        self._held, self._beaten, self._forgot = False, 0.0, 0.0
        self._wake, self._stop = threading.Event(), threading.Event()
        self._tried = Tried(_log, "webhooks cannot be sent")
        self._thread = threading.Thread(target=self._run, name="gridsvc-sender", daemon=True)

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def wake(self) -> None:
        """Look for something to do now instead of at the next poll."""
        self._wake.set()

    def stop(self) -> None:
        """Send nothing more; what is on its way is waited for a little."""
        self._stop.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        database = Database.open_existing(self._url)
        while not self._stop.is_set():
            with self._tried.turn():  # the thread must outlive a database that is away for a while
                self._turn(database)
            self._wake.wait(self._poll)
            self._wake.clear()
        self._end(database)

    def _end(self, database: Database) -> None:
        end = time.monotonic() + _PATIENCE
        for work in self._busy.values():
            work.join(max(0.0, end - time.monotonic()))
        try:
            if self._held:
                deliveries.let_go(database, self._name)
        except Exception:  # noqa: BLE001 - it runs out by itself
            _log.exception("the lease of the sender could not be given back")
        database.close()

    def _turn(self, database: Database) -> None:
        self._busy = {webhook: work for webhook, work in self._busy.items() if work.is_alive()}
        if not (self._busy or deliveries.waiting(database)) or not self._holds(database):
            return
        deliveries.fan_out(database)
        for batch in deliveries.due(database):
            if batch.webhook.id not in self._busy and len(self._busy) < _HANDS:
                work = threading.Thread(target=self._send, args=(database, batch), daemon=True)
                work.start()
                self._busy[batch.webhook.id] = work
        if time.monotonic() - self._forgot > _FORGET:
            deliveries.forget_old(database)
            self._forgot = time.monotonic()

    def _holds(self, database: Database) -> bool:
        """Whether it is this one's turn; while it is, a sign of life each ten seconds is enough."""
        if not self._held or time.monotonic() - self._beaten > _BEAT:
            self._held = deliveries.hold(database, self._name, gone)
            self._beaten = time.monotonic()
        return self._held

    def _send(self, database: Database, batch: Batch) -> None:
        """Send in the order of events until one is not taken; the others wait for the next turn."""
        try:
            for part, event in batch.parts:
                if self._stop.is_set():
                    return
                outcome = deliveries.send(self._receivers, batch.webhook, event)
                if not deliveries.record(database, part, outcome):
                    return
            self._wake.set()
        except Exception:  # noqa: BLE001 - logged, and tried again
            if not self._stop.is_set():  # else the database was closed meanwhile
                _log.exception("a delivery failed unexpectedly; it will be tried again")
