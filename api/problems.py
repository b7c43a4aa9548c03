"""Errors as RFC 9457 problem details; the only place which knows HTTP statuses of errors."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from gridsvc import correlation, errors
from gridsvc.outages import disk_fault

__all__ = ["MEDIA_TYPE", "RESPONSES", "STATUS", "Problem", "describe", "install", "problem", "problem_of"]

MEDIA_TYPE = "application/problem+json"

STATUS: dict[str, int] = {
    errors.GridsvcError.code: 500,
    errors.InvalidInput.code: 422,
    errors.UnreadableFile.code: 422,
    errors.UnknownColumn.code: 422,
    errors.InvalidGeometry.code: 422,
    errors.InvalidCoordinate.code: 422,
    errors.UnknownForm.code: 415,
    errors.TooLarge.code: 413,
    errors.NotFound.code: 404,
    errors.OutsideTerritory.code: 404,
    errors.UnknownCustomer.code: 404,
    errors.NotYetInForce.code: 404,
    errors.Gone.code: 410,
    errors.Conflict.code: 409,
    errors.StaleRevision.code: 412,
    errors.StaleBase.code: 409,
    errors.StaleRead.code: 409,
    errors.GateClosed.code: 409,
    errors.PreconditionMissing.code: 428,
    errors.Unauthenticated.code: 401,
    errors.Forbidden.code: 403,
    errors.TooManyRequests.code: 429,
    errors.OutOfService.code: 503,
    errors.Infeasible.code: 422,
    errors.Cancelled.code: 409,
}
"""Error code -> HTTP status."""

_log = logging.getLogger("gridsvc.api")


class Problem(BaseModel):
    """An error as RFC 9457 describes it; some kinds have further members."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    source: str | None = None
    row: int | None = None
    field: str | None = None
    cure: str | None = None
    request_id: str | None = None


RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "An error, as RFC 9457 problem details",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}
"""What every operation may answer besides its own results."""


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the form of problems; FastAPI lists forms of JSON answers only."""
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = schema
    return document


_OWN_MEMBERS = {"code", *Problem.model_fields}


def problem(status: int, code: str, detail: str, **members: Any) -> Response:
    """Build a problem document."""
    members["request_id"] = correlation.current()
    body = {
        "type": f"urn:gridsvc:problem:{code}",
        "title": code.replace("-", " ").capitalize(),
        "status": status,
        "detail": detail,
        **{name: value for name, value in members.items() if value is not None},
    }
    return Response(orjson.dumps(body), status, media_type=MEDIA_TYPE)


_OPTION_WITH_VALUE = re.compile(r"--(lon|lat|crs|missing|min-placed|islands) (?!and\b|or\b|the\b)([\w.:%-]+)")
_OPTION = re.compile(r"--([a-z][a-z-]*)")


def _in_http(text: str | None) -> str | None:
    """The library words its cures for the command line; a request has fields instead of options."""
    if text is None:
        return None
    named = _OPTION_WITH_VALUE.sub(lambda m: f"{m[1].replace('-', '_')}={m[2]}", text)
    return _OPTION.sub(lambda m: m[1].replace("-", "_"), named)


def problem_of(error: errors.GridsvcError) -> Response:
    """Turn an error of the library into its problem document."""
    response = problem(
        STATUS[error.code],
        error.code,
        _in_http(error.message) or "",
        source=error.source,
        row=error.row,
        field=_in_http(error.field),
        cure=_in_http(error.cure),
        **{_member(name): _details_in_http(value) for name, value in error.details.items()},
    )
    if STATUS[error.code] == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="gridsvc"'
    if "retry_after" in error.details:
        response.headers["Retry-After"] = str(error.details["retry_after"])
    return response


def _member(name: str) -> str:
    """What a detail is called in a problem document, whose own members have their meaning."""
    return f"actual_{name}" if name in _OWN_MEMBERS else name


def _details_in_http(value: Any) -> Any:
    if isinstance(value, str):
        return _in_http(value)
    if isinstance(value, dict):
        return {name: _details_in_http(inner) for name, inner in value.items()}
    return [_details_in_http(inner) for inner in value] if isinstance(value, list) else value


def _known(_: Request, error: Exception) -> Response:
    assert isinstance(error, errors.GridsvcError)  # noqa: S101 - registered for this type only
    return problem_of(error)


def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    phrase = HTTPStatus(error.status_code).phrase
    cure = "see /docs for the paths and methods there are"
    response = problem(error.status_code, phrase.lower().replace(" ", "-"), str(error.detail), cure=cure)
    response.headers.update(error.headers or {})
    return response


def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
    faults = [
        {
            "field": ".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0]),
            "message": fault["msg"],
        }
        for fault in error.errors()
    ]
    first = faults[0]
    return problem(
        422,
        errors.InvalidInput.code,
        f"{first['field']}: {first['message']}",
        field=first["field"],
        faults=faults,
        cure="correct the fields listed; /docs shows their form",
    )


def _gone(_: Request, __: Exception) -> Response:
    return problem(400, "bad-request", "The connection ended before the body did.")  # nobody reads it


def _bug(request: Request, error: Exception) -> Response:
    route = request.scope.get("route")
    _log.error("unexpected error in %s", getattr(route, "path", "an unknown route"), exc_info=error)
    return problem(500, "internal-error", "The service failed; nothing was changed. The log has the reason.")


def _disk(request: Request, error: Exception) -> Response:
    found = disk_fault(error) if isinstance(error, OSError) else None
    return _bug(request, error) if found is None else problem_of(found)


def install(app: FastAPI) -> None:
    """Let `app` answer every error with a problem document."""
    app.add_exception_handler(errors.GridsvcError, _known)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(OSError, _disk)
    app.add_exception_handler(Exception, _bug)
