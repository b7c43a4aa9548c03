"""``python -m benchmarks.page``: how quick the planner's page is in headless Chromium; writes its section."""

from __future__ import annotations

import argparse
import functools
import shutil
import statistics
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from benchmarks.lookup.ground import url_of
from benchmarks.page import ground
from benchmarks.page.driving import browser_page, lassos, panned, shown
from benchmarks.report import circumstances, put_section
from tests.journey.served import serving

_ROOT = Path(__file__).resolve().parents[2]
_MAPLIBRE = _ROOT / "api" / "web" / "node_modules" / "maplibre-gl" / "dist"


@dataclass(frozen=True)
class Sizes:
    """How much is done; grids have about a hundred cells."""

    small: int = 20_000
    large: int = 150_000
    loads: int = 3
    lassos: int = 40
    frames: int = 150


QUICK = Sizes(small=2_000, large=5_000, loads=1, lassos=4, frames=20)


def main() -> None:
    """Measure all and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, written to var/benchmarks")
    arguments = parser.parse_args()
    work = _ROOT / "var" / "benchmarks"
    text = run(QUICK if arguments.quick else Sizes(), work / "page")
    put_section((work if arguments.quick else _ROOT / "docs") / "benchmarks.md", "page", text)


def run(sizes: Sizes, work: Path) -> str:
    """Measure both sizes; gives the section."""
    rows = []
    for wanted in (sizes.small, sizes.large):
        folder = work / str(wanted)
        cells = ground.make(folder, wanted, max(2, wanted // 100))
        with serving(url_of(folder), folder) as url:
            bar = "5 s" if wanted == sizes.small else "12 s"
            rows.append(_loading(url, cells, sizes, bar))
            if wanted == sizes.small:
                rows.append(_redrawing(url, cells, sizes))
            rows += _panning(url, folder, cells, sizes)
    return _section(rows)


def _loading(url: str, cells: int, sizes: Sizes, bar: str) -> str:
    took = []
    for _ in range(sizes.loads):
        with browser_page() as page:
            took.append(shown(page, f"{url}/?lang=en"))
    return _row(f"{cells:,} cells, grids and totals on the screen, nothing cached", took, "s", bar)


def _redrawing(url: str, cells: int, sizes: Sizes) -> str:
    with httpx.Client(base_url=url, timeout=60) as client:
        published = client.get("/v1/publications", params={"territory": ground.TERRITORY}).json()["items"][0]
        made = client.post(f"/v1/plans/{published['plan']}/branch", json={"name": "bench"})
        plan = made.raise_for_status().json()["id"]
    with browser_page() as page:
        found = lassos(page, f"{url}/?lang=en&plan={plan}", cells, sizes.lassos)
    caught = round(statistics.median(found["cells"]))
    what = f"{sizes.lassos} lassos of {caught} cells among {cells:,} to new numbers"
    return _row(what, found["ms"], "ms", "95 of 100 below 150 ms")


def _panning(url: str, folder: Path, cells: int, sizes: Sizes) -> Iterator[str]:
    with browser_page() as page:
        shown(page, f"{url}/?lang=en")
        ours = panned(page, sizes.frames)
        box = page.locator("#map").bounding_box()
    with _plain(folder) as other, browser_page() as page:
        assert box is not None
        page.set_viewport_size({"width": int(box["width"]), "height": int(box["height"])})
        seconds = shown(page, other)
        theirs = panned(page, sizes.frames)
    yield _row(f"{cells:,} cells, between two frames while the map is pulled", ours, "ms", "no more than:")
    yield _row("- plain MapLibre with the same polygons and map size", theirs, "ms", "")
    yield _row("- its polygons on the screen, from a file", [seconds], "s", "")


@contextmanager
def _plain(folder: Path) -> Iterator[str]:
    """A bare page with MapLibre alone."""
    site = folder / "plain"
    shutil.rmtree(site, ignore_errors=True)
    site.mkdir()
    for file in (*_MAPLIBRE.glob("*.mjs"), _MAPLIBRE / "maplibre-gl.css", folder / "plain.geojson"):
        shutil.copy(file, site)
    shutil.copy(Path(__file__).with_name("plain.html"), site / "index.html")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}  # noqa: RUF012

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _row(what: str, took: Sequence[float], unit: str, bar: str) -> str:
    ordered = sorted(took)
    late = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    digits = 2 if unit == "s" else 0
    line = f"| {what} | {statistics.median(ordered):.{digits}f} {unit} | {late:.{digits}f} {unit} | {bar} |"
    print(line, flush=True)
    return line


def _section(rows: Sequence[str]) -> str:
    return "\n".join(
        [
            "## The planner's page",
            "",
            circumstances("headless Chromium drawing in software, 1440 x 900", ("playwright",)),
            "",
            "Times are taken inside the page, with the server on the same machine. Loads count from asking",
            "for the page to the first frame with cells, grids and totals, each in a fresh browser. A lasso",
            "counts from letting the pointer go to the frame with what the move would do to each grid.",
            "Panning pulls the map by three pixels a frame.",
            "",
            "| what | median | 95 of 100 | bar |",
            "|---|--:|--:|---|",
            *rows,
        ]
    )


if __name__ == "__main__":
    main()
