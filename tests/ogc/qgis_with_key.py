"""Run by QGIS's own Python: opens a layer with a key, kept as QGIS keeps secrets, and tells what it sees."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from qgis.core import (  # type: ignore[import-not-found]
    QgsApplication,
    QgsAuthMethodConfig,
    QgsVectorLayer,
)


def main() -> None:
    asked = json.loads(sys.argv[1])
    app = QgsApplication([], False)
    app.initQgis()
    source = f" url='{asked['url']}' typename='{asked['name']}'"
    refused = QgsVectorLayer(source, "nobody", "OAPIF").isValid()  # first: QGIS keeps what it was told
    manager = app.authManager()
    assert manager.setMasterPassword("for this test", verify=True)
    kept = QgsAuthMethodConfig("Basic")
    kept.setName("gridsvc")
    kept.setConfig("username", "gridsvc")
    kept.setConfig("password", asked["key"])
    assert manager.storeAuthenticationConfig(kept)
    layer = QgsVectorLayer(f"{source} authcfg={kept.id()}", "own", "OAPIF")
    assert layer.isValid(), layer.error().message()
    ids = [feature[asked["id"]] for feature in layer.getFeatures()]
    box = layer.extent()
    extent = [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]
    found = {"ids": ids, "count": layer.featureCount(), "extent": extent, "without": refused}
    Path(asked["told"]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    import os

    os._exit(0)  # QGIS may fall over its own threads on the way out
