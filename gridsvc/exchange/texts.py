"""Texts in files which could take them for something else: formulas of spreadsheets, characters of XML."""

from __future__ import annotations

import re

__all__ = ["as_meant", "from_workbook", "inert", "workbook_text", "xml_text"]

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_RISKY = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_QUOTED = re.compile(rf"'{_RISKY.pattern}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_UNKEPT = re.compile(rf"{_CONTROL.pattern}|\r")  # reading XML makes a line feed of a carriage return
_MARKED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def inert(text: str) -> str:
    """Text with an apostrophe in front where a spreadsheet would run it as a formula; numbers stay.

    Text which looks like that already gets one more, so that nothing is lost: who reads takes one apostrophe
    off each text that has some before ``= + - @``, their full-width forms, a tab or a line break.
    """
    return f"'{text}" if _RISKY.match(text) and not _NUMBER.fullmatch(text) else text


def as_meant(text: str) -> str:
    """Text as it was before `inert`."""
    return text[1:] if _QUOTED.match(text) else text


def workbook_text(text: str) -> str:
    """Text for a cell of a workbook, where what XML cannot hold is ``_x0007_`` (ECMA-376, ST_Xstring)."""
    marked = _ESCAPED.sub("_x005F_", text)
    return _UNKEPT.sub(lambda found: f"_x{ord(found[0]):04X}_", marked)


def from_workbook(text: str) -> str:
    """Text of a cell as it was before `workbook_text`, or before a spreadsheet which did the same."""
    return _MARKED.sub(lambda found: chr(int(found[1], 16)), text)


def xml_text(text: str) -> str:
    """Text without the characters which XML 1.0 cannot hold."""
    return _CONTROL.sub("\ufffd", text)
