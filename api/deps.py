"""What routes are handed: the database, the caller, preconditions."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Header, Query, Request
from pydantic import BeforeValidator

from api.access import ACCESS, IN_PART, KNOWN, PUBLIC
from api.counting import Front, Routes
from api.door import SAFE, Door
from api.feed import Feed
from api.numbers import NUMBER
from gridsvc.compute import Work
from gridsvc.config import Settings
from gridsvc.errors import Forbidden, GridsvcError, InvalidInput, PreconditionMissing
from gridsvc.ownership.answer import Lang
from gridsvc.principal import NOBODY, Principal
from gridsvc.services.desk import Desk
from gridsvc.store.database import Database
from gridsvc.store.records import Idempotency
from gridsvc.supervisor import Supervisor

if TYPE_CHECKING:
    from gridsvc.openid.company import Company

__all__ = [
    "App",
    "Batches",
    "Caller",
    "Db",
    "Degrees",
    "IfMatch",
    "Key",
    "KeyHeader",
    "Language",
    "PageLimit",
    "Questions",
    "Small",
    "caller",
    "current_app",
    "etag",
    "revision_of",
]


@dataclass(frozen=True, slots=True)
class App:
    """What the running service owns; `stopping` is set once it is told to end."""

    settings: Settings
    database: Database
    desk: Desk
    work: Work
    supervisor: Supervisor
    feed: Feed
    door: Door
    front: Front
    routes: Routes
    stopping: Event
    company: Company | None


def current_app(request: Request) -> App:
    """The running service's belongings."""
    app: App = request.app.state.gridsvc
    return app


def _database(request: Request) -> Database:
    return current_app(request).database


Db = Annotated[Database, Depends(_database)]


def _small(request: Request) -> int:
    return current_app(request).settings.small_count


Small = Annotated[int, Depends(_small)]
"""Numbers of customers below this are kept back from who may not see customers."""


def _desk(request: Request) -> Desk:
    return current_app(request).desk


Questions = Annotated[Desk, Depends(_desk)]


def _work(request: Request) -> Work:
    return current_app(request).work


Batches = Annotated[Work, Depends(_work)]


async def caller(request: Request) -> Principal:
    """Who asks, and may use this route.

    Raises
    ------
    Unauthenticated
        Nobody we know, and the route is not public.
    Forbidden
        They do not hold the route's scope, or see parts of territories only on one which tells of the whole;
        or a page from elsewhere asks.
    """
    operation = f"{request.method} {request.scope['route'].path_format}"
    scope = ACCESS[operation]
    who: Principal | GridsvcError = request.state.who
    if isinstance(who, Principal):
        if scope not in (PUBLIC, KNOWN):
            who.require(scope)
        return who if operation in IN_PART or scope == PUBLIC else who.of_whole_territories()
    if scope != PUBLIC or (isinstance(who, Forbidden) and request.method not in SAFE):
        raise who
    return NOBODY


Caller = Annotated[Principal, Depends(caller)]
"""Who asks; the application asks for one on every route, and `api.access.ACCESS` says what they must hold."""


def etag(revision: int) -> str:
    """The entity tag of a plan at `revision`."""
    return f'"{revision}"'


def _if_match(if_match: Annotated[str | None, Header()] = None) -> int:
    if if_match is None:
        raise PreconditionMissing(
            "this changes a whole plan",
            field="If-Match",
            cure="send the ETag of the plan you have seen as If-Match",
        )
    return revision_of(if_match)


def revision_of(tag: str) -> int:
    """The revision an entity tag stands for.

    Raises
    ------
    InvalidInput
        It is none of a plan.
    """
    try:
        return int(tag.strip().removeprefix("W/").strip('"'))
    except ValueError:
        raise InvalidInput(
            "not an entity tag of a plan", field="If-Match", cure='send it as received, such as "3"'
        ) from None


IfMatch = Annotated[int, Depends(_if_match)]


KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=255,
        description="Repeat a request safely: the first answer is given again.",
    ),
]


async def _idempotency(request: Request, key: KeyHeader = None) -> Idempotency | None:
    if key is None:
        return None
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    digest.update(await request.body())
    return Idempotency(key, digest.hexdigest())


Key = Annotated[Idempotency | None, Depends(_idempotency)]


def _language(
    lang: Annotated[Lang | None, Query(description="Language of sentences; else by Accept-Language.")] = None,
    accept_language: Annotated[str, Header()] = "en",
) -> Lang:
    if lang is not None:
        return lang
    return "zh" if accept_language.strip().lower().startswith("zh") else "en"


Language = Annotated[Lang, Depends(_language)]


def _plain_number(value: object) -> object:
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        raise ValueError("give decimal degrees such as 28.6")
    return value


Degrees = Annotated[float, BeforeValidator(_plain_number)]
"""A coordinate in a query: plain ASCII decimal digits only."""

PageLimit = Annotated[int, Query(ge=1, le=1000, description="Rows a page.")]
