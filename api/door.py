"""Who asks: told from a request's headers, before anything else of it is read."""

from __future__ import annotations

import binascii
import time
from base64 import b64decode
from collections.abc import Collection, Sequence
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import Scope

from gridsvc.errors import Forbidden, Unauthenticated
from gridsvc.identity import Authenticator, Known
from gridsvc.principal import LOCAL, Principal

__all__ = ["COOKIE", "SAFE", "Access", "Door"]

Access = Literal["open", "keys"]

COOKIE = "gridsvc_key"
"""Holds a browser's key, out of reach of scripts."""

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods which change nothing."""

_BEARER = b"Bearer "
_BASIC = b"Basic "
_MOST = 10_000


class Door:
    """Lets callers in.

    Where it is open everybody is the local operator, and requests must name this machine: a page from
    elsewhere, whose name was made to lead here, is refused. Otherwise callers show a token in the header
    ``Authorization``, also as the password of any name (Basic), which is what some programs can send; or in a
    cookie which pages of other origins cannot use.

    Parameters
    ----------
    access : {"open", "keys"}
    hosts : str
        Names under which an open service is reached, with commas between them.
    origins : collection of str
        Whose pages may ask; what the browser has of ours is taken from none of them.
    """

    def __init__(self, access: Access, hosts: str = "", origins: Collection[str] = ()) -> None:
        self.access = access
        self._origins = frozenset(origins)
        self._open = access == "open"
        self._hosts = {name.strip().lower() for name in hosts.split(",")} - {""}
        self._authenticators: tuple[Authenticator, ...] = ()
        self._known: dict[bytes, Known] = {}
        self._admitted: set[bytes] = set()

    def ask(self, authenticators: Sequence[Authenticator]) -> None:
        """Let these say who shows a token; whatever others said counts no more."""
        self._authenticators = tuple(authenticators)
        self.forget()

    def forget(self) -> None:
        """Ask again about each token: one may be good no more."""
        self._known = {}

    def quick(self, authorization: bytes, host: bytes) -> Principal | None:
        """Who asks, if that is known already; for lookups, which wait for nothing."""
        if self._open:
            return LOCAL if host in self._admitted or self._admits(host.decode("latin-1")) else None
        found, now = self._known.get(authorization), time.time()
        if found is None or found.until <= now:
            return None
        found.used = now
        return found.principal

    def known(self, scope: Scope) -> Principal | None:
        """Who asks, if they showed a token which is known already; where all are let in, nobody is known."""
        if self._open:
            return None
        for name, value in scope["headers"]:
            if name == b"authorization":
                return self.quick(value, b"")
        return self.quick(_in_cookie(Headers(scope=scope)), b"")

    async def caller(self, scope: Scope) -> Principal:
        """Who asks.

        Raises
        ------
        Unauthenticated
            They show nothing, or nothing that is good.
        Forbidden
            A page from elsewhere asks.
        """
        headers = Headers(scope=scope)
        if self._open:
            self._require_host(headers.get("host", ""))
        shown = headers.get("authorization", "").encode("latin-1")
        if (not shown or _begins(shown, _BASIC)) and scope["method"] not in SAFE:
            self._require_origin(headers)  # browsers send these by themselves
        if not shown:
            shown = _in_cookie(headers)
        if self._open:
            return LOCAL
        return self.quick(shown, b"") or await self._looked_up(shown)

    async def _looked_up(self, shown: bytes) -> Principal:
        token = _token_in(shown)
        if token is None:
            raise Unauthenticated("nobody we know asks", cure="send Authorization: Bearer and a key")
        return (await self.knows(token, shown)).principal

    async def knows(self, token: str, shown: bytes | None = None) -> Known:
        """Who shows this token.

        Raises
        ------
        Unauthenticated
            It is not good.
        """
        known = self._known  # a change meanwhile puts another in its place, and what is found is not kept
        for authenticator in self._authenticators:
            found = await run_in_threadpool(authenticator.authenticate, token)
            if found is not None:
                found.used = time.time()
                if len(known) >= _MOST:
                    known.clear()
                known[_BEARER + token.encode("latin-1") if shown is None else shown] = found
                return found
        raise Unauthenticated(
            "this key is unknown, expired or revoked", cure="ask an administrator for another"
        )

    def _require_origin(self, headers: Headers) -> None:
        """Refuse a change which a page from elsewhere asks for with what the browser has of ours."""
        origin, cookie = headers.get("origin"), "cookie" in headers
        if not cookie and (origin is None or origin in self._origins):
            return  # no browser, or a page which has nothing of ours and may ask
        if origin is None or origin.partition("://")[2] != headers.get("host"):
            raise Forbidden(
                "a page from elsewhere asks", field="Origin", cure="use the service's own page, or send a key"
            )

    def _require_host(self, host: str) -> None:
        if not self._admits(host):
            raise Forbidden(
                "the service is not known under this name",
                field="Host",
                cure="use its address, or let its operator name it in GRIDSVC_HOSTS",
            )

    def _admits(self, host: str) -> bool:
        name = _name_of(host)
        if name and not (_is_here(name) or name in self._hosts):
            return False
        if len(self._admitted) < _MOST:
            self._admitted.add(host.encode("latin-1"))
        return True


def _name_of(host: str) -> str:
    """The name in a header ``Host``, without port and brackets."""
    try:
        return urlsplit(f"//{host}").hostname or host
    except ValueError:
        return host


def _is_here(name: str) -> bool:
    """Whether no name server can have led here: an address, or this machine's own name."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _begins(shown: bytes, scheme: bytes) -> bool:
    return shown[: len(scheme)].lower() == scheme.lower()


def _token_in(shown: bytes) -> str | None:
    """The token in a header ``Authorization``: by itself, or as the password of any name."""
    if _begins(shown, _BEARER):
        return shown[len(_BEARER) :].strip().decode("latin-1")
    if not _begins(shown, _BASIC):
        return None
    try:
        pair = b64decode(shown[len(_BASIC) :].strip(), validate=True)
    except binascii.Error:
        return None
    return pair.partition(b":")[2].decode("latin-1")


def _in_cookie(headers: Headers) -> bytes:
    """What a browser shows, as if it were in the header ``Authorization``."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return b""
    return b"" if found is None else _BEARER + found.value.encode("latin-1", "replace")
