"""All contenders of a case, one after the other, each in a process of its own, judged by one scorer."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from benchmarks.balance.bar import judge
from benchmarks.balance.catalogue import Case
from benchmarks.balance.instances import load, planted, prepare
from benchmarks.balance.problems import demand
from benchmarks.balance.shared import CACHE, ROOT, module

__all__ = ["OURS", "PLANTED", "Row", "Runner", "child", "moved_share"]

OURS = "gridsvc"
PLANTED = "the plan it was made round"

_ENGINE = "benchmarks.balance.ours"

# One core for everybody.
_ONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
# Peers stop themselves or are stopped; this is for a child that does neither.
_GRACE = 120.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    Attributes
    ----------
    case : Case
    method : str
    figures : dict
        ``status``; where that is ``ok``, also those of the public scorer, ``seconds``, ``peak_mb``, and
        ``moved`` where there was an old plan.
    """

    case: Case
    method: str
    figures: dict[str, Any]

    @property
    def ok(self) -> bool:
        """Whether there is a plan at all."""
        return bool(self.figures["status"] == "ok")

    @property
    def missed(self) -> list[str]:
        """What of the bar our engine missed."""
        return judge(self.case.line, self.figures)


@dataclass(slots=True)
class Runner:
    """Runs cases and keeps labels and what peers are too slow for.

    Attributes
    ----------
    limit : float
        Seconds a peer may take.
    peers_python : str
        Interpreter which has the peers' packages.
    cache : Path
    say : callable
    slow : dict
        Peers which were stopped, and the case at which they were.
    solved : set of Path
        Files of labels which our engine wrote in this run.
    """

    limit: float
    peers_python: str = sys.executable
    cache: Path = CACHE
    say: Callable[[str], None] = print
    slow: dict[str, str] = field(default_factory=dict)
    solved: set[Path] = field(default_factory=set)

    def run(self, case: Case) -> list[Row]:
        """Ours first, then the plan the instance was made round, then the peers."""
        folder = prepare(case.instance, self.cache)
        inst = load(folder, case.tolerance)
        old = None if case.was is None else self._plan_in_force(case)
        rows = [self._ours(case, folder, inst, OURS, old)]
        if old is not None:
            rows.append(self._ours(case, folder, inst, f"{OURS}, from scratch", old, fresh=True))
        rows += [
            self._ours(case, folder, inst, f"{OURS}, compactness {c:g}", old, compactness=c)
            for c in case.front
        ]
        certificate = planted(folder, inst, case.k)
        if certificate is not None:
            rows.append(self._scored(case, inst, PLANTED, certificate, {"status": "ok"}, old))
        return rows + [self.peer(case, folder, inst, method, old) for method in case.peers]

    def _plan_in_force(self, case: Case) -> Path | None:
        """Our own plan of the instance as it was, from this run; None where there is none."""
        before = Case(case.was or "", case.kind, case.k, case.tolerance)
        file = self.labels(before, OURS)
        if file not in self.solved:
            folder = prepare(before.instance, self.cache)
            self._ours(before, folder, load(folder, before.tolerance), OURS, None)
        return file if file in self.solved else None

    def _ours(
        self,
        case: Case,
        folder: Path,
        inst: Any,
        method: str,
        old: Path | None,
        *,
        fresh: bool = False,
        compactness: float = 50.0,
    ) -> Row:
        file = self.labels(case, method)
        arguments = [
            str(folder),
            str(case.k),
            str(case.tolerance),
            str(file),
            "--compactness",
            str(compactness),
        ]
        if old is not None and not fresh:
            arguments += ["--home", str(old)]
        figures = child(sys.executable, _ENGINE, arguments, None)
        if figures["status"] == "ok":
            self.solved.add(file)
        return self._row(case, inst, method, file, figures, old, renamed=fresh)

    def peer(self, case: Case, folder: Path, inst: Any, method: str, old: Path | None = None) -> Row:
        """One peer; `old` is the file of the plan in force."""
        if method in self.slow:
            return Row(case, method, {"status": f"not tried: over the limit at {self.slow[method]}"})
        file = self.labels(case, method)
        arguments = [method, str(folder), str(case.k), str(case.tolerance), str(self.limit), str(file)]
        figures = child(self.peers_python, "benchmarks.balance.theirs", arguments, 1.2 * self.limit + _GRACE)
        if figures["status"] == "timeout":
            self.slow[method] = case.name
            figures["status"] = f"over {self.limit:g} s"
        return self._row(case, inst, method, file, figures, old)

    def _row(
        self,
        case: Case,
        inst: Any,
        method: str,
        file: Path,
        figures: dict[str, Any],
        old: Path | None,
        *,
        renamed: bool = True,
    ) -> Row:
        if figures["status"] != "ok":
            self.say(f"{case.name}  {method}: {figures['status']}")
            return Row(case, method, figures)
        labels = module("territory_bench").read_labels(file)
        return self._scored(case, inst, method, labels, figures, old, renamed=renamed)

    def _scored(
        self,
        case: Case,
        inst: Any,
        method: str,
        labels: pd.DataFrame,
        figures: dict[str, Any],
        old: Path | None,
        *,
        renamed: bool = True,
    ) -> Row:
        marks = module("territory_bench").score(inst, labels, case.k)
        marks = {name: getattr(value, "item", lambda v=value: v)() for name, value in marks.items()} | figures
        if old is not None:
            before = pd.read_csv(old)["grid_id"].to_numpy()
            marks["moved"] = moved_share(before, labels["grid_id"].to_numpy(), demand(inst), renamed=renamed)
        self.say(
            f"{case.name}  {method}: {marks['seconds']:.1f} s, valid {marks['valid']}, "
            f"worst {100 * marks['dev_max']:.1f} %, shape {marks['shape']:.3f}"
        )
        return Row(case, method, marks)

    def labels(self, case: Case, method: str) -> Path:
        """File of the labels a method gave."""
        folder = self.cache / "labels"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{case.instance}-{case.k}-{case.tolerance:g}-{method}"
        return folder / f"{''.join(c if c.isalnum() or c in '-.' else '_' for c in name)}.csv"

    def starts(self) -> float:
        """Seconds until our engine, freshly installed, has solved its first problem, everything compiled.

        Fills numba's cache as well, so that no later run compiles.
        """
        folder = prepare("planar500", self.cache)
        with tempfile.TemporaryDirectory(prefix="gridsvc-numba-") as empty:
            arguments = [str(folder), "10", "0.05", str(Path(empty) / "labels.csv")]
            cold = child(sys.executable, _ENGINE, arguments, None, {"NUMBA_CACHE_DIR": empty})
            child(sys.executable, _ENGINE, arguments, None)
        if cold["status"] != "ok":
            raise RuntimeError(f"our engine does not run: {cold['status']}")
        return float(cold["import_s"] + cold["load_s"] + cold["seconds"])


def moved_share(
    before: NDArray[Any], after: NDArray[Any], demand: NDArray[np.float64], *, renamed: bool
) -> float:
    """Share of the demand that changed grids.

    Parameters
    ----------
    before, after : arrays, shape (n,)
        Grid of each cell.
    renamed : bool
        Grids of the new plan have names of their own: match them to the old ones so that least moves.
    """
    if not renamed:
        return float(demand[before != after].sum())
    _, a = np.unique(before, return_inverse=True)
    _, b = np.unique(after, return_inverse=True)
    kept = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(kept, (a, b), demand)
    return float(demand.sum() - kept[linear_sum_assignment(kept, maximize=True)].sum())


def child(
    python: str,
    name: str,
    arguments: list[str],
    limit: float | None,
    environment: dict[str, str] | None = None,
) -> dict[str, Any]:
    """Run a module in a new process with one core's threads; its line of JSON, or what went wrong."""
    with subprocess.Popen(
        [python, "-m", name, *arguments],
        cwd=ROOT,
        env=os.environ | _ONE | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, complaint = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return {"status": "timeout"}
    lines = out.strip().splitlines()
    figures: dict[str, Any] = {"status": _last_line(complaint)}
    if process.returncode == 0 and lines:
        figures = json.loads(lines[-1])
    if figures["status"] == "timeout":
        # A program which the peer started outlives the process which was stopped at the limit.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    return figures


def _last_line(complaint: str) -> str:
    lines = complaint.strip().splitlines() or ["no answer"]
    return f"error: {lines[-1][:120]}"
