"""States with published optima: what is known of them, what the engine is asked, and who scores it.

The scorer is our own and knows nothing of the engine. Inertia is what Hess et al. (1965) minimise: each
cell's population times its squared distance to the cell at which its grid's sum is least, in millions of
person km2, by great circles.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from benchmarks.balance.shared import FOLDER

if TYPE_CHECKING:
    from gridsvc.balance.problem import Problem

__all__ = ["CUT", "INERTIA", "Optimum", "State", "problem", "published", "states"]

CUT, INERTIA = "cut_edges", "moment_of_inertia"

_EARTH_KM = 6371.0088  # mean radius
_DATA = FOLDER / "optimal"


@dataclass(frozen=True, slots=True)
class State:
    """Counties or tracts as a graph.

    Attributes
    ----------
    people : float64 array, shape (n,)
    lat, lon : float64 array, shape (n,), degrees
    land : float64 array, shape (n,), square metres
    edges : int64 array, shape (m, 2)
    plan : int64 array, shape (n,)
        The published plan of least inertia, grids 1..k; empty where none was published.
    """

    people: NDArray[np.float64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    land: NDArray[np.float64]
    edges: NDArray[np.int64]
    plan: NDArray[np.int64]

    def inertia(self, labels: NDArray[Any]) -> float:
        """Inertia about the best cell of each grid, 1e6 person km2."""
        total = 0.0
        for grid in np.unique(labels):
            rows = np.flatnonzero(labels == grid)
            total += float((self.people[rows] @ self._squared_km(rows)).min())
        return total / 1e6

    def _squared_km(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Squared great-circle distances between cells (haversine), shape (len(rows), len(rows))."""
        lat, lon = np.radians(self.lat[rows]), np.radians(self.lon[rows])
        north = np.sin((lat[:, None] - lat) / 2) ** 2
        east = np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
        squared: NDArray[np.float64] = (2 * _EARTH_KM * np.arcsin(np.sqrt(north + east))) ** 2
        return squared

    def cut_edges(self, labels: NDArray[Any]) -> int:
        """Adjacent pairs in different grids."""
        return int((labels[self.edges[:, 0]] != labels[self.edges[:, 1]]).sum())

    def faults(self, labels: NDArray[Any], k: int, low: float, high: float) -> list[str]:
        """Why a plan is not valid: number of grids, populations, connection; empty where it is."""
        _, grid = np.unique(labels, return_inverse=True)
        found = int(grid.max()) + 1
        faults = [] if found == k else [f"{found} grids"]
        people = np.bincount(grid, self.people)
        faults += [f"{p:.0f} people" for p in people if not low <= p <= high]
        a, b = self.edges[grid[self.edges[:, 0]] == grid[self.edges[:, 1]]].T
        n = len(labels)
        within = coo_matrix((np.ones(len(a)), (a, b)), shape=(n, n))
        pieces = connected_components(within, directed=False)[0]
        return faults if pieces == found else [*faults, f"{pieces} pieces"]


@dataclass(frozen=True, slots=True)
class Optimum:
    """A published result.

    Attributes
    ----------
    instance : str
    objective : {"cut_edges", "moment_of_inertia"}
    n, k : int
    low, high : float
        Limits of a grid's population.
    value : float
        Best published; inertia rescored by great circles.
    bound : float
        Proven bound; inertia scaled as the value is.
    proven : bool
    gerrychain : float or None
        Best of GerryChain's 10,000 steps, as published.
    """

    instance: str
    objective: str
    n: int
    k: int
    low: float
    high: float
    value: float
    bound: float
    proven: bool
    gerrychain: float | None


def published(only: Sequence[str] | None = None) -> list[Optimum]:
    """All published results, or those of some states."""
    with (_DATA / "optimal.csv").open(encoding="utf-8", newline="") as file:
        rows = [_optimum(row) for row in csv.DictReader(file)]
    return [row for row in rows if not only or row.instance in only]


def _optimum(row: dict[str, str]) -> Optimum:
    value = float(row["value"])
    best = float(row["value_gc_km"]) if row["objective"] == INERTIA else value
    return Optimum(
        instance=row["instance"],
        objective=row["objective"],
        n=int(row["n"]),
        k=int(row["k"]),
        low=float(row["L"]),
        high=float(row["U"]),
        value=best,
        bound=float(row["bound"]) * best / value,
        proven=row["proven"] == "True",
        gerrychain=float(row["gerrychain_value"]) if row["gerrychain_value"] else None,
    )


def states() -> dict[str, State]:
    """The graphs by name."""
    with gzip.open(_DATA / "instances.json.gz", "rt", encoding="utf-8") as file:
        return {name: _state(entry) for name, entry in json.load(file).items()}


def _state(entry: dict[str, Any]) -> State:
    return State(
        people=np.array(entry["pop"], float),
        lat=np.array(entry["lat"], float),
        lon=np.array(entry["lon"], float),
        land=np.array(entry["land_m2"], float),
        edges=np.array(entry["edges"], np.int64),
        plan=np.array(entry.get("moi_plan") or [], np.int64),
    )


def problem(state: State, known: Optimum) -> Problem:
    """What the engine is asked: the published limits, the published aim.

    Borders' lengths are not published; one metre each makes every pair alike.
    """
    from gridsvc.balance.problem import Problem
    from gridsvc.tiling.tiling import Adjacency

    x, y = _plane(state)
    weights = state.people[:, None]
    edges = state.edges
    graph = Adjacency.from_pairs(len(x), edges[:, 0], edges[:, 1], np.ones(len(edges)))
    return Problem(
        indptr=graph.indptr,
        indices=graph.indices,
        border=graph.length,
        x=x,
        y=y,
        area=state.land,
        perimeter=2 * np.sqrt(np.pi * state.land),
        weights=weights,
        measures=("people",),
        k=known.k,
        targets=np.full((known.k, 1), state.people.sum() / known.k),
        tolerance=np.array([0.005]),
        objective="inertia" if known.objective == INERTIA else "cut",
        low=np.full((known.k, 1), known.low),
        high=np.full((known.k, 1), known.high),
    )


def _plane(state: State) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres in a plane which keeps distances from the state's middle; others within 0.1 %."""
    import pyproj

    middle = f"+lat_0={np.mean(state.lat):.6f} +lon_0={np.mean(state.lon):.6f}"
    plane = pyproj.Proj(f"+proj=aeqd {middle} +R={1000 * _EARTH_KM}")
    x, y = plane(state.lon, state.lat)
    return np.asarray(x, float), np.asarray(y, float)
