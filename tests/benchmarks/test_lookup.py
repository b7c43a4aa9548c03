"""The benchmarks of the lookup run, compare answers, and judge their figures; nothing here is timed."""

from __future__ import annotations

import http.server
import json
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import h3
import numpy as np
import pytest

from benchmarks.case import Disagreement
from benchmarks.catalogue import case_of
from benchmarks.lookup import postgis, service
from benchmarks.lookup.arrays import CASES, COMPILED, NUMPY
from benchmarks.lookup.caller import KEY
from benchmarks.lookup.figures import percentile
from benchmarks.lookup.gates import Line, judge
from benchmarks.lookup.ground import Ground, add, large, london, opened, versions
from benchmarks.lookup.page import text
from benchmarks.lookup.picture import draw, rows
from benchmarks.lookup.questions import first_question, question
from benchmarks.lookup.running import running
from benchmarks.lookup.singles import _Loop
from benchmarks.lookup.sizes import QUICK
from benchmarks.lookup.visible import _Seen

TINY = replace(QUICK, resolution=6, grids=4, points=60, batch=100)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return london(tmp_path_factory.mktemp("lookup"), TINY)


def _lines(ground: Ground, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (ground.folder / f"{name}.jsonl").read_text().splitlines()]


# --- inputs


def test_the_answers_due_are_those_of_h3(ground: Ground) -> None:
    grid = dict(zip(ground.tiling.names(), np.array(ground.codes)[ground.labels], strict=True))
    for name in ("points", "batch"):
        for line in _lines(ground, name):
            cell = h3.latlng_to_cell(line["in"]["lat"], line["in"]["lon"], TINY.resolution)
            assert line["want"]["grid"] == grid.get(cell)
    assert {line["want"]["grid"] for line in _lines(ground, "batch")} > {None}
    for line in _lines(ground, "cells"):
        assert line["want"]["grid"] == grid[line["in"]["cell"]]


def test_a_service_on_the_ground_answers_as_is_due(ground: Ground) -> None:
    with (
        running(ground.folder, *first_question(ground), workers=2) as service,
        service.worker_connections(2) as connections,
    ):
        assert len(connections) == 2


def test_each_publication_puts_every_cell_elsewhere(tmp_path: Path) -> None:
    first = large(tmp_path, 3)
    database = opened(tmp_path)
    made = versions(3)
    assert (next(made).labels == first.labels).all()
    second = next(made)
    assert (second.labels != first.labels).all()
    assert add(database, second) == 2
    database.close()
    path, grid = question(second)
    assert path.startswith("/v1/owner?lat=") and grid in {g.code for g in second.grids}


# --- the service and its peers


def test_the_spec_names_every_case_and_target(ground: Ground, tmp_path: Path) -> None:
    pytest.importorskip("psycopg_pool")  # a peer's
    document = tomllib.loads(
        service.toml(service.spec(ground, TINY, "host=/tmp/x options='-c jit=off'", tmp_path))
    )
    assert [case["name"] for case in document["case"]] == ["settle", "settle-arrow", *service.CASES]
    targets = {target["name"]: target for target in document["target"]}
    assert set(targets) == {"gridsvc", "nothing", "fastapi-postgis", "postgis"}
    assert targets["gridsvc"]["env"]["GRIDSVC_DATABASE_URL"] == ground.url
    assert "reference" not in targets["gridsvc"] or not targets["gridsvc"]["reference"]
    assert targets["postgis"]["dsn"] == "host=/tmp/x options='-c jit=off'"
    figures = " ".join(document["gates"])
    assert all(name in figures for name in ("point", "batch-columns", "batch-arrow", "batch-objects"))


def test_without_postgis_nothing_is_asked_of_it(ground: Ground, tmp_path: Path) -> None:
    document = service.spec(ground, TINY, None, tmp_path)
    assert [target["name"] for target in document["target"]] == ["gridsvc", "nothing"]
    assert "postgis" not in json.dumps(document["gates"])


def test_without_a_pool_postgis_is_asked_directly(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(service, "find_spec", lambda name: None)
    document = service.spec(ground, TINY, "host=/tmp/x", tmp_path)
    assert [target["name"] for target in document["target"]] == ["gridsvc", "nothing", "postgis"]
    assert "fastapi-postgis" not in json.dumps(document["gates"])
    assert "psycopg-pool is not installed" in capsys.readouterr().out


def test_without_the_kit_one_line_says_so(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(service, "KIT", tmp_path / "none.py")
    assert service.measure(ground, TINY, tmp_path) is None
    assert capsys.readouterr().out == "the service is left out: no measuring kit in ../shared/kit\n"


@pytest.mark.postgis
def test_postgis_answers_as_is_due(ground: Ground) -> None:
    psycopg = pytest.importorskip("psycopg")
    with postgis.filled(ground) as dsn:
        if dsn is None:
            pytest.skip("PostGIS is not here")
        with psycopg.connect(dsn) as connection:
            for line in _lines(ground, "points")[:20]:
                found = connection.execute(postgis.POINT, (line["in"]["lon"], line["in"]["lat"])).fetchone()
                assert found[0] == line["want"]["grid"]
                assert found[3] == ground.team(found[0])
            asked = _lines(ground, "batch")
            columns = ([line["in"][name] for line in asked] for name in ("lat", "lon"))
            answers = connection.execute(postgis.BATCH, tuple(columns)).fetchall()
    assert [grid for grid, _ in answers] == [line["want"]["grid"] for line in asked]


# --- arrays


def test_another_grid_is_a_disagreement(tmp_path: Path) -> None:
    case = case_of("lookup-h3")
    ours = {"rows": np.array([0, 1]), "grid": np.array([2, 3])}
    assert case.check(tmp_path, ours, {"grid": np.array([2, 3])}) == "the same for every point"
    with pytest.raises(Disagreement, match="1 points differ in grid"):
        case.check(tmp_path, ours, {"grid": np.array([2, 4])})


# --- single questions


class _Slow(http.server.BaseHTTPRequestHandler):
    """Answers the first question late and wrongly, the others at once and rightly."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_GET(self) -> None:
        _Slow.asked += 1
        late = _Slow.asked == 1
        if late:
            threading.Event().wait(0.3)
        body = json.dumps({"grid": {"code": "x" if late else "a"}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def slow() -> Iterator[int]:
    _Slow.asked = 0
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Slow) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_questions_count_from_when_they_were_due(slow: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, "none is asked for")
    loop = _Loop(slow, [{"in": {"lat": 1, "lon": 2}, "want": {"grid": "a"}}], rate=50.0, seconds=0.4)
    loop.run()
    assert len(loop.ms) == 20
    assert loop.wrong == 1
    assert max(loop.ms) >= 300


def test_a_publication_is_seen_when_the_last_worker_has_it() -> None:
    seen = _Seen(2)
    seen.tell(1, 7)
    with pytest.raises(RuntimeError, match="publication 7 was not seen"):
        seen.all_at(7, seconds=0.05)
    seen.tell(2, 7)
    assert seen.all_at(7) > 0


def test_percentiles() -> None:
    values = [float(i) for i in range(100)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile([3.0], 0.99)) == (50.0, 99.0, 3.0)


# --- the page


def _single(cpu: float) -> dict[str, Any]:
    figures = {"cpu_us": cpu, "p50_us": cpu, "p99_us": 2 * cpu, "rps": 1e6 / cpu, "hiccup_p99_ms": 0.2}
    return {"c1": figures, "c32": figures, "mismatch": 0, "mem_mb": 100.0}


def _batch(ns: float, wrong: int = 0) -> dict[str, Any]:
    return {"cpu_ns_per_pt": ns, "p50_ms": ns / 10, "pts_per_s": 1e9 / ns, "mismatch": wrong}


def _results(wrong: int = 0) -> dict[str, Any]:
    targets = {"gridsvc": _single(40), "nothing": _single(30), "fastapi-postgis": _single(300)}
    median = {
        "point": {**targets, "postgis": {"c1": _single(30)["c1"], "mismatch": 0}},
        "batch-columns": {"gridsvc": _batch(300, wrong), "postgis": _batch(13_000)},
    }
    gates = {gate.rule: {"met": True, "figure": "1e-3"} for gate in service.GATES if gate.sign == "<="}
    cpu = {NUMPY: 0.1, COMPILED: 0.05, "h3-py, one by one, and a dictionary": 0.7, "geopandas.sjoin": 2.0}
    arrays = {case.name: {"title": case.title, "points": 1_000_000, "cpu_s": cpu} for case in CASES}
    single = {"p50_ms": 1.0, "p99_ms": 19.0, "p999_ms": 30.0, "worst_ms": 31.0, "asked": 3000, "wrong": 0}
    single |= {"hiccup_p99_ms": 2.0, "rate": 100.0}
    worker = {"role": "API worker", "uss": 111.0, "pss": 120.0}
    return {
        "service": {"median": median, "gates": gates, "wrong": {"batch-columns": wrong}, "rounds": 3},
        "arrays": {"body": "### Points to H3 cells", **arrays},
        "starts": [{"cells": 19_927, "kept": True, "seconds": [0.7, 0.9, 0.7]}],
        "memory": {
            "cells": 1_000_519,
            "files": {"ownership/x.db/tiling-1.own": 8.0},
            "processes": [worker],
            "customers": 10,
            "customers_mb": 200.0,
            "london": [worker],
        },
        "visible": {"cells": 19_927, "workers": 2, "ms": [20.0] * 99 + [120.0]},
        "load": {
            "alone": single,
            "beside": single,
            "clients": 4,
            "points": 100_000,
            "batches": 9,
            "errors": 0,
        },
    }


def _met(lines: list[Line]) -> dict[str, bool]:
    return {line.what: line.met for line in lines}


def test_figures_are_held_against_what_was_asked() -> None:
    met = _met(judge(_results()))
    assert met["batch as columns: ns CPU a point"]
    assert met["arrays, H3, numpy: M points/s"] and met["arrays, H3, numpy: the h3-py loop over it"]
    assert met["cold start to the first right answer, 19,927 cells: s"]
    assert met["memory: files of 1,000,519 cells, MB"]
    assert not met["memory: an API worker's own, MB"]
    assert not met["publish to visible in 2 workers, 19,927 cells, p99: ms"]
    assert met["single questions beside 4 clients' batches, p99: ms"]


def test_a_fast_wrong_answer_meets_nothing() -> None:
    lines = [line for line in judge(_results(wrong=5)) if line.what == "batch as columns: ns CPU a point"]
    assert [(line.met, line.note) for line in lines] == [(False, "5 answers wrong, so it does not count")]


def test_parts_which_did_not_run_are_not_judged() -> None:
    assert judge({"service": None}) == []
    assert "### Memory" not in text({"visible": _results()["visible"]}, "today")


def test_the_page_and_its_picture(tmp_path: Path) -> None:
    results = _results()
    page = text(results, "today")
    for part in ("### The service", "### Points to H3 cells", "### Cold start", "### Memory", "p99 120"):
        assert part in page
    assert "| point | fastapi-postgis | 300 | 300 |" in page
    assert "| memory: an API worker's own, MB | 111 | at most 110 | **no** |" in page
    assert len(rows(results)) == 4
    draw(results, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 5000
