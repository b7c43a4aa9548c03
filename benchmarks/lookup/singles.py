"""Single questions at a fixed rate: ``python -m benchmarks.lookup.singles PORT QUESTIONS RATE SECONDS``.

An open loop: each question has its time, and its latency counts from then. Prints one line of JSON.
"""

from __future__ import annotations

import http.client
import itertools
import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from benchmarks.lookup.caller import Caller
from benchmarks.lookup.figures import percentile

_CONNECTIONS = 16


class _Loop:
    def __init__(self, port: int, questions: list[dict[str, Any]], rate: float, seconds: float) -> None:
        self._port, self._questions = port, questions
        self._rate, self._seconds = rate, seconds
        self._numbers = itertools.count()
        self._began = time.perf_counter()
        self.ms: list[float] = []
        self.wrong = 0

    def run(self) -> None:
        threads = [threading.Thread(target=self._ask_on) for _ in range(_CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _ask_on(self) -> None:
        connection = Caller(self._port)
        while (number := next(self._numbers)) < self._rate * self._seconds:
            due = self._began + number / self._rate
            time.sleep(max(0.0, due - time.perf_counter()))
            right = self._ask(connection, self._questions[number % len(self._questions)])
            self.ms.append(1e3 * (time.perf_counter() - due))
            self.wrong += not right
        connection.close()

    def _ask(self, connection: Caller, question: dict[str, Any]) -> bool:
        try:
            connection.request("GET", "/v1/owner?lat={lat}&lon={lon}".format(**question["in"]))
            found = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            connection.close()
            return False
        return bool((found.get("grid") or {}).get("code") == question["want"]["grid"])


def _main(port: str, questions: str, rate: str, seconds: str) -> None:
    asked = [json.loads(line) for line in Path(questions).read_text().splitlines()]
    loop = _Loop(int(port), asked, float(rate), float(seconds))
    loop.run()
    shares = {"p50_ms": 0.5, "p99_ms": 0.99, "p999_ms": 0.999}
    told = {name: percentile(loop.ms, share) for name, share in shares.items()}
    print(json.dumps({**told, "worst_ms": max(loop.ms), "asked": len(loop.ms), "wrong": loop.wrong}))


if __name__ == "__main__":
    _main(*sys.argv[1:])
