"""What the processes of this machine count of requests, in files which they share.

Lookups are counted before there is an application, so their numbers have names of their own; those of the
routes are named by the application's templates.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from api.connections import Cut
from gridsvc.exposition import Family
from gridsvc.tally import Tally

__all__ = ["BOUNDS", "HOT", "LEFT", "OTHER", "Front", "Routes"]

BOUNDS = (25e-6, 50e-6, 1e-4, 25e-5, 5e-4, 1e-3, 25e-4, 5e-3, 1e-2, 25e-3, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of the histogram of lookups, in seconds."""

HOT = ("/v1/owner", "/v1/owner/cells/{cell}", "/v1/owner/customers/{customer}")
"""Templates answered before any framework is asked, in the order of their numbers."""

OTHER = "(none)"
"""Stands for what has no template: pages, and paths which lead nowhere."""

LEFT = 499
"""Stands for the status of a request whose caller left before an answer began."""

_CUTS: tuple[Cut, ...] = ("full", "head", "body", "reader")

_BUCKETS = len(BOUNDS) + 1
_BY = ("files", "routes")
_STATUSES = (200, 304)
_SUM, _HOT = 2 * _BUCKETS, 2 * _BUCKETS + 2
_CUT = _HOT + len(HOT) * len(_STATUSES)
_NAMES = (
    *(f"{by} up to {bound}" for by in _BY for bound in (*BOUNDS, "any")),
    *(f"{by} seconds" for by in _BY),
    *(f"GET {path} {status}" for path in HOT for status in _STATUSES),
    *_CUTS,
    "refused",
)


class Front:
    """Numbers of lookups and of connections."""

    def __init__(self, folder: Path) -> None:
        self._tally = Tally(folder, "front", _NAMES)
        self._numbers = self._tally.numbers

    def hot(self, path: int, status: Literal[0, 1], seconds: float) -> None:
        """Count a lookup answered from the mapped files: the `path` of `HOT`, and 200 or 304."""
        numbers = self._numbers
        numbers[bisect_left(BOUNDS, seconds)] += 1.0
        numbers[_SUM] += seconds
        numbers[_HOT + 2 * path + status] += 1.0

    def lookup(self, seconds: float) -> None:
        """Count a lookup which a route answered."""
        self._numbers[_BUCKETS + bisect_left(BOUNDS, seconds)] += 1.0
        self._numbers[_SUM + 1] += seconds

    def cut(self, reason: Cut) -> None:
        """Count a connection which was broken off."""
        self._numbers[_CUT + _CUTS.index(reason)] += 1.0

    def refused(self) -> None:
        """Count a request of a caller over its rate."""
        self._numbers[-1] += 1.0

    def families(self) -> list[Family]:
        """The histogram of lookups and the connections cut off."""
        sums = self._tally.sums()
        lookups = Family(
            "gridsvc_lookup_seconds",
            "histogram",
            "Time in which lookups were answered: from mapped files, or by routes and the database.",
        )
        for number, by in enumerate(_BY):
            counts = sums[number * _BUCKETS : (number + 1) * _BUCKETS]
            _histogram(lookups, counts, sums[_SUM + number], by)
        cuts = Family("gridsvc_connections_cut_total", "counter", "Connections which were broken off.")
        for reason, count in zip(_CUTS, sums[_CUT:-1], strict=True):
            cuts.add(count, reason=reason)
        refused = Family("gridsvc_requests_refused_total", "counter", "Requests of callers over their rate.")
        refused.add(sums[-1])
        return [lookups, cuts, refused]

    def requests(self) -> Iterator[tuple[str, str, int, float]]:
        """Method, template, status and number of requests answered here."""
        counts = iter(self._tally.sums()[_HOT:_CUT])
        for path in HOT:
            for status in _STATUSES:
                yield "GET", path, status, next(counts)


def _histogram(family: Family, counts: list[float], seconds: float, by: str) -> None:
    below = 0.0
    for bound, count in zip((*BOUNDS, None), counts, strict=True):
        below += count
        family.add(below, "_bucket", by=by, le="+Inf" if bound is None else repr(bound))
    family.add(seconds, "_sum", by=by)
    family.add(below, "_count", by=by)


_COUNTED = (
    *(200, 201, 202, 204, 206, 301, 303, 304, 307, 308),
    *(400, 401, 403, 404, 405, 406, 408, 409, 410, 412, 413, 415, 416, 422, 428, 429, LEFT),
    *(500, 502, 503, 0),
)
"""Statuses with a number of their own; 0 stands for all others."""


class Routes:
    """Numbers of requests by template.

    Parameters
    ----------
    templates : iterable of (method, template)
    """

    def __init__(self, folder: Path, templates: Iterable[tuple[str, str]]) -> None:
        self._templates = sorted({*templates, (OTHER, OTHER)})
        names = [f"{method} {path} {status}" for method, path in self._templates for status in _COUNTED]
        seconds = [f"{method} {path} seconds" for method, path in self._templates]
        self._tally = Tally(folder, "routes", names + seconds)
        self._row = {template: number for number, template in enumerate(self._templates)}
        self._status = {status: number for number, status in enumerate(_COUNTED)}
        self._seconds = len(names)

    def count(self, method: str, template: str, status: int, seconds: float) -> None:
        """Count a request."""
        row = self._row.get((method, template), self._row[OTHER, OTHER])
        status_ = self._status.get(status, self._status[0])
        self._tally.numbers[row * len(_COUNTED) + status_] += 1.0
        self._tally.numbers[self._seconds + row] += seconds

    def families(self, front: Front) -> list[Family]:
        """Requests by template and status, and how long they took; `front` has answered some of them."""
        sums = self._tally.sums()
        requests = Family("gridsvc_requests_total", "counter", "Requests by route template and status.")
        seconds = Family("gridsvc_request_seconds", "summary", "Time of requests which routes answered.")
        told = {(method, path, status): count for method, path, status, count in front.requests()}
        for row, (method, path) in enumerate(self._templates):
            counts = sums[row * len(_COUNTED) : (row + 1) * len(_COUNTED)]
            for status, count in zip(_COUNTED, counts, strict=True):
                told[method, path, status] = told.get((method, path, status), 0.0) + count
            if sum(counts):
                seconds.add(sums[self._seconds + row], "_sum", method=method, route=path)
                seconds.add(sum(counts), "_count", method=method, route=path)
        for (method, path, status), count in told.items():
            if count:
                requests.add(count, method=method, route=path, status=str(status or "other"))
        return [requests, seconds]
