"""Signing in at the provider: the code flow with PKCE.

Source: OpenID Connect Core 1.0, part 3.1; RFC 7636 (PKCE); RFC 9700 (best current practice);
RFC 9207 (the issuer in the answer).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from gridsvc.errors import OutOfService, Unauthenticated
from gridsvc.openid.provider import Provider
from gridsvc.openid.tokens import Person, Verifier

__all__ = ["Attempt", "Client", "Post", "SignIn", "post"]

Post = Callable[[str, Mapping[str, str], Mapping[str, str]], tuple[int, Mapping[str, Any]]]
"""Sends a form with headers; gives the status and the JSON object of the answer, or raises `OSError`."""

_TIMEOUT = 10.0
_BYTES = 32


@dataclass(frozen=True, slots=True)
class Client:
    """The service as the provider knows it.

    Attributes
    ----------
    id : str
    secret : str
        Empty for a public client, which PKCE alone protects.
    callback : str
        Where the provider sends the browser back to.
    scope : str
        What is asked for; has ``openid``.
    """

    id: str
    secret: str
    callback: str
    scope: str = "openid profile"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One signing in under way; the browser keeps it, where no script can read it.

    Attributes
    ----------
    state, nonce, verifier : str
        Random, 256 bits each.
    """

    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls) -> Attempt:
        """A fresh one."""
        return cls(*(secrets.token_urlsafe(_BYTES) for _ in range(3)))

    def pack(self) -> str:
        """As a cookie's value."""
        return ".".join((self.state, self.nonce, self.verifier))

    @classmethod
    def unpack(cls, packed: str) -> Attempt:
        """The attempt behind a cookie's value.

        Raises
        ------
        Unauthenticated
            It is none.
        """
        parts = packed.split(".")
        if len(parts) != 3 or not all(parts):
            raise _failed("was not begun in this browser")
        return cls(*parts)


def post(url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
    """Send a form within ten seconds, without following redirects.

    Raises
    ------
    OSError
        The provider does not answer, or not with a JSON object.
    """
    import httpx

    try:
        answer = httpx.post(url, data=dict(form), headers=dict(headers), timeout=_TIMEOUT)
        found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise OSError(type(error).__name__) from None
    if not isinstance(found, dict):
        raise OSError("not a JSON object")
    return answer.status_code, found


class SignIn:
    """Sends people to the provider and tells who came back.

    Parameters
    ----------
    provider : Provider
    client : Client
    verifier : Verifier
        Of tokens made out to this client.
    post : callable
        Sends a form to the provider.
    """

    def __init__(self, provider: Provider, client: Client, verifier: Verifier, *, post: Post = post) -> None:
        self._provider, self._client, self._verifier, self._post = provider, client, verifier, post

    @property
    def secure(self) -> bool:
        """Whether browsers come by https, so that cookies may ask for it."""
        return self._client.callback.startswith("https:")

    def begin(self) -> tuple[str, str]:
        """Where the browser is to go, and what it is to keep until it comes back.

        Raises
        ------
        OutOfService
            The provider does not answer.
        """
        attempt = Attempt.new()
        asked = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": self._client.callback,
            "scope": self._client.scope,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": _challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        at = self._provider.endpoint("authorization_endpoint")
        return f"{at}{'&' if '?' in at else '?'}{urlencode(asked)}", attempt.pack()

    def finish(self, kept: str, answer: Mapping[str, str]) -> Person:
        """Who came back with `answer`, the callback's query, and what the browser has kept.

        Raises
        ------
        Unauthenticated
            The answer is not to this attempt, or the provider says no.
        OutOfService
            The provider does not answer.
        """
        attempt = Attempt.unpack(kept)
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise _failed("was not begun in this browser")
        if answer.get("iss", self._provider.issuer) != self._provider.issuer:
            raise _failed("was answered by another provider")
        code = answer.get("code")
        if not code:
            raise _failed("was refused by the identity provider")
        person = self._verifier.verify(self._exchange(code, attempt))
        if not hmac.compare_digest(str(person.claims.get("nonce", "")).encode(), attempt.nonce.encode()):
            raise _failed("was answered with a token of another one")
        if person.claims.get("azp", self._client.id) != self._client.id:
            raise _failed("was answered with a token of another service")
        return person

    def _exchange(self, code: str, attempt: Attempt) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.callback,
            "code_verifier": attempt.verifier,
        }
        at = self._provider.endpoint("token_endpoint")
        try:
            status, found = self._post(at, form | self._public(), self._secret())
        except OSError:
            status, found = 503, {}
        if status >= 500:
            raise OutOfService(
                "the identity provider does not answer", reason="identity provider", retry_after=10
            )
        token = found.get("id_token")
        if status != 200 or not isinstance(token, str):
            raise _failed("was refused by the identity provider")
        return token

    def _public(self) -> dict[str, str]:
        return {} if self._client.secret else {"client_id": self._client.id}

    def _secret(self) -> dict[str, str]:
        if not self._client.secret:
            return {}
        pair = f"{quote(self._client.id, safe='')}:{quote(self._client.secret, safe='')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _failed(why: str) -> Unauthenticated:
    return Unauthenticated(f"the sign-in {why}", cure="begin again on the page")
