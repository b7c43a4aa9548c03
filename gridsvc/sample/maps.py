"""The sample's districts, rivers and outlets as layers of the page's map."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

__all__ = ["put_map_layers"]

_COPIED = {"townships.geojson": "districts.geojson", "rivers.geojson": "rivers.geojson"}


def put_map_layers(sample: Path, folder: Path) -> None:
    """Write what is not there yet; a layer which somebody has put there stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    for source, name in _COPIED.items():
        if not (folder / name).exists():
            shutil.copyfile(sample / source, folder / name)
    outlets = folder / "outlets.geojson"
    if not outlets.exists():
        outlets.write_text(json.dumps(_points(sample / "stations.csv"), ensure_ascii=False), encoding="utf-8")


def _points(path: Path) -> dict[str, object]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    features = [
        {
            "type": "Feature",
            "properties": {"name": row["name"]},
            "geometry": {"type": "Point", "coordinates": [float(row["lon"]), float(row["lat"])]},
        }
        for row in rows
    ]
    return {"type": "FeatureCollection", "simulated": True, "features": features}
