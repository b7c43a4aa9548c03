"""What can be said against a request before its cells are loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gridsvc.errors import InvalidInput
from gridsvc.plans.goals import goals_of
from gridsvc.services.request import SolveRequest

__all__ = ["check_request"]


def check_request(request: SolveRequest, measures: Mapping[str, Any], cells: int) -> None:
    """Refuse a request which names no measure of the tiling, or asks for too many grids.

    Parameters
    ----------
    measures : mapping by name
        Those of the tiling.
    cells : int
        Their number.

    Raises
    ------
    InvalidInput
    """
    scores = {score.name: score for score in request.scores}
    for position, (name, _) in enumerate(request.balanced, 1):
        if name not in measures and name not in scores:
            raise _no_measure(name, "measures", position, measures)
        if name in dict(request.balanced[: position - 1]):
            raise InvalidInput(f"{name!r} stands twice", field="measures", row=position, cure="name it once")
    for position, score in enumerate(request.scores, 1):
        if score.name in measures:
            cure = "give the score another name"
            raise InvalidInput(f"there is a measure {score.name!r} already", field="score", cure=cure)
        for column, _ in score.parts:
            if column not in measures:
                raise _no_measure(column, "score", position, measures)
    if request.grids is not None and request.grids > cells:
        raise InvalidInput(
            f"{request.grids} grids asked for but there are only {cells} cells",
            field="grids",
            cure="ask for fewer grids or use a finer tiling",
        )
    if request.targets is not None:
        rows = len(goals_of(request.targets, [name for name, _ in request.balanced]).grids)
        if request.grids not in {None, rows}:
            said = f"{request.grids} grids asked for but the targets have {rows} rows"
            raise InvalidInput(said, field="grids", cure=f"ask for {rows} or auto")
    if request.grids is None and not _tells_grids(request):
        raise InvalidInput(
            "the number of grids can be taken from districts, a capacity, targets or an old plan only",
            field="grids",
            cure="give a number, nest_in, a capacity, targets or from_plan",
        )


def _tells_grids(request: SolveRequest) -> bool:
    return bool(request.nest_in or request.capacity or request.targets or request.former)


def _no_measure(name: str, field: str, row: int, there: Iterable[str]) -> InvalidInput:
    return InvalidInput(
        f"no measure {name!r} on this tiling",
        field=field,
        row=row,
        cure=f"there are {', '.join(there) or 'none: import customers first'}",
    )
