"""Signing in at the company's provider."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Cookie, Request, Response
from fastapi.responses import RedirectResponse

from api.deps import Db, current_app
from api.door import COOKIE
from api.schemas.identity import SignInOut
from gridsvc.errors import NotFound
from gridsvc.identity import CALLBACK
from gridsvc.services import sessions
from gridsvc.services.keyring import SOON

if TYPE_CHECKING:
    from gridsvc.openid.company import Company
    from gridsvc.openid.login import SignIn

__all__ = ["router"]

router = APIRouter(prefix="/v1/session", tags=["identity"])

_ATTEMPT = "gridsvc_attempt"
_MINUTES = 10


@router.get("")
def get_sign_in(request: Request) -> SignInOut:
    """How to sign in: with a key, or at the company's provider as well."""
    app = current_app(request)
    company = app.company if app.company is not None and app.company.sign_in is not None else None
    return SignInOut(access=app.door.access, provider=None if company is None else company.issuer)


@router.get("/begin", status_code=303, response_class=RedirectResponse)
def begin_sign_in(request: Request) -> Response:
    """Lead a browser to the company's provider."""
    _, flow = _company(request)
    address, kept = flow.begin()
    answer = RedirectResponse(address, 303, {"Cache-Control": "no-store"})
    answer.set_cookie(
        _ATTEMPT,
        kept,
        max_age=60 * _MINUTES,
        path=CALLBACK,
        httponly=True,
        samesite="lax",  # it is to come along when the provider sends the browser back
        secure=flow.secure,
    )
    return answer


@router.get("/callback", status_code=303, response_class=RedirectResponse)
def finish_sign_in(
    request: Request, db: Db, gridsvc_attempt: Annotated[str, Cookie(include_in_schema=False)] = ""
) -> Response:
    """Take a browser back from the company's provider, and lead it to the page."""
    company, flow = _company(request)
    person = flow.finish(gridsvc_attempt, request.query_params)
    shown = sessions.begin(db, company.principal(person), company.hours)
    time.sleep(SOON)  # by then no worker's latest look at the keys is older than this one
    answer = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
    answer.delete_cookie(_ATTEMPT, path=CALLBACK, httponly=True, samesite="lax", secure=flow.secure)
    answer.set_cookie(COOKIE, shown, httponly=True, samesite="strict", secure=flow.secure)
    return answer


def _company(request: Request) -> tuple[Company, SignIn]:
    company = current_app(request).company
    if company is None or company.sign_in is None:
        raise NotFound("nobody signs in at a provider here", cure="sign in with a key")
    return company, company.sign_in
