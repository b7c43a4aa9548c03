"""Publications fetched to this machine, to be asked without the service."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Literal

import numpy as np

from gridsvc.client.asking import Asker
from gridsvc.client.failures import Unavailable
from gridsvc.client.snapshots import Shelf
from gridsvc.errors import UnreadableFile
from gridsvc.ownership.bundle import Bundle

__all__ = ["Fetcher", "Refresh"]

Refresh = Literal["always", "if_possible", "never"]


@dataclass
class Fetcher:
    """Keeps snapshots up to date.

    Parameters
    ----------
    service : str
        Address they come from.
    folder : Path
        Where they are kept.
    """

    asker: Asker
    service: str
    folder: Path
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _last: tuple[Path, Bundle] | None = None

    def fetch(self, n: int | None) -> Path:
        """The file of a publication, or of the one in force; fetched if it is not here as it is there."""
        territory = self.asker.territory
        if territory is None or n is None:
            territory, in_force = self._in_force()
            n = in_force if n is None else n
        shelf = self._shelf(territory)
        return self.asker.transport.repeat(lambda: self._fetched(shelf, territory, n))

    def bundle(self, n: int | None, refresh: Refresh) -> Bundle:
        """A publication ready to answer; the same object while nothing is new."""
        path = self._brought(n, refresh)
        with self._lock:
            if self._last is None or self._last[0] != path:
                self._last = path, Bundle.open(path)
            return self._last[1]

    def _in_force(self) -> tuple[str, int]:
        """Territory and publication which are answered for, as any batch says, even one of no points."""
        nowhere = np.empty(0)
        part = self.asker.batch(nowhere, nowhere, self.asker.state(), "json")
        return part.territory, part.publication

    def _fetched(self, shelf: Shelf, territory: str, n: int) -> Path:
        kept = shelf.find(n)
        headers = {} if kept is None else {"If-None-Match": shelf.tag(kept)}
        query = {"territory": territory, "line": self.asker.line}
        path = f"/v1/publications/{n}/snapshot"
        with self.asker.transport.stream("GET", path, params=query, headers=headers) as response:
            if response.status_code == HTTPStatus.NOT_MODIFIED and kept is not None:
                return kept
            with shelf.draft() as file:
                for piece in response.iter_bytes():
                    file.write(piece)
                try:
                    return shelf.put(file, n, response.headers.get("etag"))
                except UnreadableFile:
                    raise Unavailable("the snapshot did not arrive whole", cure="fetch it again") from None

    def _brought(self, n: int | None, refresh: Refresh) -> Path:
        if refresh != "never":
            try:
                return self.fetch(n)
            except Unavailable:
                if refresh == "always":
                    raise
        path = self._kept(n)
        if path is None:
            raise Unavailable("no snapshot is in the cache folder", cure="fetch one while the service is up")
        return path

    def _kept(self, n: int | None) -> Path | None:
        known = Shelf.territories(self.folder, self.service, self.asker.line)
        territory = self.asker.territory or (known[0] if len(known) == 1 else None)
        if territory is None:
            return None
        return self._shelf(territory).latest() if n is None else self._shelf(territory).find(n)

    def _shelf(self, territory: str) -> Shelf:
        return Shelf(self.folder, self.service, territory, self.asker.line)
