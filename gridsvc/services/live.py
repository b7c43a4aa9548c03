"""Drafts which are being worked on, kept open in this process and brought up to date before each use.

What is kept is a value made of the database; losing it costs time only. Other processes' moves are read from
the history and followed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar
from weakref import WeakKeyDictionary

from gridsvc.errors import Conflict
from gridsvc.services.opening import Cells, Opened, Version, open_draft
from gridsvc.services.request import request_from
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import PlanHead

__all__ = ["Kept", "current", "kept_of"]

_MOST_CELLS = 1_500_000  # of all drafts kept: about 100 bytes a cell
_FOLLOWED = 500  # a draft farther behind is opened anew
Value = TypeVar("Value", Cells, Opened)


class Kept:
    """Open drafts and the cells they stand on; safe to share between threads.

    The least used go when there are too many cells in all.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drafts: OrderedDict[str, Opened] = OrderedDict()
        self._cells: OrderedDict[str, Cells] = OrderedDict()

    def draft(self, plan: str) -> Opened | None:
        """The draft as it was kept; None if it was not."""
        with self._lock:
            found = self._drafts.get(plan)
            if found is not None:
                self._drafts.move_to_end(plan)
            return found

    def keep(self, opened: Opened) -> None:
        """Keep a draft, unless a later state of it is kept."""
        with self._lock:
            before = self._drafts.get(opened.head.id)
            if before is None or before.head.revision <= opened.head.revision:
                _put(self._drafts, opened.head.id, opened, lambda draft: len(draft.cells))

    def cells(self, tiling: str, load: Callable[[], Cells]) -> Cells:
        """The cells of a tiling, loaded if need be."""
        with self._lock:
            found = self._cells.get(tiling)
        if found is None:
            found = load()
            with self._lock:
                _put(self._cells, tiling, found, len)
        return found


def _put(kept: OrderedDict[str, Value], key: str, value: Value, size: Callable[[Value], int]) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > 1 and sum(map(size, kept.values())) > _MOST_CELLS:
        kept.popitem(last=False)


_all: WeakKeyDictionary[Database, Kept] = WeakKeyDictionary()
_all_lock = threading.Lock()


def kept_of(db: Database) -> Kept:
    """What this process keeps open of a database."""
    with _all_lock:
        return _all.setdefault(db, Kept())


def current(kept: Kept, reader: Reader, plan: str, head: PlanHead | None = None) -> Opened:
    """The draft of a plan exactly as `reader` sees it.

    Parameters
    ----------
    head : PlanHead, optional
        Where the plan stands, if that was read (and locked) already.

    Raises
    ------
    NotFound
        No plan has this id.
    Conflict
        It has not been solved yet.
    """
    head = head or reader.moves.head(plan)
    if not head.solved:
        raise Conflict("the plan is not solved yet", cure="wait for its job to be done", plan=plan)
    found = kept.draft(plan)
    day = None if found is None or found.version.day is None else datetime.now(UTC).date()
    version = Version(head.labels_revision, reader.tilings.measure_ids(head.tiling), day)
    if found is None or found.version != version or not 0 <= _behind(found, head) <= _FOLLOWED:
        found = _opened(kept, reader, head, version)
    elif found.head.revision < head.revision:
        found = _followed(found, reader, head)
    kept.keep(found)
    return found


def _behind(found: Opened, head: PlanHead) -> int:
    return head.revision - found.head.revision


def _opened(kept: Kept, reader: Reader, head: PlanHead, version: Version) -> Opened:
    record = reader.plans.bare(head.id)
    request = request_from(record.params, record.seed or 0)
    if request.locks is not None:
        version = replace(version, day=datetime.now(UTC).date())
    if request.barriers is None:
        cells = kept.cells(head.tiling, lambda: Cells(reader.tilings.plain(head.tiling)))
    else:
        cells = Cells(reader.tilings.load(head.tiling))
    labels = reader.moves.labels(head.id)
    assert labels is not None  # noqa: S101 - the head says that it is solved
    stored = (labels, *reader.moves.grids(head.id))
    return open_draft(head, record, stored, cells, reader.tilings.measures(head.tiling), version)


def _followed(found: Opened, reader: Reader, head: PlanHead) -> Opened:
    """The draft with what others did since."""
    opened = found.with_grids(*reader.moves.grids(head.id))
    for revision, change in reader.moves.since(head.id, found.head.revision, head.revision):
        opened = opened.changed(change, replace(head, revision=revision))
    return replace(opened, head=head, draft=opened.draft.at(head.revision))
