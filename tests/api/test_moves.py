"""Moves, undo, branches and merges over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from gridsvc.config import Settings
from gridsvc.principal import SCOPES, Principal
from gridsvc.services import moves
from gridsvc.services.moves import Part
from gridsvc.store import Database
from tests.services.board import small

BO = Principal("bo", SCOPES)
Drawn = tuple[TestClient, str, Database]


@pytest.fixture
def drawn(tmp_path: Path, migrated_file: Path) -> Iterator[Drawn]:
    """A service with a plan of three strips of two columns on a board of 6 x 4, one customer a cell."""
    url = f"sqlite:///{tmp_path / 'api.db'}"
    (tmp_path / "api.db").write_bytes(migrated_file.read_bytes())
    database = Database.open(url)
    plan = small(database)
    settings = Settings(data_dir=tmp_path, database_url=url)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client, plan, database
    database.close()


def _move(drawn: Drawn, base: int | None, cells: str, to: str | None, **more: Any) -> Any:
    client, plan, _ = drawn
    body = {"base_revision": base, "cells": cells.split(), "to": to, **more}
    return client.post(f"/v1/plans/{plan}/moves", json={n: v for n, v in body.items() if v is not None})


def _problem(answer: Any, status: int, *words: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    document: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    told = " ".join(str(document.get(part, "")) for part in ("detail", "field", "cure", "row"))
    for word in words:
        assert word in told, (word, document)
    return document


def test_a_move_answers_with_what_it_did_to_the_grids(drawn: Drawn) -> None:
    client, plan, _ = drawn
    answer = _move(drawn, 2, "x001y000 x001y001", "02", reason="the river")
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == '"3"'
    told = answer.json()
    assert (told["revision"], told["moved"]) == (3, 2)
    west, middle = told["report"]["grids"]
    assert (west["code"], west["cells"], west["totals"], west["pieces"]) == ("01", 6, {"customers": 6.0}, 1)
    assert middle["deviation"] == {"customers": 0.25}
    assert {"shape", "pp", "inside", "area_km2", "targets"} <= middle.keys()
    assert {"inside_share", "worst_deviation", "mean_deviation", "shape", "pp"} <= told["report"][
        "overall"
    ].keys()

    grids = client.get(f"/v1/plans/{plan}/grids")
    assert grids.headers["etag"] == '"3"'
    shown = {g["code"]: g for g in grids.json()["items"]}
    assert shown["02"]["measures"] == middle["totals"]
    assert (shown["02"]["cells"], shown["02"]["inside"]) == (10, False)
    report = client.get(f"/v1/plans/{plan}/report").json()
    assert {g["code"]: g["cells"] for g in report["grids"]} == {"01": 6, "02": 10, "03": 8}
    assert report["overall"] == told["report"]["overall"]
    assert "x001y001,02\n" in client.get(f"/v1/plans/{plan}/cells").text
    assert "x001y001,01\n" in client.get(f"/v1/plans/{plan}/cells?revision=2").text
    assert client.get(f"/v1/plans/{plan}").json()["revision"] == 3


def test_a_move_must_say_what_was_seen(drawn: Drawn) -> None:
    client, plan, _ = drawn
    _problem(_move(drawn, None, "x001y000", "02"), 428, "base_revision")
    _problem(client.post(f"/v1/plans/{plan}/undo", json={}), 428, "base_revision")
    _problem(client.post(f"/v1/plans/{plan}/redo", json={}), 428, "base_revision")
    _problem(client.post(f"/v1/plans/{plan}/merge", json={"from": "p"}), 428, "If-Match")
    _problem(client.patch(f"/v1/plans/{plan}", json={"name": "p"}), 428, "If-Match")


def test_a_collision_names_the_cells_and_who_has_them(drawn: Drawn) -> None:
    _, plan, database = drawn
    moves.move(database, BO, plan, 2, [Part(["x001y000", "x001y001"], "02")])
    told = _problem(_move(drawn, 2, "x001y001 x005y000", "03"), 409, "x001y001", "grid 02", "bo")
    assert told["type"] == "urn:gridsvc:problem:conflict"
    assert (told["total"], told["revision"]) == (1, 3)
    (cell,) = told["cells"]
    assert (cell["cell"], cell["grid"], cell["actor"], cell["revision"]) == ("x001y001", "02", "bo", 3)
    assert cell["recorded_at"]
    assert _move(drawn, 2, "x005y000", "02").status_code == 200


def test_undo_and_redo(drawn: Drawn) -> None:
    client, plan, database = drawn
    _move(drawn, 2, "x001y000", "02")
    undone = client.post(f"/v1/plans/{plan}/undo", json={"base_revision": 3, "reason": "no"})
    assert (undone.status_code, undone.json()["revision"], undone.json()["moved"]) == (200, 4, 1)
    assert client.post(f"/v1/plans/{plan}/redo", json={"base_revision": 4}).json()["revision"] == 5
    moves.move(database, BO, plan, 5, [Part(["x001y000"], "03")])
    told = _problem(client.post(f"/v1/plans/{plan}/undo", json={"base_revision": 6}), 409, "x001y000", "bo")
    assert told["cells"][0]["grid"] == "03"
    _problem(client.post(f"/v1/plans/{plan}/redo", json={"base_revision": 6}), 409, "make again")


def test_the_history_comes_in_pages(drawn: Drawn) -> None:
    client, plan, _ = drawn
    for n in range(5):
        assert _move(drawn, n + 2, f"x00{n}y000", "03", reason=f"step {n}").status_code == 200
    seen, after = [], ""
    while True:
        page = client.get(f"/v1/plans/{plan}/moves?limit=2{after}").json()
        seen += page["items"]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert [item["revision"] for item in seen] == [3, 4, 5, 6]  # the fifth was there already
    assert (seen[0]["kind"], seen[0]["actor"], seen[0]["reason"]) == ("move", "local", "step 0")
    assert (seen[0]["cells"], seen[0]["grids"]) == (1, [{"from": "01", "to": "03", "cells": 1}])
    newest = client.get(f"/v1/plans/{plan}/moves?order=newest&limit=1").json()["items"][0]
    assert newest["revision"] == 6
    one = client.get(f"/v1/plans/{plan}/moves/6").json()
    assert one["moved"] == [{"cell": "x003y000", "from": "02", "to": "03"}]
    _problem(client.get(f"/v1/plans/{plan}/moves/2"), 404, "revision 2")


def test_grids_are_split_and_merged(drawn: Drawn) -> None:
    client, plan, _ = drawn
    body = {"base_revision": 2, "cells": ["x000y000"], "to_new": {"name": "Harbour"}}
    told = client.post(f"/v1/plans/{plan}/moves", json=body).json()
    assert told["report"]["grids"][-1]["code"] == "04"
    body = {
        "base_revision": 3,
        "moves": [{"cells": ["x000y000"], "to": "02"}, {"cells": ["x005y003"], "to_new": {"code": "N"}}],
        "drop_empty": True,
    }
    told = client.post(f"/v1/plans/{plan}/moves", json=body).json()
    assert told["report"]["emptied"] == ["04"]
    codes = [g["code"] for g in client.get(f"/v1/plans/{plan}/grids").json()["items"]]
    assert codes == ["01", "02", "03", "N"]
    assert client.get(f"/v1/plans/{plan}").json()["grids"] == 4


def test_a_request_sent_again_gets_the_same_answer(drawn: Drawn) -> None:
    client, plan, _ = drawn
    body, key = {"base_revision": 2, "cells": ["x001y000"], "to": "02"}, {"Idempotency-Key": "a"}
    first = client.post(f"/v1/plans/{plan}/moves", json=body, headers=key)
    again = client.post(f"/v1/plans/{plan}/moves", json=body, headers=key)
    assert (first.status_code, again.json()) == (200, first.json())
    other = client.post(f"/v1/plans/{plan}/moves", json=body | {"to": "03"}, headers=key)
    _problem(other, 422, "Idempotency-Key", "another body")
    assert len(client.get(f"/v1/plans/{plan}/moves").json()["items"]) == 1


def test_a_scenario_is_made_named_and_merged(drawn: Drawn) -> None:
    client, plan, database = drawn
    made = client.post(f"/v1/plans/{plan}/branch", json={"name": "what if", "comment": "north"})
    assert made.status_code == 201, made.text
    branch = made.json()
    assert made.headers["location"] == f"/v1/plans/{branch['id']}"
    assert (branch["branched_from"], branch["branched_at"], branch["revision"]) == (plan, 2, 1)
    named = client.patch(
        f"/v1/plans/{branch['id']}", json={"comment": "wider north"}, headers={"If-Match": '"1"'}
    )
    assert (named.json()["name"], named.json()["comment"]) == ("what if", "wider north")
    moves.move(database, BO, branch["id"], 2, [Part(["x000y000", "x001y000"], "02")])
    _move(drawn, 2, "x000y000", "03")

    def merge(tag: int, **more: Any) -> Any:
        body = {"from": branch["id"], **more}
        return client.post(f"/v1/plans/{plan}/merge", json=body, headers={"If-Match": f'"{tag}"'})

    assert _problem(merge(2), 412)["revision"] == 3
    told = _problem(merge(3), 409, "x000y000", "prefer")
    assert [(c["cell"], c["grid"], c["theirs"]) for c in told["cells"]] == [("x000y000", "03", "02")]
    done = merge(3, prefer="theirs", reason="agreed")
    assert (done.status_code, done.json()["moved"], done.json()["conflicts"]) == (200, 2, 1)
    assert "x000y000,02" in client.get(f"/v1/plans/{plan}/cells").text
    line = client.get(f"/v1/plans/{plan}/moves").json()["items"][-1]
    assert (line["kind"], line["source"]["plan"], line["reason"]) == ("merge", branch["id"], "agreed")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"base_revision": 2, "cells": ["x000y000"], "to": "99"}, ["to", "'99'", "x000y000", "01, 02, 03"]),
        ({"base_revision": 2, "cells": ["x000y000"], "to": "G" * 500}, ["to", "G..."]),
        (
            {"base_revision": 2, "cells": ["x000y000", "8928308280fffff"], "to": "02"},
            ["2", "8928308280fffff"],
        ),
        ({"base_revision": 2, "cells": ["x000y000", "x000y000"], "to": "02"}, ["2", "x000y000", "once"]),
        ({"base_revision": 2, "cells": [], "to": "02"}, ["cells", "at least one"]),
        ({"base_revision": 2, "to": "02"}, ["cells"]),
        ({"base_revision": 2, "moves": []}, ["cells"]),
        ({"base_revision": 2, "cells": ["x000y000"]}, ["to"]),
        ({"base_revision": 2, "cells": ["x000y000"], "to": "02", "to_new": {}}, ["to"]),
        ({"base_revision": 2, "cells": ["x000y000"], "to": "02", "moves": []}, ["moves"]),
        ({"base_revision": 2, "moves": [{"cells": ["x000y000"]}]}, ["moves.0.to"]),
        ({"base_revision": 2, "cells": ["x000y000"], "to_new": {"code": " "}}, ["code"]),
        ({"base_revision": 2, "cells": ["x000y000"], "to_new": {"code": "a\nb"}}, ["code"]),
        ({"base_revision": 2, "cells": ["x000y000"], "to_new": {"code": "02"}}, ["'02'"]),
        ({"base_revision": 3, "cells": ["x000y000"], "to": "02"}, ["base_revision", "2"]),
        ({"base_revision": 0, "cells": ["x000y000"], "to": "02"}, ["base_revision"]),
        ({"base_revision": "2", "cells": ["x000y000"], "to": "02"}, ["base_revision"]),
        ({"base_revision": 2**70, "cells": ["x000y000"], "to": "02"}, ["base_revision"]),
        ({"base_revision": 2, "cells": [1], "to": "02"}, ["cells.0"]),
        ({"base_revision": 2, "cells": "x000y000", "to": "02"}, ["cells"]),
        ({"base_revision": 2, "cells": ["x\u0000"], "to": "02"}, ["cells"]),
        ({"base_revision": 2, "cells": ["x000y000"], "to": "0\u00002"}, ["to"]),
        ({"base_revision": 2, "cells": ["x000y000"], "to": "02", "reason": "r" * 501}, ["reason"]),
        ({"base_revision": 2, "cells": ["x000y000"], "to": "02", "force": True}, ["force"]),
    ],
)
def test_wrong_moves_are_refused_whole(drawn: Drawn, body: dict[str, Any], words: list[str]) -> None:
    client, plan, _ = drawn
    _problem(client.post(f"/v1/plans/{plan}/moves", json=body), 422, *words)
    assert client.get(f"/v1/plans/{plan}").json()["revision"] == 2
    assert client.get(f"/v1/plans/{plan}/moves").json()["items"] == []


def test_too_many_cells_at_once_are_refused_whole(drawn: Drawn) -> None:
    client, plan, _ = drawn
    body = {"base_revision": 2, "cells": ["x000y000"] * 100_001, "to": "02"}
    _problem(client.post(f"/v1/plans/{plan}/moves", json=body), 413, "100,001", "100,000")
    assert client.get(f"/v1/plans/{plan}").json()["revision"] == 2


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"base_revision":2,"cells":["\\ud800"],"to":"02"}'])
def test_a_body_which_is_none_is_refused(drawn: Drawn, text: str) -> None:
    client, plan, _ = drawn
    headers = {"content-type": "application/json"}
    _problem(client.post(f"/v1/plans/{plan}/moves", content=text, headers=headers), 422)


def test_wrong_scenarios_are_refused(drawn: Drawn) -> None:
    client, plan, database = drawn
    _problem(client.post(f"/v1/plans/{plan}/branch", json={}), 422, "name")
    _problem(client.post(f"/v1/plans/{plan}/branch", json={"name": ""}), 422, "name")
    _problem(client.post("/v1/plans/pln_no/branch", json={"name": "x"}), 404)
    _problem(client.post("/v1/plans/pln_no/moves", json={"base_revision": 1, "cells": ["a"], "to": "b"}), 404)
    _problem(client.get("/v1/plans/pln_no/moves"), 404)
    tag = {"If-Match": '"2"'}
    _problem(client.patch(f"/v1/plans/{plan}", json={}, headers=tag), 422, "name")
    _problem(client.patch(f"/v1/plans/{plan}", json={"name": None}, headers=tag), 422, "name")
    _problem(client.post(f"/v1/plans/{plan}/merge", json={"from": plan}, headers=tag), 422, "itself")
    _problem(client.post(f"/v1/plans/{plan}/merge", json={"from": "pln_no"}, headers=tag), 422, "pln_no")
    _problem(
        client.post(f"/v1/plans/{plan}/merge", json={"from": "x", "prefer": "ours"}, headers=tag),
        422,
        "prefer",
    )
    with database.write(BO, "test") as uow:
        uow.plans.set_status(plan, "published", 2)
    _problem(_move(drawn, 2, "x000y000", "02"), 409, "published", "branch")
    _problem(client.patch(f"/v1/plans/{plan}", json={"name": "x"}, headers={"If-Match": '"3"'}), 409)
    assert client.post(f"/v1/plans/{plan}/branch", json={"name": "next"}).status_code == 201


def test_a_list_of_plans_says_which_are_solved_and_how_many_grids_they_have(drawn: Drawn) -> None:
    client, plan = drawn[0], drawn[1]
    one = client.get(f"/v1/plans/{plan}").json()
    listed = client.get(f"/v1/plans?territory={one['territory']}").json()["items"]
    assert next(found for found in listed if found["id"] == plan) == one
    assert one["solved"] and one["grids"] > 0


def test_cells_may_be_taken_out_of_every_grid_and_come_back(drawn: Drawn) -> None:
    """Grids of a line other than `base` lie over it here and there."""
    client, plan, _ = drawn
    out = _move(drawn, 2, "x001y000 x001y001", None, to_none=True)
    assert out.status_code == 200, out.text
    assert [grid["code"] for grid in out.json()["report"]["grids"]] == ["01"]
    cells = dict(line.split(",") for line in client.get(f"/v1/plans/{plan}/cells").text.split()[1:])
    assert (cells["x001y000"], cells["x000y000"]) == ("", "01")
    coverage = client.get(f"/v1/plans/{plan}/gates").json()[0]
    assert (coverage["passed"], coverage["total"]) == (False, 2)
    history = client.get(f"/v1/plans/{plan}/moves").json()["items"]
    assert history[-1]["grids"] == [{"from": "01", "to": None, "cells": 2}]
    assert _move(drawn, 3, "x001y000 x001y001", "01").status_code == 200
    assert client.get(f"/v1/plans/{plan}/gates").json()[0]["passed"]
    in_chinese = client.get(f"/v1/plans/{plan}/gates", headers={"Accept-Language": "zh-CN"}).json()[0]
    assert in_chinese["message"] == "每个单元都有网格"


def test_a_move_has_one_place_to_go_to(drawn: Drawn) -> None:
    _problem(_move(drawn, 2, "x001y000", None), 422, "no grid to move to", "to_none")
    _problem(_move(drawn, 2, "x001y000", "02", to_none=True), 422, "two grids to move to")


def test_a_sheet_of_moves_goes_out_and_comes_back(drawn: Drawn) -> None:
    client, plan, _ = drawn
    path = f"/v1/plans/{plan}/move-sheet"
    out = client.get(path, params={"grid": ["01", "02"], "lang": "zh"})
    assert out.status_code == 200 and out.content[:2] == b"PK"
    assert out.headers["content-disposition"].endswith('-2.xlsx"')
    marked = "单元,网格,划转至\nx001y000,01,02\nx001y001,02,02\n"
    files = {"file": ("划转.csv", marked.encode(), "text/csv")}
    tried = client.post(path, files=files, data={"dry_run": "true"}).json()
    assert tried["rows"] == {"move": 1, "changed": 1} and tried["moved"] is None
    _problem(client.post(path, files=files), 422, "another grid now", "skip_refused", "2")
    done = client.post(path, files=files, data={"skip_refused": "true"}, headers={"Idempotency-Key": "once"})
    assert done.status_code == 200 and done.json()["moved"]["moved"] == 1
    assert done.headers["ETag"] == '"3"'
    _problem(client.get(path, params={"grid": "77"}), 404, "77")
