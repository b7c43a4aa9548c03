"""One state, one aim, in a process of its own: ``python -m benchmarks.balance.optima_run STATE AIM OUT``.

Prints one line of JSON: ``seconds`` of `solve` alone, ``peak_mb``. Labels go to OUT, one a line.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.balance.optima import problem, published, states
from benchmarks.balance.ours import started
from benchmarks.memory import forget_peak, memory_mb

__all__ = ["main"]


def main(name: str, objective: str, output: Path) -> None:
    known = next(o for o in published([name]) if o.objective == objective)
    asked = problem(states()[name], known)
    solve, starting = started()
    forget_peak()
    began = time.perf_counter()
    labels = solve(asked).labels
    seconds = time.perf_counter() - began
    np.savetxt(output, labels, fmt="%d")
    print(json.dumps({"status": "ok", "seconds": seconds, **starting, "peak_mb": memory_mb("VmHWM")}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
