"""Exports: layers of plans and publications as files; large ones are written by a job and kept for a day."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from gridsvc.crs import from_wgs84, normalise
from gridsvc.errors import Conflict, InvalidInput, NotFound
from gridsvc.exchange.clip import Clip
from gridsvc.exchange.files import SUFFIXES, Wish, write_export
from gridsvc.exchange.geojson import DECIMALS, geojson_pieces
from gridsvc.exchange.kml import kml_pieces
from gridsvc.exchange.layers import ExportLayer
from gridsvc.exchange.outgoing import OFFSET, Outgoing
from gridsvc.exchange.spreadsheet import csv_pieces
from gridsvc.exchange.style import Style
from gridsvc.principal import Principal
from gridsvc.progress import Progress
from gridsvc.services import jobs
from gridsvc.services.export_ground import Source, ground_of, seen_of
from gridsvc.services.export_layers import Drawn, drawn
from gridsvc.services.small_layers import SMALL
from gridsvc.store.database import Database
from gridsvc.store.records import Idempotency, JobRecord

__all__ = [
    "Format",
    "Source",
    "Wanted",
    "check",
    "file_name",
    "file_of",
    "pieces",
    "run_job",
    "start",
    "sweep",
    "write",
]

Format = Literal["geojson", "gpkg", "fgb", "parquet", "shp", "kml", "csv", "xlsx"]

_KEPT_SECONDS = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an export is to be.

    Attributes
    ----------
    crs : str
        Coordinate system of the file.
    clip : Clip
    bom : bool
        Begin a CSV with the mark by which Excel knows UTF-8.
    small : int
        Counts of customers below this are kept back from callers without ``customers:read``.
    """

    layer: ExportLayer = "grids"
    format: Format = "geojson"
    crs: str = "wgs84"
    clip: Clip = "cells"
    bom: bool = False
    small: int = SMALL


def check(who: Principal, wanted: Wanted) -> None:
    """Refuse what no plan has, before anything is read.

    Raises
    ------
    Forbidden
        The layer shows what the caller may not see.
    InvalidInput
        There is no such coordinate system, or the format cannot be in it.
    """
    who.require("plans:read")
    if wanted.layer == "customers":
        who.require("customers:read")
    system = normalise(wanted.crs)
    from_wgs84(0.0, 0.0, system)  # refuses what is no system
    if wanted.format == "kml" and system != "wgs84":
        raise InvalidInput(
            f"KML is always WGS-84, not {system}", field="crs", cure="leave it out, or choose another format"
        )


def file_name(stem: str, wanted: Wanted) -> str:
    """What a file is called; its name tells where coordinates are none that programs would know."""
    system = normalise(wanted.crs)
    offset = f"-{system}" if system in OFFSET else ""
    return f"{stem}-{wanted.layer}{offset}.{SUFFIXES[wanted.format]}"


@contextmanager
def _drawn(
    db: Database, who: Principal, source: Source, wanted: Wanted
) -> Iterator[tuple[Drawn, str, dict[str, Any]]]:
    """A layer while it is read, its file's name, and its manifest as far as it is known."""
    check(who, wanted)
    with db.read(who, parts=True) as reader:
        ground = seen_of(reader, who, ground_of(reader, source, targets=wanted.layer == "grids"))
        found = drawn(reader, who, ground, wanted.layer, wanted.clip, wanted.small)
        said = {**ground.said, "layer": wanted.layer, "clip": wanted.clip, **found.said}
        yield found, file_name(ground.stem, wanted), said


def write(db: Database, who: Principal, source: Source, wanted: Wanted, path: Path) -> dict[str, Any]:
    """Write an export as a file, and give its manifest."""
    with _drawn(db, who, source, wanted) as (found, _, said):
        wish = Wish(found.style, _decimals(wanted), wanted.bom)
        return write_export(path, found.flow, wanted.format, crs=wanted.crs, manifest=said, wish=wish)


def _decimals(wanted: Wanted) -> int | None:
    """Outlines cut at the territory's border keep all their digits: together they are the territory."""
    return None if wanted.clip == "territory" else DECIMALS


def pieces(
    db: Database, who: Principal, source: Source, wanted: Wanted
) -> tuple[str, Iterator[bytes], Callable[[], None]]:
    """An export in a format of text as it is made: name of the file, pieces, and what ends the reading.

    What is wrong with the question is raised here, before the first piece.
    """
    with ExitStack() as stack:
        found, name, said = stack.enter_context(_drawn(db, who, source, wanted))
        poured = _poured(Outgoing(found.flow, wanted.crs, said), found, wanted)
        return name, poured, stack.pop_all().close


def _poured(out: Outgoing, found: Drawn, wanted: Wanted) -> Iterator[bytes]:
    if wanted.format == "csv":
        return csv_pieces(out, bom=wanted.bom)
    if wanted.format == "kml":
        return kml_pieces(out, found.style or Style())
    return geojson_pieces(out, decimals=_decimals(wanted))


def start(
    db: Database,
    who: Principal,
    source: Source,
    wanted: Wanted,
    folder: Path,
    *,
    idempotency: Idempotency | None = None,
) -> JobRecord:
    """Queue the writing of an export into `folder`, which `gridsvc worker`s must see, too.

    Raises
    ------
    Conflict
        The plan is not solved yet.
    InvalidInput
        There is no such coordinate system.
    Forbidden
        The layer shows what the caller may not see.
    """
    check(who, wanted)
    with db.read(who) as reader:
        ground = ground_of(reader, source, targets=False)
    sweep(folder, _KEPT_SECONDS)
    path = folder.resolve() / uuid.uuid4().hex / file_name(ground.stem, wanted)
    params = {"plan": source.plan, "source": asdict(source), "wanted": asdict(wanted), "output": str(path)}
    return jobs.submit(db, who, "export", ground.territory.id, params, idempotency=idempotency)


def run_job(
    db: Database, who: Principal, params: Mapping[str, Any], _once: Idempotency, progress: Progress
) -> dict[str, Any]:
    """Do a queued export; a second attempt writes the file anew."""
    path, wanted = Path(params["output"]), Wanted(**params["wanted"])
    progress(0.0, "writing the file")
    path.parent.mkdir(parents=True, exist_ok=True)
    manifest = write(db, who, Source(**params["source"]), wanted, path)
    return {**manifest, "file": path.name, "bytes": path.stat().st_size, "format": wanted.format}


def file_of(db: Database, who: Principal, job: str) -> Path:
    """The file an export has written.

    Raises
    ------
    Conflict
        It is not written yet, or never will be.
    NotFound
        The job is no export, or its file was deleted after a day.
    """
    record = jobs.get(db, who, job)
    if record.kind != "export":
        raise NotFound(f"a job of kind {record.kind} has no file", field="job", cure="name an export")
    if record.status != "done":
        raise Conflict(f"the export is {record.status}", field="job", cure="wait until its job is done")
    if record.params["wanted"]["layer"] == "customers":
        who.require("customers:read")
    path = Path(record.params["output"])
    if not path.is_file():
        raise NotFound("the file was deleted after a day", field="job", cure="start the export again")
    return path


def sweep(folder: Path, seconds: float) -> None:
    """Delete what was written into `folder` more than `seconds` ago."""
    if not folder.is_dir():
        return
    for made in folder.iterdir():
        if time.time() - made.stat().st_mtime > seconds:
            shutil.rmtree(made, ignore_errors=True)
