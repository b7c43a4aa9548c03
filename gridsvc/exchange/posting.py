"""One POST to an address that was checked: no redirects, no proxies, no more time than is allowed.

The standard library's client is used because the connection must go to a given address, while certificate and
headers are those of the name.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

from gridsvc.exchange.receivers import Target

__all__ = ["Outcome", "post"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a POST ended.

    Attributes
    ----------
    status : int or None
        None where no answer came.
    fault : str or None
        Why not, in words of ours: an answer's text is nobody's here.
    """

    status: int | None
    fault: str | None = None


_LATE = "no answer in time"


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Pinned(http.client.HTTPConnection):
    """A connection to one of the given addresses, whatever the name leads to meanwhile."""

    def __init__(self, target: Target, addresses: Sequence[str], seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self._target, self._addresses, self._seconds = target, addresses, seconds

    def connect(self) -> None:
        fault: OSError = OSError("no address")
        for address in self._addresses[:2]:
            try:
                self.sock = socket.create_connection((address, self._target.port), self._seconds / 3)
                break
            except OSError as error:
                fault = error
        else:
            raise fault
        self.sock.settimeout(self._seconds)
        if self._target.scheme == "https":
            host = self._target.host
            wrapped = _context().wrap_socket(self.sock, server_hostname=host, do_handshake_on_connect=False)
            self.sock = wrapped  # before the handshake, so that it can be broken off
            wrapped.do_handshake()

    def abort(self) -> None:
        """Break it off, from another thread."""
        if self.sock is not None:
            with suppress(OSError):  # it has ended by itself
                self.sock.shutdown(socket.SHUT_RDWR)


def post(
    target: Target, addresses: Sequence[str], headers: Mapping[str, str], body: bytes, seconds: float
) -> Outcome:
    """Send a body, and give the answer's status; the answer's body is not read.

    Parameters
    ----------
    addresses : sequence of str
        Checked ones of the target; the first which can be reached is taken.
    seconds : float
        In which all must be done, however slowly the receiver speaks.
    """
    connection = _Pinned(target, addresses, seconds)
    over = threading.Event()

    def abort() -> None:
        over.set()
        connection.abort()

    timer = threading.Timer(seconds, abort)
    timer.daemon = True
    timer.start()
    try:
        sent = {**headers, "Host": target.authority, "Connection": "close"}
        connection.request("POST", target.path, body, sent)
        status = connection.getresponse().status
        return Outcome(None, _LATE) if over.is_set() else Outcome(status)
    except ssl.SSLError:
        return Outcome(None, "the certificate or the encryption was not accepted")
    except (OSError, http.client.HTTPException) as error:
        late = over.is_set() or isinstance(error, TimeoutError)
        return Outcome(None, _LATE if late else _fault(error))
    finally:
        timer.cancel()
        connection.close()


def _fault(error: Exception) -> str:
    if isinstance(error, http.client.HTTPException) and not isinstance(error, OSError):
        return "the answer was not HTTP"
    return "the connection failed"
