"""Measures which plans are made of: no import takes one away, for no figure could be told then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gridsvc.customers.measures import MeasureSpec
from gridsvc.errors import InvalidInput
from gridsvc.services.drafts import request_of
from gridsvc.store.database import Reader
from gridsvc.store.records import PlanRecord

__all__ = ["require_kept"]

_PAGE = 500


def require_kept(reader: Reader, territory: str, tiling: str, brought: Sequence[MeasureSpec]) -> None:
    """Make sure that an import into a tiling brings each measure of the one before which a plan needs.

    Raises
    ------
    InvalidInput
        It lacks one; the error names the plan, and how the measure was made before.
    """
    kept = {spec.name for spec in brought}
    live = [record for record in reader.customers.live_imports(territory) if record.tiling == tiling]
    before = {
        name: measure.spec
        for record in live
        for name, measure in reader.tilings.imported_measures(tiling, record.id).items()
        if name not in kept
    }
    if not before:
        return
    for plan in _plans(reader, territory):
        lost = sorted(_needed(plan) & before.keys()) if plan.tiling == tiling else []
        if lost:
            raise InvalidInput(
                f"the import lacks {lost[0]!r}, which plan {plan.name or plan.id!r} on these cells needs",
                field="measure",
                cure=f"add measure {before[lost[0]]}, or cut the territory anew and import there",
                plan=plan.id,
                measures=lost,
            )


def _plans(reader: Reader, territory: str) -> Iterator[PlanRecord]:
    after = None
    while page := reader.plans.list(territory, after, _PAGE):
        yield from page
        after = page[-1].id


def _needed(plan: PlanRecord) -> set[str]:
    """What a plan balances, and what its scores are made of."""
    request = request_of(plan)
    scores = {score.name for score in request.scores}
    parts = {column for score in request.scores for column, _ in score.parts}
    return {name for name, _ in request.balanced if name not in scores} | parts
