"""The text of a Shapefile's table: which encoding it is really in."""

from __future__ import annotations

import codecs
import struct
from pathlib import Path

import numpy as np

from gridsvc.errors import UnreadableFile

__all__ = ["text_encoding"]

_ROWS = 20_000  # looked at: more would not change what they say
_HEADER, _FIELD = 32, 32


def text_encoding(shp: Path) -> tuple[str | None, dict[str, str] | None]:
    """The encoding to read the table of a Shapefile with, and a note where it is not what the .cpg says.

    A .cpg is believed where the text agrees. Else UTF-8 is tried, which other text is hardly ever by chance,
    then GB 18030.

    Raises
    ------
    UnreadableFile
        The text is neither.
    """
    table = _beside(shp, ".dbf")
    if table is None:
        return None, None
    texts = _texts(table.read_bytes()[: 64 << 20])
    said = _said(shp)
    if said is not None and _fits(texts, said):
        return said, None
    for guess in ("utf-8", "gb18030"):
        if _fits(texts, guess):
            return guess, _note(said, guess)
    raise UnreadableFile(
        "its text is in no encoding known here" if said is None else "its text is not what its .cpg says",
        source=shp.name,
        cure="export it with UTF-8 (and its .cpg)",
    )


def _beside(shp: Path, suffix: str) -> Path | None:
    return next((p for s in (suffix, suffix.upper()) if (p := shp.with_suffix(s)).is_file()), None)


def _said(shp: Path) -> str | None:
    path = _beside(shp, ".cpg")
    if path is None:
        return None
    name = path.read_bytes()[:40].decode("ascii", "ignore").strip().lower()
    name = {"936": "gb18030", "gbk": "gb18030", "65001": "utf-8"}.get(name, name.replace("ansi ", "cp"))
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def _texts(block: bytes) -> list[bytes]:
    """The texts of the first rows and the names of the columns, without the blanks behind them."""
    if len(block) < _HEADER:
        return []
    rows, head, width = struct.unpack_from("<IHH", block, 4)
    fields = [block[at : at + _FIELD] for at in range(_HEADER, max(head - 1, _HEADER), _FIELD)]
    found = [field[:11].split(b"\0", 1)[0] for field in fields if len(field) == _FIELD]
    body = block[head:]
    rows = min(rows, len(body) // width if width else 0, _ROWS)
    if rows == 0:
        return found
    matrix = np.frombuffer(body, np.uint8, rows * width).reshape(rows, width)
    at = 1
    for field in fields:
        size = field[16] if len(field) == _FIELD else 0
        if field[11:12] == b"C" and 0 < size <= width - at:
            part = np.ascontiguousarray(matrix[:, at : at + size]).view(f"S{size}")
            found += np.unique(part).tolist()
        at += size
    return [text.rstrip(b" \0") for text in found]


def _fits(texts: list[bytes], encoding: str) -> bool:
    """Whether all texts are in an encoding; the last character may be cut off where a field ends."""
    try:
        for text in texts:
            codecs.getincrementaldecoder(encoding)().decode(text, final=False)
    except UnicodeDecodeError:
        return False
    return True


def _note(said: str | None, guess: str) -> dict[str, str] | None:
    if said is None and guess == "utf-8":
        return None
    name = "GB 18030 (GBK)" if guess == "gb18030" else "UTF-8"
    why, why_zh = (
        ("there is no .cpg", "没有 .cpg") if said is None else ("the .cpg is wrong", ".cpg 与内容不符")
    )
    return {
        "code": "text-encoding",
        "message": f"{why}: its text was read as {name}; check a name or two",
        "message_zh": f"{why_zh}：文字按 {name} 读取，请抽查几个名称",
    }
