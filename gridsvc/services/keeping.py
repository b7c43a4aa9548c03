"""Keeping what lookups need: made of the database once, as files which all processes of a machine map."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import orjson

from gridsvc.ownership.bundle import Bundle
from gridsvc.ownership.container import DamagedFileError, write_container
from gridsvc.ownership.holdings import Holdings
from gridsvc.ownership.live import open_places, open_roster
from gridsvc.ownership.publication import unpack
from gridsvc.ownership.snapshot import Snapshot
from gridsvc.services.layers import CustomerFiles
from gridsvc.store.database import Reader
from gridsvc.store.records import PublicationRecord
from gridsvc.teams.document import roster_to_dict
from gridsvc.teams.model import Roster
from gridsvc.tiling.places import Places

__all__ = ["ROSTER", "Keeper"]

_log = logging.getLogger("gridsvc.ownership")

_PLACES = 2
"""Version of a tiling's arrays: files of another version are made again."""

ROSTER = "roster-"
"""How files of rosters begin; they hold names."""

_MOST = 64

T = TypeVar("T")


class Keeper:
    """Gives the parts of snapshots: from memory, from a file, or made of the database and written to one.

    Parameters
    ----------
    folder : Path or None
        Where the files are; None keeps all in memory.

    Attributes
    ----------
    customers : CustomerFiles or None
        Only kept in files.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.customers = None if folder is None else CustomerFiles(folder)
        self._lock = threading.Lock()
        self._kept: dict[str, Any] = {}  # the last few, the newest at the end

    def places(self, reader: Reader, tiling: str) -> tuple[str, Places]:
        """The places of a tiling, and the name of their file."""
        name = f"tiling-{tiling}-v{_PLACES}.own"
        return name, self._part(name, open_places, lambda: _places(reader, tiling), _write_places)

    def holdings(self, reader: Reader, record: PublicationRecord) -> tuple[str, Holdings]:
        """Who holds which cell in a publication, and the name of its file."""
        name = f"publication-{record.checksum[:40]}.own"
        at = record.territory, record.line, record.n

        def made() -> Holdings:
            return Holdings.of(unpack(reader.publications.get(*at).payload))

        return name, self._part(name, Holdings.open, made, lambda held, path: held.write(path))

    def roster(self, reader: Reader, territory: str, r: int) -> tuple[str, Roster]:
        """A roster, and the name of its file.

        Rosters have no checksum in the database, so it is read first; people may be erased from it.
        """
        found = reader.rosters.get(territory, r)
        document = orjson.dumps(roster_to_dict(found), option=orjson.OPT_SORT_KEYS | orjson.OPT_NAIVE_UTC)
        name = f"{ROSTER}{hashlib.sha256(document).hexdigest()[:40]}.own"

        def written(_: Roster, path: Path) -> None:
            write_container(path, "roster", orjson.loads(document), {})

        return name, self._part(name, open_roster, lambda: found, written)

    def bundle(self, checksum: str, snapshot: Snapshot) -> Path | None:
        """The file to hand out of a snapshot; None where nothing is kept in files.

        Parameters
        ----------
        checksum : str
            Of its publication.
        """
        if self.folder is None:
            return None
        bundle, moment = Bundle.of(snapshot), snapshot.moment
        # A publication which brings an earlier one back has its checksum, but another number and date.
        said = [moment.publication, moment.valid_from, moment.roster, bundle.teams, snapshot.roster.fallback]
        digest = hashlib.sha256(orjson.dumps(said)).hexdigest()
        name = f"bundle-{checksum[:40]}-{digest[:16]}-v{_PLACES}.own"
        path = self.folder / name
        if not path.exists():  # deleted since, as no head names it: what is in memory does not count
            with self._lock:
                self._kept.pop(name, None)
        self._part(name, Bundle.open, lambda: bundle, lambda found, path: found.write(path))
        return path

    def _part(
        self,
        name: str,
        opened: Callable[..., T],
        made: Callable[[], T],
        written: Callable[[T, Path], None],
    ) -> T:
        with self._lock:
            if name in self._kept:
                self._kept[name] = self._kept.pop(name)
                found: T = self._kept[name]
                return found
        value = made() if self.folder is None else _on_file(self.folder / name, opened, made, written)
        with self._lock:
            self._kept[name] = value
            while len(self._kept) > _MOST:
                del self._kept[next(iter(self._kept))]
        return value


def _on_file(
    path: Path, opened: Callable[..., T], made: Callable[[], T], written: Callable[[T, Path], None]
) -> T:
    try:
        return opened(path, verify=True)
    except FileNotFoundError:
        pass
    except DamagedFileError as error:
        _log.warning("%s; it is made again", error)
    value = made()
    try:
        written(value, path)
        return opened(path)
    except OSError:
        _log.exception("%s cannot be written; it is kept in memory", path.name)
        return value


def _places(reader: Reader, tiling: str) -> Places:
    record = reader.tilings.get(tiling)
    boundary = reader.territories.get(record.territory).boundary
    # H3 cells are known by their ids: their outlines would take most of the time.
    found = reader.tilings.plain(tiling) if record.kind == "h3" else reader.tilings.load(tiling)
    geometry = None if found.kind == "h3" else found.geometry
    return Places.of(found.kind, found.resolution, found.ids, geometry, boundary, found.atoms)


def _write_places(places: Places, path: Path) -> None:
    write_container(path, "tiling", places.meta(), places.arrays())
