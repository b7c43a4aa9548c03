"""What a file is and what must come of it, and how such files are made."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely

__all__ = [
    "BOX",
    "CASES",
    "EAST",
    "VERTICES",
    "Case",
    "case",
    "features",
    "frame",
    "halved",
    "polygon",
    "shapefile",
    "text",
    "zipped",
]


Make = Callable[[Path], None]
BOX = shapely.box(116.0, 39.0, 116.1, 39.1)
EAST = shapely.box(116.1, 39.0, 116.2, 39.1)
VERTICES = 10_000_000


@dataclass(frozen=True)
class Case:
    name: str
    file: str
    make: Make
    rows: int | None = None
    fault: str | None = None
    row: int | None = None
    child_only: bool = False  # would take the reader's own process with it
    form: tuple[tuple[str, str], ...] = ()


CASES: list[Case] = []


def case(file: str, **expected: Any) -> Callable[[Make], Make]:
    def add(make: Make) -> Make:
        name = make.__name__.replace("_", "-")
        CASES.append(Case(name, file, make, **expected))
        return make

    return add


def text(path: Path, content: str | bytes) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def features(*shapes: Any, **more: Any) -> str:
    rows = [
        {
            "type": "Feature",
            "properties": {"code": f"{i:03}"},
            "geometry": s if s is None or isinstance(s, dict) else shapely.geometry.mapping(s),
        }
        for i, s in enumerate(shapes)
    ]
    return json.dumps({"type": "FeatureCollection", "features": rows, **more})


def polygon(*xy: Any) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(p) for p in xy]]}


def frame(*shapes: Any, crs: Any = 4326, **columns: Any) -> Any:
    import geopandas

    return geopandas.GeoDataFrame(
        columns or {"code": [f"{i:03}" for i in range(len(shapes))]}, geometry=list(shapes), crs=crs
    )


def zipped(path: Path, *entries: tuple[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)


def shapefile(folder: Path, table: Any, **options: Any) -> dict[str, bytes]:
    table.to_file(folder / "made.shp", **options)
    found = {p.suffix: p.read_bytes() for p in folder.glob("made.*")}
    for p in folder.glob("made.*"):
        p.unlink()
    return found


def halved(path: Path, share: float = 0.5) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
