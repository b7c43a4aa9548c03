"""Names of requests: the caller's own, where it is a proper one, else one made here."""

from __future__ import annotations

import os
import re
from itertools import count

__all__ = ["HEADER", "request_id"]

HEADER = b"x-request-id"

_PROPER = re.compile(rb"[A-Za-z0-9_.-]{1,64}")
_process = os.urandom(6).hex().encode()
_numbers = count(1)


def request_id(given: bytes | None) -> bytes:
    """The name of a request which came with `given` as its header."""
    if given is not None and _PROPER.fullmatch(given):
        return given
    return b"%s-%x" % (_process, next(_numbers))
