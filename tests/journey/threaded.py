"""An application served in a thread, with connections as ours are."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from api.at_once import AtOnce
from tests.journey.served import free_port


@contextmanager
def in_thread(app: Any) -> Iterator[int]:
    """The port on which it is served."""
    port = free_port()
    config = uvicorn.Config(
        app, port=port, http=AtOnce, log_level="error", lifespan="off", server_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        thread.join()
