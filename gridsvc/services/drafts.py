"""Drafts of plans with what they stand on, as they lie in the store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import Conflict, InvalidInput, NotFound
from gridsvc.plans.old import Old
from gridsvc.plans.plan import Plan
from gridsvc.services.amounts import columns_of
from gridsvc.services.opening import Cells, Version, open_draft
from gridsvc.services.request import SolveRequest, request_from
from gridsvc.store.database import Reader
from gridsvc.store.records import MeasureRecord, PlanRecord
from gridsvc.tiling.tiling import Tiling

__all__ = ["Draft", "base_of", "draft", "old_plan", "request_of", "solved", "stamped", "with_freshness"]

_MEASURED = "measured_at"


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan with what it stands on."""

    record: PlanRecord
    tiling: Tiling
    measures: dict[str, MeasureRecord]

    @property
    def plan(self) -> Plan:
        """The plan as a value.

        Raises
        ------
        Conflict
            It has not been solved yet.
        """
        return solved(self.record)

    @property
    def columns(self) -> dict[str, NDArray[np.float64]]:
        """The cells' measures, and the scores the plan was made with: float64 arrays, shape (n_cells,)."""
        values = {name: measure.values for name, measure in self.measures.items()}
        return columns_of(values, request_of(self.record))

    @property
    def balanced(self) -> dict[str, NDArray[np.float64]]:
        """Those of `columns` which the plan balances."""
        columns = self.columns
        return {name: columns[name] for name, _ in request_of(self.record).balanced}


def solved(record: PlanRecord) -> Plan:
    """The plan of a record as a value.

    Raises
    ------
    Conflict
        It has not been solved yet.
    """
    if record.labels is None:
        raise Conflict("the plan is not solved yet", cure="wait for its job to be done", plan=record.id)
    return Plan(record.labels, record.grids, record.carve_outs)


def old_plan(reader: Reader, plan: str, tiling: str) -> Old:
    """A plan of the tiling as the one to realign.

    Raises
    ------
    InvalidInput
        There is none of that id, it has another tiling, or it is not solved yet.
    """
    try:
        record = reader.plans.get(plan)
    except NotFound:
        raise InvalidInput(
            f"there is no plan {plan!r}", field="from_plan", cure="name a solved plan of this tiling"
        ) from None
    if record.tiling != tiling or record.labels is None:
        what = "has another tiling" if record.tiling != tiling else "is not solved yet"
        raise InvalidInput(
            f"plan {plan!r} {what}", field="from_plan", cure="name a solved plan of this tiling"
        )
    return Old(solved(record))


def request_of(record: PlanRecord, old: Old | None = None) -> SolveRequest:
    """The request a plan was made by; `old` is the plan it was realigned from, where that matters."""
    return request_from(record.params, record.seed or 0, old)


def draft(reader: Reader, plan: str) -> Draft:
    """A plan with its tiling and measures, from one read transaction; its report tells what it is now."""
    record = reader.plans.get(plan)
    tiling, measures = reader.tilings.load(record.tiling), reader.tilings.measures(record.tiling)
    if (labels := reader.moves.labels(plan)) is not None and reader.moves.any(plan):
        head, stored = reader.moves.head(plan), (labels, *reader.moves.grids(plan))
        opened = open_draft(head, record, stored, Cells(tiling), measures, Version(head.labels_revision, ()))
        record = replace(record, report=opened.report(record.report))
    return Draft(record, tiling, measures)


def stamped(report: Mapping[str, Any], measures: Mapping[str, MeasureRecord]) -> dict[str, Any]:
    """A report which says of what time the measures are it was made with."""
    return {**report, _MEASURED: {name: measure.as_of.isoformat() for name, measure in measures.items()}}


def with_freshness(report: Mapping[str, Any], now: Mapping[str, datetime]) -> dict[str, Any]:
    """A report which says of each measure of what time it was when the plan was made, and of what it is now.

    Reports of plans made by older versions do not tell with what.
    """
    then = {name: datetime.fromisoformat(time) for name, time in report.get(_MEASURED, {}).items()}
    names = sorted(then.keys() | now.keys())
    fresh = {name: {"solved_with": then.get(name), "now": now.get(name)} for name in names}
    return {**{name: v for name, v in report.items() if name != _MEASURED}, "freshness": fresh}


def base_of(reader: Reader, territory: str, line: str, source: str | None = None) -> int | None:
    """The publication a new plan of a territory and line is made on; None where there is none yet.

    Parameters
    ----------
    source : str or None
        The plan it is made from: the new one stands on what that one was published as, or stands on.
    """
    if source is not None and (record := reader.plans.get(source)).line == line:
        return reader.publications.made_of(source, territory, line) or record.base_publication
    newest = reader.publications.newest(territory, line)
    return None if newest is None else newest.n
