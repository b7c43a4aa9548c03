"""Solving a level from the top down: inside every grid of the level above, or inside one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import Conflict
from gridsvc.plans.numbering import Numbering, Plain
from gridsvc.plans.plan import Plan
from gridsvc.progress import Progress, Watch, blind, silent
from gridsvc.services.codes import taken_codes
from gridsvc.services.levels import above
from gridsvc.services.request import SolveRequest
from gridsvc.services.series import published_plan
from gridsvc.store.database import Reader
from gridsvc.store.records import PlanRecord
from gridsvc.tiling.tiling import Adjacency, Tiling

if TYPE_CHECKING:
    from gridsvc.services.solving import Solved

__all__ = ["Nest", "inside", "nest_of", "part_of", "solve_nested"]

_COLUMN = "@above"  # no layer's column is called so


@dataclass(frozen=True)
class Nest:
    """What a plan must lie in.

    Attributes
    ----------
    above : object array of str, shape (n_cells,)
        Code of the grid above each cell.
    parent : str or None
        The only one whose cells are dealt out anew.
    others : Plan or None
        What is published of the level, for the cells of the other parents.
    taken : frozenset of str
        Codes which new grids may not have.
    """

    above: NDArray[np.object_]
    parent: str | None
    others: Plan | None
    taken: frozenset[str]


def nest_of(reader: Reader, record: PlanRecord) -> Nest | None:
    """What a plan must lie in; None where no level above it is in force on its tiling.

    Raises
    ------
    Conflict
        Its parent is in force no longer.
    """
    now = datetime.now(UTC)
    found = above(reader, record.territory, record.line, record.tiling, now)
    if found is None or found.plan is None:
        return None
    codes = np.array([*(grid.code for grid in found.plan.grids), ""], dtype=object)[found.plan.labels]
    if record.parent is not None and record.parent not in codes:
        raise Conflict(
            f"{record.parent!r} is in force no longer", field="parent", cure="start a plan for another parent"
        )
    own = reader.publications.in_force(record.territory, record.line, now, now)
    others = None
    if own is not None and own.tiling == record.tiling:
        others = published_plan(reader, record.territory, record.line, own.n)
    taken = taken_codes(reader, record.territory, record.line)
    return Nest(codes, record.parent, others, frozenset(taken))


def part_of(tiling: Tiling, rows: NDArray[np.int64]) -> Tiling:
    """The tiling of some of the cells; `rows` ascending."""
    place = np.full(len(tiling), -1, np.int64)
    place[rows] = np.arange(len(rows))
    a, b, length = tiling.adjacency.pairs()
    inside = (place[a] >= 0) & (place[b] >= 0)
    return replace(
        tiling,
        ids=tiling.ids[rows],
        geometry=tiling.geometry[rows],
        x=tiling.x[rows],
        y=tiling.y[rows],
        area=tiling.area[rows],
        perimeter=tiling.perimeter[rows],
        adjacency=Adjacency.from_pairs(len(rows), place[a[inside]], place[b[inside]], length[inside]),
        columns={name: np.asarray(column)[rows] for name, column in tiling.columns.items()},
    )


def inside(nest: Nest | None, tiling: Tiling, request: SolveRequest) -> tuple[Tiling, SolveRequest]:
    """Tiling and request for a solve inside every grid above; unchanged where the request nests otherwise."""
    if nest is None or request.nest_in is not None:
        return tiling, request
    nested = replace(tiling, columns={**tiling.columns, _COLUMN: nest.above})
    return nested, replace(request, nest_in=_COLUMN)


def solve_nested(
    nest: Nest | None,
    tiling: Tiling,
    measures: Mapping[str, NDArray[np.float64]],
    request: SolveRequest,
    *,
    largest: Mapping[str, NDArray[np.float64] | None],
    numbering: Numbering | None = None,
    progress: Progress = silent,
    watch: Watch = blind,
) -> Solved:
    """Solve a plan as `gridsvc.services.solving.solve_tiling`, inside what it must lie in.

    `watch` sees plans of all cells only, not those inside one parent.
    """
    from gridsvc.services.solving import solve_tiling  # loads the engine

    options: dict[str, Any] = {"numbering": numbering, "progress": progress}
    if nest is None or nest.parent is None:
        tiling, request = inside(nest, tiling, request)
        return solve_tiling(tiling, measures, request, largest=largest, watch=watch, **options)
    rows = np.flatnonzero(nest.above == nest.parent)
    part = part_of(tiling, rows)
    options["numbering"] = Plain(part.x, part.y, nest.taken) if numbering is None else numbering.within(rows)
    found = solve_tiling(
        part,
        {name: column[rows] for name, column in measures.items()},
        request,
        largest={name: None if column is None else column[rows] for name, column in largest.items()},
        **options,
    )
    return _put_back(found, nest, rows)


def _put_back(found: Solved, nest: Nest, rows: NDArray[np.int64]) -> Solved:
    """The part among the grids which are published in the other parents, as a plan of all cells."""
    labels, grids = np.full(len(nest.above), -1, np.int32), []
    if nest.others is not None:
        outside = np.setdiff1d(np.arange(len(labels)), rows)
        kept, place = np.unique(nest.others.labels[outside], return_inverse=True)
        shift = int(kept[0] == -1) if len(kept) else 0
        labels[outside] = place - shift
        grids = [nest.others.grids[p] for p in kept.tolist() if p >= 0]
    labels[rows] = found.plan.labels + len(grids)
    new = [replace(grid, parent=nest.parent) for grid in found.plan.grids]
    links = [
        {**link, "a": int(rows[link["a"]]), "b": int(rows[link["b"]])}
        for link in found.report.get("links", [])
    ]
    return replace(found, plan=Plan(labels, (*grids, *new)), report={**found.report, "links": links})
