"""Keys and callers as they are asked for and shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from api.door import Access
from api.schemas.common import Request

__all__ = ["KeyOut", "MadeKey", "MeOut", "NewKey", "SessionIn", "SignInOut"]

Word = Annotated[str, Field(min_length=1, max_length=100)]


class NewKey(Request):
    """A key which is to be made: with a role, or with scopes of its own."""

    name: Annotated[Word, Field(description="Who uses it; never given twice.", examples=["crm"])]
    role: Annotated[
        Word | None, Field(description="viewer, planner, approver, administrator or service.")
    ] = None
    scopes: Annotated[list[Word] | None, Field(max_length=100, description="Instead of a role.")] = None
    branches: Annotated[
        list[Word] | None,
        Field(max_length=1000, description="Territories it sees, or `TERRITORY/CODE`; all unless given."),
    ] = None
    expires_at: Annotated[datetime | None, Field(description="With an offset; never unless given.")] = None


class KeyOut(BaseModel):
    """A key, without its secret."""

    id: str
    name: str
    begins: str
    role: str | None
    scopes: list[str] | None
    branches: list[str] | None
    created_by: str
    recorded_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: Annotated[datetime | None, Field(description="When it was last used, within a minute.")]


class MadeKey(KeyOut):
    """A key as it was just made."""

    key: Annotated[str, Field(description="The key itself; it is not shown again.")]


class SessionIn(Request):
    """The key with which a browser signs in."""

    key: Annotated[str, Field(min_length=1, max_length=4000)]


class SignInOut(BaseModel):
    """How to sign in."""

    access: Access
    provider: Annotated[str | None, Field(description="Where the company's people sign in, if they do.")]


class MeOut(BaseModel):
    """Who asks, and what they may do."""

    actor: str
    access: Annotated[Access, Field(description="`open`: nobody has to sign in; `keys`: everybody has to.")]
    scopes: list[str]
    branches: Annotated[
        list[str] | None, Field(description="Territories they see, or parts of them; null: all.")
    ]
