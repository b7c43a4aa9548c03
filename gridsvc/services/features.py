"""Collections of features: grids, cells and teams of what is published, and of drafts, and their states."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import orjson

from gridsvc.errors import Gone, NotFound
from gridsvc.principal import SYSTEM, Principal
from gridsvc.services.extents import Box, extent, extent_of
from gridsvc.services.feature_tables import FeatureKind, Shelf, Sight, Table, table_of
from gridsvc.services.small_layers import SMALL, least_for
from gridsvc.services.subtrees import SubTrees, subtrees_of, uppers_in_force
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import PublicationRecord
from gridsvc.teams.model import Roster

__all__ = [
    "Collection",
    "Named",
    "Pinned",
    "Version",
    "collection",
    "collections",
    "drawn_table",
    "named_version",
    "table",
    "version",
]


_DRAFTS = 50
_KINDS: tuple[FeatureKind, ...] = ("grids", "cells", "teams")


@dataclass(frozen=True)
class Named:
    """Features of one kind.

    Attributes
    ----------
    id : str
        ``territory.line.kind``, or ``plan.id.kind`` for a draft.
    plan : str or None
        Id of the draft.
    """

    id: str
    kind: FeatureKind
    territory: str
    line: str
    plan: str | None


@dataclass(frozen=True)
class Collection(Named):
    """Features of one kind, and what is told of all of them.

    Attributes
    ----------
    title : str
        Name of the territory, or of the draft.
    box : (west, south, east, north)
        Where it lies, WGS-84 degrees.
    since : datetime or None
        When the first publication took effect.
    """

    title: str
    box: Box
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pinned:
    """What a walk through pages began with: number and roster, so that each page is of one state."""

    n: int
    r: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """A collection at one state.

    Attributes
    ----------
    n : int
        Number of the publication, or revision of the draft.
    r : int
        Number of the roster; 0 for none.
    at : datetime
        The time it is looked at.
    record : PublicationRecord or None
    tiling : str
        Its cells.
    token : str
        Differs where any property or outline does.
    least : int or None
        Counts of customers below this are kept back from who asks.
    part : SubTrees or None
        What of the territory is seen by who asks; None for the whole.
    """

    collection: Named
    n: int
    r: int
    at: datetime
    record: PublicationRecord | None
    tiling: str
    token: str
    least: int | None = None
    part: SubTrees | None = None


# --- which collections there are


def collections(db: Database, who: Principal) -> list[Collection]:
    """All collections the caller may see: of each published line, then of the newest drafts."""
    who.require("owner:read")
    with db.read(who, parts=True) as reader:
        found = [made for line in reader.publications.lines() for made in _published(reader, who, *line)]
        if "plans:read" in who.scopes:
            found += _drafts(reader, who)
    return found


def _published(reader: Reader, who: Principal, territory: str, line: str) -> list[Collection]:
    begun = reader.publications.begun(territory, line)
    if begun is None:
        return []
    place, box = reader.territories.get(territory), _box(reader, who, territory, line, begun[1])
    return [
        Collection(f"{territory}.{line}.{kind}", kind, territory, line, None, place.name, box, begun[0])
        for kind in _KINDS
    ]


def _box(reader: Reader, who: Principal, territory: str, line: str, tiling: str) -> Box:
    """Where what the caller sees of a tiling lies."""
    part = subtrees_of(reader, who, territory, line, tiling)
    if part is None:
        return extent(reader, tiling)
    return extent_of(reader, tiling, part.token, lambda: np.flatnonzero(part.cells(reader)))


def _drafts(reader: Reader, who: Principal) -> list[Collection]:
    found = []
    for place in reader.territories.list(limit=1000):
        drafts = [p for p in reader.plans.list(place.id, limit=1000) if p.status != "published"]
        for plan in drafts[-_DRAFTS:]:
            title = f"{place.name}: {plan.name or plan.id}"
            box = _box(reader, who, place.id, plan.line, plan.tiling)
            found += [
                Collection(f"plan.{plan.id}.{kind}", kind, place.id, plan.line, plan.id, title, box)
                for kind in _KINDS
            ]
    return found


def collection(db: Database, who: Principal, name: str) -> Collection:
    """One collection by its id.

    Raises
    ------
    NotFound
        There is none of that id.
    """
    with db.read(who, parts=True) as reader:
        named = _named(reader, who, name)
        if named.plan is not None:
            plan = reader.plans.bare(named.plan)
            title = f"{reader.territories.get(plan.territory).name}: {plan.name or plan.id}"
            box = _box(reader, who, plan.territory, plan.line, plan.tiling)
            return Collection(**vars(named), title=title, box=box)
        found = _published(reader, who, named.territory, named.line)
    made = next((made for made in found if made.kind == named.kind), None)
    if made is None:
        raise _none(name)
    return made


def _named(reader: Reader, who: Principal, name: str) -> Named:
    who.require("owner:read")
    head, _, rest = name.partition(".")
    middle, _, kind = rest.rpartition(".")
    if kind not in _KINDS:
        raise _none(name)
    if head == "plan" and "_" in middle:
        who.require("plans:read")
        plan = reader.plans.bare(middle)
        return Named(name, kind, plan.territory, plan.line, plan.id)
    return Named(name, kind, head, middle, None)


def _none(name: str) -> NotFound:
    return NotFound(f"there is no collection {name[:80]!r}", field="collection", cure="see /ogc/collections")


# --- at which state


def version(
    db: Database,
    who: Principal,
    found: Named,
    at: datetime | None = None,
    pinned: Pinned | None = None,
    small: int = SMALL,
) -> Version | None:
    """The state of a collection at a time, now if None; or the pinned one. None where nothing was in force.

    Parameters
    ----------
    small : int
        Counts of customers below this are kept back from callers without ``customers:read``.

    Raises
    ------
    Gone
        The draft has moved on from what was pinned.
    """
    who.require("owner:read" if found.plan is None else "plans:read")
    with db.read(who, parts=True) as reader:
        return _for(reader, who, small, _version(reader, found, at, pinned))


def named_version(
    db: Database, who: Principal, name: str, at: datetime | None = None, small: int = SMALL
) -> Version | None:
    """As `version`, of the collection of that id, for who need not be told more of it.

    Raises
    ------
    NotFound
        There is none of that id.
    """
    with db.read(who, parts=True) as reader:
        named = _named(reader, who, name)
        found = _version(reader, named, at, None)
        if found is None and reader.publications.begun(named.territory, named.line) is None:
            raise _none(name)
        return _for(reader, who, small, found)


def _version(reader: Reader, found: Named, at: datetime | None, pinned: Pinned | None) -> Version | None:
    now = datetime.now(UTC)
    moment = pinned.at if pinned else (at or now)
    if found.plan is not None:
        return _draft_version(reader, found, moment, pinned)
    if pinned is not None:
        record: PublicationRecord | None = reader.publications.get(found.territory, found.line, pinned.n)
    else:
        record = reader.publications.in_force(found.territory, found.line, moment, now)
    if record is None:
        return None
    r = pinned.r if pinned else reader.rosters.number_in_force(found.territory, moment, now) or 0
    measured = reader.features.measured(record.tiling)
    token = f"{record.n}-{r}-{measured}-{record.plan[-8:]}"  # another database has other plans
    return Version(found, record.n, r, moment, record, record.tiling, token)


def _for(reader: Reader, who: Principal, small: int, state: Version | None) -> Version | None:
    """A state as it is shown to a caller: without small counts, and what of it is theirs."""
    if state is None:
        return None
    named, least = state.collection, least_for(who, small)
    part = subtrees_of(reader, who, named.territory, named.line, state.tiling, state.at)
    marks = [state.token]
    if least is not None:  # what is kept back goes by the sums of the grids above
        where = named.territory, named.line, state.tiling
        above = uppers_in_force(reader, *where, state.at, datetime.now(UTC))
        marks += [str(least), *(f"{level}{record.n}" for level, record in above)]
    if part is not None:
        marks.append(part.token)
    return replace(state, least=least, part=part, token="-".join(marks))


def _draft_version(reader: Reader, found: Named, at: datetime, pinned: Pinned | None) -> Version:
    assert found.plan is not None  # noqa: S101 - asked for drafts only
    record = reader.plans.get(found.plan)
    if pinned is not None and pinned.n != record.revision:
        raise Gone(
            f"the draft is at revision {record.revision} now, no more at {pinned.n}",
            field="cursor",
            cure="start again at the first page",
        )
    r = pinned.r if pinned else reader.rosters.number_in_force(found.territory, at, datetime.now(UTC)) or 0
    measured = reader.features.measured(record.tiling)
    token = f"{record.revision}-{r}-{measured}"
    return Version(found, record.revision, r, at, None, record.tiling, token)


def table(db: Database, shelf: Shelf, state: Version, kind: FeatureKind | None = None) -> Table:
    """The features of a version; of another kind of the same territory and line if `kind` says so."""
    wanted = kind or state.collection.kind
    with db.read(SYSTEM) as reader:
        roster = reader.rosters.get(state.collection.territory, state.r).at(state.at) if state.r else None
        key = (state.collection.id.rpartition(".")[0], wanted, state.token, _leads(roster))
        source = state.record or str(state.collection.plan)
        sight = Sight(state.at, state.least, state.part)
        return shelf.get(key, lambda: table_of(reader, source, wanted, roster, _shared(state), sight))


def drawn_table(db: Database, shelf: Shelf, state: Version, kind: FeatureKind) -> Table:
    """As `table`, for who does not tell who leads: that changes with time, and asks for the whole roster."""
    found = shelf.like((state.collection.id.rpartition(".")[0], kind, state.token))
    return table(db, shelf, state, kind) if found is None else found


def _leads(roster: Roster | None) -> str:
    """Tells rosters apart by what features show of them."""
    if roster is None:
        return ""
    told = [(t.id, t.name, None if (m := roster.lead(t.id)) is None else m.person) for t in roster.teams]
    names = [(person.id, person.name) for person in roster.people]
    return hashlib.sha256(orjson.dumps([told, names, roster.fallback])).hexdigest()


def _shared(state: Version) -> dict[str, str | int]:
    if state.record is None:
        return {"revision": state.n}
    return {"publication": state.n, "valid_from": state.record.effective_at.isoformat()}
