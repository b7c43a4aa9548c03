"""What is asked, what comes back, and what is raised: against a scripted service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest

from gridsvc import errors
from gridsvc.client import Client, Grid, Unavailable, UnexpectedAnswer
from tests.client.scripted import ANSWER, answer, problem, scripted


def test_an_answer_is_typed() -> None:
    client, _ = scripted(answer())
    found = client.owner(39.9, 116.4)
    assert found.grid == Grid("07", "North", "base")
    assert found.team is not None and found.team.name == "Team 7"
    assert found.lead is not None and found.lead.acting
    assert [role.role for role in found.roles] == ["vip"]
    assert found.valid_from == datetime(2026, 11, 28, tzinfo=UTC)
    assert found.valid_to is None and found.transition is None and found.cells is None


def test_a_transition_and_the_cells_of_a_coarser_one_are_typed_too() -> None:
    grid = {"code": "01", "name": "Old", "line": "base"}
    moving = {"until": "2026-12-31T00:00:00+08:00", "from_grid": grid, "from_team": None}
    part = {"cell": "c", "status": "fallback", "grid": None, "team": None, "rule": "fallback"}
    client, _ = scripted(answer(transition=moving, cells=[part]))
    found = client.owner_of_cell("8531aa5bfffffff")
    assert found.transition is not None and found.transition.until.utcoffset() is not None
    assert found.transition.from_grid.code == "01" and found.transition.from_team is None
    assert found.cells is not None and found.cells[0].status == "fallback"


def test_members_of_later_versions_are_kept() -> None:
    grid: Any = {**ANSWER["grid"], "colour": "red"}
    client, _ = scripted(answer(since=7, grid=grid))
    found = client.owner(39.9, 116.4)
    assert found.more == {"since": 7}
    assert found.grid is not None and found.grid.more == {"colour": "red"}


@pytest.mark.parametrize(
    "document",
    [[], {}, {**ANSWER, "grid": 7}, {**ANSWER, "valid_from": "soon"}, {**ANSWER, "roles": 7}],
    ids=["list", "nothing", "grid", "time", "roles"],
)
def test_what_is_no_answer_is_told(document: Any) -> None:
    client, _ = scripted(httpx.Response(200, json=document))
    with pytest.raises(UnexpectedAnswer):
        client.owner(39.9, 116.4)


def test_a_page_of_something_else_is_told() -> None:
    client, _ = scripted(httpx.Response(200, text="<html>"))
    with pytest.raises(UnexpectedAnswer, match="JSON"):
        client.owner(39.9, 116.4)


# --- requests


def test_a_plain_question_is_asked_plainly() -> None:
    """So that the service answers it before any framework is asked."""
    client, asked = scripted(answer())
    client.owner(39.9, 116.4)
    assert asked[0].url.raw_path == b"/v1/owner?lat=39.9&lon=116.4"


def test_all_that_is_wished_for_is_asked() -> None:
    client, asked = scripted(answer(), territory="city", line="special", crs="gcj02", lang="zh", key="k-1")
    time = datetime(2026, 12, 1, tzinfo=UTC)
    client.owner(39.9, 116.4, as_of=time, as_known=time, min_seq=9, on_miss="status")
    assert dict(asked[0].url.params) == {
        "lat": "39.9",
        "lon": "116.4",
        "territory": "city",
        "line": "special",
        "crs": "gcj02",
        "lang": "zh",
        "as_of": "2026-12-01T00:00:00+00:00",
        "as_known": "2026-12-01T00:00:00+00:00",
        "min_seq": "9",
        "on_miss": "status",
    }
    assert asked[0].headers["Authorization"] == "Bearer k-1"


@pytest.mark.parametrize("customer", ["张三", "a/b", "..", ".", "", "a b", "a?b", "a%2Fb"])
def test_ids_which_addresses_would_change_travel_in_the_body(customer: str) -> None:
    client, asked = scripted(answer(), territory="city")
    client.owner_of_customer(customer)
    assert asked[0].method == "POST" and asked[0].url.path == "/v1/owner/query"
    assert orjson.loads(asked[0].content)["customer"] == customer


def test_other_ids_travel_in_the_address() -> None:
    client, asked = scripted(answer())
    client.owner_of_customer("0430000012001")
    assert asked[0].url.raw_path == b"/v1/owner/customers/0430000012001"


def test_where_proxies_log_addresses_nothing_is_named_there() -> None:
    client, asked = scripted(answer(), ids="body", territory="city")
    client.owner(39.9, 116.4, on_miss="status")
    client.owner_of_cell("8931aa5abcfffff")
    client.owner_of_customer("0430000012001")
    assert {request.url.raw_path for request in asked} == {b"/v1/owner/query?lang=en"}
    first = orjson.loads(asked[0].content)
    assert (first["lat"], first["lon"], first["territory"], first["on_miss"]) == (
        39.9,
        116.4,
        "city",
        "status",
    )


def test_numbers_which_are_no_places_are_not_sent() -> None:
    client, asked = scripted(answer())
    with pytest.raises(errors.InvalidCoordinate, match="lat"):
        client.owner(float("nan"), 116.4)
    assert not asked


def test_times_need_an_offset() -> None:
    client, asked = scripted(answer())
    with pytest.raises(errors.InvalidInput, match="as_of"):
        client.owner(39.9, 116.4, as_of=datetime(2026, 12, 1))  # noqa: DTZ001
    assert not asked


@pytest.mark.parametrize("address", ["", "service", "ftp://service", "http://", "http://a:b"])
def test_an_address_which_is_none_is_refused(address: str) -> None:
    with pytest.raises(errors.InvalidInput, match="base_url"):
        Client(address)


# --- never older than what was seen


def test_no_answer_is_older_than_one_seen() -> None:
    client, asked = scripted(answer(seq=40), answer(seq=41))
    client.owner(39.9, 116.4)
    client.owner(39.9, 116.4)
    client.owner_of_customer("a/b")
    assert "min_seq" not in asked[0].url.params
    assert asked[1].url.params["min_seq"] == "40"
    assert orjson.loads(asked[2].content)["min_seq"] == 41
    assert client.seen == 41


def test_an_older_answer_makes_nobody_forget() -> None:
    """As one from a node that is behind, where that is allowed."""
    client, _ = scripted(answer(seq=41), answer(seq=40), reads="any")
    client.owner(39.9, 116.4)
    client.owner(39.9, 116.4)
    assert client.seen == 41


def test_what_is_asked_for_counts_more_than_what_was_seen() -> None:
    client, asked = scripted(answer(seq=40))
    client.owner(39.9, 116.4)
    client.owner(39.9, 116.4, min_seq=50)
    client.owner(39.9, 116.4, min_seq=30)
    assert [request.url.params.get("min_seq") for request in asked] == [None, "50", "40"]


def test_reads_need_not_be_monotone() -> None:
    client, asked = scripted(answer(seq=40), reads="any")
    client.owner(39.9, 116.4)
    client.owner(39.9, 116.4)
    assert "min_seq" not in asked[1].url.params and client.seen == 40


def test_a_client_forgets_when_told() -> None:
    client, asked = scripted(answer(seq=40))
    client.owner(39.9, 116.4)
    client.forget()
    client.owner(39.9, 116.4)
    assert "min_seq" not in asked[1].url.params


# --- refusals

KINDS = [getattr(errors, name) for name in errors.__all__ if name != "from_dict"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_each_problem_is_raised_as_the_error_it_was(kind: type[errors.GridsvcError]) -> None:
    client, _ = scripted(
        problem(409, kind.code, field="lat", cure="do so", row=3, nearest_grid="07"), retries=0
    )
    with pytest.raises(errors.GridsvcError) as caught:
        client.owner(39.9, 116.4)
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.field, caught.value.row) == ("it is not so", "lat", 3)
    assert caught.value.cure == "do so"
    assert caught.value.details == {
        "status": 409,
        "type": f"urn:gridsvc:problem:{kind.code}",
        "nearest_grid": "07",
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, errors.Forbidden),
        (403, errors.Forbidden),
        (404, errors.NotFound),
        (409, errors.Conflict),
        (422, errors.InvalidInput),
        (500, errors.GridsvcError),
    ],
)
def test_problems_of_later_versions_are_told_by_their_status(
    status: int, kind: type[errors.GridsvcError]
) -> None:
    client, _ = scripted(problem(status, "something-new"), retries=0)
    with pytest.raises(kind) as caught:
        client.owner(39.9, 116.4)
    assert type(caught.value) is kind and caught.value.details["type"].endswith("something-new")


def test_a_problem_may_have_members_of_any_name() -> None:
    client, _ = scripted(problem(422, "invalid-input", message="m", self=1, args=2), retries=0)
    with pytest.raises(errors.InvalidInput, match="it is not so") as caught:
        client.owner(39.9, 116.4)
    assert caught.value.details["args"] == 2


def test_a_page_instead_of_a_problem_is_told() -> None:
    client, _ = scripted(httpx.Response(404, text="nginx"))
    with pytest.raises(UnexpectedAnswer, match="404"):
        client.owner(39.9, 116.4)


def test_a_redirection_is_not_followed() -> None:
    client, asked = scripted(httpx.Response(302, headers={"Location": "http://elsewhere/"}))
    with pytest.raises(UnexpectedAnswer, match="302"):
        client.owner(39.9, 116.4)
    assert len(asked) == 1


def test_a_broken_connection_is_told_without_its_insides() -> None:
    client, _ = scripted(httpx.ConnectError("[Errno 111] at 10.0.0.7"), retries=0)
    with pytest.raises(Unavailable) as caught:
        client.owner(39.9, 116.4)
    assert "10.0.0.7" not in str(caught.value) and isinstance(caught.value, ConnectionError)


def test_neither_key_nor_customer_is_shown() -> None:
    client, _ = scripted(httpx.ConnectError("no"), key="secret-key", retries=0)
    with pytest.raises(Unavailable) as caught:
        client.owner_of_customer("customer-7")
    assert "customer-7" not in str(caught.value)
    assert "secret-key" not in repr(client) + repr(vars(client))


# --- lists


def page(*numbers: int, after: str | None) -> httpx.Response:
    items = [
        {
            "territory": "city",
            "line": "base",
            "n": n,
            "state": "past",
            "effective_at": "2026-11-28T00:00:00Z",
            "valid_to": None,
            "recorded_at": "2026-11-28T00:00:00Z",
            "published_by": "anna",
            "grids": 4,
            "cells": 100,
            "checksum": "0f",
            "plan": "pln_1",
        }
        for n in numbers
    ]
    return httpx.Response(200, json={"items": items, "next": after})


def test_publications_come_page_by_page() -> None:
    client, asked = scripted(page(3, 2, after="2"), page(1, after=None), territory="city")
    found = client.publications()
    first = next(found)
    assert len(asked) == 1
    assert [first.n, *(publication.n for publication in found)] == [3, 2, 1]
    assert asked[1].url.params["after"] == "2"
    assert (first.grids, first.cells, first.more) == (4, 100, {"plan": "pln_1"})


def test_publications_need_a_territory() -> None:
    client, asked = scripted(page(after=None))
    with pytest.raises(errors.InvalidInput, match="territory"):
        client.publications()
    assert not asked


def line(name: str) -> bytes:
    row = {"id": name, "premise": None, "cell": "c", "verdict": "placed", "lon": 1.5, "lat": 2}
    return orjson.dumps(row) + b"\n"


class Pieces(httpx.SyncByteStream):
    """A body in pieces, which may end in a fault; tells whether it was closed."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces, self.closed = pieces, False

    def __iter__(self) -> Any:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def close(self) -> None:
        self.closed = True


def test_customers_come_one_after_the_other() -> None:
    """Cut wherever, and with what ends a line elsewhere in their ids."""
    text = line("a\u2028b\x85") + line("客户").rstrip()
    body = Pieces(*(text[at : at + 7] for at in range(0, len(text), 7)))
    client, asked = scripted(lambda _: httpx.Response(200, stream=body), territory="city")
    assert [customer.id for customer in client.customers_of_grid("网格/1")] == ["a\u2028b\x85", "客户"]
    assert asked[0].url.raw_path.startswith(b"/v1/grids/%E7%BD%91%E6%A0%BC%2F1/customers?territory=city")
    assert body.closed


def test_customers_break_off_with_an_error_not_with_an_end() -> None:
    body = Pieces(line("a"), line("b")[:9], httpx.RemoteProtocolError("incomplete chunked read"))
    client, asked = scripted(lambda _: httpx.Response(200, stream=body))
    found = client.customers_of_cell("c")
    assert next(found).id == "a"
    with pytest.raises(Unavailable, match="broke off"):
        next(found)
    assert len(asked) == 1 and body.closed


def test_customers_who_are_not_wanted_any_more_are_not_fetched() -> None:
    body = Pieces(line("a"), line("b"))
    client, _ = scripted(lambda _: httpx.Response(200, stream=body))
    found: Any = client.customers_of_cell("c")
    next(found)
    found.close()
    assert body.closed
