"""What a plan changes, replayed on what others published meanwhile."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.plans.plan import Grid, Plan
from gridsvc.plans.rebase import inside, rebase, within


def plan(letters: str, **teams: str) -> Plan:
    """One letter a cell, which is the code of its grid; a dot is no grid."""
    codes = sorted(set(letters) - {"."} | set(teams))
    labels = np.array([codes.index(c) if c != "." else -1 for c in letters], np.int32)
    return Plan(labels, tuple(Grid(code, code.upper(), teams.get(code, "t")) for code in codes))


def drawn(found: Plan) -> str:
    return "".join("." if label < 0 else found.grids[label].code for label in found.labels.tolist())


def test_what_only_one_side_changed_stands() -> None:
    found = rebase(plan("aabb"), plan("aaab"), plan("cabb"))
    assert drawn(found.plan) == "caab"
    assert (found.carried.tolist(), found.clean) == ([0], True)


def test_a_cell_both_gave_to_one_grid_is_no_conflict() -> None:
    found = rebase(plan("aabb"), plan("abbb"), plan("abbb"))
    assert found.clean and not len(found.carried)


def test_a_cell_both_gave_elsewhere_is_a_conflict_settled_by_preference() -> None:
    base, mine, theirs = plan("aabbc"), plan("abbbc"), plan("acbbc")
    found = rebase(base, mine, theirs)
    assert (found.conflicts.tolist(), found.clean) == ([1], False)
    assert drawn(rebase(base, mine, theirs, "mine").plan) == "abbbc"
    assert drawn(rebase(base, mine, theirs, "theirs").plan) == "acbbc"


def test_a_grid_which_others_gave_up_goes_and_a_new_one_of_theirs_comes() -> None:
    found = rebase(plan("aabb"), plan("aabb"), plan("aacc"))
    assert [grid.code for grid in found.plan.grids] == ["a", "c"]


def test_a_new_grid_of_the_plan_without_cells_stays_for_the_gates_to_find() -> None:
    mine = Plan(plan("aabb").labels, (*plan("aabb").grids, Grid("n", "New")))
    assert [grid.code for grid in rebase(plan("aabb"), mine, plan("aaab")).plan.grids] == ["a", "b", "n"]


def test_teams_are_carried_like_cells() -> None:
    def teams(found: Plan) -> list[str | None]:
        return [grid.team for grid in found.grids]

    base, mine, theirs = plan("ab", a="1", b="1"), plan("ab", a="2", b="1"), plan("ab", a="1", b="3")
    found = rebase(base, mine, theirs)
    assert (teams(found.plan), found.clean) == (["2", "3"], True)
    clash = rebase(base, mine, plan("ab", a="4", b="1"))
    assert (clash.grids, clash.clean, len(clash.conflicts)) == (("a",), False, 0)
    assert teams(rebase(base, mine, plan("ab", a="4", b="1"), "theirs").plan)[0] == "4"


def test_on_nothing_everything_is_new_and_what_differs_collides() -> None:
    nothing = Plan(np.full(3, -1, np.int32), ())
    assert rebase(nothing, plan("aab"), plan("abb")).conflicts.tolist() == [1]


cells = st.lists(st.sampled_from("abc."), min_size=6, max_size=6).map("".join)


@given(cells, cells, cells, st.sampled_from([None, "mine", "theirs"]))
def test_each_cell_is_judged_by_itself(base: str, mine: str, theirs: str, prefer: str | None) -> None:
    found = rebase(plan(base), plan(mine), plan(theirs), prefer)  # type: ignore[arg-type]
    conflicts = [i for i, (b, m, t) in enumerate(zip(base, mine, theirs, strict=True)) if len({b, m, t}) == 3]
    assert found.conflicts.tolist() == conflicts
    for row, (b, m, t) in enumerate(zip(base, mine, theirs, strict=True)):
        want = (
            m
            if t == b or (row in conflicts and prefer != "theirs")
            else t
            if m == b or row in conflicts
            else m
        )
        assert drawn(found.plan)[row] == want


# --- one branch of a tree


def nested(letters: str, east: str) -> Plan:
    found = plan(letters)
    grids = tuple(Grid(g.code, g.name, g.team, False, "E" if g.code in east else "W") for g in found.grids)
    return Plan(found.labels, grids)


def test_only_one_branch_changes_and_what_is_drawn_elsewhere_is_counted() -> None:
    published, mine = nested("aabbccdd", "cd"), nested("aaabcccd", "cd")
    found, ignored = within(mine, published, "E")
    assert (drawn(found), ignored.tolist()) == ("aabbcccd", [2])
    found, ignored = within(mine, published, "W")
    assert (drawn(found), ignored.tolist()) == ("aaabccdd", [6])


def test_a_change_over_the_border_of_the_branch_is_none_of_its_business() -> None:
    found, ignored = within(nested("aaaaccdd", "cd"), nested("aabbccdd", "cd"), "E")
    assert (drawn(found), ignored.tolist()) == ("aabbccdd", [2, 3])
    found, ignored = within(nested("aabbbcdd", "cd"), nested("aabbccdd", "cd"), "E")
    assert (drawn(found), ignored.tolist()) == ("aabbccdd", [4])


def test_conflicts_outside_the_branch_do_not_count() -> None:
    base, mine, theirs = nested("aabbccdd", "cd"), nested("abbbcddd", "cd"), nested("axbbcydd", "cdy")
    found = rebase(base, mine, theirs)
    assert found.conflicts.tolist() == [1, 5]
    assert inside(found, mine, theirs, "E").conflicts.tolist() == [5]
    assert inside(found, mine, theirs, "W").conflicts.tolist() == [1]
