"""A receiver for tests: a server on loopback which does what the test says, and keeps what it was sent."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Received:
    """A message: path, headers by lower-case name, body."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Listener:
    """What was received, in the order it came."""

    port: int
    messages: list[Received] = field(default_factory=list)


Answer = Callable[[Received, BaseHTTPRequestHandler], int | None]
"""Gives the status to answer; None where the handler has answered, or broken off, by itself."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Connections which break off are part of the tests."""


@contextmanager
def listening(answer: Answer, *, port: int = 0, context: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """A receiver, until the block is left."""
    listener = Listener(port)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # who sent it was killed meanwhile: half a message is none
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            message = Received(self.path, headers, body)
            listener.messages.append(message)
            status = answer(message, self)
            if status is not None:
                self.send_response(status)
                self.send_header("Location", f"http://127.0.0.1:{listener.port}/elsewhere")
                self.end_headers()
            else:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with _Server(("127.0.0.1", port), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        listener.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield listener
        finally:
            server.shutdown()
            thread.join()
