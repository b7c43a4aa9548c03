"""A territory which a caller does not see, with something of everything in it; how each route asks for it."""

from __future__ import annotations

import re
from typing import Any

import orjson
from fastapi.testclient import TestClient

from tests.api.strip import solve, tag

FAR = {"type": "Polygon", "coordinates": [[[20.0, 0.0], [20.1, 0.0], [20.1, 0.1], [20.0, 0.1], [20.0, 0.0]]]}
ROSTER = {
    "departments": [{"id": "farroom", "name": "Farroom", "head": "farmer"}],
    "people": [
        {"id": "farmer", "name": "Farmer", "department": "farroom"},
        {"id": "farheir", "name": "Farheir", "department": "farroom"},
    ],
    "teams": [{"id": "farteam", "name": "Farteam"}],
    "members": [{"team": "farteam", "person": "farmer", "role": "lead"}],
    "fallback": "farteam",
}
ROWS = "id,lon,lat\n" + "".join(f"farone{i:03},{20.005 + i * 0.001:.3f},0.05\n" for i in range(90))

_MADE = re.compile(r'("(?:made_at|timeStamp)":")[^"]*')

NOTHING = {
    "territory": "nowhere",
    "tiling": "til_00000000000000000000000000",
    "plan": "pln_00000000000000000000000000",
    "other": "pln_00000000000000000000000001",
    "job": "job_00000000000000000000000000",
    "request": "req_00000000000000000000000000",
    "handover": "hnd_00000000000000000000000000",
    "import_id": "imp_00000000000000000000000000",
    "layer": "lay_00000000000000000000000000",
    "webhook": "whk_00000000000000000000000000",
    "key": "key_00000000000000000000000000",
    "collection": "nowhere.base.cells",
    "cell": "88754e64dbfffff",
    "customer": "nobody",
    "code": "99",
    "grid": "99",
    "feature": "88754e64dbfffff",
    "level": "nolevel",
    "team": "noteam",
    "person": "noperson",
    "lat": "0.05",
    "lon": "20.05",
}
"""What is nowhere, by the names which routes have for it."""


def settle_far(client: TestClient) -> dict[str, str]:
    """Make the territory, and give its ids by the names which routes have for them."""

    def sent(method: str, path: str, **more: Any) -> Any:
        answer = client.request(method, path, **more)
        assert answer.status_code < 300, (path, answer.text)
        return answer.json() if answer.content else None

    sent("POST", "/v1/territories", json={"id": "farland", "name": "Farland", "boundary": FAR})
    sent("PUT", "/v1/territories/farland/roster", json=ROSTER)
    made = sent("POST", "/v1/territories/farland/tilings", json={"kind": "h3", "resolution": 8})
    tiling = made["id"]
    imported = sent(
        "POST",
        f"/v1/tilings/{tiling}/customers",
        files={"file": ("customers.csv", ROWS, "text/csv")},
        data={"measure": ["customers=count"]},
    )
    plan = solve(client, tiling)
    teams = client.post(f"/v1/plans/{plan}/teams", headers=tag(client, plan))
    published = sent("POST", f"/v1/plans/{plan}/publish", headers={"If-Match": teams.headers["ETag"]})
    branch = sent("POST", f"/v1/plans/{plan}/branch", json={"name": "what if"})["id"]
    job = sent("POST", f"/v1/plans/{plan}/exports", json={"layer": "cells", "format": "csv"})
    layer = sent(
        "POST", "/v1/layers", files={"file": ("far.geojson", orjson.dumps(FAR), "application/geo+json")}
    )
    owner = sent("GET", "/v1/owner/customers/farone050", params={"territory": "farland"})
    wish = {
        "territory": "farland",
        "kind": "customer",
        "customer": "farone001",
        "team": "farteam",
        "reason": "closer",
    }
    request = sent("POST", "/v1/requests", json=wish)
    leaver = {
        "kind": "leaver",
        "person": "farmer",
        "successors": [{"person": "farheir"}],
        "reason": "leaves",
        "effective_at": "2099-01-01",
    }
    handover = sent("POST", "/v1/territories/farland/handovers", json=leaver)
    assert published["n"] == 1
    return {
        "territory": "farland",
        "tiling": tiling,
        "plan": plan,
        "other": branch,
        "job": job["id"],
        "request": request["id"],
        "handover": handover["id"],
        "import_id": imported["id"],
        "layer": layer["id"],
        "collection": "farland.base.cells",
        "cell": owner["cell"],
        "customer": "farone050",
        "code": owner["grid"]["code"],
        "grid": owner["grid"]["code"],
        "feature": owner["cell"],
        "level": "grid",
        "team": "farteam",
        "person": "farmer",
        "lat": "0.05",
        "lon": "20.05",
    }


# --- how each route asks for it

_WHEN = "2026-01-01T00:00:00Z"
_CSV = ("a.csv", "id,lon,lat\nfarone200,20.05,0.05\n", "text/csv")
_LEAVER = {"kind": "leaver", "person": "{person}", "successors": [{"person": "farheir"}], "reason": "x"}

QUERY = {
    "territory": "{territory}",
    "lat": "{lat}",
    "lon": "{lon}",
    "person": "{person}",
    "team": "{team}",
    "work": "routine",
    "to": "{tiling}",
    "gate": "contiguity",
    "grid": "{grid}",
    "source_updated_at": _WHEN,
    "from_seq": "0",
    "topics": "moves",
}
"""What routes are asked beside their paths, wherever they have a parameter of that name."""

OWN_QUERY = {"GET /v1/changes": {"from": "1", "to": "1"}}
"""Where a parameter of that name means something else."""

BODIES: dict[str, Any] = {
    "POST /v1/keys": {"name": "mine", "role": "viewer"},
    "POST /v1/territories": {"id": "{territory}", "name": "Mine", "boundary": FAR},
    "POST /v1/territories/{territory}/tilings": {"kind": "h3", "resolution": 7},
    "POST /v1/territories/{territory}/customers/batch": [
        {"id": "farone201", "lon": 20.05, "lat": 0.05, "source_updated_at": _WHEN}
    ],
    "PUT /v1/territories/{territory}/customers/{customer}": {
        "lon": 20.05,
        "lat": 0.05,
        "source_updated_at": _WHEN,
    },
    "POST /v1/territories/{territory}/erasures": {"customer": "farone089", "reason": "asked for it"},
    "PUT /v1/territories/{territory}/drift-threshold": {"threshold": 0.2},
    "POST /v1/plans": {"tiling": "{tiling}", "grids": 2, "measures": [{"name": "customers"}]},
    "PATCH /v1/plans/{plan}": {"name": "mine"},
    "PATCH /v1/plans/{plan}/teams": {"grids": {"99": None}},
    "PUT /v1/plans/{plan}/carve-outs": {"type": "FeatureCollection", "features": []},
    "POST /v1/plans/{plan}/staffing": {"posts": [{"team": "{team}", "role": "lead"}]},
    "POST /v1/plans/{plan}/moves": {"base_revision": 1, "cells": ["{cell}"], "to": "{code}"},
    "POST /v1/plans/{plan}/undo": {"base_revision": 1},
    "POST /v1/plans/{plan}/redo": {"base_revision": 1},
    "POST /v1/plans/{plan}/branch": {"name": "mine"},
    "POST /v1/plans/{plan}/merge": {"from": "{other}"},
    "POST /v1/plans/{plan}/carry": {"tiling": "{tiling}"},
    "POST /v1/plans/{plan}/waivers": {"gate": "contiguity", "grid": "{code}", "reason": "x"},
    "PUT /v1/territories/{territory}/roster": ROSTER,
    "POST /v1/territories/{territory}/roster/changes": {
        "base_roster": 1,
        "operations": [{"op": "change", "what": "person", "entry": {"id": "{person}", "name": "Mine"}}],
    },
    "PUT /v1/review-rules": {},
    "PUT /v1/calendar": {},
    "PUT /v1/company/team-rules": {},
    "PUT /v1/company/scorecard": {},
    "PUT /v1/pack-rules": {},
    "POST /v1/requests": {
        "territory": "{territory}",
        "kind": "customer",
        "customer": "farone002",
        "team": "{team}",
        "reason": "closer",
    },
    "POST /v1/plans/{plan}/reject": {"reason": "so"},
    "POST /v1/requests/{request}/comments": {"text": "mine"},
    "POST /v1/requests/{request}/accept": {"reason": "so"},
    "POST /v1/requests/{request}/reject": {"reason": "so"},
    "POST /v1/territories/{territory}/handovers": {**_LEAVER, "dry_run": True},
    "PUT /v1/territories/{territory}/codes": {"scheme": "plain"},
    "PUT /v1/territories/{territory}/levels": {
        "levels": [
            {"id": "company", "names": {"en": "Company", "zh": "公司"}},
            {"id": "grid", "names": {"en": "Grid", "zh": "网格"}, "parent": "company"},
        ]
    },
    "POST /v1/owner/query": {"territory": "{territory}", "cell": "{cell}"},
    "POST /v1/owner/batch": {"lat": [0.05], "lon": [20.05]},
    "POST /v1/webhooks": {"url": "https://example.org/hook", "territory": "{territory}"},
    "PATCH /v1/webhooks/{webhook}": {"status": "paused"},
}
"""JSON bodies with which the routes could do what they are for."""

FILES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "POST /v1/layers": ({"file": ("a.geojson", orjson.dumps(FAR), "application/geo+json")}, {}),
    "POST /v1/tilings/{tiling}/customers": ({"file": _CSV}, {}),
    "POST /v1/plans/adopt": (
        {"file": ("g.csv", "cell,grid\n{cell},1\n", "text/csv")},
        {"tiling": "{tiling}", "field": "grid"},
    ),
    "POST /v1/plans/{plan}/move-sheet": (
        {"file": ("m.csv", "cell,move to\n{cell},{code}\n", "text/csv")},
        {},
    ),
    "POST /v1/territories/{territory}/roster/import": (
        {"files": ("people.csv", "id,name,department\n{person},Mine,m\n", "text/csv")},
        {},
    ),
    "POST /v1/territories/{territory}/grids/{grid}/pack": ({}, {}),
}
"""Files and fields of forms."""


def filled(what: Any, ids: dict[str, str]) -> Any:
    """What is asked, with ids in place of their names."""
    if isinstance(what, str):
        for name, value in ids.items():
            what = what.replace(f"{{{name}}}", value)
        return what
    if isinstance(what, dict):
        return {name: filled(value, ids) for name, value in what.items()}
    return type(what)(filled(value, ids) for value in what) if isinstance(what, list | tuple) else what


def plain(text: str, ids: dict[str, str]) -> str:
    """An answer with names in place of the ids which were asked about, and without the time it was made."""
    text = _MADE.sub(r"\1<now>", text)
    for name, value in sorted(ids.items(), key=lambda pair: -len(pair[1])):
        for quote in (("", "") if len(value) > 6 else ("'", "'"), ('"', '"')):
            text = text.replace(f"{quote[0]}{value}{quote[1]}", f"<{name}>")
    return text
