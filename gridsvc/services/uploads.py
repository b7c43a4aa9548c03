"""Layers which were uploaded: looked at once, where they can do no harm, and kept a while to be used."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from gridsvc.errors import Gone, NotFound
from gridsvc.principal import Principal
from gridsvc.store.database import Database
from gridsvc.store.ids import new_id
from gridsvc.store.records import Idempotency
from gridsvc.tiling.sources import guard
from gridsvc.tiling.sources.rows import Choice

__all__ = ["Wanted", "file_of", "get", "keep"]

_KEPT = timedelta(days=7)
_ID = re.compile(r"lay_[0-9a-z]{26}")
_ABOUT = "about.json"
_BY = "uploaded-by"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of an uploaded file is wanted, and how its coordinates are to be taken.

    Attributes
    ----------
    crs : str or None
        As `gridsvc.crs.normalise` names it; None takes the file's word, WGS-84 if it has none.
    """

    choice: Choice
    crs: str | None = None


def keep(
    db: Database,
    who: Principal,
    folder: Path,
    upload: Path,
    wanted: Wanted,
    *,
    idempotency: Idempotency | None = None,
) -> dict[str, Any]:
    """Read a layer of an uploaded file and keep it for a week.

    Parameters
    ----------
    folder : Path
        Of all kept layers.
    upload : Path
        The file; it is not needed afterwards.

    Returns
    -------
    dict
        ``id``, ``expires_at`` and what `gridsvc.tiling.sources.listing.listing` tells.

    Raises
    ------
    InvalidInput
        As `gridsvc.tiling.sources.guard.read_into`.
    """
    who.require("territories:write")
    with db.read(who) as reader:
        stored = None if idempotency is None else reader.replay(who.actor, idempotency)
    if stored is not None:
        return dict(stored.body)
    _discard_old(folder)
    layer = new_id("lay")
    place = folder / layer
    place.mkdir(parents=True, mode=0o700)
    try:
        told = guard.read_into(upload, place / f"{upload.stem}.geojson", wanted.choice, wanted.crs)
        expires = (datetime.now(UTC) + _KEPT).isoformat(timespec="seconds")
        about = {"id": layer, "expires_at": expires, **told}
        (place / _BY).write_text(who.actor, encoding="utf-8")
        (place / _ABOUT).write_bytes(orjson.dumps(about))
        with db.write(who, "layer.upload", idempotency=idempotency) as uow:
            uow.audit(f"layer/{layer}", None, {"features": told["features"], "crs": told["crs"]["name"]})
            uow.respond(201, about)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return about


def get(who: Principal, folder: Path, layer: str) -> dict[str, Any]:
    """What a kept layer holds.

    Raises
    ------
    NotFound, Gone
        There is none of that id, or its week is over.
    """
    who.require("territories:read")
    about: Mapping[str, Any] = orjson.loads((_place(who, folder, layer) / _ABOUT).read_bytes())
    return dict(about)


def file_of(who: Principal, folder: Path, layer: str) -> Path:
    """A kept layer as a GeoJSON file in WGS-84.

    Raises
    ------
    NotFound, Gone
        As `get`.
    """
    who.require("territories:read")
    return next(_place(who, folder, layer).glob("*.geojson"))


def _place(who: Principal, folder: Path, layer: str) -> Path:
    """Where a layer is kept; it may lie in any territory, so callers with branches have their own only."""
    cure = "upload it with POST /v1/layers"
    if not _ID.fullmatch(layer):
        raise NotFound("not the id of a layer", field="layer", cure=cure)
    place = folder / layer
    if not (place / _ABOUT).is_file() or not _is_for(who, place):
        raise Gone("there is no such layer, or not any more", field="layer", cure=cure)
    return place


def _is_for(who: Principal, place: Path) -> bool:
    return who.branches is None or (place / _BY).read_text(encoding="utf-8") == who.actor


def _discard_old(folder: Path) -> None:
    if folder.is_dir():
        for place in folder.iterdir():
            if time.time() - place.stat().st_mtime > _KEPT.total_seconds():
                shutil.rmtree(place, ignore_errors=True)
