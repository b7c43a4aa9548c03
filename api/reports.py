"""Reports in the form a caller likes best: JSON, CSV, a workbook or a page."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from fastapi import Depends, Header, Query
from fastapi.responses import Response

__all__ = ["RESPONSES", "TYPES", "Form", "Format", "rendered"]

Format = Literal["json", "csv", "xlsx", "html"]

TYPES: dict[Format, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html",
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "The report", "content": {kind: {} for kind in TYPES.values()}}
}


def _accepted(accept: str) -> Format:
    """The form an Accept header likes best; JSON where it does not say."""
    liked: dict[str, float] = {}
    for part in accept.lower().split(","):
        kind, *options = (text.strip() for text in part.split(";"))
        weight = next((text[2:] for text in options if text.startswith("q=")), "1")
        liked[kind] = float(weight) if weight.replace(".", "", 1).isdigit() else 0.0

    def liking(form: Format) -> float:
        kind = TYPES[form]
        return liked.get(kind, liked.get(f"{kind.split('/')[0]}/*", liked.get("*/*", 0.0)))

    return max(TYPES, key=liking)  # the first of equals: JSON


def _form(
    form: Annotated[
        Format | None, Query(alias="format", description="Else by Accept; JSON unless it says otherwise.")
    ] = None,
    accept: Annotated[str, Header()] = "*/*",
) -> Format:
    return form or _accepted(accept)


Form = Annotated[Format, Depends(_form)]


def rendered(
    form: Format,
    makers: Mapping[Format, Callable[[], bytes | str]],
    name: str,
    lang: str,
    policy: str,
    *,
    state: bytes | None = None,
    seen: str = "",
) -> Response:
    """The report in a form; a page comes with its policy, files with a name.

    Parameters
    ----------
    state : bytes or None
        What the report says but for the moment it was made at; its digest is a weak tag.
    seen : str
        The tags which the caller has: 304 where that of the state is among them.
    """
    headers = {"Vary": "Accept, Accept-Language"}
    if state is not None:
        tag = hashlib.sha256(b"%s %s " % (form.encode(), lang.encode()) + state).hexdigest()[:32]
        headers |= {"ETag": f'W/"{tag}"', "Cache-Control": "no-cache"}
        if f'"{tag}"' in seen:
            return Response(status_code=304, headers=headers)
    if form == "html":
        headers |= {"Content-Security-Policy": policy, "Content-Language": lang}
    elif form != "json":
        headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return Response(makers[form](), media_type=TYPES[form], headers=headers)
