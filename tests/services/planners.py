"""Planners who edit one draft at once, from several processes, and the check of what they were told."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from gridsvc.errors import Conflict
from gridsvc.principal import SCOPES, Principal
from gridsvc.services import moves
from gridsvc.services.moves import Part
from gridsvc.store import Database


@dataclass
class Edit:
    """One request and its answer.

    `revision` is the one it made; None where it was refused, and `told` then holds the details.
    """

    actor: str
    kind: str
    base: int
    cells: list[str] = field(default_factory=list)
    to: str = ""
    revision: int | None = None
    moved: int = 0
    told: dict[str, Any] = field(default_factory=dict)


def planner(
    database: Database, plan: str, name: str, edits: int, cells: list[str], grids: list[str]
) -> list[Edit]:
    """Make `edits` requests, most on what an earlier answer showed."""
    rng, who, base, log = random.Random(name), Principal(name, SCOPES), 2, []
    for _ in range(edits):
        undo = rng.random() < 0.15
        edit = Edit(name, "undo" if undo else "move", base)
        try:
            if undo:
                done = moves.undo(database, who, plan, base)
            else:
                edit.cells, edit.to = rng.sample(cells, rng.randint(1, 4)), rng.choice(grids)
                done = moves.move(database, who, plan, base, [Part(edit.cells, edit.to)])
            edit.revision, edit.moved = done["revision"], done["moved"]
            seen = done["revision"]
        except Conflict as error:
            edit.told = error.details
            seen = error.details["revision"]
        base = seen if rng.random() < 0.4 else base
        log.append(edit)
    return log


def _process(
    url: str, plan: str, names: list[str], edits: int, cells: list[str], grids: list[str]
) -> list[Edit]:
    """Several planners in one process, each in a thread, on one database."""
    database, logs = Database.open(url), []

    def work(name: str) -> None:
        logs.extend(planner(database, plan, name, edits, cells, grids))

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    database.close()
    return logs


def work_at_once(
    url: str, plan: str, planners: int, edits: int, cells: list[str], grids: list[str], processes: int = 2
) -> list[Edit]:
    """What all planners asked and were told."""
    names = [f"planner {n}" for n in range(planners)]
    shares = [names[n::processes] for n in range(processes)]
    with get_context("spawn").Pool(processes) as pool:
        logs = pool.starmap(_process, [(url, plan, share, edits, cells, grids) for share in shares])
    return [edit for log in logs for edit in log]


def replay(start: dict[str, str], log: list[Edit], first: int = 2) -> dict[int, dict[str, str]]:
    """The cells at each revision by the acknowledged edits alone, one after another."""
    made = {edit.revision: edit for edit in log if edit.revision is not None and edit.moved}
    assert len(made) == sum(1 for edit in log if edit.revision is not None and edit.moved)
    states, stacks = {first: start}, dict[str, list[tuple[int, dict[str, str]]]]()
    for revision in range(first + 1, first + 1 + len(made)):
        edit, now = made[revision], dict(states[revision - 1])
        stack = stacks.setdefault(edit.actor, [])
        if edit.kind == "undo":
            now |= stack.pop()[1]
        else:
            stack.append((revision, {cell: now[cell] for cell in edit.cells if now[cell] != edit.to}))
            now |= dict.fromkeys(edit.cells, edit.to)
        states[revision] = now
    return states


def wrong_rejections(states: dict[int, dict[str, str]], log: list[Edit]) -> list[Edit]:
    """Refused moves whose listed cells are not just those which changed after what the planner had seen."""
    changed = {
        n: {cell for cell, grid in state.items() if states[n - 1][cell] != grid}
        for n, state in states.items()
        if n - 1 in states
    }

    def right(edit: Edit) -> bool:
        seen, now = edit.base, edit.told["revision"]
        since = {cell: n for n in range(seen + 1, now + 1) for cell in changed[n]}
        expected = {cell: (states[now][cell], since[cell]) for cell in edit.cells if cell in since}
        told = {entry["cell"]: (entry["grid"], entry["revision"]) for entry in edit.told["cells"]}
        return bool(told) and told == expected and edit.told["total"] == len(told)

    return [edit for edit in log if edit.kind == "move" and edit.revision is None and not right(edit)]
