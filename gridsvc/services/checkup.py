"""What the service needs, looked at one by one: folders, database, clock, mapped files, libraries, limits."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from gridsvc.bounds import SPARE_FILES
from gridsvc.config import Settings
from gridsvc.errors import GridsvcError, InvalidInput
from gridsvc.ownership.container import DamagedFileError, verify
from gridsvc.ownership.head import Counter, Head
from gridsvc.ownership.live import COUNTER, LATE
from gridsvc.principal import SYSTEM
from gridsvc.services.readiness import SKEW, require_room
from gridsvc.store.database import Database

__all__ = ["Finding", "look"]

_SCARCE = 1_000_000_000
"""Bytes of free disk below which the doctor warns."""

State = Literal["ok", "note", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what was found; a note is no fault, but somebody should know."""

    name: str
    state: State
    told: str

    def as_dict(self) -> dict[str, str]:
        """JSON-ready values."""
        return {"name": self.name, "state": self.state, "told": self.told}


class _Note(Exception):
    """Works, but somebody should know."""


def look(settings: Settings) -> Iterator[Finding]:
    """Look at everything; what depends on something that is missing is missing as well."""
    checks: dict[str, Callable[[Settings], str]] = {
        "data folder": lambda chosen: _folder(chosen.data_dir),
        "shared folder": lambda chosen: _folder(chosen.shared),
        "lookup folder": lambda chosen: _folder(chosen.mapped),
        "database": _database,
        "clock": _clock,
        "lookup files": _files,
        "geodata": lambda _: _geodata(),
        "compiled code": lambda _: _compiled(),
        "open files": _open_files,
        "access": _access,
    }
    for name, check in checks.items():
        yield _found(name, check, settings)


def _found(name: str, check: Callable[[Settings], str], settings: Settings) -> Finding:
    try:
        return Finding(name, "ok", check(settings))
    except _Note as note:
        return Finding(name, "note", str(note))
    except GridsvcError as error:
        return Finding(name, "missing", str(error))


def _folder(folder: Path) -> str:
    require_room(folder)
    free = shutil.disk_usage(folder).free
    if free < _SCARCE:
        raise _Note(f"writable, but only {free / 1e6:.0f} MB are free")
    return f"writable, {free / 1e9:.0f} GB free"


def _database(settings: Settings) -> str:
    with _opened(settings) as database, database.read(SYSTEM) as reader:
        database.check()
        return f"{database.dialect}, {len(reader.publications.lines())} published lines"


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = Database.open_existing(settings.url)
    try:
        database.require_version()
        yield database
    finally:
        database.close()


def _clock(settings: Settings) -> str:
    """Effective dates and leases go by the clock."""
    with _opened(settings) as database, database.read(SYSTEM) as reader:
        there, last = reader.figures.clock(), reader.figures.last_change()
    now = datetime.now(UTC)
    skew = 0.0 if there is None else (now - there).total_seconds()
    if abs(skew) > SKEW:
        raise InvalidInput(f"{abs(skew):.0f} s away from the database's", cure="let both follow NTP")
    if last is not None and (last - now).total_seconds() > SKEW:
        raise InvalidInput(
            f"the last change was made {(last - now).total_seconds():.0f} s from now",
            cure="set the clock right; who was ahead may have been another node",
        )
    return now.isoformat(timespec="seconds")


def _files(settings: Settings) -> str:
    folder = settings.mapped
    try:
        counter = Counter(folder / COUNTER)
        head = Head.read(folder, counter.generation)
    except (OSError, ValueError, TypeError, KeyError):
        raise _Note("none yet; a server makes them when it starts") from None
    names = {name for line in head.lines for name in line.files()}
    for name in sorted(names):
        try:
            verify(folder / name)
        except (OSError, DamagedFileError):
            cure = "delete it, and a server makes it again"
            raise InvalidInput("is missing or damaged", source=name, cure=cure) from None
    return _compared(settings, head, len(names), counter.beat)


def _compared(settings: Settings, head: Head, files: int, beat: float) -> str:
    """Whether the files are of the state which the database has."""
    with _opened(settings) as database, database.read(SYSTEM) as reader:
        seq = reader.seq()
    kept = datetime.now(UTC).timestamp() < beat + LATE
    told = f"{files} whole, as of change {head.seq} of {seq}"
    if kept and head.seq != seq:
        raise _Note(f"{told}; looked at while they were renewed, or the database was restored")
    return told if kept else f"{told}; no server keeps them at the moment"


def _geodata() -> str:
    """Reading and writing layers, and coordinate systems, without asking the network."""
    import pyogrio
    import pyproj

    drivers = pyogrio.list_drivers()
    lacking = {"GPKG", "FlatGeobuf", "GeoJSON", "ESRI Shapefile"} - set(drivers)
    if lacking:
        raise InvalidInput(f"GDAL cannot read {', '.join(sorted(lacking))}", cure="install pyogrio's wheel")
    try:
        x, y = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:4547", always_xy=True).transform(114.0, 30.0)
    except pyproj.exceptions.ProjError:
        x = y = float("nan")
    if not (abs(x - 500_000) < 1 and abs(y - 3_320_114) < 2):
        raise InvalidInput("PROJ does not find its data", cure="unset PROJ_DATA and PROJ_LIB, or mend them")
    return f"GDAL {pyogrio.__gdal_version_string__}, PROJ {pyproj.proj_version_str}"


def _compiled() -> str:
    from gridsvc.balance.cache import is_warm

    if is_warm():
        return "ready"
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    require_room(folder)
    raise _Note("not yet; a server compiles when it starts, and the first solve without one waits for it")


def _open_files(settings: Settings) -> str:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # a server raises its own as far as this
    needed = settings.max_connections + SPARE_FILES
    if limit != resource.RLIM_INFINITY and limit < needed:
        raise _Note(
            f"{limit} may be open, fewer than GRIDSVC_MAX_CONNECTIONS and {SPARE_FILES} more;"
            " raise ulimit -Hn"
        )
    return "as many as needed" if limit == resource.RLIM_INFINITY else f"{limit} may be open, {needed} needed"


def _access(settings: Settings) -> str:
    told = f"{settings.host}, {settings.rate or 'any number of'} requests a second of one caller"
    if settings.host not in {"127.0.0.1", "::1", "localhost"}:
        raise _Note(f"{told}; others can reach it: guard the port by a proxy or a firewall")
    return told
