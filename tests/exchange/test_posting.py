"""One POST: to the checked address and no other, in the name's name, and in the time allowed."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from gridsvc.exchange import posting
from gridsvc.exchange.posting import post
from gridsvc.exchange.receivers import Target
from tests.databases import missing
from tests.exchange.listener import Received, listening


def say(status: int | None):
    return lambda _message, _handler: status


@pytest.mark.parametrize("status", [200, 204, 302, 400, 410, 500])
def test_the_answers_status_is_given_and_redirects_are_not_followed(status: int) -> None:
    with listening(say(status)) as listener:
        outcome = post(
            Target("http", "a.example", listener.port, "/x?y=1"), ["127.0.0.1"], {"A": "b"}, b"{}", 5
        )
    assert (outcome.status, outcome.fault) == (status, None)
    (message,) = listener.messages
    assert (message.path, message.body, message.headers["a"]) == ("/x?y=1", b"{}", "b")
    assert message.headers["host"] == f"a.example:{listener.port}"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with listening(say(200)) as listener:
        outcome = post(Target("http", "a.example", listener.port, "/"), ["127.0.0.1"], {}, b"", 5)
    assert outcome.status == 200


def test_a_second_address_is_tried_where_the_first_cannot_be_reached() -> None:
    with listening(say(200)) as listener:
        addresses = ["127.0.0.2", "127.0.0.1"]  # nobody listens at the first
        outcome = post(Target("http", "a.example", listener.port, "/"), addresses, {}, b"", 5)
    assert outcome.status == 200


def test_who_cannot_be_reached_is_told_without_internals() -> None:
    with listening(say(200)) as listener:
        port = listener.port
    outcome = post(Target("http", "a.example", port, "/"), ["127.0.0.1"], {}, b"", 5)
    assert (outcome.status, outcome.fault) == (None, "the connection failed")


def _drip(_message: Received, handler: BaseHTTPRequestHandler) -> None:
    """A byte each tenth of a second: each by itself is in time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for _ in range(40):
        handler.wfile.write(b"X")
        handler.wfile.flush()
        time.sleep(0.1)


def _hang(_message: Received, _handler: BaseHTTPRequestHandler) -> None:
    time.sleep(3)


@pytest.mark.parametrize("answer", [_drip, _hang])
def test_a_slow_answer_takes_no_more_than_the_time_allowed(answer) -> None:
    with listening(answer) as listener:
        start = time.monotonic()
        outcome = post(Target("http", "a.example", listener.port, "/"), ["127.0.0.1"], {}, b"", 0.6)
        took = time.monotonic() - start
    assert (outcome.status, outcome.fault) == (None, "no answer in time")
    assert took < 2.0


def _nonsense(_message: Received, handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"SMTP ready\r\n\r\n")


def _endless(_message: Received, handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000)


@pytest.mark.parametrize("answer", [_nonsense, _endless])
def test_what_is_no_answer_is_told(answer) -> None:
    with listening(answer) as listener:
        outcome = post(Target("http", "a.example", listener.port, "/"), ["127.0.0.1"], {}, b"", 5)
    assert (outcome.status, outcome.fault) == (None, "the answer was not HTTP")


# --- certificates


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of ``hooks.example`` in one file."""
    if shutil.which("openssl") is None:
        missing("openssl")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -keyout key.pem -out cert.pem"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:hooks.example"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return both


@pytest.mark.parametrize(
    ("host", "trusted", "status"),
    [("hooks.example", True, 200), ("other.example", True, None), ("hooks.example", False, None)],
)
def test_the_certificate_must_be_the_names_though_the_connection_goes_to_an_address(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, host: str, trusted: bool, status: int | None
) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate)
    asked: list[str | None] = []
    server.sni_callback = lambda _socket, name, _context: asked.append(name)  # type: ignore[assignment]
    client = ssl.create_default_context(cafile=str(certificate) if trusted else None)
    monkeypatch.setattr(posting, "_context", lambda: client)
    with listening(say(200), context=server) as listener:
        outcome = post(Target("https", host, listener.port, "/"), ["127.0.0.1"], {}, b"{}", 5)
    assert outcome.status == status
    assert asked == [host]
    assert status or outcome.fault == "the certificate or the encryption was not accepted"
    assert len(listener.messages) == (1 if status else 0)
