"""Contenders in turn, several rounds, and what they took."""

from __future__ import annotations

import json
import pickle
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.case import Answer, Case

__all__ = ["Result", "run_case"]

_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Result:
    """The rounds of one contender.

    Attributes
    ----------
    contender : str
    rounds : tuple of dict
        Figures of each round, as `benchmarks.child.measure` gives them, and ``added_mb`` (peak less base).
    agrees : str
        How its answer compares with ours; "" for our own.
    """

    contender: str
    rounds: tuple[dict[str, float], ...]
    agrees: str

    def median(self, figure: str) -> float:
        """Median of a figure over the rounds."""
        return statistics.median(r[figure] for r in self.rounds)

    def ratios(self, other: Result, figure: str) -> list[float]:
        """Own figure over the other's, round by round."""
        return [mine[figure] / theirs[figure] for mine, theirs in zip(self.rounds, other.rounds, strict=True)]


def run_case(case: Case, work: Path, rounds: int, say: Callable[[str], None] = print) -> list[Result]:
    """Run the contenders A B C A B C ..., each in a new process, and compare their answers with ours.

    Raises
    ------
    Disagreement
        An answer differs from ours where it must not.
    """
    taken: dict[str, list[dict[str, float]]] = {c.name: [] for c in case.contenders}
    for number in range(1, rounds + 1):
        for name, figures in taken.items():
            figures.append(_in_child(case.name, name, work))
            say(f"{case.name}  round {number}  {name}: {figures[-1]['cpu_s']:.3f} s CPU")
    ours, *others = case.contenders
    answer = _answer(work, case.name, ours.name)
    agrees = {c.name: case.check(work, answer, _answer(work, case.name, c.name)) for c in others}
    return [Result(name, tuple(figures), agrees.get(name, "")) for name, figures in taken.items()]


def _in_child(case: str, contender: str, work: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.child", case, contender, str(work)]
    command.append(str(_answer_file(work, case, contender)))
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return {**figures, "added_mb": figures["peak_mb"] - figures["base_mb"]}


def _answer_file(work: Path, case: str, contender: str) -> Path:
    return work / f"{case} {contender}.answer"


def _answer(work: Path, case: str, contender: str) -> Answer:
    with _answer_file(work, case, contender).open("rb") as file:
        answer: Answer = pickle.load(file)
    return answer
