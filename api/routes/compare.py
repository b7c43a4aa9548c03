"""Two plans side by side: the realignment report, for programs, for spreadsheets and to print."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Path, Query
from fastapi.responses import Response

from api.deps import Caller, Db, Language
from api.reports import TYPES, Form
from gridsvc.exchange.comparison import page, sheets
from gridsvc.services import compare

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["plans"])


@router.get(
    "/plans/{plan}/compare/{other}",
    response_class=Response,
    responses={
        200: {
            "description": "The realignment report",
            "content": {kind: {} for kind in TYPES.values()},
        },
        304: {"description": "Nothing has changed since the ETag in If-None-Match"},
    },
)
def compare_plans(
    plan: Annotated[str, Path(description="The plan as it is to be.")],
    other: Annotated[
        str,
        Path(description="What it is compared with: a plan, or `publication:n` of its territory and line."),
    ],
    db: Db,
    who: Caller,
    lang: Language,
    form: Form,
    cells: Annotated[
        bool, Query(description="List the moved cells, too (JSON; a workbook has them).")
    ] = False,
    bom: Annotated[bool, Query(description="Begin a CSV with the mark by which Excel knows UTF-8.")] = False,
    if_none_match: Annotated[str, Header()] = "",
) -> Response:
    """What goes from whom to whom from `other` to the plan: cells, customers and each measure."""
    tag_of = _tags(form, lang, cells, bom)
    state, report = compare.realignment(
        db, who, plan, other, lambda state: tag_of(state).removeprefix("W/") in if_none_match
    )
    headers = {"ETag": tag_of(state), "Vary": "Accept, Accept-Language"}
    if report is None:
        return Response(status_code=304, headers=headers)
    if form == "html":
        return Response(
            page.page(report, lang),
            media_type="text/html",
            headers={**headers, "Content-Security-Policy": page.POLICY, "Content-Language": lang},
        )
    body: dict[str, Callable[[], bytes | str]] = {
        "json": lambda: orjson.dumps(report.document(cells=cells)),
        "csv": lambda: sheets.csv_text(report, bom=bom),
        "xlsx": lambda: sheets.workbook(report, lang),
    }
    if form != "json":
        name = f"{plan}-{other.replace(':', '-')}.{form}"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(body[form](), media_type=TYPES[form], headers=headers)


def _tags(*form: Any) -> Callable[[str], str]:
    """Entity tags of states; weak, since a report also says when it was made."""

    def tag(state: str) -> str:
        return f'W/"{hashlib.sha256(repr((state, form)).encode()).hexdigest()[:24]}"'

    return tag
