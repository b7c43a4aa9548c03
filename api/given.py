"""GeoJSON as requests give it: in the body, or as the id of a layer that was uploaded before."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from api.work import keep_json, keep_room
from gridsvc.config import Settings
from gridsvc.errors import InvalidInput
from gridsvc.principal import Principal
from gridsvc.services import uploads

__all__ = ["keep_given", "layer_file"]


def layer_file(settings: Settings, who: Principal, value: Mapping[str, Any], crs: str | None) -> Path | None:
    """The file (GeoJSON, WGS-84) of the layer a member names; None where it is GeoJSON itself.

    Raises
    ------
    InvalidInput
        A coordinate system is named here, too.
    NotFound, Gone
        There is no such layer.
    """
    if set(value) != {"layer"} or not isinstance(value["layer"], str):
        return None
    if crs not in (None, "wgs84"):
        raise InvalidInput(
            "the layer's coordinate system was settled when it was uploaded",
            field="crs",
            cure="leave crs out, or upload the layer again with it",
        )
    return uploads.file_of(who, settings.layers, value["layer"])


def keep_given(settings: Settings, who: Principal, value: Mapping[str, Any], crs: str | None) -> str:
    """Keep a GeoJSON member for a job, from the body or from the layer it names; gives the file's path."""
    file = layer_file(settings, who, value, crs)
    if file is None:
        return keep_json(settings, value)
    path = keep_room(settings, file.name)
    shutil.copyfile(file, path)
    return str(path)
