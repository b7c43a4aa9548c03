"""Layers as downloads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.responses import StreamingResponse

from gridsvc.crs import normalise
from gridsvc.exchange.geojson import feature_collection
from gridsvc.exchange.layers import Layer

__all__ = ["geojson_response"]


def geojson_response(layer: Layer, crs: str, name: str, manifest: Mapping[str, Any]) -> StreamingResponse:
    """Stream a layer as GeoJSON, with the manifest as its member `gridsvc:manifest`."""
    system = normalise(crs)  # before the first byte, so that a wrong one is still a 422
    members = {"gridsvc:manifest": manifest}
    return StreamingResponse(
        feature_collection(layer.geometry, layer.rows(), crs=system, members=members),
        media_type="application/geo+json",
        headers={"Content-Disposition": f'attachment; filename="{name}.geojson"'},
    )
