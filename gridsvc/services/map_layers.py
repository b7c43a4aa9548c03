"""The company's own layers of the map: GeoJSON files in a folder, which the page draws over the cells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gridsvc.errors import NotFound
from gridsvc.principal import Principal

__all__ = ["OwnLayer", "file_of", "listed"]


@dataclass(frozen=True, slots=True)
class OwnLayer:
    """A file of features, WGS-84; its name is the file's."""

    name: str
    bytes: int


def listed(who: Principal, folder: Path) -> list[OwnLayer]:
    """The layers in a folder by name; none where it is not there."""
    who.require("territories:read")
    files = sorted(folder.glob("*.geojson")) if folder.is_dir() else []
    return [OwnLayer(file.stem, file.stat().st_size) for file in files if file.is_file()]


def file_of(who: Principal, folder: Path, name: str) -> Path:
    """The file of a layer.

    Raises
    ------
    NotFound
        There is none of that name.
    """
    if name not in {layer.name for layer in listed(who, folder)}:
        raise NotFound(
            "there is no such layer of the map", field="name", cure="see /v1/map for those there are"
        )
    return folder / f"{name}.geojson"
