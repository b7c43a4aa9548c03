"""Asking the service."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
import orjson
from numpy.typing import ArrayLike

from gridsvc.client.answers import Customer, Owner, Owners, Publication, read
from gridsvc.client.asking import Asker, Ids, Lang, OnMiss, Reads
from gridsvc.client.failures import UnexpectedAnswer, document_of
from gridsvc.client.forms import Form
from gridsvc.client.offline import Fetcher, Refresh
from gridsvc.client.snapshots import default_folder
from gridsvc.client.transport import Transport
from gridsvc.errors import InvalidInput
from gridsvc.ownership.bundle import Bundle

__all__ = ["Client"]

_PAGE = 1000


class Client:
    """A service, asked about one territory and line; safe to share between threads.

    Questions which failed for a passing reason are asked again (see `gridsvc.client.transport`). What the
    service refuses is raised as the error of `gridsvc.errors` which it names, with the problem's further
    members in `details`.

    Parameters
    ----------
    base_url : str
    territory : str, optional
        Not needed where only one is published.
    line : str
        Line of business.
    crs : str
        Coordinate system of points: wgs84, gcj02, bd09 or EPSG:n.
    lang : {"en", "zh"}
        Language of sentences.
    key : str, optional
        Sent as ``Authorization: Bearer``.
    timeout : float
        Seconds to wait for a connection, and for each piece of an answer.
    retries : int
        Attempts after the first.
    reads : {"monotone", "any"}
        With ``monotone`` no answer is older than one this client has seen.
    ids : {"address", "body"}
        Where points, cells and customers are named; proxies often log addresses.
    cache : Path, optional
        Folder of snapshots; else one in the user's cache folder.
    transport : httpx.BaseTransport, optional
        How requests travel, where the usual way will not do.

    Raises
    ------
    InvalidInput
        The address is none.
    """

    def __init__(
        self,
        base_url: str,
        *,
        territory: str | None = None,
        line: str = "base",
        crs: str = "wgs84",
        lang: Lang = "en",
        key: str | None = None,
        timeout: float = 10.0,
        retries: int = 4,
        reads: Reads = "monotone",
        ids: Ids = "address",
        cache: Path | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        url = _checked_address(base_url)
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout, transport=transport)
        self._transport = Transport(self._http, retries)
        self._asker = Asker(self._transport, territory, line, lang, reads, ids)
        self._fetcher = Fetcher(self._asker, str(url), default_folder() if cache is None else cache)
        self._crs = crs

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def seen(self) -> int:
        """The latest `seq` of all answers; hand it on to whoever must not see less than you."""
        return self._asker.seen

    def forget(self) -> None:
        """Let answers be older than those before, as after the service's database was set back."""
        self._asker.seen = 0

    def owner(
        self,
        lat: float,
        lon: float,
        *,
        as_of: datetime | None = None,
        as_known: datetime | None = None,
        min_seq: int | None = None,
        crs: str | None = None,
        on_miss: OnMiss = "raise",
    ) -> Owner:
        """Owner of a point.

        Parameters
        ----------
        as_of, as_known : datetime, optional
            The time asked about, and the time whose knowledge counts; with an offset.
        min_seq : int, optional
            Nothing older than this commit, which you have seen.
        on_miss : {"raise", "status"}
            Outside the territory: an error, or an answer with that status.

        Raises
        ------
        OutsideTerritory
            `details` names the nearest grid and its distance.
        InvalidCoordinate, InvalidInput, NotYetInForce, StaleRead, Unavailable
        """
        state = self._asker.state(as_of, as_known, min_seq)
        return self._asker.point(lat, lon, crs or self._crs, state, on_miss)

    def owner_of_cell(
        self,
        cell: str,
        *,
        as_of: datetime | None = None,
        as_known: datetime | None = None,
        min_seq: int | None = None,
        on_miss: OnMiss = "raise",
    ) -> Owner:
        """Owner of a cell: a finer H3 cell by its centre, a coarser one by the cells in it (`cells`).

        Raises
        ------
        OutsideTerritory, InvalidInput, NotYetInForce, StaleRead, Unavailable
        """
        return self._asker.named("cell", cell, self._asker.state(as_of, as_known, min_seq), on_miss)

    def owner_of_customer(
        self,
        customer: str,
        *,
        as_of: datetime | None = None,
        as_known: datetime | None = None,
        min_seq: int | None = None,
        on_miss: OnMiss = "raise",
    ) -> Owner:
        """Owner of a customer.

        Raises
        ------
        UnknownCustomer, NotYetInForce, StaleRead, Unavailable
        """
        return self._asker.named("customer", customer, self._asker.state(as_of, as_known, min_seq), on_miss)

    def owners(
        self,
        lat: ArrayLike,
        lon: ArrayLike,
        *,
        as_of: datetime | None = None,
        as_known: datetime | None = None,
        min_seq: int | None = None,
        crs: str | None = None,
        form: Form | None = None,
    ) -> Owners:
        """Owners of any number of points, all by one publication and one roster.

        A point which is no place has the status ``invalid``, and the others have their answers.

        Parameters
        ----------
        lat, lon : array_like of float, shape (n,)
        form : {"arrow", "json"}, optional
            How batches travel; Arrow if pyarrow is installed.

        Raises
        ------
        Conflict
            Publications followed each other too fast for all points to be answered by one.
        InvalidInput, NotYetInForce, StaleRead, Unavailable
        """
        state = self._asker.state(as_of, as_known, min_seq)
        return self._asker.many(lat, lon, crs or self._crs, state, form)

    def customers_of_cell(self, cell: str) -> Iterator[Customer]:
        """Customers placed in a cell of the publication in force, one after the other.

        They are asked for when the first is taken, and come from one state of the database.

        Raises
        ------
        NotFound, Forbidden, Unavailable
            Unavailable also where the stream breaks off on its way.
        """
        return self._customers(f"/v1/cells/{quote(cell, safe='')}/customers")

    def customers_of_grid(self, code: str) -> Iterator[Customer]:
        """Customers placed in a grid or a carve-out; as `customers_of_cell`."""
        return self._customers(f"/v1/grids/{quote(code, safe='')}/customers")

    def _customers(self, path: str) -> Iterator[Customer]:
        query = {} if self._asker.territory is None else {"territory": self._asker.territory}
        for line in self._transport.lines(path, params=query, headers={"Accept": "application/x-ndjson"}):
            try:
                document = orjson.loads(line)
            except orjson.JSONDecodeError:
                raise UnexpectedAnswer("a line is not JSON", cure="check the address") from None
            yield read(Customer, document)

    def publications(self) -> Iterator[Publication]:
        """Publications of the territory and line, newest first; pages are fetched as they are needed.

        Raises
        ------
        InvalidInput
            The client was given no territory.
        """
        asker = self._asker
        if asker.territory is None:
            raise InvalidInput("this needs a territory", field="territory", cure="give the client one")
        query: dict[str, Any] = {"territory": asker.territory, "line": asker.line, "limit": _PAGE}
        return self._pages(query)

    def _pages(self, query: dict[str, Any]) -> Iterator[Publication]:
        while True:
            page = document_of(self._transport.send("GET", "/v1/publications", params=query))
            if not isinstance(page, dict) or not isinstance(page.get("items"), list):
                raise UnexpectedAnswer("the answer is no page", cure="check the address")
            yield from (read(Publication, item) for item in page["items"])
            if page.get("next") is None:
                return
            query = {**query, "after": page["next"]}

    def snapshot(self, n: int | None = None) -> Path:
        """Fetch a publication as a file for lookups without the service, if it is not here already.

        Parameters
        ----------
        n : int, optional
            Number of the publication; else the one in force.

        Returns
        -------
        Path
            In the cache folder; `gridsvc.ownership.open` reads it.

        Raises
        ------
        NotFound, NotYetInForce, InvalidInput, Unavailable
        """
        return self._fetcher.fetch(n)

    def offline(self, n: int | None = None, *, refresh: Refresh = "always") -> Bundle:
        """A publication which answers by itself, brought up to date first.

        Parameters
        ----------
        n : int, optional
            Number of the publication; else the one in force.
        refresh : {"always", "if_possible", "never"}
            Whether the service is asked; with ``if_possible`` what is in the cache folder does where it
            cannot be reached. While nothing is new the same object is given again.

        Raises
        ------
        Unavailable
            The service cannot be reached, and nothing may be taken, or is there, instead.
        """
        return self._fetcher.bundle(n, refresh)


def _checked_address(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in {"http", "https"} or not url.host:
        raise InvalidInput("not an address", field="base_url", cure="give one such as http://127.0.0.1:8000")
    return url
