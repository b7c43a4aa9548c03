"""Grids by their codes: as they are, as they were, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.deps import Caller, Db, PageLimit, Questions
from api.schemas.common import Page, Slug
from api.schemas.lineage import GridOut, GridTeam, StepOut, SuccessorOut
from gridsvc.errors import InvalidInput
from gridsvc.services import lineage
from gridsvc.services.desk import Asked
from gridsvc.services.lineage import Standing, Step, Successor

__all__ = ["router"]

router = APIRouter(prefix="/v1/grids", tags=["grids"])

Line = Annotated[str, Query(description="Line of business.")]


def _asked(
    territory: Annotated[
        Slug | None, Query(description="Required where several territories are published.")
    ] = None,
    line: Line = "base",
    as_of: Annotated[datetime | None, Query(description="With an offset; now if not given.")] = None,
    as_known: Annotated[datetime | None, Query(description="Answer as it was known at this time.")] = None,
) -> Asked:
    for name, time in (("as_of", as_of), ("as_known", as_known)):
        if time is not None and time.tzinfo is None:
            raise InvalidInput("a time without offset", field=name, cure="write 2026-12-01T00:00:00+08:00")
    return Asked(territory, line, as_of, as_known)


def _successors(found: Sequence[Successor]) -> list[SuccessorOut]:
    return [
        SuccessorOut(
            code=s.code,
            name=s.name,
            share=s.share,
            exact=str(s.exact),
            cells=s.cells,
            customers=s.customers,
        )
        for s in found
    ]


def _grid(found: Standing) -> GridOut:
    return GridOut(
        code=found.code,
        name=found.name,
        status="in-force" if found.alive else "ended",
        territory=found.territory,
        line=found.line,
        publication=found.publication,
        valid_from=found.valid_from,
        valid_to=found.valid_to,
        parent=found.parent,
        team=None if found.team is None else GridTeam(**found.team),
        carve_out=found.carve_out,
        cells=found.cells,
        fate=None if found.fate is None else found.fate.kind,
        ended=found.ended,
        last=found.last,
        how=found.how,
        successors=_successors(found.successors),
    )


@router.get("/{code}")
def get_grid(code: str, desk: Questions, who: Caller, asked: Annotated[Asked, Depends(_asked)]) -> GridOut:
    """A grid by its code as of a time; for one which has ended, who has its ground, in shares."""
    return _grid(lineage.resolve(desk, who, code, asked))


@router.get("/{code}/history")
def get_history(
    code: str,
    territory: Slug,
    db: Db,
    who: Caller,
    line: Line = "base",
    after: Annotated[int | None, Query(ge=0, lt=2**31, description="Go on above this publication.")] = None,
    limit: PageLimit = 100,
) -> Page[StepOut]:
    """What publications did to a grid code, oldest first; those which left it as it was are left out."""
    found = lineage.history(db, who, code, territory, line, after, limit)
    return Page(items=[_step(s) for s in found], next=str(found[-1].n) if len(found) == limit else None)


def _step(step: Step) -> StepOut:
    return StepOut(
        publication=step.n,
        follows=step.follows,
        effective_at=step.effective_at,
        status="in-force" if step.alive else "ended",
        fate=step.fate,
        name=step.name,
        successors=_successors(step.successors),
        origins=_successors(step.origins),
    )
