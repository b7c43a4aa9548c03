"""What a plan should look like, as a value and as the parameters kept with a plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gridsvc.balance.score import Score
from gridsvc.balance.targets import DEFAULT_TOLERANCE
from gridsvc.plans.old import Old
from gridsvc.tiling.barriers import Barriers, barriers_from_geojson
from gridsvc.tiling.table import Table, table_of

__all__ = ["Former", "SolveRequest", "params_of", "request_from"]

Objective = Literal["balanced", "inertia", "cut"]


@dataclass(frozen=True, slots=True)
class Former:
    """The plan in force, and how much of it may change.

    Attributes
    ----------
    most : float
        Share of the first measure that may move to another grid.
    cost : str or None
        Column which says how much dearer than usual each cell's move is.
    """

    old: Old
    most: float = 0.10
    cost: str | None = None


@dataclass(frozen=True, slots=True)
class SolveRequest:
    """What a plan should look like.

    Attributes
    ----------
    grids : int or None
        None takes the number from the old plan, the targets, the capacity or the districts of `nest_in`,
        whichever is given first in this order.
    measures : tuple of (str, float)
        Name and tolerance (0.05 is 5 %).
    nest_in : str or None
        Column of the tiling whose areas no grid may cross.
    carve_out : "large" or tuple of str
        Cells owned apart, by id; ``"large"`` takes those above half of a grid's target.
    barriers : Barriers or None
        Lines no grid crosses, beside those of the tiling.
    objective, compactness, sweeps, time_limit
        As in `gridsvc.balance.problem.Problem`.
    limits : mapping of measure to (least, most)
        Hard limits of every grid's total, in place of the tolerance; None leaves a side open.
    importance : mapping of measure to float
        How much its deviations weigh beside the others', 1 where it is not named.
    capacity : mapping of measure to float
        What one grid's team can carry: a largest total, and the number of grids where `grids` is None.
    scores : tuple of Score
        Measures made of columns; balanced at the default tolerance unless `measures` names them.
    seeds, locks, targets : Table or None
        As `gridsvc.plans.seeds`, `locks` and `goals` read them.
    seed_pull : float
        How much a grid's centre is drawn to its seed; 1 weighs like the shape.
    former : Former or None
        The plan to start from and to keep to.
    """

    grids: int | None
    measures: tuple[tuple[str, float], ...]
    nest_in: str | None = None
    carve_out: Literal["large"] | tuple[str, ...] = ()
    islands: Literal["keep", "attach"] = "keep"
    barriers: Barriers | None = None
    seed: int = 1
    objective: Objective = "balanced"
    compactness: float = 50.0
    sweeps: int | None = None
    time_limit: float | None = None
    limits: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    importance: Mapping[str, float] = field(default_factory=dict)
    capacity: Mapping[str, float] = field(default_factory=dict)
    scores: tuple[Score, ...] = ()
    seeds: Table | None = None
    locks: Table | None = None
    targets: Table | None = None
    seed_pull: float = 1.0
    former: Former | None = None

    @property
    def balanced(self) -> tuple[tuple[str, float], ...]:
        """Measures and scores to balance, with their tolerances."""
        named = {name for name, _ in self.measures}
        more = [(score.name, DEFAULT_TOLERANCE) for score in self.scores if score.name not in named]
        return (*self.measures, *more)


_PLAIN = ("nest_in", "islands", "objective", "compactness", "sweeps", "time_limit", "seed_pull")


def params_of(request: SolveRequest, barriers: str | None, from_plan: str | None) -> dict[str, Any]:
    """The request JSON-ready; barriers as GeoJSON text, the old plan by its id."""
    former = request.former
    return {
        **{name: getattr(request, name) for name in _PLAIN},
        "grids": request.grids,
        "measures": [[measure, tolerance] for measure, tolerance in request.measures],
        "carve_out": request.carve_out if request.carve_out == "large" else list(request.carve_out),
        "barriers": barriers,
        "limits": {name: list(sides) for name, sides in request.limits.items()},
        "importance": dict(request.importance),
        "capacity": dict(request.capacity),
        "scores": [[score.name, [list(part) for part in score.parts]] for score in request.scores],
        **{name: _records(getattr(request, name)) for name in ("seeds", "locks", "targets")},
        "from_plan": from_plan,
        "max_disruption": None if former is None else former.most,
        "move_cost": None if former is None else former.cost,
    }


def _records(table: Table | None) -> list[dict[str, str]] | None:
    return None if table is None else table.records()


def request_from(params: Mapping[str, Any], seed: int, old: Old | None = None) -> SolveRequest:
    """The request of such parameters, those of older versions among them.

    Parameters
    ----------
    old : Old or None
        The plan ``params["from_plan"]`` names; without it the request is one of a new plan.
    """
    carve_out, limits = params["carve_out"], params.get("limits") or {}
    tables = {
        name: None if params.get(name) is None else table_of(params[name], name)
        for name in ("seeds", "locks", "targets")
    }
    return SolveRequest(
        grids=params["grids"],
        measures=tuple((name, tolerance) for name, tolerance in params["measures"]),
        carve_out="large" if carve_out == "large" else tuple(carve_out),
        barriers=_barriers(params["barriers"]),
        seed=seed,
        limits={name: (low, high) for name, (low, high) in limits.items()},
        importance=params.get("importance") or {},
        capacity=params.get("capacity") or {},
        scores=tuple(
            Score(name, tuple((column, weight) for column, weight in parts))
            for name, parts in params.get("scores") or ()
        ),
        former=None if old is None else Former(old, params["max_disruption"], params["move_cost"]),
        **{name: params[name] for name in _PLAIN if name in params},
        seeds=tables["seeds"],
        locks=tables["locks"],
        targets=tables["targets"],
    )


def _barriers(text: str | None) -> Barriers | None:
    return None if text is None else barriers_from_geojson(json.loads(text), "wgs84")
