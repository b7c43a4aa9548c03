"""What may go wrong between a client and the service, as errors of `gridsvc.errors`.

::

    GridsvcError
    ├── (all of gridsvc.errors)     the service said no; `details` has status, type and what else it said
    ├── Unavailable                 it cannot be reached, or asks to wait
    └── UnexpectedAnswer            what came back is no answer of this service
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import httpx
import orjson

from gridsvc import errors
from gridsvc.errors import GridsvcError

__all__ = ["Unavailable", "UnexpectedAnswer", "broken", "document_of", "refusal"]

_PREFIX = "urn:gridsvc:problem:"
_BUSY = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_FAMILIES: dict[int, type[GridsvcError]] = {
    HTTPStatus.UNAUTHORIZED: errors.Forbidden,
    HTTPStatus.FORBIDDEN: errors.Forbidden,
    HTTPStatus.NOT_FOUND: errors.NotFound,
    HTTPStatus.CONFLICT: errors.Conflict,
    HTTPStatus.PRECONDITION_FAILED: errors.StaleRevision,
    HTTPStatus.PRECONDITION_REQUIRED: errors.PreconditionMissing,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: errors.TooLarge,
    HTTPStatus.UNPROCESSABLE_ENTITY: errors.InvalidInput,
}
_KINDS: dict[str, type[GridsvcError]] = {
    kind.code: kind
    for kind in (getattr(errors, name) for name in errors.__all__)
    if isinstance(kind, type) and issubclass(kind, GridsvcError)
}
_OWN = ("source", "row", "field", "cure")
_TAKEN = {"self", "message", "detail", "title", *_OWN}


class Unavailable(GridsvcError, ConnectionError):
    """The service cannot be reached, or asks to be left alone for a while."""

    code = "unavailable"


class UnexpectedAnswer(GridsvcError):
    """What came back is no answer of this service: a proxy's page, or a version of another kind."""

    code = "unexpected-answer"


def refusal(response: httpx.Response) -> GridsvcError:
    """The error for an answer which is none; its body must have been read.

    A problem document (RFC 9457) gives the class of its type, or that of its status where the type is not
    known here. `details` has ``status``, ``type`` and the problem's further members.
    """
    problem = _problem(response)
    status = response.status_code
    if problem is None:
        if status in _BUSY:
            return Unavailable(
                f"the service answers {status}", cure="try again later", status=status, type="about:blank"
            )
        return UnexpectedAnswer(
            f"the answer has status {status} and is no problem document",
            cure="check the address, and what stands between",
            status=status,
        )
    kind = Unavailable if status in _BUSY else _kind(str(problem.get("type", "")), status)
    more = {str(name): value for name, value in problem.items() if name not in _TAKEN}
    own = {name: problem[name] for name in _OWN if problem.get(name) is not None}
    text = str(problem.get("detail") or problem.get("title") or f"status {status}")
    return kind(text, **own, **{**more, "status": status})


def broken(fault: httpx.HTTPError) -> Unavailable:
    """The error for a connection which failed."""
    if isinstance(fault, httpx.ConnectError):
        return Unavailable("the service cannot be reached", cure="check its address, or try again later")
    if isinstance(fault, httpx.TimeoutException):
        return Unavailable("the service did not answer in time", cure="try again, or allow it more time")
    return Unavailable("the connection broke off", cure="try again")


def document_of(response: httpx.Response) -> Any:
    """The JSON of an answer.

    Raises
    ------
    UnexpectedAnswer
    """
    try:
        return orjson.loads(response.content)
    except orjson.JSONDecodeError:
        raise UnexpectedAnswer("the answer is not JSON", cure="check the address") from None


def _problem(response: httpx.Response) -> dict[str, Any] | None:
    if not response.headers.get("content-type", "").startswith("application/problem+json"):
        return None
    try:
        document = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None


def _kind(name: str, status: int) -> type[GridsvcError]:
    known = _KINDS.get(name.removeprefix(_PREFIX))
    if known is not None:
        return known
    invalid = errors.InvalidInput if status < HTTPStatus.INTERNAL_SERVER_ERROR else GridsvcError
    return _FAMILIES.get(status, invalid)
