"""A pack as a workbook; no text of it can act as a formula."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

from gridsvc.exchange.books import as_bytes, fill
from gridsvc.exchange.packs.pack import Pack
from gridsvc.exchange.packs.tables import Sheet, Value, heading, sheets_of
from gridsvc.exchange.packs.words import WORDS, Lang

__all__ = ["workbook"]

_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_LONGEST_TITLE = 31


def workbook(pack: Pack, lang: Lang, zone: ZoneInfo) -> bytes:
    """The pack as an XLSX file: an overview, then a sheet each table."""
    from openpyxl import Workbook

    words, book = WORDS[lang], Workbook()
    first: list[tuple[Value, ...]] = [(words["private"],)] if pack.customers is not None else []
    if pack.simulated:
        first.insert(0, (words["simulated"],))
    overview = Sheet(words["overview"], (words["title"],), (*first, *heading(pack, lang, zone)))
    _fill(book.active, overview)
    taken = {words["overview"]}
    for table in sheets_of(pack, lang, zone):
        _fill(book.create_sheet(_title(table.title, taken)), table)
    book.active.title = words["overview"]
    return as_bytes(book)


def _title(text: str, taken: set[str]) -> str:
    """A title which a sheet may have, other than those taken."""
    plain = _NOT_IN_TITLES.sub(" ", text).strip("' ")[:_LONGEST_TITLE] or "-"
    found, number = plain, 2
    while found.lower() in {name.lower() for name in taken}:
        end = f" {number}"
        found, number = plain[: _LONGEST_TITLE - len(end)] + end, number + 1
    taken.add(found)
    return found


def _fill(sheet: Any, table: Sheet) -> None:
    fill(sheet, table.header, table.rows or ((table.note,),))
