"""The whole service under `crashkit`: two workers, jobs and webhooks beside edits, publications and lookups.

With each third publication a solve is asked for, under the same key however often that must be tried; at the
end each must have been done once. A receiver which fails three times of ten must have been told of each
publication.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook

from gridsvc.principal import SYSTEM
from gridsvc.store import Database
from tests.exchange.listener import Received
from tests.journey.crash import SLUG, Driver

TAKES = 600.0
"""Seconds after the last start in which all that was acknowledged must have been done."""


class Receiver:
    """Fails three times of ten; keeps which publications it took, after looking at the signature."""

    def __init__(self) -> None:
        self._random, self._lock = random.Random(3), threading.Lock()
        self.secret, self.taken, self.faults = "", list[int](), list[str]()

    def __call__(self, message: Received, _: Any) -> int | None:
        try:
            told = Webhook(self.secret).verify(message.body, message.headers)
        except Exception as error:  # noqa: BLE001 - looked at in the end
            self.faults.append(f"{error!r}: {len(message.body)} bytes, {message.headers}")
            return 400
        with self._lock:
            mood = self._random.random()
            if mood < 0.2:
                return 503
            self.taken.append(int(told["data"]["n"]))
            return None if mood < 0.3 else 200


class Whole(Driver):
    """The service as the kit drives it, with all its parts at work."""

    def __init__(self, database_url: str, folder: Path, receiver: Receiver, port: int) -> None:
        super().__init__(database_url, folder, workers=2)
        self._receiver, self._hook = receiver, f"http://127.0.0.1:{port}/hook"
        self._jobs: dict[str, tuple[str, str]] = {}
        self._asked: set[str] = set()  # what the last kill left without an answer may have been done, too
        self._given_up: set[str] = set()  # killed three times running, and said so
        with closing(Database.open(database_url)) as database, database.read(SYSTEM) as reader:
            self._tiling = reader.plans.get(self.draft).tiling

    def listen(self) -> None:
        """Have the receiver told of publications."""
        body = {"url": self._hook, "kinds": ["publication.published"]}
        made = self._call(self.http(), "POST", "/v1/webhooks", body)
        self._receiver.secret = made["secret"]

    def publish(self, connection: http.client.HTTPConnection, k: int, key: str) -> int:
        """Publish, and have something solved."""
        if key not in self._jobs and k % 3 == 1:
            measures = [{"name": "customers", "tolerance": "50%"}]
            wanted = {
                "tiling": self._tiling,
                "name": f"solve {key}",
                "grids": 2,
                "measures": measures,
                "sweeps": 5,
            }
            name = {"Idempotency-Key": f"solve {key}"}
            self._asked.add(f"solve {key}")
            started = self._call(self.http(), "POST", "/v1/plans", wanted, name)
            self._jobs[key] = started["plan"], started["job"]["id"]
        return super().publish(connection, k, key)

    def final(self, connection: http.client.HTTPConnection) -> dict[str, Any]:
        """What is stored in the end, once all that was promised has had its time."""
        found = super().final(connection)
        end = time.monotonic() + TAKES
        while (left := self._left(found["current"])) and time.monotonic() < end:
            time.sleep(0.5)
        assert not left, left
        made = self._pages(self.http(120), f"/v1/plans?territory={SLUG}")
        names = [plan["name"] for plan in made if plan["name"].startswith("solve ")]
        assert len(names) == len(set(names)), "a solve was doubled"
        due = {f"solve {key}" for key in self._jobs.keys() - self._given_up}
        assert due <= set(names), f"{len(due - set(names))} solves were lost"
        assert set(names) <= self._asked, "a solve nobody asked for"
        assert not self._receiver.faults, self._receiver.faults[:3]
        return found

    def _left(self, current: int) -> list[str]:
        """What is still to be done."""
        undone = []
        for key, (plan, job) in self._jobs.items():
            record = self._call(self.http(120), "GET", f"/v1/jobs/{job}")
            if record["status"] == "failed" and "died 3 times" in record["problem"]["message"]:
                self._given_up.add(key)
            elif record["status"] != "done" or record["result"] != {"plan": plan, "revision": 2}:
                undone.append(f"job {job} is {record['status']}: {record['problem'] or record['result']}")
        told = set(self._receiver.taken)
        return undone + [f"publication {n} was not told" for n in range(2, current + 1) if n not in told]

    @property
    def figures(self) -> dict[str, int]:
        """How much happened."""
        taken = self._receiver.taken
        sent = {"jobs": len(self._jobs), "jobs given up": len(self._given_up)}
        return sent | {"messages taken": len(taken), "of them again": len(taken) - len(set(taken))}
