"""Questions as requests: which state is asked about, and in which form."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import orjson
from numpy.typing import ArrayLike

from gridsvc.client.answers import Owner, Owners, read
from gridsvc.client.batches import Floats, ask_all, points
from gridsvc.client.failures import document_of
from gridsvc.client.forms import Form, Part, decoded, encoded, preferred
from gridsvc.client.transport import Transport
from gridsvc.errors import InvalidCoordinate, InvalidInput

__all__ = ["Asker", "Ids", "Lang", "OnMiss", "Reads", "State"]

Ids = Literal["address", "body"]
Lang = Literal["en", "zh"]
OnMiss = Literal["raise", "status"]
Reads = Literal["monotone", "any"]
State = dict[str, Any]

_ADDRESSABLE = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*")
_USUAL = {"crs": "wgs84", "line": "base", "lang": "en", "on_miss": "problem", "min_seq": 0}


@dataclass
class Asker:
    """Asks, and remembers the latest commit of which an answer knew.

    Attributes
    ----------
    seen : int
        The latest `seq` of all answers.
    """

    transport: Transport
    territory: str | None
    line: str
    lang: Lang
    reads: Reads
    ids: Ids
    seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def state(
        self,
        as_of: datetime | None = None,
        as_known: datetime | None = None,
        min_seq: int | None = None,
    ) -> State:
        """Which state is meant, as members of a question."""
        state: State = {"line": self.line, "min_seq": max(min_seq or 0, self._least())}
        if self.territory is not None:
            state["territory"] = self.territory
        for name, time in (("as_of", as_of), ("as_known", as_known)):
            if time is not None:
                state[name] = _with_offset(name, time)
        return state

    def point(self, lat: float, lon: float, crs: str, state: State, on_miss: OnMiss) -> Owner:
        """Owner of a point."""
        place = {"lat": _finite("lat", lat), "lon": _finite("lon", lon)}
        if self.ids == "body":
            return self._post({**place, "crs": crs}, state, on_miss)
        return self._get("/v1/owner", {**place, "crs": crs}, state, on_miss)

    def named(self, kind: Literal["cell", "customer"], name: str, state: State, on_miss: OnMiss) -> Owner:
        """Owner of a cell or a customer."""
        if self.ids == "body" or not _ADDRESSABLE.fullmatch(name):
            return self._post({kind: name}, state, on_miss)
        return self._get(f"/v1/owner/{kind}s/{name}", {}, state, on_miss)

    def many(
        self, lat: ArrayLike, lon: ArrayLike, crs: str, state: State, form: Form | None = None
    ) -> Owners:
        """Owners of any number of points."""
        chosen = preferred() if form is None else form

        def ask(lat: Floats, lon: Floats, newest: int) -> Part:
            least = max(newest, state["min_seq"], self._least())
            return self.batch(lat, lon, {**state, "crs": crs, "min_seq": least}, chosen)

        return ask_all(ask, *points(lat, lon))

    def batch(self, lat: Floats, lon: Floats, query: Mapping[str, Any], form: Form) -> Part:
        """Owners of as many points as one request may have."""
        kind, body = encoded(lat, lon, form)
        headers = {"Content-Type": kind, "Accept": kind}
        response = self.transport.send("POST", "/v1/owner/batch", params=query, headers=headers, content=body)
        part = decoded(response.content, form, len(lat))
        self._note(part.seq)
        return part

    def _get(self, path: str, place: Mapping[str, Any], state: State, on_miss: OnMiss) -> Owner:
        asked = {**place, **state, "lang": self.lang, "on_miss": _on_miss(on_miss)}
        # Only what is not usual: the plainest questions are answered soonest.
        query = {name: value for name, value in asked.items() if _USUAL.get(name) != value}
        return self._owner("GET", path, params=query)

    def _post(self, which: Mapping[str, Any], state: State, on_miss: OnMiss) -> Owner:
        document = {**which, **state, "on_miss": _on_miss(on_miss)}
        headers = {"Content-Type": "application/json"}
        body = orjson.dumps(document)
        return self._owner(
            "POST", "/v1/owner/query", params={"lang": self.lang}, headers=headers, content=body
        )

    def _owner(self, method: str, path: str, **parts: Any) -> Owner:
        found = read(Owner, document_of(self.transport.send(method, path, **parts)))
        self._note(found.seq)
        return found

    def _least(self) -> int:
        return self.seen if self.reads == "monotone" else 0

    def _note(self, seq: int) -> None:
        with self._lock:
            self.seen = max(self.seen, seq)


def _finite(name: str, value: float) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise InvalidCoordinate(f"{number} is no place", field=name, cure="give degrees")
    return number


def _with_offset(name: str, time: datetime) -> str:
    if time.tzinfo is None:
        raise InvalidInput("a time without offset", field=name, cure="give it a tzinfo")
    return time.isoformat()


def _on_miss(choice: OnMiss) -> str:
    return "status" if choice == "status" else "problem"
