"""A client which sends one full batch after another: ``python -m benchmarks.lookup.flood PORT BODY SECONDS``.

Prints one line of JSON.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from pathlib import Path

from benchmarks.lookup.caller import Caller


def _flood(port: int, body: bytes, seconds: float) -> dict[str, int]:
    done = errors = 0
    connection = Caller(port)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        try:
            connection.request("POST", "/v1/owner/batch", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            errors += answer.status != 200
        except (OSError, http.client.HTTPException):
            errors += 1
            connection.close()
        done += 1
    return {"batches": done, "errors": errors}


if __name__ == "__main__":
    print(json.dumps(_flood(int(sys.argv[1]), Path(sys.argv[2]).read_bytes(), float(sys.argv[3]))))
