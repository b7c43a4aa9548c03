"""What stands in front of lookups and routes alike: origins and rates, as the settings say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api import front
from gridsvc import config
from gridsvc.cli.main import cli
from gridsvc.errors import InvalidInput
from gridsvc.origins import origins_of
from gridsvc.principal import Principal
from tests.api.asgi import Sent, ask

Front = Callable[..., Any]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Front:
    async def rest(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"etag", b'"1"')]})
        await send({"type": "http.response.body", "body": b"{}"})

    rest.is_here = lambda: True  # type: ignore[attr-defined]

    def make(**settings: str) -> Any:
        monkeypatch.setenv("GRIDSVC_DATA_DIR", str(tmp_path))
        for name, value in settings.items():
            monkeypatch.setenv(f"GRIDSVC_{name.upper()}", value)
        monkeypatch.setattr(front, "_Rest", lambda *_: rest)
        monkeypatch.setattr(front.logs, "configure", lambda _: None)
        monkeypatch.setattr(front.AtOnce, "guard", None)
        monkeypatch.setattr(front.AtOnce, "replies", None)
        return front.create()

    return make


def asked(app: Any, origin: str, method: str = "GET", path: str = "/v1/owner?lat=1&lon=2") -> Sent:
    wish = (b"access-control-request-method", b"POST")
    named = (b"access-control-request-headers", b"authorization,if-match")
    more = [wish, named] if method == "OPTIONS" else []
    return ask(app, path, [(b"origin", origin.encode()), *more], method)


def test_other_origins_are_shut_out_unless_named(made: Front) -> None:
    assert b"access-control-allow-origin" not in asked(made(), "https://maps.example.com").headers
    opened = made(cors_origins="https://maps.example.com, http://localhost:3000")
    for origin in ("https://maps.example.com", "http://localhost:3000"):
        answer = asked(opened, origin)
        assert answer.headers[b"access-control-allow-origin"] == [origin.encode()]
        assert b"etag" in answer.headers[b"access-control-expose-headers"][0].lower()
        assert b"access-control-allow-credentials" not in answer.headers
        assert asked(opened, origin, "OPTIONS").status == 200
    for origin in ("https://maps.example.com.evil.org", "https://maps.example.com:444", "null"):
        assert b"access-control-allow-origin" not in asked(opened, origin).headers
        assert asked(opened, origin, "OPTIONS").status == 400


@pytest.mark.parametrize("text", ["*", "maps.example.com", "https://a.org/path", "https://*.a.org", "null"])
def test_what_is_no_origin_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(InvalidInput, match="GRIDSVC_CORS_ORIGINS"):
        origins_of(text)


def test_the_rate_counts_whom_a_proxy_names_and_nobody_elses_word(made: Front) -> None:
    app = made(rate_limit="1")

    def named(address: str) -> int:
        return ask(app, "/v1/owner", [(b"x-forwarded-for", address.encode())]).status

    assert [named("10.0.0.1") for _ in range(3)] == [200, 200, 429]
    assert named("10.0.0.2") == 200
    assert [named("10.9.9.9, 10.0.0.1")] == [429]


def test_a_key_has_a_rate_unless_the_operator_says_otherwise(
    made: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config, "_RATE", 1)

    def statuses(app: Any) -> list[int]:
        return [ask(app, "/v1/owner", [(b"authorization", b"Bearer a")]).status for _ in range(3)]

    assert statuses(made()) == [200] * 3  # an open service lets in whom it trusts
    assert statuses(made(access="keys")) == [200, 200, 429]
    assert statuses(made(access="keys", rate_limit="")) == [200, 200, 429]
    assert statuses(made(access="keys", rate_limit="0")) == [200] * 3


def test_callers_behind_one_address_do_not_share_a_rate(made: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    who = {f"Bearer {name}".encode(): Principal(f"key:{name}", frozenset()) for name in "ab"}
    monkeypatch.setattr(front.Door, "quick", lambda _, shown, __: who.get(shown))
    app = made(access="keys", rate_limit="1")

    def status(key: str) -> int:
        return ask(app, "/v1/owner", [(b"authorization", f"Bearer {key}".encode())]).status

    assert [status("a") for _ in range(3)] == [200, 200, 429]
    assert status("b") == 200
    assert [status("guessed"), status("guessed too"), status("another")] == [200, 200, 429]


def test_settings_which_are_wrong_stop_the_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from click.testing import CliRunner

    monkeypatch.setenv("GRIDSVC_CORS_ORIGINS", "*")
    monkeypatch.setenv("GRIDSVC_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(cli, ["serve", "--port", "1"])
    assert done.exit_code != 0
    assert "GRIDSVC_CORS_ORIGINS" in str(done.exception or done.output)
