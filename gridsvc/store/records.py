"""What goes into the store and comes out of it: plain values, no rows and no connections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from gridsvc.plans.carveouts import CarveOut
from gridsvc.plans.plan import Grid

__all__ = [
    "NEVER",
    "AuditRecord",
    "CellRecord",
    "CustomerRecord",
    "CustomerRows",
    "Event",
    "Idempotency",
    "ImportRecord",
    "JobRecord",
    "JobStatus",
    "MeasureRecord",
    "MoveRecord",
    "PlanHead",
    "PlanRecord",
    "PlanStatus",
    "PublicationRecord",
    "RosterRecord",
    "StoredResponse",
    "Territory",
    "TilingRecord",
]

NEVER = datetime(1, 1, 1, tzinfo=UTC)
"""Stands in fields which the store fills: `recorded_at` of a record not yet written."""

PlanStatus = Literal["draft", "submitted", "approved", "published", "retired", "cancelled"]
JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]
ImportStatus = Literal["staging", "live", "superseded", "discarded"]


@dataclass(frozen=True)
class Territory:
    """An area to be covered.

    Attributes
    ----------
    id : str
        Slug chosen by the caller.
    boundary : shapely.MultiPolygon, WGS-84 lon/lat
    simulated : bool
        Its data is made up, and whoever shows it must say so.
    valid_from, valid_to : datetime
        Half-open; `valid_to` is None while it lasts.
    recorded_at : datetime
        Filled by the store.
    """

    id: str
    name: str
    time_zone: str
    boundary: shapely.MultiPolygon
    valid_from: datetime
    customers_word: str = "客户"
    parent: str | None = None
    simulated: bool = False
    valid_to: datetime | None = None
    recorded_at: datetime = NEVER


@dataclass(frozen=True)
class TilingRecord:
    """A tiling without its cells.

    Attributes
    ----------
    n_cells : int
    origin : (float, float)
        lon, lat of the local plane's centre.
    """

    id: str
    territory: str
    kind: Literal["h3", "polygons", "mixed"]
    resolution: int | None
    n_cells: int
    origin: tuple[float, float]
    params: dict[str, Any]
    coverage: dict[str, Any]
    recorded_at: datetime


@dataclass(frozen=True)
class CellRecord:
    """One cell: its row in the tiling, its id as text, its outline in WGS-84."""

    row: int
    cell: str
    geometry: Any


@dataclass(frozen=True)
class MeasureRecord:
    """A per-cell number.

    Attributes
    ----------
    spec : str
        How it was made, e.g. ``sum:kwh``.
    values : float64 array, shape (n_cells,), in `unit`
    largest : float64 array, shape (n_cells,), or None
        The largest single account in each cell.
    missing_share : float
        0 to 1, rows without a value.
    as_of : datetime
        The time the numbers speak of.
    import_id : str or None
        The import they were made from; filled by the store.
    """

    name: str
    spec: str
    unit: str
    values: NDArray[np.float64]
    as_of: datetime
    largest: NDArray[np.float64] | None = None
    missing_share: float = 0.0
    import_id: str | None = None


@dataclass(frozen=True)
class CustomerRows:
    """Rows of a customer file as columns, each of shape (n_rows,).

    Attributes
    ----------
    row_no : int64 array
        Row of the source, 1 is the first data row; unique in an import.
    id : object array of str
    verdict : int8 array
    cell : int32 array
        Row of the tiling; -1 where the customer has none.
    lon, lat : float64 array, WGS-84 degrees
        NaN where unknown.
    kept : bool array
        The row stands for a customer, placed or not; False where it was left out (duplicate id, no id).
        An id is kept once in an import.
    todo : bool array
        A person must look at the row.
    premise : object array of str or None
    values : mapping of column name to array
        Float64 (NaN where missing) or object of str or None.
    """

    row_no: NDArray[np.int64]
    id: NDArray[np.object_]
    verdict: NDArray[np.int8]
    cell: NDArray[np.int32]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    kept: NDArray[np.bool_]
    todo: NDArray[np.bool_]
    premise: NDArray[np.object_] | None = None
    values: Mapping[str, NDArray[Any]] | None = None

    def __len__(self) -> int:
        return len(self.row_no)

    def chunks(self, size: int) -> Iterator[CustomerRows]:
        """The same rows, `size` at a time."""
        for start in range(0, len(self), size):
            yield self._part(slice(start, start + size))

    def _part(self, rows: slice) -> CustomerRows:
        return CustomerRows(
            self.row_no[rows],
            self.id[rows],
            self.verdict[rows],
            self.cell[rows],
            self.lon[rows],
            self.lat[rows],
            self.kept[rows],
            self.todo[rows],
            None if self.premise is None else self.premise[rows],
            None if self.values is None else {name: array[rows] for name, array in self.values.items()},
        )


@dataclass(frozen=True)
class CustomerRecord:
    """One customer of an import; `cell` is -1 where it has none.

    Attributes
    ----------
    import_id : str
        Empty where a message told of the customer, whose number is `row_no` then.
    lon, lat : float or None, WGS-84 degrees
    """

    import_id: str
    tiling: str
    row_no: int
    id: str
    premise: str | None
    verdict: int
    cell: int
    kept: bool
    todo: bool
    lon: float | None
    lat: float | None
    values: dict[str, Any]


@dataclass(frozen=True)
class ImportRecord:
    """A customer file taken in; `valid_from` and `valid_to` say when it was the live one."""

    id: str
    territory: str
    tiling: str
    source: str
    params: dict[str, Any]
    status: ImportStatus
    summary: dict[str, Any] | None
    valid_from: datetime | None
    valid_to: datetime | None
    recorded_at: datetime

    @property
    def behind(self) -> int:
        """Number of the last message about a customer which was there when it began: it hides them."""
        return int(self.params.get("changes", 0))


@dataclass(frozen=True)
class PlanRecord:
    """A plan with all that is needed to make it again.

    Attributes
    ----------
    id, status, revision, created_by, recorded_at
        Filled by the store; `revision` counts from 1 up with each change.
    labels : int32 array, shape (n_cells,), or None
        Position in `grids` of each cell's grid, moves made; None before the first solution (and in lists).
    comment : str or None
    branched_from, branched_at : str and int, or None
        The plan this one is a branch of, and its revision then.
    origin : dict or None
        Where the grids were taken over from, if they were.
    waivers : list of dict
        Rules waived by name: ``gate``, ``grid``, ``actor``, ``reason``, ``recorded_at``.
    grids : tuple of Grid
        Empty in lists.
    carve_outs : tuple of CarveOut
        Polygons owned apart; empty in lists.
    """

    territory: str
    tiling: str
    name: str
    line: str = "base"
    level: str = "grid"
    parent: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    labels: NDArray[np.int32] | None = None
    grids: tuple[Grid, ...] = ()
    carve_outs: tuple[CarveOut, ...] = ()
    report: dict[str, Any] | None = None
    base_publication: int | None = None
    seed: int = 1
    engine_version: str = ""
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    comment: str | None = None
    branched_from: str | None = None
    branched_at: int | None = None
    origin: dict[str, Any] | None = None
    waivers: list[dict[str, Any]] = field(default_factory=list)
    id: str = ""
    status: PlanStatus = "draft"
    revision: int = 1
    created_by: str = ""
    recorded_at: datetime = NEVER


@dataclass(frozen=True)
class PlanHead:
    """What a change of a plan must know of it, without its cells and grids.

    Attributes
    ----------
    revision : int
        Counts all changes of the plan.
    labels_revision : int
        The revision which set the base assignment, on which the moves stand.
    solved : bool
        It has an assignment.
    """

    id: str
    territory: str
    tiling: str
    status: PlanStatus
    revision: int
    labels_revision: int
    solved: bool


@dataclass(frozen=True)
class MoveRecord:
    """A change of cells in a plan's history, without the cells.

    Attributes
    ----------
    revision : int
        Of the plan, made by this change.
    kind : str
        ``move``, ``undo``, ``redo``, ``merge`` or ``rebase``.
    reverts : int or None
        The revision which an undo or redo took back.
    grids : list of dict
        From which grid to which how many: ``from``, ``to`` (codes; None for no grid), ``cells``.
    source : dict or None
        Where a merge took its cells from: ``plan``, ``revision``.
    """

    revision: int
    kind: str
    reverts: int | None
    actor: str
    reason: str | None
    recorded_at: datetime
    n_cells: int
    grids: list[dict[str, Any]]
    source: dict[str, Any] | None


@dataclass(frozen=True)
class RosterRecord:
    """One roster version, without its people."""

    territory: str
    r: int
    reason: str | None
    recorded_by: str
    valid_from: datetime
    recorded_at: datetime


@dataclass(frozen=True)
class PublicationRecord:
    """An immutable cell -> grid -> team of one territory and line.

    Attributes
    ----------
    effective_at : datetime
        From when on it counts.
    base_publication : int or None
        The publication its plan was made on.
    supersedes : int or None
        The scheduled publication it takes the place of.
    republishes : int or None
        The earlier publication which it brings back.
    scope : str or None
        Code of the parent whose grids alone it changes; None for all.
    transition_until : datetime or None
        Until then customers who moved may stay with their former owner.
    payload : bytes
        The packed publication; empty where a method says so.
    n, published_by, recorded_at
        Filled by the store.
    """

    territory: str
    plan: str
    tiling: str
    effective_at: datetime
    checksum: str
    payload: bytes = b""
    line: str = "base"
    level: str = "grid"
    parent: str | None = None
    meta: dict[str, Any] = field(default_factory=dict)
    customers_import: str | None = None
    base_publication: int | None = None
    supersedes: int | None = None
    republishes: int | None = None
    scope: str | None = None
    transition_until: datetime | None = None
    n: int = 0
    published_by: str = ""
    recorded_at: datetime = NEVER


@dataclass(frozen=True)
class JobRecord:
    """A piece of work done outside any request.

    Attributes
    ----------
    share : float
        0 to 1, how much is done.
    problem : mapping or None
        Why it failed.
    attempts : int
        How often a worker took it up.
    """

    id: str
    kind: str
    territory: str | None
    params: dict[str, Any]
    status: JobStatus
    share: float
    message: str
    result: Any
    problem: dict[str, Any] | None
    worker: str | None
    attempts: int
    cancel_requested_at: datetime | None
    created_by: str
    recorded_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    heartbeat: datetime | None


@dataclass(frozen=True)
class AuditRecord:
    """Who did what to which subject, and what it was before and after."""

    id: int
    recorded_at: datetime
    actor: str
    action: str
    subject: str
    before: Any
    after: Any
    reason: str | None
    request_id: str | None


@dataclass(frozen=True)
class Event:
    """Something that happened, for other systems; ids rise in the order of commits."""

    id: int
    recorded_at: datetime
    kind: str
    payload: Any


@dataclass(frozen=True, slots=True)
class Idempotency:
    """A request that may come twice and must count once.

    Attributes
    ----------
    key : str
        Chosen by the caller; its scope is the actor and the `route`.
    digest : str
        Of the request's body: the same key with another body is a mistake.
    """

    key: str
    digest: str
    route: str = ""


@dataclass(frozen=True)
class StoredResponse:
    """The answer once given to a request with an idempotency key."""

    status: int
    body: Any
    recorded_at: datetime
