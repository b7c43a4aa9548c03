"""Shapefiles in a zip: names within ten bytes, texts within 254, in UTF-8, and what was changed for it."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import orjson

from gridsvc.exchange.arrow import schema
from gridsvc.exchange.gdal import write_with
from gridsvc.exchange.layer import Part
from gridsvc.exchange.outgoing import Outgoing

__all__ = ["short_names", "write_shapefile"]

_NAME, _TEXT = 10, 254
_UNFIT = re.compile(r"[^\w]+")


def write_shapefile(path: Path, out: Outgoing) -> None:
    """Write a zip of one shapefile and its manifest.

    Tables of a shapefile have no room for more: longer names are shortened, longer texts cut between
    characters, times written as text since dates there have no hours, and empty texts are none.
    """
    names = short_names(list(out.kinds))
    cut = _Cut(out)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".shp-") as folder:
        inside = Path(folder)
        stem = re.sub(r"[^\w.-]", "_", out.name)
        fields = schema(dict(zip(names, cut.flat.kinds.values(), strict=True)))
        write_with("ESRI Shapefile", inside / f"{stem}.shp", cut.flat, fields, ENCODING="UTF-8")
        for at, (old, new) in enumerate(zip(out.kinds, names, strict=True)):
            out.note(old, name=new, **({"cut": cut.texts[at]} if cut.texts[at] else {}))
        said = out.manifest(format="shp")
        (inside / f"{stem}.manifest.json").write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2))
        _zip(path, sorted(inside.iterdir()))


def _zip(path: Path, files: Iterable[Path]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in files:
            with file.open("rb") as source, archive.open(file.name, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target, 1 << 20)


class _Cut:
    """The layer as a shapefile can hold it; counts the texts which were cut, by column."""

    def __init__(self, out: Outgoing) -> None:
        kinds = {n: ("text" if kind == "time" else kind) for n, kind in out.kinds.items()}
        self.texts = [0] * len(kinds)
        self._kinds = list(out.kinds.values())
        self.flat = out.through(kinds, self._cut)

    def _cut(self, part: Part) -> Part:
        shapes, columns = part
        return shapes, [self._column(at, values) for at, values in enumerate(columns)]

    def _column(self, at: int, values: Sequence[Any]) -> Sequence[Any]:
        kind = self._kinds[at]
        if kind == "time":
            return [None if value is None else value.isoformat() for value in values]
        if kind != "text":
            return values
        return [None if value is None else self._text(at, str(value)) for value in values]

    def _text(self, at: int, text: str) -> str:
        if len(text) * 4 <= _TEXT or len(raw := text.encode()) <= _TEXT:
            return text
        self.texts[at] += 1
        return raw[:_TEXT].decode(errors="ignore")


def short_names(names: Sequence[str]) -> list[str]:
    """Names of at most ten bytes of UTF-8, different whatever the case, and like the given ones.

    Examples
    --------
    >>> short_names(["code", "customers_target", "customers_deviation"])
    ['code', 'customers_', 'customer_2']
    """
    # Those which fit keep their names, whichever come first.
    first = {name.lower(): at for at, name in reversed(list(enumerate(names))) if _fits(name)}
    taken = set(first)
    return [name if first.get(name.lower()) == at else _free(name, taken) for at, name in enumerate(names)]


def _fits(name: str) -> bool:
    return bool(name) and len(name.encode()) <= _NAME and not _UNFIT.search(name)


def _free(name: str, taken: set[str]) -> str:
    plain = _UNFIT.sub("_", name) or "field"
    number, found = 1, _first_bytes(plain, _NAME)
    while found.lower() in taken:
        number += 1
        found = _first_bytes(plain, _NAME - len(str(number)) - 1).rstrip("_") + f"_{number}"
    taken.add(found.lower())
    return found


def _first_bytes(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore")
