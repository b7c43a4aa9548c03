"""KML, CSV and workbooks."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.tiling.hostile.case import (
    case,
    text,
    zipped,
)

KML = (
    '<?xml version="1.0"?>{head}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'
)
PLACE = "<Placemark><name>{name}</name><Point><coordinates>{at}</coordinates></Point></Placemark>"


@case("laughs.kml", fault=r"declares entities, which KML has no use for")
def a_billion_laughs_in_kml(path: Path) -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    place = PLACE.format(name="&a9;", at="116,39")
    text(path, KML.format(head=f"<!DOCTYPE kml [{entities}]>", body=place))


@case("outside.kml", fault=r"declares entities")
def an_entity_which_opens_a_file(path: Path) -> None:
    head = '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    text(path, KML.format(head=head, body=PLACE.format(name="&x;", at="116,39")))


@case("cut.kml", fault=r"cannot be read as a layer")
def a_truncated_kml(path: Path) -> None:
    text(path, KML.format(head="", body=PLACE.format(name="a", at="116,39") * 50)[:2000])


# --- tables


@case("formula.csv", rows=2)
def formulas_in_text(path: Path) -> None:
    text(
        path,
        'code,lon,lat,note\n001,116,39,"=HYPERLINK(""http://x"")"\n002,116,39,@SUM(1)*cmd|x!A0\n',
    )


@case("nul.csv", fault=r"row 2: is not text", row=2)
def a_nul_in_text(path: Path) -> None:
    text(path, b"code,lon,lat\n1,116,39\n2,116\0,39\n")


@case("utf16.csv", rows=1)
def utf16_with_mark(path: Path) -> None:
    text(path, "名称,经度,纬度\r\n甲,116,39\r\n".encode("utf-16"))


@case("newlines.csv", rows=3)
def mixed_newlines(path: Path) -> None:
    text(path, b"code,lon,lat\r\n1,116,39\n2,116,39\r\n3,116,39")


@case("gbk.csv", rows=1)
def gbk_in_csv(path: Path) -> None:
    text(path, "名称,经度,纬度\n海淀区,116,39\n".encode("gbk"))


@case("quote.csv", fault=r"a quotation mark is never closed|cannot be read as CSV")
def an_open_quotation(path: Path) -> None:
    text(path, 'code,lon,lat,note\n1,116,39,"never\n2,116,39,x\n')


@case("words.csv", fault=r"row 2, lon: is text, not a number", row=2)
def words_in_a_column_of_numbers(path: Path) -> None:
    text(path, "code,lon,lat\n1,116,39\n2,east,39\n")


@case("places.csv", fault=r"no column tells where its rows lie")
def no_coordinates(path: Path) -> None:
    text(path, "code,name\n1,a\n")


@case("wkt.csv", fault=r"row 2, wkt: is not well-known text", row=2)
def broken_wkt(path: Path) -> None:
    text(path, 'code,wkt\n1,POINT (116 39)\n2,"POLYGON ((116 39, 117 39"\n')


@case("deepwkt.csv", fault=r"row 1, wkt: is not well-known text", row=1)
def wkt_nested_deep(path: Path) -> None:
    text(path, 'code,wkt\n1,"' + "GEOMETRYCOLLECTION (" * 20_000 + ")" * 20_000 + '"\n')


@case("laughs.xlsx", fault=r"cannot be read as a workbook|takes more|takes longer", child_only=True)
def a_billion_laughs_in_a_workbook(path: Path) -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    workbook(path, f"<!DOCTYPE worksheet [{entities}]>", "&a9;")


@case("macro.xlsm", rows=1)
def macros_and_links_to_elsewhere(path: Path) -> None:
    workbook(
        path,
        "",
        "甲",
        ("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0macro"),
        ("xl/externalLinks/externalLink1.xml", b"<externalLink/>"),
    )


@case("sheet.xlsx", fault=r"unpacks to more than|takes more|takes longer", child_only=True)
def a_workbook_bomb(path: Path) -> None:
    row = b"<row><c><v>1</v></c><c><v>2</v></c><c><v>3</v></c></row>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("xl/workbook.xml", BOOK)
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(600):
                sheet.write(row * (1_000_000 // len(row)))


BOOK = (
    '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
    '<sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>'
)


def workbook(path: Path, head: str, word: str, *more: tuple[str, bytes]) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("name", "lon", "lat"), ("MARK", 116, 39)):
        sheet.append(row)
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    first = parts["xl/worksheets/sheet1.xml"].decode().replace("MARK", word)
    parts["xl/worksheets/sheet1.xml"] = (head + first).encode()
    zipped(path, *parts.items(), *more)
