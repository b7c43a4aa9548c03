"""Signed tokens of the provider: who is meant, or why the token does not count.

Source: RFC 7519 (JWT), RFC 8725 (its best current practice), RFC 9068 (access tokens).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwk import GuestProtocol, Key
from joserfc.jws import JWSRegistry

from gridsvc.errors import Unauthenticated
from gridsvc.openid.provider import Provider

__all__ = ["ALGORITHMS", "LONGEST", "ClaimNames", "Person", "Verifier", "person_of"]

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
)
"""What tokens may be signed by: always by a key nobody here holds, so never ``none`` or HMAC."""

LONGEST = 16_384
"""Characters of the longest token that is read."""

_TYPES = frozenset({None, "jwt", "at+jwt", "application/at+jwt"})
_LEEWAY = 30
"""Seconds by which the provider's clock may differ."""

_NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Where a token says who somebody is; a dot leads into a nested claim.

    Attributes
    ----------
    name, roles, branches : str
        Names of claims, such as ``realm_access.roles``; without one for branches, tokens are for all.
    without_branches : {"none", "all"}
        What is seen by whoever's token has no claim of branches, where one is named.
    """

    name: str = "sub"
    roles: str = "roles"
    branches: str = ""
    without_branches: Literal["none", "all"] = "none"


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a token stands for.

    Attributes
    ----------
    name : str
        What the audit writes.
    roles : frozenset of str
        The provider's names for what they may do.
    branches : frozenset of str or None
        What they see, see `gridsvc.principal.Principal`; None means all.
    expires : float
        When the token ends, seconds since 1970.
    claims : mapping
        All that the provider says.
    """

    name: str
    roles: frozenset[str]
    branches: frozenset[str] | None
    expires: float
    claims: Mapping[str, Any]


class Verifier:
    """Checks tokens of one provider made out to one audience.

    Parameters
    ----------
    provider : Provider
    audience : str
        Must stand in the token's ``aud``.
    names : ClaimNames
    now : callable
        Seconds since 1970.
    """

    def __init__(
        self, provider: Provider, audience: str, names: ClaimNames, *, now: Callable[[], float] = time.time
    ) -> None:
        self._provider, self._names = provider, names
        self._jws = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        self._rules = jwt.JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=_LEEWAY,
            iss={"essential": True, "value": provider.issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    def verify(self, token: str) -> Person:
        """Who is meant by `token`.

        Raises
        ------
        Unauthenticated
            It does not count; the message says why, and never holds any of it.
        OutOfService
            The provider's keys cannot be had.
        """
        if len(token) > LONGEST:
            raise _refused(f"is longer than {LONGEST:,} characters")
        try:
            read = jwt.decode(token, self._key, algorithms=ALGORITHMS, registry=self._jws)
        except (JoseError, ValueError):
            raise _refused("is not signed by a key of the identity provider") from None
        if str(read.header.get("typ", "jwt")).lower() not in _TYPES:
            raise _refused("is none that gives access")
        self._check(read.claims)
        return person_of(read.claims, self._names)

    def _key(self, token: GuestProtocol) -> Key:
        kid = token.headers().get("kid")
        found = self._provider.key(kid if isinstance(kid, str) else None)
        if found is None:
            raise ValueError("no such key")
        return found

    def _check(self, claims: dict[str, Any]) -> None:
        try:
            self._rules.validate(claims)
        except ExpiredTokenError:
            raise _refused("has expired") from None
        except (MissingClaimError, InvalidClaimError) as error:
            raise _refused(f"is not made out to this service (claim {error.claim})") from None


def person_of(claims: Mapping[str, Any], names: ClaimNames) -> Person:
    """Whom checked claims stand for.

    Raises
    ------
    Unauthenticated
        A claim that is needed is missing or is not of its kind.
    """
    name = _found(claims, names.name)
    if not isinstance(name, str) or not name.strip() or len(name) > _NAME_LENGTH or not name.isprintable():
        raise _refused(f"names nobody (claim {names.name})")
    return Person(name, _several(claims, names.roles), _branches(claims, names), float(claims["exp"]), claims)


def _branches(claims: Mapping[str, Any], names: ClaimNames) -> frozenset[str] | None:
    """What somebody sees; None means all. A claim which is there and empty is one of nothing."""
    if not names.branches:
        return None
    if _found(claims, names.branches) is None and names.without_branches == "all":
        return None
    return _several(claims, names.branches)


def _found(claims: Mapping[str, Any], path: str) -> Any:
    """A claim by its name as a whole (providers use addresses as names), else step by step along its dots."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _several(claims: Mapping[str, Any], path: str) -> frozenset[str]:
    found = _found(claims, path) or []
    several = found.split() if isinstance(found, str) else found
    if not isinstance(several, list) or not all(isinstance(one, str) for one in several):
        raise _refused(f"has a claim {path} which is not a list of names")
    return frozenset(several)


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(f"the token {why}", field="Authorization", cure="sign in again")
