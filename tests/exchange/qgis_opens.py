"""Run by QGIS's own Python: opens layers of GeoPackages as a person does, and tells how they are drawn."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from qgis.core import (  # type: ignore[import-not-found]
    QgsApplication,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsVectorLayer,
)
from qgis.PyQt.QtCore import QSize  # type: ignore[import-not-found]
from qgis.PyQt.QtGui import QColor  # type: ignore[import-not-found]

STEP = 4


def told(layer: QgsVectorLayer, picture: Path) -> dict[str, Any]:
    renderer = layer.renderer()
    categorised = renderer.type() == "categorizedSymbol"
    return {
        "count": layer.featureCount(),
        "crs": layer.crs().authid(),
        "names": [feature["name"] for feature in layer.getFeatures()] if "name" in fields(layer) else [],
        "renderer": renderer.type(),
        "by": renderer.classAttribute() if categorised else None,
        "fills": {c.value(): c.symbol().color().name() for c in renderer.categories()} if categorised else {},
        "labelled_by": layer.labeling().settings().fieldName if layer.labelsEnabled() else None,
        "seen": drawn(layer, picture),
    }


def fields(layer: QgsVectorLayer) -> list[str]:
    return [field.name() for field in layer.fields()]


def drawn(layer: QgsVectorLayer, path: Path) -> dict[str, int]:
    """How often each colour was met in a picture on white."""
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(layer.crs())
    settings.setBackgroundColor(QColor("#ffffff"))
    settings.setOutputSize(QSize(960, 720))
    box = layer.extent()
    box.scale(1.05)
    settings.setExtent(box)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    assert image.save(str(path))
    found: dict[str, int] = {}
    for x in range(0, 960, STEP):
        for y in range(0, 720, STEP):
            name = QColor(image.pixel(x, y)).name()
            found[name] = found.get(name, 0) + 1
    return found


def main() -> None:
    asked = json.loads(sys.argv[1])
    app = QgsApplication([], False)
    app.initQgis()
    found = {}
    for name, place in asked["layers"].items():
        layer = QgsVectorLayer(place, name, "ogr")
        assert layer.isValid(), place
        found[name] = told(layer, Path(asked["pictures"]) / f"qgis-export-{name}.png")
        layer.deleteLater()
    Path(asked["told"]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # QGIS may fall over its own threads on the way out
