"""What became of a grid: split, merged, renamed and brought back; shares; other tilings; dates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

import numpy as np
import pytest
import shapely
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridsvc.errors import Conflict, InvalidInput, NotFound, NotYetInForce
from gridsvc.plans.carveouts import CarveOut
from gridsvc.principal import SYSTEM
from gridsvc.services import carveouts, customers, lineage, plans, publishing, rebasing, waivers
from gridsvc.services.desk import Asked, Desk
from gridsvc.services.lineage import Standing
from gridsvc.services.publishing import Wanted
from gridsvc.services.request import SolveRequest
from gridsvc.store import Database
from gridsvc.store.records import CustomerRows, MeasureRecord
from tests.conftest import DIALECTS
from tests.databases import shared
from tests.services.board import ANNA, SIDE, board
from tests.services.series import draft, drawn, ground, publish, soon
from tests.store.builders import DAY_1


def at(database: Database, code: str, when: datetime | None = None, **asked: object) -> Standing:
    return lineage.resolve(Desk(database), ANNA, code, Asked("board", as_of=when, **asked))  # type: ignore[arg-type]


def shares(standing: Standing) -> dict[str | None, Fraction]:
    assert sum(s.exact for s in standing.successors) == (1 if standing.successors else 0)
    return {s.code: s.exact for s in standing.successors}


def live(database: Database, tiling: str, cells: Sequence[int]) -> None:
    """Customers k0, k1, ... in these rows of the tiling."""
    n = len(cells)
    rows = CustomerRows(
        row_no=np.arange(1, n + 1),
        id=np.array([f"k{i}" for i in range(n)], dtype=object),
        verdict=np.zeros(n, np.int8),
        cell=np.array(cells, np.int32),
        lon=np.full(n, np.nan),
        lat=np.full(n, np.nan),
        kept=np.ones(n, bool),
        todo=np.zeros(n, bool),
    )
    with database.write(ANNA, "test") as work:
        made = work.customers.begin_import("board", tiling, "c.csv", {})
        work.customers.stage(made, rows)
        work.customers.flip(made, {"left_out": 0})


@pytest.fixture(scope="module", params=DIALECTS)
def changed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Three publications, a day apart, for tests which only ask::

    1   aabbccdd
    2   aebbbbff    a is split, b takes in c, d is renamed f
    3   aabbccdd    the first one again
    """
    with shared(request, tmp_path_factory) as database:
        tiling = ground(database, 8)
        publish(database, draft(database, tiling, "aabbccdd"), effective_at=soon(-3))
        publish(database, draft(database, tiling, "aebbbbff"), effective_at=soon(-2))
        publishing.republish(database, ANNA, "board", 1, Wanted(effective_at=soon(-1)))
        yield database


def test_at_each_date_the_codes_of_then_live(changed: Database) -> None:
    for days, there in ((-2.5, "abcd"), (-1.5, "aebf"), (-0.5, "abcd")):
        for code in "abcdef":
            if code in there:
                assert at(changed, code, soon(days)).alive
            elif days == -2.5:
                with pytest.raises(NotFound, match="up to publication 1"):
                    at(changed, code, soon(days))
            else:
                assert not at(changed, code, soon(days)).alive


def test_what_became_of_each_at_each_date(changed: Database) -> None:
    then, now = soon(-1.5), soon(-0.5)
    fates = {code: at(changed, code, then).fate for code in "abcdef"}
    assert {code: fate.kind for code, fate in fates.items() if fate} == {
        "a": "split",
        "b": "merged",
        "c": "merged",
        "d": "renamed",
        "e": "split",
        "f": "renamed",
    }
    fates = {code: at(changed, code, now).fate for code in "abcdef"}
    assert {code: fate.kind for code, fate in fates.items() if fate} == {
        "a": "merged",
        "b": "kept",
        "c": "revived",
        "d": "revived",
        "e": "merged",
        "f": "merged",
    } | {"b": "split", "f": "renamed"}


def test_a_code_which_ended_leads_to_who_has_its_ground(changed: Database) -> None:
    c, f = at(changed, "c", soon(-1.5)), at(changed, "f")
    assert (c.how, c.last, c.ended, shares(c)) == ("merged", 1, 2, {"b": 1})
    assert (f.how, f.last, f.ended, shares(f)) == ("renamed", 2, 3, {"d": 1})
    assert c.successors[0].name == "Grid b"


def test_before_anything_was_in_force_there_is_no_answer(changed: Database) -> None:
    with pytest.raises(NotYetInForce):
        at(changed, "a", soon(-4))


def test_what_was_known_then_is_answered_as_known_then(changed: Database) -> None:
    with changed.read(SYSTEM) as reader:
        known = reader.publications.get("board", "base", 2).recorded_at
    assert at(changed, "c", as_known=known).ended == 2
    assert at(changed, "c").alive


def test_the_history_of_a_code_runs_through_all_publications_which_changed_it(changed: Database) -> None:
    def told(code: str) -> list[tuple[int, str, bool]]:
        found = lineage.history(changed, ANNA, code, "board")
        return [(step.n, step.fate, step.alive) for step in found]

    assert told("d") == [(1, "new", True), (2, "renamed", False), (3, "revived", True)]
    assert told("e") == [(2, "split", True), (3, "merged", False)]
    assert [s.n for s in lineage.history(changed, ANNA, "d", "board", after=1, limit=1)] == [2]
    with pytest.raises(NotFound, match="ever had"):
        told("z")


def test_a_step_in_which_nothing_changed_is_left_out_of_the_history(database: Database) -> None:
    tiling = ground(database, 4)
    for letters in ("aabb", "aabb", "aaab"):
        publish(database, draft(database, tiling, letters))
    steps = lineage.history(database, ANNA, "b", "board")
    assert [(step.n, step.fate) for step in steps] == [(1, "new"), (3, "kept")]
    assert {s.code: s.exact for s in steps[1].successors} == {"a": Fraction(1, 2), "b": Fraction(1, 2)}


def test_shares_are_of_the_ground_itself_however_often_it_changed_hands(database: Database) -> None:
    """c goes to b; of b its eastern part goes on to d: that is the whole of c, not a third of it."""
    tiling = ground(database, 6)
    for letters in ("aabbbc", "aabbbb", "aabbbd"):
        publish(database, draft(database, tiling, letters))
    assert shares(at(database, "c")) == {"d": 1}


def test_a_grid_dealt_out_to_grids_that_were_there_is_retired(database: Database) -> None:
    tiling = ground(database, 6)
    for letters in ("aabbbc", "aaaacc"):
        publish(database, draft(database, tiling, letters))
    b = at(database, "b")
    assert (b.how, shares(b)) == ("retired", {"a": Fraction(2, 3), "c": Fraction(1, 3)})
    assert [s.share for s in b.successors] == [0.666667, 0.333333]


def test_shares_are_of_customers_where_there_are_any(database: Database) -> None:
    tiling = ground(database, 6)
    live(database, tiling, [2, 2, 4, 4, 4, 4, 4, 4])
    for letters in ("aabbbc", "aaaacc"):
        publish(database, draft(database, tiling, letters))
    assert shares(at(database, "b")) == {"c": Fraction(3, 4), "a": Fraction(1, 4)}


def test_ground_without_a_grid_has_its_share(database: Database) -> None:
    tiling = ground(database, 4)
    for letters in ("aabb", "aa.."):
        publish(database, draft(database, tiling, letters, line="gas"))
    b = at(database, "b", line="gas")
    assert (b.how, shares(b)) == ("retired", {None: 1})


def test_a_code_lives_again_after_years_and_ends_again(database: Database) -> None:
    tiling = ground(database, 4)
    for letters in ("aabb", "aaaa", "aaaa", "bbaa", "aaaa"):
        publish(database, draft(database, tiling, letters))
    kinds = [(s.n, s.fate) for s in lineage.history(database, ANNA, "b", "board")]
    assert kinds == [(1, "new"), (2, "merged"), (4, "revived"), (5, "merged")]
    assert at(database, "b").last == 4


def test_what_was_set_aside_before_it_came_into_force_is_no_history(database: Database) -> None:
    tiling = ground(database, 4)
    publish(database, draft(database, tiling, "aabb"))
    publish(database, draft(database, tiling, "aacc"), effective_at=soon(5))
    publish(database, draft(database, tiling, "aadd"), effective_at=soon(3), supersedes=2)
    assert [(s.n, s.fate) for s in lineage.history(database, ANNA, "b", "board")] == [
        (1, "new"),
        (3, "renamed"),
    ]
    assert at(database, "b").alive
    assert shares(at(database, "b", soon(6))) == {"d": 1}


# --- carve-outs


def test_a_carve_out_which_ends_goes_to_the_grids_under_it(database: Database) -> None:
    degree = SIDE / 111_320
    outline = shapely.box(1.2 * degree, 0.1 * degree, 2.8 * degree, 0.9 * degree)
    tiling = ground(database, 4)
    plan = draft(database, tiling, "aabb")
    revision = carveouts.put(
        database, ANNA, plan, 2, [CarveOut("park", "Park", "c", "own", outline)]
    ).revision
    publish(database, plan, revision)
    assert at(database, "park").carve_out
    publish(database, draft(database, tiling, "aabb"))
    assert shares(at(database, "park")) == {"a": Fraction(1, 2), "b": Fraction(1, 2)}


# --- another tiling


def other_board(database: Database, width: int, cells: int) -> str:
    """The ground of a board `width` long in `cells` cells."""

    wide, degree = board(cells, 1), SIDE / 111_320 * width / cells
    east = np.arange(cells) * degree
    wide = replace(wide, geometry=shapely.box(east, 0, east + degree, SIDE / 111_320))
    with database.write(ANNA, "test") as uow:
        made = uow.tilings.add("board", wide, params={}, coverage={})
        uow.tilings.put_measures(
            made, None, [MeasureRecord("customers", "customers=count", "", np.ones(cells), DAY_1)]
        )
    return made


def onto(database: Database, tiling: str, letters: str) -> None:
    """Publish on another tiling than before."""
    plan = draft(database, tiling, letters)
    revision = rebasing.rebase(database, ANNA, plan, 2, prefer="mine")["revision"]
    publish(database, plan, revision)


@pytest.mark.parametrize(("cells", "letters"), [(12, "aaaaaacccccc"), (3, "aac")])
def test_on_another_tiling_ground_is_matched_by_place(database: Database, cells: int, letters: str) -> None:
    tiling = ground(database, 6)
    publish(database, draft(database, tiling, "aaabbc"))
    onto(database, other_board(database, 6, cells), letters)
    found = shares(at(database, "b"))
    assert found == ({"c": 1} if cells == 12 else {"a": Fraction(1, 2), "c": Fraction(1, 2)})


def test_on_another_tiling_customers_whom_both_know_decide(database: Database) -> None:
    tiling = ground(database, 6)
    live(database, tiling, [3, 3, 4, 0])
    publish(database, draft(database, tiling, "aaabbc"))
    other = other_board(database, 6, 3)
    live(database, other, [1, 1, 2, 0])
    onto(database, other, "aac")
    assert shares(at(database, "b")) == {"a": Fraction(2, 3), "c": Fraction(1, 3)}


# --- other routes


def test_customers_of_a_grid_which_ended_are_not_found_and_its_heirs_are_named(changed: Database) -> None:
    with pytest.raises(
        NotFound, match=r"ended with publication 3; its ground is now in d \(100.0%\)"
    ) as found:
        customers.page(Desk(changed), ANNA, "board", customers.of_grid("f"), None, 10)
    assert found.value.details["successors"] == [{"code": "d", "name": "Grid d", "share": 1.0}]
    with pytest.raises(NotFound, match="no grid 'z' in the publication"):
        customers.page(Desk(changed), ANNA, "board", customers.of_grid("z"), None, 10)


# --- kept for ever


def test_lineage_is_never_changed(changed: Database) -> None:
    for statement in ("UPDATE lineage SET n = n", "DELETE FROM lineage"):
        with pytest.raises(Conflict, match="never changed"), changed._transaction(writes=True) as connection:
            connection.execute(sa.text(statement))


def test_a_publication_which_fails_leaves_no_lineage(changed: Database) -> None:
    with changed._transaction(writes=False) as connection:
        count = sa.text("SELECT count(*) FROM lineage WHERE n > 3")
        assert connection.execute(count).scalar() == 0
    with changed.read(SYSTEM) as reader:
        assert {r.n for r in reader.lineage.of_code(("board", "base"), "a")} == {1, 2, 3}


# --- any series


@settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=6, max_size=6), min_size=2, max_size=5))
def test_in_any_series_a_code_lives_or_leads_to_shares_which_add_to_1(
    database: Database, series: list[list[str]]
) -> None:
    """Against the drawn letters: the last state with the code, cell by cell, against the present one."""
    tiling = _ground_once(database)
    with database._transaction(writes=False) as connection:
        number = connection.execute(sa.text("SELECT count(*) FROM plans")).scalar() or 0
    line = f"l{number}"
    for letters in series:
        record = plans.create(database, ANNA, tiling, SolveRequest(6, ()), line=line)
        with database.write(ANNA, "test") as uow:
            uow.plans.save_solution(record.id, drawn("".join(letters)), None, 1)
            uow.moves.head(record.id)
        _publish_whole(database, record.id, line)
    for code in sorted({c for letters in series for c in letters}):
        standing, now = at(database, code, line=line), series[-1]
        assert standing.alive == (code in now)
        if not standing.alive:
            last = next(letters for letters in reversed(series) if code in letters)
            under = [b for a, b in zip(last, now, strict=True) if a == code]
            assert shares(standing) == {b: Fraction(under.count(b), len(under)) for b in under}
            assert sum(s.share for s in standing.successors) == pytest.approx(1, abs=1e-9)


def _nothing() -> object:
    from gridsvc.services.request import SolveRequest

    return SolveRequest(6, ())


def _ground_once(database: Database) -> str:
    with database.read(SYSTEM) as reader:
        try:
            return reader.tilings.list("board")[0].id
        except IndexError:
            pass
    return ground(database, 6)


def _publish_whole(database: Database, plan: str, line: str) -> None:

    revision = 2
    with database.read(SYSTEM) as reader:
        codes = [grid.code for grid in reader.plans.get(plan).grids]
    for code in codes:
        try:
            revision = waivers.waive(database, ANNA, plan, "contiguity", code, "scattered", None).revision
        except InvalidInput:  # it is one piece
            continue
    publish(database, plan, revision)
