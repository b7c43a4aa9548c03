"""Delimited text of any usual encoding as columns of text."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from pathlib import Path
from typing import Any

from gridsvc.errors import InvalidInput, UnreadableFile

__all__ = ["read_csv", "read_csv_table"]

_LONGEST = 1 << 25  # bytes of a row: more than half a million corners as text
_BLOCK = 1 << 20
_COLUMNS = 1_000


def read_csv(path: Path) -> dict[str, list[str]]:
    """The columns of a file, each as list of text; see `read_csv_table`."""
    names, table = read_csv_table(path)
    return {name: table.column(i).to_pylist() for i, name in enumerate(names)}


def read_csv_table(path: Path) -> tuple[list[str], Any]:
    """Names of the columns, and an Arrow table of strings with a row for each data row.

    Text is UTF-8, UTF-16 with a mark or GB 18030; the delimiter a comma, semicolon or tab.

    Raises
    ------
    UnreadableFile
        Not text, a row of another length than the header, a quotation mark that is never closed.
    InvalidInput
        Two columns of one name.
    """
    pa = _arrow()
    text = _as_utf8(path.read_bytes(), path.name)
    first = text[: 1 << 16].decode("utf-8", "ignore").lstrip("\r\n")
    delimiter = max(",;\t", key=first.partition("\n")[0].count)
    names = _header(first, delimiter, path.name)
    options = {
        # Names of our own: with those of the file a column called twice could not be read as text.
        "read_options": pa.csv.ReadOptions(
            column_names=[f"c{i}" for i in range(len(names))], block_size=_LONGEST, use_threads=False
        ),
        "convert_options": pa.csv.ConvertOptions(
            column_types={f"c{i}": pa.string() for i in range(len(names))}, strings_can_be_null=False
        ),
    }
    try:
        layout = pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
        table = pa.csv.read_csv(pa.BufferReader(text), parse_options=layout, **options)
    except pa.ArrowInvalid:
        raise _broken(text, delimiter, len(names), path.name) from None
    rows = table.slice(1)  # the header is the first row read
    if len(rows) and text.count(b'"') % 2 and any("\n" in c[-1].as_py() for c in rows.columns):
        raise UnreadableFile("a quotation mark is never closed", source=path.name, cure="close or remove it")
    return names, rows


def _arrow() -> Any:
    """pyarrow, imported late because it is large, and untyped because it names none of its exports."""
    import pyarrow.csv

    return pyarrow


def _as_utf8(raw: bytes, name: str) -> bytes:
    """UTF-8 bytes without byte-order mark, from UTF-8, UTF-16 with a mark, or GB 18030."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", "replace").encode()
    elif _is_utf8(raw):
        text = raw.removeprefix(b"\xef\xbb\xbf")
    else:
        try:
            text = raw.decode("gb18030").encode()
        except UnicodeDecodeError:
            raise UnreadableFile(
                "is neither UTF-8 nor GB 18030 text", source=name, cure="save it as CSV (UTF-8)"
            ) from None
    if b"\0" in text:
        row = text[: text.index(b"\0")].count(b"\n")
        raise UnreadableFile("is not text", source=name, row=row or None, cure="save it as CSV (UTF-8)")
    return text


def _is_utf8(raw: bytes) -> bool:
    """Whether bytes are UTF-8, looked at block by block: a large file's text is not made for that."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(raw), _BLOCK):
            decoder.decode(raw[at : at + _BLOCK], final=at + _BLOCK >= len(raw))
    except UnicodeDecodeError:
        return False
    return True


def _header(text: str, delimiter: str, name: str) -> list[str]:
    try:
        given = next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
    except csv.Error:
        given = []
    if not given:
        raise UnreadableFile("has no header", source=name, cure="give the columns names in the first row")
    if len(given) > _COLUMNS:
        raise InvalidInput(
            f"has {len(given):,} columns or more, more than {_COLUMNS:,}", source=name, cure="export fewer"
        )
    names = [column.strip() or f"column {i}" for i, column in enumerate(given, 1)]
    repeated = next((n for n, count in Counter(names).items() if count > 1), None)
    if repeated is not None:
        raise InvalidInput(
            "two columns have this name", source=name, field=repeated, cure="rename one of them"
        )
    return names


def _broken(text: bytes, delimiter: str, width: int, name: str) -> UnreadableFile:
    """The error for the first row with too many or too few fields, found by a second, slower reading."""
    pa = _arrow()
    found: list[Any] = []

    def note(row: Any) -> str:
        found.append(row)
        return "error"

    layout = pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note)
    try:
        pa.csv.read_csv(
            pa.BufferReader(text), read_options=pa.csv.ReadOptions(use_threads=False), parse_options=layout
        )
    except pa.ArrowInvalid:
        if found:
            return UnreadableFile(
                f"{found[0].actual_columns} fields, but the header has {width}",
                source=name,
                row=found[0].number - 1,
                cure="put quotation marks around text which contains the delimiter",
            )
    return UnreadableFile("cannot be read as CSV", source=name, cure="save it as CSV (UTF-8)")
