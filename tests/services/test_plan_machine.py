"""A plan and its branches against a plain dictionary, whatever planners do to them in whatever order."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from gridsvc.errors import Conflict, StaleRevision
from gridsvc.ownership.publication import Publication, checksum, pack, unpack
from gridsvc.plans.plan import Plan
from gridsvc.principal import SCOPES, SYSTEM, Principal
from gridsvc.services import branches, drafts, moves, plans
from gridsvc.services.handing import NewGrid, Part
from gridsvc.store import Database
from gridsvc.store.records import PublicationRecord
from tests.services.board import blocks, board, lay, put
from tests.store.builders import DAY_1

WIDTH, HEIGHT = 4, 3
TILING = board(WIDTH, HEIGHT)
CELLS = TILING.names()
ONES = {"customers": np.ones(len(CELLS))}
ACTORS = ("anna", "bo", "cui")
State = dict[str, str]


@dataclass
class Step:
    """One line of history: what it changed, and which earlier line it took back."""

    actor: str
    kind: str
    before: State
    after: State
    reverts: int | None = None


@dataclass
class Model:
    """A plan as one would keep it on paper: the state at each revision, and what made it."""

    states: dict[int, State]
    steps: dict[int, Step] = field(default_factory=dict)
    parent: tuple[int, int] | None = None
    merged: dict[int, tuple[int, int]] = field(default_factory=dict)  # other plan -> (clock, its revision)
    published: bool = False

    @property
    def revision(self) -> int:
        return max(self.states)

    @property
    def now(self) -> State:
        return self.states[self.revision]

    def touched(self, cells: Any, base: int) -> dict[str, int]:
        """Those of the cells which changed after `base`, and when last."""
        later = (n for n in sorted(self.steps) if n > base)
        return {cell: n for n in later for cell in cells if cell in self.steps[n].after}

    def add(self, actor: str, kind: str, after: State, reverts: int | None = None) -> None:
        moved = {cell: grid for cell, grid in after.items() if self.now[cell] != grid}
        if moved:
            before = {cell: self.now[cell] for cell in moved}
            revision = self.revision + 1
            self.steps[revision] = Step(actor, kind, before, moved, reverts)
            self.states[revision] = self.now | moved

    def next(self, actor: str, kind: str) -> int | None:
        """The revision which the planner's next undo or redo takes back."""
        done: list[int] = []
        undone: list[int] = []
        for n in sorted(self.steps):
            step = self.steps[n]
            if step.actor != actor:
                continue
            if step.kind == "undo":
                done.remove(step.reverts or 0)
                undone.append(n)
            else:
                if step.kind == "redo":
                    undone.remove(step.reverts or 0)
                else:
                    undone.clear()
                done.append(n)
        stack = done if kind == "undo" else undone
        return stack[-1] if stack else None

    def blocked(self, actor: str, revision: int) -> set[str]:
        """Cells of a line which it can no longer give back: others were there since."""
        step = self.steps[revision]
        last = self.touched(step.after, revision)
        return {
            cell
            for cell, grid in step.after.items()
            if self.now[cell] != grid or (cell in last and self.steps[last[cell]].actor != actor)
        }


class Planners(RuleBasedStateMachine):
    """Each rule asks the service and the model; `database` is set by the test."""

    database: Database
    numbers: Iterator[int]

    def __init__(self) -> None:
        super().__init__()
        number = next(self.numbers)
        start = blocks(WIDTH, HEIGHT, 4, 1)
        tiling = lay(self.database, TILING, ONES, f"board-{number}")
        self.territory, self.tiling = f"board-{number}", tiling
        self.ids = [put(self.database, tiling, TILING, start, ONES)]
        grid = [g.code for g in start.grids]
        first = {cell: grid[label] for cell, label in zip(CELLS, start.labels.tolist(), strict=True)}
        self.models = [Model({2: first})]
        self.published: list[tuple[int, State, str]] = []
        self.clock = 0

    def _who(self, name: str) -> Principal:
        return Principal(name, SCOPES)

    def _pick(self, number: int) -> tuple[str, Model, int]:
        index = number % len(self.ids)
        return self.ids[index], self.models[index], index

    def _asked(self, ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except Conflict as error:
            return error

    @rule(
        which=st.integers(0, 9),
        actor=st.sampled_from(ACTORS),
        cells=st.lists(st.sampled_from(CELLS), unique=True, min_size=1, max_size=4),
        to=st.sampled_from(["01", "02", "03", "04", "new"]),
        back=st.integers(0, 3),
        drop=st.booleans(),
    )
    def move(self, which: int, actor: str, cells: list[str], to: str, back: int, drop: bool) -> None:
        plan, model, _ = self._pick(which)
        base = max(min(model.states), model.revision - back)
        there = set(model.now.values())
        if to != "new" and to not in there:
            return  # it may have been left out
        taken = {grid.code for grid in plans.get(self.database, self._who(actor), plan).grids}
        # codes come back, in this plan and in its branches
        code = next(c for n in range(99) if (c := f"N{n}") not in taken) if to == "new" else to
        target: Any = NewGrid(code) if to == "new" else code
        answer = self._asked(
            lambda: moves.move(
                self.database, self._who(actor), plan, base, [Part(cells, target)], drop_empty=drop
            )
        )
        since = model.touched(cells, base)
        if model.published:
            assert isinstance(answer, Conflict)
        elif since:
            assert isinstance(answer, Conflict), since
            told = {e["cell"]: (e["revision"], e["actor"], e["grid"]) for e in answer.details["cells"]}
            assert told == {c: (n, model.steps[n].actor, model.now[c]) for c, n in since.items()}
        else:
            model.add(actor, "move", dict.fromkeys(cells, code))
            assert answer["revision"] == model.revision

    @rule(which=st.integers(0, 9), actor=st.sampled_from(ACTORS), kind=st.sampled_from(["undo", "redo"]))
    def take_back(self, which: int, actor: str, kind: str) -> None:
        plan, model, _ = self._pick(which)
        ask = moves.undo if kind == "undo" else moves.redo
        answer = self._asked(lambda: ask(self.database, self._who(actor), plan, model.revision))
        found = model.next(actor, kind)
        if model.published or found is None:
            assert isinstance(answer, Conflict)
        elif model.blocked(actor, found):
            assert isinstance(answer, Conflict)
            assert {e["cell"] for e in answer.details["cells"]} == model.blocked(actor, found)
        else:
            model.add(actor, kind, model.steps[found].before, found)
            assert answer["revision"] == model.revision

    @precondition(lambda self: len(self.ids) < 4)
    @rule(which=st.integers(0, 9), actor=st.sampled_from(ACTORS))
    def branch(self, which: int, actor: str) -> None:
        plan, model, index = self._pick(which)
        made = branches.branch(self.database, self._who(actor), plan, "what if")
        self.ids.append(made.id)
        self.models.append(Model({1: model.now}, parent=(index, model.revision)))

    def _ancestor(self, one: int, other: int) -> State | None:
        """The state in which two plans were last one."""
        merges = [
            (self.models[a].merged[b][0], self.models[b].states[self.models[a].merged[b][1]])
            for a, b in ((one, other), (other, one))
            if b in self.models[a].merged
        ]
        if merges:
            return max(merges, key=lambda merge: merge[0])[1]
        lines = []
        for index in (one, other):
            line, at = {index: self.models[index].revision}, self.models[index].parent
            while at is not None:
                line[at[0]] = at[1]
                at = self.models[at[0]].parent
            lines.append(line)
        common = next(index for index in lines[0] if index in lines[1])
        return self.models[common].states[min(lines[0][common], lines[1][common])]

    @precondition(lambda self: len(self.ids) > 1)
    @rule(
        which=st.integers(0, 9),
        other=st.integers(0, 9),
        actor=st.sampled_from(ACTORS),
        prefer=st.sampled_from([None, "mine", "theirs"]),
        back=st.integers(0, 1),
    )
    def merge(self, which: int, other: int, actor: str, prefer: Any, back: int) -> None:
        plan, mine, index = self._pick(which)
        source, theirs, their_index = self._pick(other)
        if index == their_index:
            return
        base = self._ancestor(index, their_index)
        assert base is not None
        answer = self._asked(
            lambda: branches.merge(
                self.database, self._who(actor), plan, mine.revision - back, source, prefer=prefer
            )
        )
        wanted = {c for c in CELLS if theirs.now[c] not in (base[c], mine.now[c])}
        both = {c for c in wanted if mine.now[c] != base[c]}
        if mine.published:
            assert isinstance(answer, Conflict)
        elif back:
            assert isinstance(answer, StaleRevision)
        elif both and prefer is None:
            assert isinstance(answer, Conflict)
            told = {e["cell"]: (e["grid"], e["theirs"]) for e in answer.details["cells"]}
            assert told == {c: (mine.now[c], theirs.now[c]) for c in both}
        else:
            taken = wanted if prefer == "theirs" else wanted - both
            assert (answer["moved"], answer["conflicts"]) == (len(taken), len(both))
            if taken:
                self.clock += 1
                mine.add(actor, "merge", {c: theirs.now[c] for c in taken})
                mine.merged[their_index] = (self.clock, theirs.revision)

    @rule(which=st.integers(0, 9))
    def publish(self, which: int) -> None:
        plan, model, _ = self._pick(which)
        if model.published or len(self.published) > 2:
            return
        with self.database.write(self._who("anna"), "test") as uow:
            record = uow.plans.get(plan)
            payload = pack(self._published(plans.solved(record)))
            uow.plans.set_status(plan, "published", record.revision)
            made = PublicationRecord(
                self.territory, plan, self.tiling, DAY_1, checksum(payload), payload, line="test"
            )
            n = uow.publications.publish(made, record.grids, [None] * len(record.grids))
        model.published = True
        model.states[model.revision + 1] = model.now
        self.published.append((n, model.now, checksum(payload)))

    def _published(self, plan: Plan) -> Publication:
        return Publication(self.territory, "test", "polygons", None, TILING.ids, plan.labels, plan.grids)

    @rule(which=st.integers(0, 9), back=st.integers(0, 60))
    def look_back(self, which: int, back: int) -> None:
        plan, model, _ = self._pick(which)
        at = sorted(model.states)[-1 - back % len(model.states)]
        found, revision = plans.cells_of(self.database, self._who("bo"), plan, at)
        assert (dict(found), revision) == (model.states[at], at)

    @invariant()
    def every_plan_is_as_the_model_says(self) -> None:
        for plan, model in zip(self.ids, self.models, strict=True):
            found, revision = plans.cells_of(self.database, self._who("bo"), plan)
            assert (dict(found), revision) == (model.now, model.revision)

    def teardown(self) -> None:
        for plan, model in zip(self.ids, self.models, strict=True):
            with self.database.read(SYSTEM) as reader:
                stored = reader.plans.get(plan)
                counted = drafts.draft(reader, plan).record.report
            code = [grid.code for grid in stored.grids]
            assert stored.labels is not None
            assert {c: code[g] for c, g in zip(CELLS, stored.labels.tolist(), strict=True)} == model.now
            shown = plans.report(self.database, self._who("bo"), plan)[0]
            assert _rounded(shown["grids"]) == _rounded((counted or {})["grids"])
            lines = moves.history(self.database, self._who("bo"), plan, limit=1000)
            told = [(m.revision, m.kind, m.actor, m.reverts, m.n_cells) for m in lines]
            assert told == [
                (n, s.kind, s.actor, s.reverts, len(s.after)) for n, s in sorted(model.steps.items())
            ]
        for n, state, digest in self.published:
            with self.database.read(SYSTEM) as reader:
                record = reader.publications.get(self.territory, "test", n)
            assert record.checksum == digest == checksum(record.payload)
            plan_then = unpack(record.payload)
            code = [grid.code for grid in plan_then.grids]
            assert {c: code[g] for c, g in zip(CELLS, plan_then.labels.tolist(), strict=True)} == state


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 9)
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("runs", "steps"), [(15, 30), pytest.param(500, 50, marks=pytest.mark.proof)], ids=["small", "full"]
)
def test_no_difference_from_a_plain_dictionary(database: Database, runs: int, steps: int) -> None:
    class Here(Planners):
        numbers = itertools.count()

    Here.database = database
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
