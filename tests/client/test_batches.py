"""Any number of points, all answered by one publication: against a scripted service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import orjson
import pyarrow as pa
import pytest

from gridsvc import errors
from gridsvc.client import Owners, UnexpectedAnswer
from gridsvc.client.batches import Floats, ask_all, points
from gridsvc.client.forms import COLUMNS, Form, Part, decoded, encoded
from gridsvc.ownership.points import LIMIT
from tests.client.scripted import scripted

World = Callable[[int], tuple[int, int, int]]
"""Number of a request -> publication, roster and seq which answer it."""


class Batches:
    """Answers each point with its own latitude as the cell, and what answered it as grid and team."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.least: list[int] = []  # of each request

    def _answer(self, lat: Floats, lon: Floats, newest: int) -> Part:
        publication, roster, seq = self._world(len(self.least))
        self.least.append(newest)
        columns = {name: np.full(len(lat), "", object) for name in COLUMNS}
        columns["cell"][:] = lat.tolist()
        columns["grid"][:], columns["team"][:] = publication, roster
        return Part("city", publication, roster, seq, columns)

    def ask(self, n: int) -> Owners:
        lat = np.arange(n, dtype=float)
        return ask_all(self._answer, lat, lat)


MANY = 2 * LIMIT + 1


def test_long_arrays_are_split_and_joined_in_order() -> None:
    service = Batches(lambda _: (1, 1, 9))
    found = service.ask(MANY)
    assert len(service.least) == 3 and len(found) == MANY
    assert found.cell.tolist() == list(range(MANY))
    assert (found.territory, found.publication, found.roster, found.seq) == ("city", 1, 1, 9)


@pytest.mark.parametrize(("n", "requests"), [(0, 1), (1, 1), (LIMIT, 1), (LIMIT + 1, 2)])
def test_batches_are_full(n: int, requests: int) -> None:
    service = Batches(lambda _: (1, 1, 9))
    assert len(service.ask(n)) == n
    assert len(service.least) == requests


def test_points_answered_before_a_publication_are_asked_again() -> None:
    """The second of three requests meets a new one."""
    service = Batches(lambda i: (1, 1, 9) if i == 0 else (2, 1, 10))
    found = service.ask(MANY)
    assert found.publication == 2 and set(found.grid) == {2}
    assert found.cell.tolist() == list(range(MANY))
    assert len(service.least) == 4, "only the first is asked again"
    assert service.least == [0, 0, 0, 10]


def test_a_new_roster_counts_as_well() -> None:
    service = Batches(lambda i: (1, 1, 9) if i < 2 else (1, 2, 10))
    found = service.ask(MANY)
    assert found.roster == 2 and set(found.team) == {2}


def test_what_only_the_clock_brings_into_force_counts_as_well() -> None:
    service = Batches(lambda i: (1, 1, 9) if i < 2 else (2, 1, 9))
    assert set(service.ask(MANY).grid) == {2}


def test_other_commits_do_not_matter() -> None:
    service = Batches(lambda i: (1, 1, 9 + i))
    found = service.ask(MANY)
    assert len(service.least) == 3 and found.seq == 11


def test_a_world_which_never_rests_is_told() -> None:
    service = Batches(lambda i: (i, 1, i))
    with pytest.raises(errors.Conflict, match="followed each other"):
        service.ask(MANY)
    assert len(service.least) < 20


def test_a_node_which_is_behind_does_not_lead_back() -> None:
    """Its answer has the lower seq, though it came last."""
    service = Batches(lambda i: (2, 1, 10) if i != 2 else (1, 1, 9))
    found = service.ask(MANY)
    assert found.publication == 2 and set(found.grid) == {2}


def test_a_fault_names_the_row_of_all_points() -> None:
    def ask(lat: Floats, lon: Floats, newest: int) -> Part:
        if len(lat) < LIMIT:
            raise errors.InvalidInput("no place", row=1)
        return Batches(lambda _: (1, 1, 9))._answer(lat, lon, newest)

    with pytest.raises(errors.InvalidInput) as caught:
        ask_all(ask, np.zeros(LIMIT + 1), np.zeros(LIMIT + 1))
    assert caught.value.row == LIMIT + 1


@pytest.mark.parametrize(
    ("lat", "lon"),
    [([1.0], [1.0, 2.0]), ([[1.0]], [[1.0]]), (1.0, 1.0), (["north"], [1.0]), ([{}], [1.0])],
)
def test_what_are_no_columns_is_refused(lat: Any, lon: Any) -> None:
    with pytest.raises(errors.InvalidInput, match="lat, lon"):
        points(lat, lon)


def test_none_is_no_place_and_so_is_nan() -> None:
    lat, lon = points([1, None, np.nan], [1, 2, 3])
    assert np.array_equal(lat, [1.0, np.nan, np.nan], equal_nan=True)
    assert lon.tolist() == [1.0, 2.0, 3.0]


# --- requests


def told(request: httpx.Request) -> httpx.Response:
    count = len(orjson.loads(request.content)["lat"])
    columns = {name: ["x"] * count for name in COLUMNS}
    return httpx.Response(200, json={"territory": "city", "publication": 1, "roster": 1, "seq": 9, **columns})


def test_a_batch_says_which_state_is_meant() -> None:
    client, asked = scripted(told, territory="city", line="special", crs="bd09")
    client.owners([1.0], [2.0], min_seq=3, form="json")
    client.owners([1.0], [2.0], crs="gcj02", form="json")
    first, second = (dict(request.url.params) for request in asked)
    assert first == {"territory": "city", "line": "special", "crs": "bd09", "min_seq": "3"}
    assert second == {**first, "crs": "gcj02", "min_seq": "9"}, "never older than what was seen"
    assert asked[0].headers["Content-Type"] == "application/json"


# --- forms


def test_both_forms_say_the_same() -> None:
    lat = np.array([1.0, np.nan])
    _, text = encoded(lat, lat, "json")
    _, table = encoded(lat, lat, "arrow")
    rows = pa.ipc.open_stream(table).read_all()
    assert orjson.loads(text) == {"lat": [1.0, None], "lon": [1.0, None]}
    assert np.array_equal(rows["lat"].to_numpy(), lat, equal_nan=True)


@pytest.mark.parametrize("form", ["json", "arrow"])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"territory":"city"}', b"\x00" * 40, b"null"])
def test_a_body_of_another_kind_is_told(form: Form, body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        decoded(body, form, 1)


def test_an_answer_of_another_length_is_told() -> None:
    def ask(n: int) -> bytes:
        columns = {name: ["x"] * n for name in COLUMNS}
        facts = {"territory": "city", "publication": 1, "roster": None, "seq": 1}
        return orjson.dumps({**facts, **columns})

    assert decoded(ask(2), "json", 2).roster is None
    with pytest.raises(UnexpectedAnswer, match="2 rows"):
        decoded(ask(1), "json", 2)


def test_arrow_text_may_be_coded_or_not() -> None:
    words = pa.array(["a", None, "a"])
    columns = {name: words.dictionary_encode() if name != "cell" else words for name in COLUMNS}
    batch = pa.record_batch(columns).replace_schema_metadata(
        {"territory": "city", "publication": "1", "seq": "7"}
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    part = decoded(sink.getvalue().to_pybytes(), "arrow", 3)
    assert {name: column.tolist() for name, column in part.columns.items()} == {
        name: ["a", None, "a"] for name in COLUMNS
    }
    assert part.state == ("city", 1, None) and part.seq == 7
