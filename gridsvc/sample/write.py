"""Tables and shapes as bytes, and the manifest which lists them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import shapely

from gridsvc.errors import InvalidInput

__all__ = ["NOTE", "Content", "FileEntry", "Manifest", "csv_file", "geojson_file", "json_file", "write_files"]

NOTE = "Simulated by gridsvc: no real place, customer, company or person."


@dataclass(frozen=True)
class FileEntry:
    """One written file: data rows (or features), columns (or properties), size and checksum."""

    rows: int
    columns: tuple[str, ...]
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What was generated.

    Attributes
    ----------
    generator : str
        Version of the generator; the same version and seed give the same bytes.
    files : mapping of file name to FileEntry
    """

    size: str
    place: str
    seed: int
    generator: str
    files: dict[str, FileEntry]


@dataclass(frozen=True)
class Content:
    """A file before it is written."""

    rows: int
    columns: tuple[str, ...]
    content: bytes


def csv_file(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Content:
    """UTF-8 text with commas; no value needs quotes, since none of ours has commas or line ends."""
    text = "\n".join([",".join(columns), *map(",".join, rows), ""])
    return Content(len(rows), columns, text.encode())


def geojson_file(name: str, features: Iterable[tuple[Any, dict[str, Any]]]) -> Content:
    """A feature collection in WGS-84, one feature a line, labelled as simulated."""
    lines = []
    columns: dict[str, None] = {}
    for shape, properties in features:
        columns |= dict.fromkeys(properties)
        feature = {"type": "Feature", "properties": properties, "geometry": shapely.geometry.mapping(shape)}
        lines.append(json.dumps(feature, ensure_ascii=False, separators=(",", ":")))
    head = json.dumps({"type": "FeatureCollection", "name": name, "simulated": True, "note": NOTE})
    text = head[:-1] + ', "features": [\n' + ",\n".join(lines) + "\n]}\n"
    return Content(len(lines), tuple(columns), text.encode())


def json_file(value: dict[str, Any]) -> Content:
    """An indented document."""
    return Content(1, tuple(value), (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode())


def write_files(
    out: Path, files: dict[str, Content], *, size: str, place: str, seed: int, generator: str
) -> Manifest:
    """Write all files and then ``manifest.json``.

    Raises
    ------
    InvalidInput
        `out` is not a directory that can be written.
    """
    entries = {
        name: FileEntry(file.rows, file.columns, len(file.content), hashlib.sha256(file.content).hexdigest())
        for name, file in files.items()
    }
    manifest = Manifest(size, place, seed, generator, entries)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, file in files.items():
            (out / name).write_bytes(file.content)
        (out / "manifest.json").write_bytes(_manifest_bytes(manifest))
    except OSError as error:
        raise InvalidInput(
            "cannot be written", source=out.name, cure="name a directory you may write to"
        ) from error
    return manifest


def _manifest_bytes(manifest: Manifest) -> bytes:
    head = {
        "simulated": True, "note": NOTE, "size": manifest.size, "place": f"{manifest.place}（模拟）",
        "seed": manifest.seed, "generator": manifest.generator,
        "files": {name: asdict(entry) for name, entry in manifest.files.items()},
    }  # fmt: skip
    return json_file(head).content
