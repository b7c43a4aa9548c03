"""What changed between two publications or rosters."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.deps import Caller, PageLimit, Questions
from api.schemas.changes import ChangesOut
from api.schemas.common import Slug
from api.streams import Pieces, WantedForm, described
from gridsvc.errors import InvalidInput
from gridsvc.exchange.streams import stream_rows
from gridsvc.services import changes
from gridsvc.services.changes import ChangeKind, ChangePage, Wanted

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["changes"])

_FORMS = described("what changed: its members or columns depend on `kind`")

From = Annotated[
    int | None,
    Query(alias="from", ge=1, lt=2**31, description="Publication (or roster) you know; not with `after`."),
]
To = Annotated[
    int | None,
    Query(alias="to", ge=1, lt=2**31, description="Publication (or roster) to get to; else that in force."),
]


FromAt = Annotated[
    str | None,
    Query(
        alias="from_at",
        max_length=40,
        description="Of rosters: the moment up to which you know the leads, such as `to_at` of your last"
        " answer; else those whom the clock alone changed are left out.",
    ),
]
ToAt = Annotated[
    str | None,
    Query(
        alias="to_at",
        max_length=40,
        description="Of rosters: the moment as of which the leads are told; else now.",
    ),
]


@router.get("/changes", response_model=ChangesOut, responses=_FORMS)
def get_changes(
    territory: Slug,
    desk: Questions,
    who: Caller,
    form: WantedForm,
    before: From = None,
    to: To = None,
    before_at: FromAt = None,
    after_at: ToAt = None,
    kind: ChangeKind = "cell",
    line: Annotated[str, Query(min_length=1, max_length=100)] = "base",
    after: Annotated[
        str | None, Query(max_length=200, description="`next` of the page before; JSON only.")
    ] = None,
    limit: PageLimit = 100,
) -> Any:
    """What changed between two publications: cells, customers (own scope) or, by roster, people (own scope).

    A page of JSON holds on to its pair of publications, or all rows come as a stream.
    """
    wanted = Wanted(territory, kind, line, before, to, before_at, after_at)
    if form == "json":
        return _page(wanted, changes.page(desk, who, wanted, after, limit))
    if after is not None:
        raise InvalidInput("a stream has no pages", field="after", cure="leave it out, or ask for JSON")
    found = changes.find(desk, who, wanted)
    name = f"{territory}-{line}-{kind}-{found.before}-{found.after}"
    return Pieces(stream_rows(form, found.columns, found.chunks()), form, name, _nothing)


def _page(wanted: Wanted, page: ChangePage) -> ChangesOut:
    found = page.found
    return ChangesOut(
        territory=wanted.territory,
        line=wanted.line,
        kind=wanted.kind,
        before=found.before,
        after=found.after,
        before_at=found.before_at,
        after_at=found.after_at,
        total=found.size,
        items=[dict(zip(found.columns, row, strict=True)) for row in page.rows],
        next=page.next,
    )


def _nothing() -> None:
    """All was read before the first byte."""
