"""Asks for one thing at a steady rate: ``python -m tests.journey.asker PORT KEY RATE SECONDS PATH``.

Latencies count from when a request was due, so a server which falls behind cannot hide it; who is a second
behind goes on from there, so the rate is never passed. Prints JSON.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections import Counter
from typing import Any

_BEHIND = 1.0


def asked(port: int, key: str, rate: float, seconds: float, path: str) -> dict[str, Any]:
    """Ask with a key, as often as the rate says."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n\r\n".encode()
    statuses, waits, late = Counter[str](), Counter[str](), []
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = connection.makefile("rb")
        first = began = time.perf_counter()
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (wait := due - time.perf_counter()) > 0:
                time.sleep(wait)
            connection.sendall(request)
            status, headers = _answer(answers)
            late.append(time.perf_counter() - due)
            began += late[-1] if late[-1] > _BEHIND else 0.0
            statuses[status] += 1
            waits[headers.get("retry-after", "")] += status == "429"
    return {
        "statuses": dict(statuses),
        "seconds": time.perf_counter() - first,
        "retry_after": sorted(wait for wait, count in waits.items() if count),
        "late_ms": [1000 * seconds for seconds in late],
    }


def _answer(answers: Any) -> tuple[str, dict[str, str]]:
    status = answers.readline().split()[1].decode()
    headers = {}
    while line := answers.readline().strip():
        name, _, value = line.decode("latin-1").partition(": ")
        headers[name.lower()] = value
    answers.read(int(headers["content-length"]))
    return status, headers


if __name__ == "__main__":
    told = asked(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), sys.argv[5])
    print(json.dumps(told))
