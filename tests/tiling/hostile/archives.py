"""Archives and Shapefiles."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path

from tests.tiling.hostile.case import (
    BOX,
    EAST,
    case,
    features,
    frame,
    halved,
    shapefile,
    text,
    zipped,
)


@case("bomb.zip", fault=r"unpacks to more than 512 MB")
def zip_bomb(path: Path) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("a.geojson", "w") as file,
    ):
        for _ in range(600):
            file.write(b" " * 1_000_000)


@case("liar.zip", fault=r"damaged or locked|unpacks to more|not JSON|takes more", child_only=True)
def an_archive_which_lies_of_its_size(path: Path) -> None:
    zipped(path, ("a.geojson", b" " * 3_000_000))
    content = path.read_bytes()
    path.write_bytes(content.replace(struct.pack("<I", 3_000_000), struct.pack("<I", 100)))


@case("up.zip", fault=r"entry 1 leads out of the archive")
def path_traversal(path: Path) -> None:
    zipped(path, ("../../a.geojson", features(BOX).encode()))


@case("link.zip", fault=r"entry 1 leads out of the archive")
def a_symbolic_link(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo("a.geojson")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")


@case("nested.zip", fault=r"holds another archive, but no layer")
def nested_archives(path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("a.geojson", features(BOX))
    zipped(path, ("inner.zip", inner.getvalue()))


@case("papers.zip", fault=r"holds no layer")
def an_archive_of_papers(path: Path) -> None:
    zipped(path, ("read.me", b"hello"))


@case("crowd.zip", fault=r"holds 3,000 files")
def thousands_of_entries(path: Path) -> None:
    zipped(path, *((f"{i}.txt", b"") for i in range(3000)))


@case("cut.zip", fault=r"is a damaged or locked archive")
def a_truncated_archive(path: Path) -> None:
    zipped(path, ("a.geojson", features(BOX).encode()))
    halved(path)


@case("two.zip", fault=r"layer: has several layers; name one with .*: a, b")
def two_layers(path: Path) -> None:
    zipped(path, ("a.geojson", features(BOX).encode()), ("b.geojson", features(EAST).encode()))


# --- Shapefiles


@case("gbk.zip", rows=1)
def gbk_without_cpg(path: Path) -> None:
    parts = shapefile(path.parent, frame(BOX, name=["海淀区中关村街道"]), encoding="GBK")
    zipped(path, *((f"a{suffix}", content) for suffix, content in parts.items() if suffix != ".cpg"))


@case("cpg.zip", rows=1)
def a_wrong_cpg(path: Path) -> None:
    parts = shapefile(path.parent, frame(BOX, name=["海淀区中关村街道"]), encoding="GBK") | {".cpg": b"UTF-8"}
    zipped(path, *((f"a{suffix}", content) for suffix, content in parts.items()))


@case("bytes.zip", fault=r"is in no encoding known here")
def text_in_no_encoding(path: Path) -> None:
    parts = shapefile(path.parent, frame(BOX, name=["aaaa"]))
    parts[".dbf"] = parts[".dbf"].replace(b"aaaa", b"\x80\xff\xff\x80")
    zipped(path, *((f"a{suffix}", content) for suffix, content in parts.items() if suffix != ".cpg"))


@case("noshx.zip", rows=1)
def without_index(path: Path) -> None:
    parts = shapefile(path.parent, frame(BOX))
    zipped(path, *((f"a{suffix}", content) for suffix, content in parts.items() if suffix != ".shx"))


@case("cut.shp", fault=r"cannot be read as a layer|geometry|rows")
def a_shapefile_cut_off(path: Path) -> None:
    parts = shapefile(path.parent, frame(BOX, EAST))
    text(path, parts[".shp"][:120])
