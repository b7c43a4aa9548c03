"""Who asks; signing in with a browser; and the keys by which callers are known."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.deps import Caller, Db, PageLimit, current_app
from api.door import COOKIE
from api.schemas.common import Page
from api.schemas.identity import KeyOut, MadeKey, MeOut, NewKey, SessionIn
from gridsvc.errors import Conflict
from gridsvc.principal import Principal
from gridsvc.services import keys, sessions
from gridsvc.services.keys import Wanted
from gridsvc.store.keys import KeyRecord

__all__ = ["router"]

router = APIRouter(prefix="/v1", tags=["identity"])


def _me(request: Request, who: Principal) -> MeOut:
    branches = None if who.branches is None else sorted(who.branches)
    access = current_app(request).door.access
    return MeOut(actor=who.actor, access=access, scopes=sorted(who.scopes), branches=branches)


@router.get("/me")
async def get_me(request: Request, who: Caller) -> MeOut:
    """Who asks, and what they may do."""
    return _me(request, who)


@router.post("/session")
async def sign_in(body: SessionIn, request: Request, response: Response) -> MeOut:
    """Let a browser use a key, kept in a cookie out of reach of scripts, until the browser is closed."""
    door = current_app(request).door
    if door.access == "open":
        raise Conflict("nobody has to sign in here", cure="ask as you are")
    known = await door.knows(body.key.strip())
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, body.key.strip(), httponly=True, samesite="strict", secure=secure)
    response.headers["Cache-Control"] = "no-store"
    return _me(request, known.principal)


@router.delete("/session", status_code=204)
def sign_out(request: Request, response: Response, db: Db) -> None:
    """Let the browser forget its key; a session begun at the company's provider is over everywhere."""
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    sessions.end(db, request.cookies.get(COOKIE, ""))


def _out(record: KeyRecord) -> KeyOut:
    return KeyOut(**{name: value for name, value in asdict(record).items() if name != "digest"})


@router.post("/keys", status_code=201)
def create_key(body: NewKey, response: Response, db: Db, who: Caller) -> MadeKey:
    """Make a key; it is shown this once. As names are never given twice, a repetition makes no second one."""
    response.headers["Cache-Control"] = "no-store"
    record, key = keys.create(db, who, Wanted(**body.model_dump()))
    return MadeKey(**_out(record).model_dump(), key=key)


@router.get("/keys")
def list_keys(
    db: Db,
    who: Caller,
    after: Annotated[str | None, Query(description="Go on behind this id.")] = None,
    limit: PageLimit = 100,
) -> Page[KeyOut]:
    """Keys in the order they were made, with those that are good no more."""
    found = keys.listing(db, who, after, limit)
    return Page(items=[_out(record) for record in found], next=found[-1].id if len(found) == limit else None)


@router.delete("/keys/{key}")
def revoke_key(key: str, db: Db, who: Caller) -> KeyOut:
    """Let a key, by id or name, be good no more: within a second nothing takes it."""
    return _out(keys.revoke(db, who, key))
