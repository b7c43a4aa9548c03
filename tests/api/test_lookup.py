"""The hot path passes a request on, or answers it with the very bytes of the routes it stands in front of."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.door import Door
from api.lookup import Lookup
from gridsvc.config import Settings
from gridsvc.ownership.live import Live
from tests.api.asgi import Sent, ask
from tests.api.odd_places import CELLS, CUSTOMERS, HEXES, overlaid, parcels, plain, put_all
from tests.ownership.worlds import World

COMPARED = (b"etag", b"cache-control", b"content-type", b"vary")


@dataclass(frozen=True)
class Service:
    """The application, the hot path in front of it, and what it passed on."""

    hot: Lookup
    app: Any
    passed: list[str]

    def answers(self, target: str, headers: Any = ()) -> Sent | None:
        """What the hot path itself answers."""
        self.passed.clear()
        found = ask(self.hot, target, headers)
        return None if self.passed else found


def _open_door() -> Door:
    """A door which has seen the host that `ask` names."""
    door = Door("open")
    asyncio.run(door.caller({"type": "http", "method": "GET", "headers": [(b"host", b"localhost")]}))
    return door


@contextmanager
def _serving(folder: Path, migrated_file: Path, *published: World) -> Iterator[Service]:
    shutil.copy(migrated_file, folder / "gridsvc.db")
    chosen = Settings(data_dir=folder, database_url=f"sqlite:///{folder / 'gridsvc.db'}")
    put_all(chosen.url, *published)
    live = Live(chosen.mapped)
    app, passed = create_app(chosen, live=live), list[str]()

    async def rest(scope: Any, receive: Any, send: Any) -> None:
        passed.append(scope["path"])
        await app(scope, receive, send)

    with TestClient(app):
        _wait(live, [world.name for world in published])
        yield Service(Lookup(rest, live, _open_door()), app, passed)


def _wait(live: Live, names: list[str]) -> None:
    """Until the files are there, customers' included."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        state = live.state()
        lines = [state and state.line(name, "base") for name in names]
        if all(line is not None and line.accounts is not None for line in lines):
            return
        time.sleep(0.02)
    raise TimeoutError


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Service]:
    """One territory, which need not be named."""
    with _serving(tmp_path_factory.mktemp("alone"), migrated_file, plain()) as found:
        yield found


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Service]:
    """Three territories: hexagons with and without overlays, and polygons."""
    folder = tmp_path_factory.mktemp("several")
    with _serving(folder, migrated_file, plain(), overlaid(), parcels()) as found:
        yield found


def _differences(service: Service, target: str, headers: Any = ()) -> list[Any]:
    """What differs between the hot path's answer and the routes', where it has one."""
    found = service.answers(target, headers)
    if found is None:
        return []
    due = ask(service.app, target, headers)
    pairs = [(found.status, due.status), (found.body, due.body)]
    pairs += [(found.headers.get(name), due.headers.get(name)) for name in COMPARED]
    return [pair for pair in pairs if pair[0] != pair[1]]


# --- what callers may write: mostly right, so that most of it is answered, and wrong in any way

NUMBERS = [
    "39.9", "39.90000000000000000000000000001", "+39.9", "0039.9", "3.99e1", "399E-1", "39.", ".5", "-0",
    "1e-400", "90", "-90",
]  # fmt: skip
NO_NUMBERS = [
    "", "nan", "NaN", "inf", "-inf", "Infinity", "1e300", "1e400", "91", "181", "٣٩", "１２", "1_0.5",
    "0x10", "39,9", "39.9.1", " 39.9", "39.9 ", "39.9\n", "+", "-", ".", "e5", "--1", "true", "9" * 400,
    "null", "4\x00",
]  # fmt: skip
VALUES = {
    "crs": (["wgs84", "gcj02", "bd09"], ["WGS84", "EPSG:4326", "epsg:4490", "EPSG:1", "mars", "", "wgs84 "]),
    "territory": (["city", "parcels", "estates"], ["ghost", "City", "", "城", "city "]),
    "line": (["base"], ["vip", "", "Base", "专属", "base "]),
    "lang": (["en", "zh"], ["", "EN", "fr", "zh-CN", "中"]),
    "min_seq": (
        ["0", "1", "01"],
        ["+1", "-1", "1.0", "", "1_0", "٣", "9" * 18, "9" * 19, "9" * 30, " 1", "x"],
    ),
    "as_of": (["2999-01-01T00:00:00Z"], ["2000-01-01T00:00:00+00:00", "2000-01-01T00:00:00", "now", ""]),
    "on_miss": (["status", "problem"], ["", "x"]),
    "colour": (["red"], [""]),
    "": ([""], ["1"]),
}
_lat, _lon = st.floats(39.84, 39.96).map(repr), st.floats(116.29, 116.51).map(repr)


def _rarely(draw: st.DrawFn) -> bool:
    return draw(st.integers(0, 11)) == 7


def _value(draw: st.DrawFn, name: str) -> str:
    """A value as callers write it: escaped as it must be, all of it escaped, or raw bytes."""
    if name in {"lat", "lon"}:
        good = (_lat if name == "lat" else _lon) | st.sampled_from(NUMBERS)
        text = draw(st.sampled_from(NO_NUMBERS) if _rarely(draw) else good)
    else:
        text = draw(st.sampled_from(VALUES[name][_rarely(draw)]))
    raw = text.encode().decode("latin-1").replace("&", "%26").replace("#", "%23")
    escaped = "".join(f"%{byte:02x}" for byte in text.encode())
    return draw(st.sampled_from([quote(text, safe=""), escaped])) if _rarely(draw) else raw


@st.composite
def _queries(draw: st.DrawFn, *first: str) -> str:
    more = draw(
        st.lists(st.sampled_from(["crs", "line", "lang", "min_seq", "lang"]), max_size=3, unique=True)
    )
    if _rarely(draw):
        more.append(draw(st.sampled_from([*VALUES, "lat", "lon"])))
    odd = st.sampled_from(["", "&", ";", "=1"])
    names = draw(st.permutations([*first, *more]))
    pairs = [f"{name}={_value(draw, name)}" + draw(odd) * _rarely(draw) for name in names]
    return "&".join(pairs)


def _header(value: bytes) -> tuple[bytes, bytes]:
    return (
        b"if-none-match" if b'"' in value or b"TAG" in value or value == b"*" else b"accept-language"
    ), value


_headers = st.lists(
    st.sampled_from([
        b"zh-CN,en;q=0.5", b"en", b"", b" ZH", b"\xa0zh", b"fr, zh",
        b"*", b'"1-2-3"', b"TAG", b"TAG", b"W/TAG", b'"0", TAG',
    ]).map(_header),
    max_size=3,
)  # fmt: skip
_points = st.builds("/v1/owner?{}".format, _queries("lat", "lon") | _queries("territory", "lat", "lon"))
CELL = f"{int(HEXES[0]):x}"
NO_CELLS = [
    f"0{CELL}", CELL.upper(), f"0x{CELL}", f"{int(HEXES[4]):x}", "8a31aa500007fff", "8031fffffffffff",
    "85318c83fffffff", "8", "0", "f" * 15, "f" * 16, "f" * 17, str(int(HEXES[0])), "-1", "zz", "",
]  # fmt: skip


@st.composite
def _things(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["cells", "customers"]))
    known = [f"{cell:x}" for cell in HEXES.tolist()] + CELLS * 5 if kind == "cells" else CUSTOMERS
    text = (
        draw(st.sampled_from(NO_CELLS + CELLS + CUSTOMERS) | st.text(max_size=12)) if _rarely(draw) else None
    )
    name = (draw(st.sampled_from(known)) if text is None else text).encode("utf-8", "replace")
    path = draw(
        st.sampled_from([quote(name, safe=""), quote(name), "".join(f"%{byte:02X}" for byte in name)])
    )
    path += draw(st.sampled_from(["/", "/x", "%0A", "%00"])) if _rarely(draw) else ""
    query = draw(_queries("territory") | _queries())
    return f"/v1/owner/{kind}/{path}" + (f"?{query}" if query else "")


FINE = "/v1/owner?lat=39.9&lon=116.4&territory=city"

many = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("kind", ["alone", "several"])
@many
@given(target=_points | _things(), headers=_headers)
@example(f"{FINE}&lang=", [])
@example(f"{FINE}&line=", [])
@example(f"{FINE}&min_seq=01", [])
@example(FINE, [(b"accept-language", b"zh"), (b"accept-language", b"en")])
@example(FINE, [(b"accept-language", b"\xa0zh")])
@example(FINE, [(b"if-none-match", b"TAG"), (b"if-none-match", b"*")])
@example("/v1/owner/cells/a%2F1?territory=parcels", [])
@example("/v1/owner/customers/7%0A?territory=city", [])
def test_the_hot_path_answers_as_the_routes_do_or_not_at_all(
    request: pytest.FixtureRequest, kind: str, target: str, headers: list[tuple[bytes, bytes]]
) -> None:
    service: Service = request.getfixturevalue(kind)
    tag = ask(service.app, "/v1/owner?lat=39.9&lon=116.4&territory=city").headers[b"etag"][0]
    sent = [(name, value.replace(b"TAG", tag)) for name, value in headers]
    assert _differences(service, target, sent) == [], target
    event("passed on" if service.passed else "answered")


# --- what it must answer itself, so that the test above means something

OWN = [
    "/v1/owner?lat=39.9&lon=116.4",
    "/v1/owner?lon=116.4&lat=39.9&crs=gcj02",
    "/v1/owner?lon=116.4&lat=39.9&crs=bd09&lang=zh",
    "/v1/owner?lat=3.99e1&lon=116.400000000000000001&min_seq=1&line=base",
    f"/v1/owner/cells/{CELL}",
    f"/v1/owner/cells/{CELL}?lang=zh&territory=city",
    *(f"/v1/owner/customers/{quote(c, safe='')}" for c in CUSTOMERS if c not in {"named", "lost"}),
]


@pytest.mark.parametrize("target", OWN)
def test_plain_questions_are_answered_by_the_hot_path(alone: Service, target: str) -> None:
    found = alone.answers(target)
    assert found is not None
    assert found.status == 200
    assert _differences(alone, target) == []
    tag = [(b"if-none-match", found.headers[b"etag"][0])]
    again = alone.answers(target, tag)
    assert again is not None
    assert (again.status, again.body) == (304, b"")
    assert _differences(alone, target, tag) == []
    assert _differences(alone, target, [(b"accept-language", b"zh")]) == []


@pytest.mark.parametrize(
    "target", ["/v1/owner?lat=0.5&lon=3.5", *(f"/v1/owner/cells/{quote(c, safe='')}" for c in CELLS)]
)
def test_polygons_are_answered_by_the_hot_path(several: Service, target: str) -> None:
    target += f"{'&' if '?' in target else '?'}territory=parcels"
    found = several.answers(target)
    assert found is not None
    assert found.status == 200
    assert _differences(several, target) == []


PASSED_ON = [
    "/v1/owner?lat=39.9&lon=116.4&as_of=2999-01-01T00:00:00Z",
    "/v1/owner?lat=39.9&lon=116.4&on_miss=status",
    "/v1/owner?lat=39.9&lon=116.4&colour=red",
    "/v1/owner?lat=39.9&lon=116.4&lat=39.9",
    "/v1/owner?lat=39.9&lon=%3116.4",
    "/v1/owner?lat=39.9&lon=116.4&territory=ghost",
    "/v1/owner?lat=39.9&lon=116.4&min_seq=999",
    "/v1/owner?lat=-39.9&lon=116.4",
    "/v1/owner/customers/ghost",
    "/v1/owner/customers/named",
    "/v1/owner/customers/lost",
    "/v1/owner/cells/8031fffffffffff",
    "/v1/owners",
]


@pytest.mark.parametrize("target", PASSED_ON)
def test_what_needs_thought_is_passed_on(alone: Service, target: str) -> None:
    assert alone.answers(target) is None


def test_several_territories_need_a_name(several: Service) -> None:
    assert several.answers("/v1/owner?lat=39.9&lon=116.4") is None


def test_customers_under_overlays_need_their_point(several: Service) -> None:
    assert several.answers("/v1/owner/customers/7?territory=estates") is None
    assert several.answers("/v1/owner/customers/7?territory=city") is not None


def test_all_is_passed_on_while_nobody_keeps_the_files(several: Service, tmp_path: Path) -> None:
    hot = Lookup(several.hot._app, Live(tmp_path), _open_door())
    assert replace(several, hot=hot).answers(f"{OWN[0]}&territory=city") is None
