"""``current.gpkg``: what is in force, as a styled file for GIS programs, without customers.

Analysts open this file and never the live database. It is written anew after each publication, and when a
scheduled one takes effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from gridsvc.errors import InvalidInput
from gridsvc.exchange.layer import flow_of
from gridsvc.exchange.layers import KINDS, LAYERS, Layer
from gridsvc.exchange.outgoing import Outgoing
from gridsvc.exchange.style import Style, filled_by
from gridsvc.principal import SCOPES, Principal
from gridsvc.progress import Progress, silent
from gridsvc.services import jobs
from gridsvc.services.publications import manifest, published_layer
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import Idempotency, PublicationRecord

__all__ = ["FILE", "KIND", "renew_due", "run_job", "write"]

FILE = "current.gpkg"
KIND = "current-file"

_ATTEMPTS = 5
_SYSTEM = Principal("job-runner", SCOPES)

Numbers = list[list[Any]]
Said = dict[str, Any]


def write(db: Database, who: Principal, folder: Path, progress: Progress = silent) -> dict[str, Any]:
    """Write ``current.gpkg`` of all that is in force now; gives the file and the publications in it.

    There is no file before the first publication is in force.

    Raises
    ------
    InvalidInput
        The folder may not be written.
    """
    from gridsvc.exchange.files import replace_whole

    who.require("plans:read")
    _make(folder)
    for _ in range(_ATTEMPTS):
        with db.read(who) as reader:
            records = _in_force(reader)
            layers = [_layer(reader, record, name) for record in records for name in LAYERS]
        progress(0.5, "writing the file")
        if not layers:
            break  # nothing is in force yet
        replace_whole(folder / FILE, partial(_write, layers))
        with db.read(who) as reader:
            if _numbers(_in_force(reader)) == _numbers(records):
                break  # else a slower writer may have put an older state over a newer one
    return {"file": FILE, "publications": _numbers(records)}


def _write(layers: Sequence[tuple[Layer, Said]], path: Path) -> None:
    from gridsvc.exchange.geopackage import write_geopackage

    write_geopackage(path, [_styled(layer, said) for layer, said in layers])


def _styled(layer: Layer, said: Said) -> tuple[Outgoing, Style]:
    grids = "code" in layer.columns
    style = filled_by(layer, "team_name", "name") if grids else Style(outline=0.1)
    return Outgoing(flow_of(layer, KINDS), manifest=said), style


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise InvalidInput(
            f"the folder of {FILE} cannot be made", field="published_dir", cure="set GRIDSVC_PUBLISHED_DIR"
        ) from None


def _in_force(reader: Reader) -> list[PublicationRecord]:
    now = datetime.now(UTC)
    found = (reader.publications.in_force(*line, now, now) for line in reader.publications.lines())
    return [reader.publications.get(r.territory, r.line, r.n) for r in found if r is not None]


def _numbers(records: list[PublicationRecord]) -> Numbers:
    return [[record.territory, record.line, record.n] for record in records]


def _layer(reader: Reader, record: PublicationRecord, name: Any) -> tuple[Layer, Said]:
    layer = published_layer(reader, record, name)
    number = {"publication": [record.n] * len(layer.geometry)}
    named = f"{record.territory}_{record.line}_{name}"
    return replace(layer, name=named, columns={**layer.columns, **number}), manifest(record, name, "wgs84")


def run_job(
    db: Database, who: Principal, params: Mapping[str, Any], _once: Idempotency, progress: Progress
) -> dict[str, Any]:
    """Do a queued renewal; a second attempt writes the file anew.

    The file has all that is in force, whoever published; they are told of what they see.
    """
    told, seen = write(db, _SYSTEM, Path(params["folder"]), progress), who.territories
    numbers = [number for number in told["publications"] if seen is None or number[0] in seen]
    return {**told, "publications": numbers}


def renew_due(db: Database) -> None:
    """Queue a renewal if something came into force since the last."""
    if _due(db) is None:
        return
    with db.write(_SYSTEM, "current-file.renew") as uow:
        last = uow.jobs.newest(KIND)
        if last is not None and last.status == "done":
            folder = {"folder": last.params["folder"]}
            jobs.enqueue(uow, _SYSTEM, KIND, None, folder)


def _due(db: Database) -> Numbers | None:
    """What is in force and not in the file; None where that is right, or being written."""
    with db.read(_SYSTEM) as reader:
        last = reader.jobs.newest(KIND)
        if last is None or last.status != "done":
            return None
        now = datetime.now(UTC)
        found = [reader.publications.in_force(*line, now, now) for line in reader.publications.lines()]
    numbers = _numbers([record for record in found if record is not None])
    return None if numbers == last.result["publications"] else numbers
