"""What an idle timer suffers: ``python -m benchmarks.lookup.idle SECONDS``; prints one line of JSON."""

from __future__ import annotations

import json
import sys
import time

from benchmarks.lookup.figures import percentile


def _late(seconds: float) -> list[float]:
    """Milliseconds by which a sleep of one millisecond came too late, again and again."""
    late, end = [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        time.sleep(0.001)
        late.append(1e3 * (time.perf_counter() - began - 0.001))
    return late


if __name__ == "__main__":
    found = _late(float(sys.argv[1]))
    print(json.dumps({"p99_ms": percentile(found, 0.99), "worst_ms": max(found)}))
