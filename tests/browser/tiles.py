"""A host of tiles of one colour, as an intranet may have one: pictures, or a style of vector tiles."""

from __future__ import annotations

import json
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_SIDE = 256


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def picture(colour: tuple[int, int, int]) -> bytes:
    """A PNG of 256 x 256 pixels."""
    rows = (b"\0" + bytes(colour) * _SIDE) * _SIDE
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(rows))
        + _chunk(b"IEND", b"")
    )


def style(colour: tuple[int, int, int]) -> bytes:
    """A MapLibre style of one layer of vector tiles, whose addresses are relative to it."""
    layer = {"id": "land", "type": "fill", "source": "tiles", "source-layer": "land"}
    paint = {"fill-color": "rgb({}, {}, {})".format(*colour), "fill-antialias": False}
    sources = {"tiles": {"type": "vector", "tiles": ["t/{z}/{x}/{y}.pbf"], "maxzoom": 14}}
    return json.dumps({"version": 8, "sources": sources, "layers": [{**layer, "paint": paint}]}).encode()


def vector() -> bytes:
    """A vector tile (MVT 2) whose layer `land` covers all of it."""
    side = 4096

    def zigzag(value: int) -> int:
        return value * 2 if value >= 0 else -value * 2 - 1

    def varint(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)

    def field(number: int, content: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(content)) + content

    # Move to the first corner, three lines, close.
    steps = [9, 0, 0, 26, *map(zigzag, (side, 0, 0, side, -side, 0)), 15]
    feature = varint(3 << 3) + varint(3) + field(4, b"".join(map(varint, steps)))
    layer = (
        field(1, b"land") + field(2, feature) + varint(5 << 3) + varint(side) + varint(15 << 3) + varint(2)
    )
    return field(3, layer)


@contextmanager
def tile_host(colour: tuple[int, int, int]) -> Iterator[tuple[str, list[str]]]:
    """Its address, and the paths it is asked for."""
    asked: list[str] = []
    told = {
        ".png": ("image/png", picture(colour)),
        ".pbf": ("application/vnd.mapbox-vector-tile", vector()),
        ".json": ("application/json", style(colour)),
    }

    class Tiles(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            kind, body = told[Path(self.path).suffix]
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Tiles)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
