"""Each conformance class the service claims, with what it asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import jsonschema
import numpy as np
import pyproj
import pytest
import shapely

from api.ogc.describe import CONFORMANCE, PATHS
from gridsvc.services.publications import layer
from tests.ogc.conftest import DEGREE, HEIGHT, WIDTH, Town
from tests.services.board import ANNA

CELLS, GRIDS, TEAMS = "board.base.cells", "board.base.grids", "board.base.teams"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
KEPT: set[str] = set()


def keeps(*classes: str) -> Callable[[Any], Any]:
    """Says which classes a test is about."""
    KEPT.update(f"http://www.opengis.net/spec/{name}" for name in classes)
    return lambda test: test


def window(x0: float, y0: float, x1: float, y1: float) -> str:
    """A box in cells of the board."""
    return ",".join(f"{v * DEGREE:.9f}" for v in (x0, y0, x1, y1))


def test_each_class_claimed_has_a_test_and_no_other() -> None:
    assert set(CONFORMANCE) == KEPT


@keeps("ogcapi-common-1/1.0/conf/core", "ogcapi-features-1/1.0/conf/core")
def test_the_landing_page_leads_to_all_there_is(town: Town) -> None:
    links = {entry["rel"]: entry["href"] for entry in town.get("").json()["links"]}
    for rel in ("self", "alternate", "service-desc", "service-doc", "conformance", "data"):
        assert town.client.get(links[rel]).status_code == 200, rel
    assert town.client.get(links["conformance"]).json()["conformsTo"] == CONFORMANCE
    assert town.client.get("/ogc/", follow_redirects=False).status_code == 200  # as OWSLib asks


@keeps("ogcapi-common-2/1.0/conf/collections", "ogcapi-features-1/1.0/conf/core")
def test_collections_say_where_and_since_when(town: Town) -> None:
    found = {entry["id"]: entry for entry in town.get("/collections").json()["collections"]}
    drafts = {f"plan.{town.plan}.{kind}" for kind in ("grids", "cells", "teams")}
    assert {CELLS, GRIDS, TEAMS} | drafts == set(found)
    one = town.get(f"/collections/{GRIDS}").json()
    assert one == found[GRIDS]
    assert one["extent"]["spatial"]["bbox"][0] == pytest.approx(
        [0, 0, WIDTH * DEGREE, HEIGHT * DEGREE], abs=1e-7
    )
    assert one["extent"]["temporal"]["interval"] == [[town.started.isoformat().replace("+00:00", "Z"), None]]
    for entry in one["links"]:
        assert town.client.get(entry["href"]).status_code == 200, entry
    for missing in (
        "nowhere.base.grids",
        "board.base.roads",
        "board",
        "plan.pln_0.grids",
        "board.x.grids",
    ):
        assert town.get(f"/collections/{missing}").status_code == 404, missing


@keeps("ogcapi-features-1/1.0/conf/core", "ogcapi-features-1/1.0/conf/geojson")
@pytest.mark.parametrize("kind", ["grids", "cells"])
def test_items_are_what_is_exported(town: Town, kind: Any) -> None:
    found = town.items(f"board.base.{kind}")
    exported, record = layer(town.database, ANNA, "board", 2, kind)
    assert found["numberMatched"] == found["numberReturned"] == len(exported.geometry)
    shared = {"publication": 2, "valid_from": record.effective_at.isoformat()}
    assert [f["properties"] for f in found["features"]] == [{**row, **shared} for row in exported.rows()]
    shapes = shapely.from_geojson([json.dumps(f["geometry"]) for f in found["features"]])
    assert set(shapely.get_type_id(shapes)) == {shapely.GeometryType.MULTIPOLYGON}  # of all pages
    parts, whole = shapely.get_parts(exported.geometry, return_index=True)
    expected = shapely.multipolygons(parts, indices=whole)
    assert shapely.equals_exact(shapely.normalize(shapes), shapely.normalize(expected), 1e-7).all()
    assert found["gridsvc:state"]["checksum"] == record.checksum
    assert all(shapely.is_ccw(shapely.get_exterior_ring(shapely.get_parts(shapes))))


@keeps("ogcapi-features-1/1.0/conf/core")
def test_teams_are_their_grids_as_one(town: Town) -> None:
    found = town.items(TEAMS)["features"]
    assert [(f["id"], f["properties"]["cells"], f["properties"]["grids"]) for f in found] == [
        ("a", 48, 1),
        ("b", 24, 1),
        ("c", 24, 1),
    ]
    assert found[0]["properties"]["lead_name"] == "Person a"
    whole = shapely.union_all(shapely.from_geojson([json.dumps(f["geometry"]) for f in found]))
    assert whole.area == pytest.approx(WIDTH * HEIGHT * DEGREE**2, rel=1e-4)


@pytest.mark.parametrize("kind", ["grids", "cells", "teams"])
def test_files_have_the_same_properties_in_the_same_order(town: Town, kind: str) -> None:
    served = town.items(f"board.base.{kind}")
    n = served["gridsvc:state"]["publication"]
    file = town.client.get(
        f"/v1/publications/{n}/export", params={"territory": "board", "layer": kind}
    ).json()
    own = {"grids": "code", "cells": "cell", "teams": "team"}[kind]
    rows = {f["properties"][own]: f["properties"] for f in served["features"]}
    for feature in file["features"]:
        row = {
            name: v for name, v in rows[feature["properties"][own]].items() if name in feature["properties"]
        }
        assert list(row.items()) == list(feature["properties"].items())


@keeps("ogcapi-features-1/1.0/conf/core")
def test_one_feature_is_had_by_its_id(town: Town) -> None:
    found = town.get(f"/collections/{GRIDS}/items/a").json()
    listed = town.items(GRIDS)["features"][0]
    assert {name: found[name] for name in listed} == listed
    assert town.get(f"/collections/{GRIDS}/items/zz").status_code == 404


@keeps("ogcapi-features-1/1.0/conf/core")
@pytest.mark.parametrize(("limit", "sizes"), [(40, [40, 40, 16]), (96, [96]), (10**9, [96]), (95, [95, 1])])
def test_pages_follow_one_another_to_the_end(town: Town, limit: int, sizes: list[int]) -> None:
    page, seen, found = town.items(CELLS, limit=limit), [], []
    while True:
        assert page["numberMatched"] == WIDTH * HEIGHT
        found.append(page["numberReturned"])
        seen += [feature["id"] for feature in page["features"]]
        onwards = [entry["href"] for entry in page["links"] if entry["rel"] == "next"]
        if not onwards:
            break
        page = town.client.get(onwards[0]).json()
    assert found == sizes
    assert seen == town.ids(CELLS)


@keeps("ogcapi-features-1/1.0/conf/core")
def test_a_box_gives_what_meets_it(town: Town) -> None:
    inside = town.ids(CELLS, bbox=window(0.5, 0.5, 2.5, 1.5))
    assert sorted(inside) == [f"x{x:03d}y{y:03d}" for x in range(3) for y in range(2)]
    assert town.ids(CELLS, bbox=window(0.5, 0.5, 2.5, 1.5).replace(",", ",", 1)) == inside
    six = window(0.5, 0.5, 2.5, 1.5).split(",")
    assert town.ids(CELLS, bbox=",".join([*six[:2], "-10", *six[2:], "10"])) == inside
    assert town.ids(GRIDS, bbox=window(9.5, 0.5, 9.6, 0.6)) == ["c"]
    assert town.ids(CELLS, bbox="10,10,20,20") == []


@keeps("ogcapi-features-1/1.0/conf/core")
def test_a_box_may_cross_the_antimeridian(town: Town) -> None:
    east, south, north = 1.5 * DEGREE, -1.0, 0.5 * DEGREE
    assert town.ids(CELLS, bbox=f"170,{south},{east},{north}") == ["x000y000", "x001y000"]
    assert town.ids(CELLS, bbox=f"{10.5 * DEGREE},{south},-170,{north}") == ["x010y000", "x011y000"]


@keeps("ogcapi-features-1/1.0/conf/core")
def test_a_time_gives_what_was_in_force_then(town: Town) -> None:
    before, between = town.started.isoformat()[:10], town.started.isoformat()
    assert town.ids(GRIDS) == ["a", "b", "c"]
    assert town.ids(GRIDS, datetime=between) == ["a", "b"]
    assert town.ids(GRIDS, datetime=f"../{between}") == ["a", "b"]
    assert town.ids(GRIDS, datetime=f"{between}/..") == ["a", "b", "c"]
    assert town.ids(GRIDS, datetime="../..") == ["a", "b", "c"]
    assert town.items(GRIDS, datetime=between)["gridsvc:state"]["publication"] == 1
    assert town.ids(GRIDS, datetime="2020-01-01/2020-12-31") == []
    assert before and town.items(GRIDS, datetime="2020-01-01T00:00:00Z")["numberMatched"] == 0


WRONG = {
    "colour=red": "colour",
    "limit=0": "limit",
    "limit=ten": "limit",
    "limit=1&limit=2": "limit",
    "bbox=1,2,3": "bbox",
    "bbox=1,2,3,x": "bbox",
    "bbox=0,5,1,2": "bbox",
    "bbox=0,0,200,1": "bbox",
    "bbox=0,0,nan,1": "bbox",
    "bbox-crs=EPSG:1": "bbox-crs",
    "crs=http://example.com": "crs",
    f"crs={EPSG}4549": "crs",
    "datetime=yesterday": "datetime",
    "datetime=2026-01-01T00:00:00": "datetime",
    "datetime=2027-01-01/2026-01-01": "datetime",
    "cursor=7": "cursor",
    "f=xml": "f",
    "filter=customers %3E": "filter",
    "filter=nothing %3D 1": "filter",
    "filter=cell %3D 1": "filter",
    "filter=TRUE&filter-lang=sql": "filter-lang",
    "filter=" + "(" * 60 + "customers=1" + ")" * 60: "filter",
    "filter=customers=" + "-" * 60 + "1": "filter",
    "filter=" + "NOT " * 60 + "customers=1": "filter",
    "filter=S_INTERSECTS(geometry,POLYGON((0 0,1 1,1 0,0 1,0 0)))": "filter",
    "filter=DROP TABLE cells": "filter",
    "filter=[]&filter-lang=cql2-json": "filter",
    "customers=many": "customers",
}


@keeps("ogcapi-features-1/1.0/conf/core")
@pytest.mark.parametrize("query", WRONG, ids=range(len(WRONG)))
def test_what_cannot_be_answered_is_a_400_which_names_it(town: Town, query: str) -> None:
    answer = town.client.get(f"/ogc/collections/{CELLS}/items?{query}")
    assert (answer.status_code, answer.json()["status"]) == (400, 400), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["field"], bool(answer.json()["cure"])) == (WRONG[query], True)


@keeps("ogcapi-features-1/1.0/conf/html", "ogcapi-features-1/1.0/conf/core")
def test_people_get_pages_without_scripts(town: Town) -> None:
    feature = f"/collections/{GRIDS}/items/a"
    paths = [path.replace("{collection}", CELLS) for path in PATHS if "{feature}" not in path]
    for path in [*(p for p in paths if "{z}" not in p and not p.endswith("/style")), feature]:
        answer = town.client.get(f"/ogc{path}".rstrip("/"), headers={"Accept": "text/html,*/*;q=0.1"})
        assert answer.headers["content-type"].startswith("text/html"), path
        assert "<script" not in answer.text and " style=" not in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert (
            town.client.get(f"/ogc{path}".rstrip("/")).headers["content-type"].split(";")[0].endswith("json")
        )
    assert "发布版本" in town.get(f"/collections/{CELLS}/items", f="html", lang="zh").text


def test_who_chose_a_language_keeps_it_from_page_to_page(town: Town) -> None:
    english = {"Accept-Language": "en"}
    for path in ("", "/collections", f"/collections/{CELLS}", f"/collections/{CELLS}/items"):
        page = town.client.get(
            f"/ogc{path}",
            params={
                "f": "html",
                "lang": "zh",
            },
            headers=english,
        ).text
        onwards = {unescape(found) for found in re.findall(r'href="(http[^"]*f=html[^"]*)"', page)}
        assert onwards, path
        for address in sorted(onwards)[:6]:
            answer = town.client.get(address, headers=english)
            assert (answer.status_code, 'lang="zh-CN"' in answer.text) == (200, True), address
    assert town.client.get("/ogc", headers={"Accept": "image/png"}).status_code == 406


@keeps("ogcapi-features-1/1.0/conf/oas30")
def test_the_description_names_each_route_and_parameter(town: Town) -> None:
    document = town.get("/api").json()
    assert document["openapi"].startswith("3.0")
    own = town.client.get("/openapi.json").json()["paths"]
    ours = {path.removeprefix("/ogc") or "/": item for path, item in own.items() if path.startswith("/ogc")}
    assert set(document["paths"]) == set(ours)
    for path, item in ours.items():
        named = {p["name"] for p in item["get"]["parameters"]}
        assert named == {p["name"] for p in document["paths"][path]["get"]["parameters"]}, path
    assert len({item["get"]["operationId"] for item in document["paths"].values()}) == len(ours)


@keeps("ogcapi-features-2/1.0/conf/crs")
@pytest.mark.parametrize("code", [4326, 3857])
def test_coordinates_come_in_the_system_and_order_asked_for(town: Town, code: int) -> None:
    answer = town.get(f"/collections/{CELLS}/items", crs=f"{EPSG}{code}", limit=5)
    assert answer.headers["content-crs"] == f"<{EPSG}{code}>"
    turn = pyproj.Transformer.from_crs("OGC:CRS84", f"EPSG:{code}").transform  # in the order of the authority
    plain = town.items(CELLS, limit=5)["features"]
    for ours, theirs in zip(answer.json()["features"], plain, strict=True):
        ring = np.array(theirs["geometry"]["coordinates"][0][0])
        assert np.array(ours["geometry"]["coordinates"][0][0]) == pytest.approx(
            np.column_stack(turn(ring[:, 0], ring[:, 1])), abs=0.02
        )
    assert town.get(f"/collections/{CELLS}/items").headers["content-crs"] == f"<{CRS84}>"


@keeps("ogcapi-features-2/1.0/conf/crs")
def test_boxes_may_be_of_another_system(town: Town) -> None:
    west, south, east, north = (float(v) for v in window(0.5, 0.5, 2.5, 1.5).split(","))
    wanted = town.ids(CELLS, bbox=window(0.5, 0.5, 2.5, 1.5))
    assert town.ids(CELLS, bbox=f"{south},{west},{north},{east}", bbox_crs=f"{EPSG}4326") == wanted
    x, y = pyproj.Transformer.from_crs(4326, 3857, always_xy=True).transform([west, east], [south, north])
    assert town.ids(CELLS, bbox=f"{x[0]},{y[0]},{x[1]},{y[1]}", bbox_crs=f"{EPSG}3857") == wanted


@keeps("ogcapi-features-3/1.0/conf/queryables", "ogcapi-features-3/1.0/conf/queryables-query-parameters")
def test_each_queryable_is_a_parameter(town: Town) -> None:
    schema = town.get(f"/collections/{CELLS}/queryables").json()
    jsonschema.Draft202012Validator.check_schema(schema)
    first = town.items(CELLS)["features"][0]
    assert set(schema["properties"]) == {*first["properties"], "geometry"}
    for name, value in first["properties"].items():
        if value is not None:
            assert first["id"] in town.ids(CELLS, **{name: value}), name
    assert len(town.ids(CELLS, team="c")) == 24
    assert town.ids(CELLS, team="c", customers=2) == []


FILTERS = {
    "team = 'a'": 48,
    "team = 'a' OR grid = 'c'": 72,
    "NOT (team = 'a')": 48,
    "team <> 'a' AND customers >= 1": 48,
    "team_name LIKE 'Team _'": 96,
    "team_name NOT LIKE '%A'": 48,
    "team IN ('b', 'c')": 48,
    "customers BETWEEN 1 AND 2": 96,
    "grid IS NULL": 0,
    "grid IS NOT NULL": 96,
    "CASEI(team_name) = CASEI('team a')": 48,
    "ACCENTI(team) = ACCENTI('á')": 48,
    "customers * 2 = 2": 96,
    "grid = team": 96,
    "valid_from > TIMESTAMP('2020-01-01T00:00:00Z')": 96,
    "S_INTERSECTS(geometry, POINT(0.0001 0.0001))": 1,
    f"S_INTERSECTS(geometry, BBOX({window(0.5, 0.5, 2.5, 1.5)}))": 6,
    f"S_DISJOINT(geometry, BBOX({window(0.5, 0.5, 2.5, 1.5)}))": 90,
    f"S_WITHIN(geometry, BBOX({window(-0.5, -0.5, 2.5, 1.5)}))": 2,
    f"S_CONTAINS(geometry, BBOX({window(0.2, 0.2, 0.4, 0.4)}))": 1,
    f"S_OVERLAPS(geometry, BBOX({window(-0.5, -0.5, 0.5, 0.5)}))": 1,
    f"S_CROSSES(geometry, LINESTRING({0.5 * DEGREE} {0.5 * DEGREE}, {2.5 * DEGREE} {0.5 * DEGREE}))": 3,
    "S_TOUCHES(geometry, POINT(0 0))": 1,
    "S_EQUALS(geometry, POINT(0 0))": 0,
}


@keeps(
    "ogcapi-features-3/1.0/conf/filter",
    "ogcapi-features-3/1.0/conf/features-filter",
    "cql2/1.0/conf/cql2-text",
    "cql2/1.0/conf/basic-cql2",
    "cql2/1.0/conf/advanced-comparison-operators",
    "cql2/1.0/conf/case-insensitive-comparison",
    "cql2/1.0/conf/accent-insensitive-comparison",
    "cql2/1.0/conf/basic-spatial-functions",
    "cql2/1.0/conf/basic-spatial-functions-plus",
    "cql2/1.0/conf/spatial-functions",
    "cql2/1.0/conf/arithmetic",
    "cql2/1.0/conf/property-property",
)
@pytest.mark.parametrize("text", FILTERS)
def test_filters_choose(town: Town, text: str) -> None:
    assert town.items(CELLS, filter=text)["numberMatched"] == FILTERS[text]


@keeps("cql2/1.0/conf/cql2-json")
def test_filters_may_be_json(town: Town) -> None:
    tree = {
        "op": "and",
        "args": [
            {"op": "=", "args": [{"property": "team"}, "a"]},
            {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [0, 0, 0.0001, 0.0001]}]},
        ],
    }
    assert town.ids(CELLS, filter=json.dumps(tree), filter_lang="cql2-json") == ["x000y000"]


@keeps("ogcapi-features-3/1.0/conf/filter")
def test_shapes_in_filters_may_be_of_another_system(town: Town) -> None:
    x, y = 1.5 * DEGREE, 0.5 * DEGREE
    here = f"S_INTERSECTS(geometry, POINT({y} {x}))"
    assert town.ids(CELLS, filter=here, filter_crs=f"{EPSG}4326") == ["x001y000"]


@keeps(
    "ogcapi-tiles-1/1.0/conf/core",
    "ogcapi-tiles-1/1.0/conf/tileset",
    "ogcapi-tiles-1/1.0/conf/tilesets-list",
    "ogcapi-tiles-1/1.0/conf/geodata-tilesets",
    "ogcapi-tiles-1/1.0/conf/mvt",
)
def test_a_collection_leads_to_its_tiles(town: Town) -> None:
    listed = town.get(f"/collections/{GRIDS}/tiles").json()["tilesets"][0]
    links = {entry["rel"]: entry["href"] for entry in listed["links"]}
    told = town.client.get(links["self"]).json()
    limits = {entry["tileMatrix"]: entry for entry in told["tileMatrixSetLimits"]}["14"]
    spots = {"tileMatrix": 14, "tileRow": limits["minTileRow"], "tileCol": limits["minTileCol"]}
    answer = town.client.get(links["item"].format(**spots))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/vnd.mapbox-vector-tile")
    matrices = town.client.get(links["http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"]).json()
    assert [m["matrixWidth"] for m in matrices["tileMatrices"][:3]] == [1, 2, 4]
    tilejson = town.client.get(links["describedby"]).json()
    again = town.client.get(tilejson["tiles"][0].format(z=14, y=spots["tileRow"], x=spots["tileCol"]))
    assert again.content == answer.content and "immutable" in again.headers["cache-control"]
    assert town.get(f"/collections/{GRIDS}/tiles/WebMercatorQuad/0/0/1").status_code == 404
    assert town.get(f"/collections/{GRIDS}/tiles/WebMercatorQuad/14/0/0").status_code == 204
