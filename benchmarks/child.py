"""One contender, once, in a process of its own: ``python -m benchmarks.child CASE CONTENDER FOLDER ANSWER``.

Prints one line of JSON.
"""

from __future__ import annotations

import json
import pickle
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.catalogue import case_of
from benchmarks.memory import forget_peak, memory_mb

__all__ = ["measure"]


def measure(case_name: str, contender_name: str, work: Path) -> tuple[dict[str, float], Any]:
    """Figures and answer of one contender.

    Returns
    -------
    figures : dict
        ``wall_s``, ``cpu_s`` (all threads); ``base_mb`` (libraries and inputs loaded), ``peak_mb``.
    answer : mapping of str to array
    """
    case = case_of(case_name)
    contender = case.contender(contender_name)
    inputs = contender.load(work)
    forget_peak()
    base = memory_mb("VmRSS")
    times = []
    for _ in range(case.repeats):
        outcome, *seconds = _timed(contender.run, inputs)
        times.append(seconds)
    peak = memory_mb("VmHWM")
    wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
    figures = {"wall_s": wall, "cpu_s": cpu, "base_mb": base, "peak_mb": peak}
    return figures, contender.answer(inputs, outcome)


def _timed(run: Callable[[Any], Any], inputs: Any) -> tuple[Any, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    outcome = run(inputs)
    return outcome, time.perf_counter() - wall, time.process_time() - cpu


def _main(case: str, contender: str, work: str, answer_file: str) -> None:
    figures, answer = measure(case, contender, Path(work))
    with Path(answer_file).open("wb") as file:
        pickle.dump(answer, file, protocol=pickle.HIGHEST_PROTOCOL)
    print(json.dumps(figures))


if __name__ == "__main__":
    _main(*sys.argv[1:])
