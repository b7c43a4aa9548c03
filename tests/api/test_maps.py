"""A base map and layers of the company's own: off by default, and no wider than configured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from gridsvc.basemap import parse
from gridsvc.config import Settings
from gridsvc.errors import InvalidInput

TILES = "https://tiles.example.com:8443/v1/{z}/{x}/{y}.png?key=k1"


def _asked(policy: str) -> list[str]:
    """What a page may ask, by its policy."""
    found = re.search(r"connect-src ([^;]+)", policy)
    assert found is not None
    return found[1].split()


def _with(settings: Settings, **more: str) -> TestClient:
    return TestClient(create_app(settings.model_copy(update=more)))


def test_without_a_base_map_the_page_asks_nobody_else(client: TestClient) -> None:
    answer = client.get("/v1/map")
    assert answer.json() == {"base": None, "layers": []}
    assert _asked(answer.headers["content-security-policy"]) == ["'self'"]


def test_a_base_map_opens_the_policy_for_its_host_and_no_other(own_settings: Settings) -> None:
    more = {"base_map": TILES, "base_map_crs": "gcj02", "base_map_credit": "© Example"}
    with _with(own_settings, **more) as client:
        answer = client.get("/v1/map")
        assert answer.json()["base"] == {
            "tiles": [TILES],
            "style": None,
            "crs": "gcj02",
            "credit": "© Example",
        }
        assert _asked(answer.headers["content-security-policy"]) == [
            "'self'",
            "https://tiles.example.com:8443",
        ]


@pytest.mark.parametrize(
    ("text", "hosts", "tiles", "style"),
    [
        ("http://t0.a.cn/vec/{z}/{x}/{y} http://t0.a.cn/cva/{z}/{x}/{y}", ("http://t0.a.cn",), 2, None),
        ("https://maps.intra/style.json", ("https://maps.intra",), 0, "https://maps.intra/style.json"),
        ("/tiles/{z}/{x}/{y}.png", (), 1, None),
        ("http://[::1]:9000/{z}/{x}/{y}", ("http://[::1]:9000",), 1, None),
    ],
)
def test_tiles_and_styles_are_told_apart(
    text: str, hosts: tuple[str, ...], tiles: int, style: str | None
) -> None:
    found = parse(text)
    assert found is not None
    assert (found.hosts, len(found.tiles), found.style) == (hosts, tiles, style)


@pytest.mark.parametrize(
    "text",
    [
        "ftp://maps.intra/{z}/{x}/{y}",
        "maps.intra/{z}/{x}/{y}",
        "https://*/{z}/{x}/{y}",
        "https://a.cn;script-src/{z}/{x}/{y}",
        "https://a.cn:port/{z}/{x}/{y}",
        "https://[::1/{z}/{x}/{y}",
        "https://user:pass@maps.intra/{z}/{x}/{y}",
        "//maps.intra/{z}/{x}/{y}",
        "https://maps.intra/style.json https://maps.intra/{z}/{x}/{y}",
    ],
)
def test_what_is_no_address_is_refused_at_the_start(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDSVC_BASE_MAP", text)
    with pytest.raises(InvalidInput) as refused:
        Settings.load()
    assert refused.value.as_dict()["field"] == "GRIDSVC_BASE_MAP"
    assert refused.value.as_dict()["cure"]


def test_a_style_cannot_be_shifted() -> None:
    with pytest.raises(InvalidInput, match="picture tiles"):
        parse("https://maps.intra/style.json", "gcj02")


def test_layers_of_the_folder_are_listed_and_given(client: TestClient, own_settings: Settings) -> None:
    folder = own_settings.map_layers
    folder.mkdir()
    (folder / "河流.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    (folder / "notes.txt").write_text("not for the map")
    (own_settings.data_dir / "secret.geojson").write_text("{}")
    assert client.get("/v1/map").json()["layers"] == [{"name": "河流", "bytes": 45}]
    answer = client.get("/v1/map/layers/河流")
    assert answer.headers["content-type"] == "application/geo+json"
    assert client.get(
        "/v1/map/layers/河流", headers={"If-None-Match": answer.headers["etag"]}
    ).status_code in {
        200,
        304,
    }
    for name in ("notes", "..%2Fsecret", "%2e%2e%2fsecret", "secret"):
        refused = client.get(f"/v1/map/layers/{name}")
        assert refused.status_code == 404, name


def test_the_sample_brings_its_own_layers(tmp_path: Path) -> None:
    from gridsvc.sample.maps import put_map_layers

    sample = Path(__file__).resolve().parents[2] / "data/samples/county"
    (tmp_path / "rivers.geojson").write_text("mine")
    put_map_layers(sample, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "districts.geojson",
        "outlets.geojson",
        "rivers.geojson",
    ]
    assert (tmp_path / "rivers.geojson").read_text() == "mine"
    assert "柳田供电所" in (tmp_path / "outlets.geojson").read_text()
