"""A board of square cells as a tiling, with a plan of upright strips or of blocks on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import shapely

from gridsvc.plans.plan import Grid, Plan
from gridsvc.principal import SCOPES, SYSTEM, Principal
from gridsvc.services import drafts, moves, plans
from gridsvc.services.handing import NewGrid, Part
from gridsvc.services.request import SolveRequest
from gridsvc.services.solving import describe_plan
from gridsvc.store import Database
from gridsvc.store.records import MeasureRecord, Territory
from gridsvc.tiling.tiling import Adjacency, Tiling
from tests.store.builders import DAY_1

ANNA, BO = Principal("anna", SCOPES), Principal("bo", SCOPES)
SIDE = 100.0  # metres


def board(width: int, height: int) -> Tiling:
    """Cell ``x3y1`` is the fourth from the west in the second row from the south; about 100 m wide."""
    x, y = (array.ravel() for array in np.meshgrid(np.arange(width), np.arange(height), indexing="ij"))
    name = np.array([f"x{a:03d}y{b:03d}" for a, b in zip(x.tolist(), y.tolist(), strict=True)], object)
    row = np.arange(width * height).reshape(width, height)
    a = np.concatenate([row[:-1].ravel(), row[:, :-1].ravel()])
    b = np.concatenate([row[1:].ravel(), row[:, 1:].ravel()])
    degree = SIDE / 111_320
    return Tiling(
        kind="polygons",
        resolution=None,
        ids=name,
        geometry=shapely.box(x * degree, y * degree, (x + 1) * degree, (y + 1) * degree),
        x=(x + 0.5) * SIDE,
        y=(y + 0.5) * SIDE,
        area=np.full(len(x), SIDE**2),
        perimeter=np.full(len(x), 4 * SIDE),
        adjacency=Adjacency.from_pairs(len(x), a, b, np.full(len(a), SIDE)),
        origin=(0.0, 0.0),
    )


def blocks(width: int, height: int, across: int, up: int) -> Plan:
    """`across` times `up` blocks of about one size, with codes as one reads them on the board."""
    x, y = (array.ravel() for array in np.meshgrid(np.arange(width), np.arange(height), indexing="ij"))
    labels = (x * across // width) * up + y * up // height
    digits = max(2, len(str(across * up)))
    grids = [Grid(f"{g + 1:0{digits}d}", f"Grid {g + 1:0{digits}d}") for g in range(across * up)]
    return Plan(labels.astype(np.int32), tuple(grids))


def lay(
    database: Database, tiling: Tiling, measures: Mapping[str, np.ndarray[Any, Any]], slug: str = "board"
) -> str:
    """Store a territory with a tiling and measures; gives the tiling's id."""
    square = shapely.MultiPolygon([shapely.box(*shapely.total_bounds(tiling.geometry))])
    with database.write(ANNA, "test") as uow:
        uow.territories.create(Territory(slug, "Board", "Asia/Shanghai", square, DAY_1 - timedelta(days=1)))
        made = uow.tilings.add(slug, tiling, params={}, coverage={})
        records = [
            MeasureRecord(n, f"{n}=sum:{n}", "", v.astype(np.float64), DAY_1) for n, v in measures.items()
        ]
        uow.tilings.put_measures(made, None, records)
    return made


def put(
    database: Database,
    tiling_id: str,
    tiling: Tiling,
    plan: Plan,
    measures: Mapping[str, np.ndarray[Any, Any]],
    *,
    report: bool = True,
    **changes: Any,
) -> str:
    """Store a plan with its report, and give its id; revision 2."""
    balanced = tuple((name, 0.2) for name in measures)
    request = replace(SolveRequest(sum(not g.carve_out for g in plan.grids), balanced), **changes)
    made = plans.create(database, ANNA, tiling_id, request, name="first").id
    weights = {name: values.astype(np.float64) for name, values in measures.items()}
    told = describe_plan(tiling, weights, plan, request) if report else None
    with database.write(ANNA, "test") as uow:
        uow.plans.save_solution(made, plan, told, 1)
    return made


def loads(tiling: Tiling, seed: int = 1) -> dict[str, np.ndarray[Any, Any]]:
    """Customers, whole, and potential, uneven."""
    rng = np.random.default_rng(seed)
    return {"customers": rng.integers(0, 9, len(tiling)), "potential": rng.gamma(2.0, 50.0, len(tiling))}


def small(database: Database, width: int = 6, height: int = 4, **changes: Any) -> str:
    """A plan of three strips, ``01`` in the west, on a board of one customer a cell; gives its id."""
    tiling = board(width, height)
    ones = {"customers": np.ones(len(tiling))}
    return put(database, lay(database, tiling, ones), tiling, blocks(width, height, 3, 1), ones, **changes)


def cells_of(database: Database, plan: str) -> dict[str, str]:
    """Code of each cell's grid."""
    return dict(plans.cells_of(database, ANNA, plan)[0])


def hand_over(
    database: Database, plan: str, base: int, cells: str, to: str | NewGrid, **more: Any
) -> dict[str, Any]:
    """Move cells, named in one string, and give the answer; `who` is anna unless said."""
    who = more.pop("who", ANNA)
    return moves.move(database, who, plan, base, [Part(cells.split(), to)], **more)


def fresh_report(database: Database, plan: str) -> dict[str, Any]:
    """The report counted anew from what is stored."""
    with database.read(SYSTEM) as reader:
        return drafts.draft(reader, plan).record.report or {}
