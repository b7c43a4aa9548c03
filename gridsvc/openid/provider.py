"""The company's OpenID provider: where it signs people in, and the keys it signs with.

Source: OpenID Connect Discovery 1.0, part 4; RFC 7517 (key sets).
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet

from gridsvc.errors import InvalidInput, OutOfService

__all__ = ["Fetch", "Provider", "fetch", "require_secure"]

Fetch = Callable[[str], Mapping[str, Any]]
"""Gets a JSON object by its address, or raises `OSError` or `ValueError`."""

_DISCOVERY = "/.well-known/openid-configuration"
_FRESH = 600.0
"""Seconds after which keys are asked for again, so that one taken back does not count for long."""

_PAUSE = 10.0
"""Seconds between two askings, however many tokens name keys nobody has."""

_KEPT = 24 * 3600.0
"""Seconds for which the last keys count while the provider is away."""

_LARGEST = 1 << 20
_TIMEOUT = 5.0


def require_secure(url: str, field: str) -> str:
    """Give `url` back.

    Raises
    ------
    InvalidInput
        It is neither HTTPS nor an address of this machine.
    """
    parts = urlsplit(url)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and _own(parts.hostname))):
        return url
    raise InvalidInput("not an https address", field=field, cure="give one such as https://login.example.com")


def _own(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def fetch(url: str) -> Mapping[str, Any]:
    """Get a JSON object of at most 1 MB within five seconds, without following redirects.

    Raises
    ------
    OSError
        The provider does not answer, or not with 200.
    ValueError
        Its answer is not a JSON object.
    """
    import httpx  # here, since a service without a provider needs none of it
    import orjson

    body = bytearray()
    try:
        with httpx.stream("GET", url, timeout=_TIMEOUT, headers={"Accept": "application/json"}) as answer:
            if answer.status_code != 200:
                raise OSError(f"answered {answer.status_code}")
            for part in answer.iter_bytes():
                body += part
                if len(body) > _LARGEST:
                    raise ValueError("answer over 1 MB")
    except httpx.HTTPError as error:
        raise OSError(type(error).__name__) from None
    found = orjson.loads(body)
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


class Provider:
    """What the provider says of itself, asked for when first needed and kept.

    Parameters
    ----------
    issuer : str
        As it stands in tokens, letter by letter.
    fetch : callable
        Gets a JSON object by its address.
    clock : callable
        Seconds that never go back.

    Raises
    ------
    InvalidInput
        `issuer` is not an https address.

    Notes
    -----
    Threads may share one: at most one of them asks the provider at a time.
    """

    def __init__(
        self, issuer: str, *, fetch: Fetch = fetch, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.issuer = require_secure(issuer, "GRIDSVC_OIDC_ISSUER")
        self._fetch, self._clock = fetch, clock
        self._lock = threading.Lock()
        self._metadata: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None
        self._asked = self._got = float("-inf")

    def endpoint(self, name: str) -> str:
        """Address of one of the provider's endpoints, such as ``token_endpoint``.

        Raises
        ------
        OutOfService
            The provider does not answer, or does not name it.
        """
        with self._lock:
            return self._endpoint(name)

    def key(self, kid: str | None) -> Key | None:
        """The public key that signs as `kid`, or None where the provider has none.

        Parameters
        ----------
        kid : str or None
            None stands for the only key of a provider with one.

        Raises
        ------
        OutOfService
            The provider does not answer, and no key of it is known that still counts.
        """
        with self._lock:
            if self._age() > _FRESH:
                self._renew()
            found = self._find(kid)
            if found is None and self._renew():
                found = self._find(kid)
            return found

    def _age(self) -> float:
        return self._clock() - self._got

    def _find(self, kid: str | None) -> Key | None:
        if self._keys is None or self._age() > _KEPT:
            raise _away("does not answer")
        signing = [key for key in self._keys.keys if key.get("use") in (None, "sig")]
        if kid is None:
            return signing[0] if len(signing) == 1 else None
        return next((key for key in signing if key.kid == kid), None)

    def _renew(self) -> bool:
        if self._clock() - self._asked < _PAUSE:
            return False
        self._asked = self._clock()
        try:
            found = self._fetch(self._endpoint("jwks_uri"))
            self._keys = KeySet.import_key_set({"keys": [_public(one) for one in found["keys"]]})
        except (OSError, OutOfService, LookupError, TypeError, ValueError, JoseError):
            return False  # the last keys go on counting for a while
        self._got = self._clock()
        return True

    def _endpoint(self, name: str) -> str:
        try:
            if self._metadata is None:
                self._metadata = self._described()
            return require_secure(str(self._metadata[name]), name)
        except KeyError:
            raise _away(f"names no {name}") from None
        except InvalidInput:
            raise _away(f"names a {name} which is not an https address") from None
        except (OSError, ValueError):
            raise _away("does not answer") from None

    def _described(self) -> Mapping[str, Any]:
        found = self._fetch(self.issuer.rstrip("/") + _DISCOVERY)
        if found.get("issuer") != self.issuer:
            raise _away("calls itself otherwise than GRIDSVC_OIDC_ISSUER")
        return found


def _public(key: Mapping[str, Any]) -> dict[str, Any]:
    """Only keys that verify without a secret count."""
    if key["kty"] == "oct":
        return {"kty": "ignored"}
    return dict(key)


def _away(what: str) -> OutOfService:
    return OutOfService(f"the identity provider {what}", reason="identity provider", retry_after=int(_PAUSE))
