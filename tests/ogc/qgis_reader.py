"""Run by QGIS's own Python: opens the served layers and the file in force, tells what it sees, draws it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from qgis.core import (  # type: ignore[import-not-found]
    QgsApplication,
    QgsCategorizedSymbolRenderer,
    QgsFeatureRequest,
    QgsFillSymbol,
    QgsMapRendererParallelJob,
    QgsMapSettings,
    QgsPalLayerSettings,
    QgsRectangle,
    QgsRendererCategory,
    QgsVectorLayer,
    QgsVectorLayerSimpleLabeling,
)
from qgis.PyQt.QtCore import QSize  # type: ignore[import-not-found]
from qgis.PyQt.QtGui import QColor  # type: ignore[import-not-found]

COLOURS = (
    "#4e79a7",
    "#f28e2b",
    "#e15759",
    "#76b7b2",
    "#59a14f",
    "#edc948",
    "#b07aa1",
    "#ff9da7",
    "#9c755f",
    "#1f77b4",
    "#bcbd22",
    "#17becf",
)


def served(url: str, name: str, page: int) -> QgsVectorLayer:
    uri = f" url='{url}' typename='{name}' pageSize='{page}' restrictToRequestBBOX='0'"
    found = QgsVectorLayer(uri, name, "OAPIF")
    assert found.isValid(), found.error().message()
    return found


def told(layer: QgsVectorLayer, bbox: list[float]) -> dict:
    features = list(layer.getFeatures())
    box = layer.extent()
    near = QgsFeatureRequest().setFilterRect(QgsRectangle(*bbox)).setFlags(QgsFeatureRequest.ExactIntersect)
    return {
        "count": layer.featureCount(),
        "read": len(features),
        "extent": [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()],
        "area": sum(feature.geometry().area() for feature in features),
        "teams": [feature["team"] for feature in features],
        "boxed": len(list(layer.getFeatures(near))),
    }


def coloured(layer: QgsVectorLayer, column: str, label: str | None, width: str) -> None:
    values = sorted({str(feature[column]) for feature in layer.getFeatures()})
    categories = [
        QgsRendererCategory(
            value,
            QgsFillSymbol.createSimple(
                {
                    "color": QColor(COLOURS[k % len(COLOURS)]).name(),
                    "outline_color": "#33475b",
                    "outline_width": width,
                }
            ),
            value,
        )
        for k, value in enumerate(values)
    ]
    layer.setRenderer(QgsCategorizedSymbolRenderer(column, categories))
    layer.setOpacity(0.7)
    if label:
        settings = QgsPalLayerSettings()
        settings.fieldName = label
        layer.setLabeling(QgsVectorLayerSimpleLabeling(settings))
        layer.setLabelsEnabled(True)


def draw(layers: list, path: Path, window: list[float] | None = None) -> dict:
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(layers[0].crs())
    settings.setBackgroundColor(QColor("#ffffff"))
    settings.setOutputSize(QSize(960, 640))
    box = QgsRectangle(*window) if window else layers[0].extent()
    box.scale(1.08)
    settings.setExtent(box)
    job = QgsMapRendererParallelJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    assert image.save(str(path))
    seen = {image.pixel(x, y) for x in range(0, 960, 7) for y in range(0, 640, 7)}
    return {"file": path.name, "colours": len(seen)}


def main() -> None:
    asked = json.loads(sys.argv[1])
    app = QgsApplication([], False)
    app.initQgis()
    names = asked.get("names", ["board.base.grids", "board.base.cells"])
    grids, cells = served(asked["url"], names[0], 2), served(asked["url"], names[1], asked.get("page", 25))
    found = {"grids": told(grids, asked["bbox"]), "cells": told(cells, asked["bbox"])}
    stem = names[0].rpartition(".")[0].replace(".", "_")
    current = QgsVectorLayer(
        f"{asked['gpkg']}|layername={asked.get('current', stem + '_grids')}", "current", "ogr"
    )
    assert current.isValid()
    renderer = current.renderer()
    found["current"] = {
        "renderer": renderer.type(),
        "categories": [c.value() for c in renderer.categories()] if hasattr(renderer, "categories") else [],
        "count": current.featureCount(),
    }
    coloured(cells, "team_name", None, "0.1")
    coloured(grids, "team_name", "name", "0.3")
    folder = Path(asked["pictures"])
    pictures = [
        draw([grids], folder / "qgis-live-grids.png"),
        draw([cells], folder / "qgis-live-cells.png", asked["bbox"]),
    ]
    found["pictures"] = [*pictures, draw([current], folder / "qgis-current.png")]
    Path(asked["told"]).write_text(json.dumps(found))
    for layer in (grids, cells, current):
        layer.deleteLater()


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    import os

    os._exit(0)  # QGIS may fall over its own threads on the way out
