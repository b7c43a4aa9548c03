"""A small OpenID provider on loopback: discovery, keys that rotate, codes with PKCE, outages."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

AUDIENCE = "gridsvc"
_REGISTRY = JWSRegistry(algorithms=list(JWSRegistry.algorithms), strict_check_header=False)
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def new_key(algorithm: str, kid: str) -> Key:
    """A private key for `algorithm`, called `kid`."""
    parameters = {"kid": kid, "use": "sig"}
    if algorithm in _CURVES:
        return ECKey.generate_key(_CURVES[algorithm], parameters, private=True)
    if algorithm == "Ed25519":
        return OKPKey.generate_key("Ed25519", parameters, private=True)
    return RSAKey.generate_key(2048, parameters, private=True)


@cache
def _first() -> Key:
    """Made once, since RSA keys take their time."""
    return new_key("RS256", "first")


class OpenId:
    """The provider, with all that a test may turn about it."""

    def __init__(self) -> None:
        self.issuer = ""
        self.keys = [_first()]
        self.asked: list[str] = []
        self.away = False
        self.metadata: dict[str, Any] = {}
        self.client = ("gridsvc-page", "")
        self.grants: dict[str, dict[str, Any]] = {}

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Claims of a good token; a value of None leaves one out."""
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": AUDIENCE, "sub": "mei", "iat": now, "exp": now + 300}
        return {name: value for name, value in (usual | changed).items() if value is not None}

    def token(
        self,
        key: Key | None = None,
        algorithm: str = "RS256",
        header: dict[str, Any] | None = None,
        **changed: Any,
    ) -> str:
        """A signed token."""
        signer = key or self.keys[0]
        head = {"alg": algorithm, "kid": signer.kid, "typ": "JWT"} | (header or {})
        head = {name: value for name, value in head.items() if value is not None}
        return jwt.encode(head, self.claims(**changed), signer, algorithms=[algorithm], registry=_REGISTRY)

    def rotate(self, *keys: Key) -> None:
        """Sign with `keys` from now on, and with no other."""
        self.keys = list(keys)

    def consent(self, address: str, **claims: Any) -> dict[str, str]:
        """What the browser brings back after somebody signed in at `address`."""
        asked = dict(parse_qsl(urlsplit(address).query))
        code = secrets.token_urlsafe()
        self.grants[code] = {"asked": asked, "claims": claims}
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def answer(self, path: str) -> dict[str, Any] | None:
        """What GET gives."""
        if path == "/.well-known/openid-configuration":
            return {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
            } | self.metadata
        if path == "/keys":
            return {"keys": [key.as_dict(private=False) for key in self.keys]}
        return None

    def exchange(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """What a code is worth, once."""
        grant = self.grants.pop(form.get("code", ""), None)
        if grant is None or not self._known(form, authorization):
            return 400, {"error": "invalid_grant"}
        asked = grant["asked"]
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        named = {"aud": self.client[0], "nonce": asked["nonce"]} | grant["claims"]
        return 200, {"id_token": self.token(**named), "access_token": "opaque", "token_type": "Bearer"}

    def _known(self, form: dict[str, str], authorization: str) -> bool:
        if not self.client[1]:
            return form.get("client_id") == self.client[0]
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        return tuple(unquote(part) for part in pair.split(":")) == self.client


@contextmanager
def openid() -> Iterator[OpenId]:
    """A provider that answers while the block runs."""
    provider = OpenId()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()


def _handler(provider: OpenId) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            found = None if provider.away else provider.answer(self.path)
            self._send(200 if found is not None else 503, found or {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            if provider.away:
                self._send(503, {})
                return
            self._send(*provider.exchange(form, self.headers.get("Authorization", "")))

        def _send(self, status: int, found: dict[str, Any]) -> None:
            body = json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler
