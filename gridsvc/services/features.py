"""Collections of features: grids, cells and teams of what is published, and of drafts; which there are, and
which of their features somebody wants.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray

from gridsvc.crs import geometry_from_wgs84
from gridsvc.errors import Gone, InvalidInput, NotFound
from gridsvc.exchange.antimeridian import EDGE, cut_at_edge, extent_around
from gridsvc.exchange.filters.judge import holds
from gridsvc.exchange.filters.parse import Node
from gridsvc.principal import Principal
from gridsvc.services.feature_tables import IDS, FeatureKind, Shelf, Table, table_of
from gridsvc.services.small_layers import SMALL, least_for
from gridsvc.store.database import Database, Reader
from gridsvc.store.records import PublicationRecord
from gridsvc.teams.model import Roster

__all__ = [
    "Collection",
    "Named",
    "Pinned",
    "Query",
    "Version",
    "Window",
    "collection",
    "collections",
    "drawn_table",
    "named_version",
    "outlines",
    "pieces",
    "search",
    "table",
    "version",
]

Rows = NDArray[np.int64]
Box = tuple[float, float, float, float]

_DRAFTS = 50
_KNOWN = 1000
_CHUNK = 500
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
    """

    collection: Named
    n: int
    r: int
    at: datetime
    record: PublicationRecord | None
    tiling: str
    token: str
    least: int | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A place to look at: `box` holds it, `shape` says it exactly where that is no such box."""

    box: Box
    shape: shapely.Geometry | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """Which features are wanted: those in any window, if there are some, for which all else holds."""

    windows: tuple[Window, ...] = ()
    equal: Mapping[str, str] | None = None
    condition: Node = None


# --- which collections there are


def collections(db: Database, who: Principal) -> list[Collection]:
    """All collections the caller may see: of each published line, then of the newest drafts."""
    who.require("owner:read")
    with db.read() as reader:
        found = [made for line in reader.publications.lines() for made in _published(reader, *line)]
        if "plans:read" in who.scopes:
            found += _drafts(reader)
    return found


def _published(reader: Reader, territory: str, line: str) -> list[Collection]:
    begun = reader.publications.begun(territory, line)
    if begun is None:
        return []
    place, box = reader.territories.get(territory), _box(reader, begun[1])
    return [
        Collection(f"{territory}.{line}.{kind}", kind, territory, line, None, place.name, box, begun[0])
        for kind in _KINDS
    ]


def _drafts(reader: Reader) -> list[Collection]:
    found = []
    for place in reader.territories.list(limit=1000):
        drafts = [p for p in reader.plans.list(place.id, limit=1000) if p.status != "published"]
        for plan in drafts[-_DRAFTS:]:
            title, box = f"{place.name}: {plan.name or plan.id}", _box(reader, plan.tiling)
            found += [
                Collection(f"plan.{plan.id}.{kind}", kind, place.id, plan.line, plan.id, title, box)
                for kind in _KINDS
            ]
    return found


_REACHES: dict[str, Box] = {}
_BOXES: dict[str, Box] = {}


def _kept(kept: dict[str, Box], tiling: str, made: Callable[[], Box]) -> Box:
    """What is told of a tiling; kept, as it never changes and many cells have to be looked at for it."""
    if tiling not in kept:
        if len(kept) >= _KNOWN:
            kept.clear()
        kept[tiling] = made()
    return kept[tiling]


def _reach(reader: Reader, tiling: str) -> Box:
    """Where a tiling lies, in longitudes which run on past 180 where its cells do."""
    found = partial(reader.features.extent, tiling)
    return _kept(_REACHES, tiling, lambda: found() or (-EDGE, -90.0, EDGE, 90.0))


def _box(reader: Reader, tiling: str) -> Box:
    """Where a tiling lies; its west is more than its east where it spans the 180th meridian."""
    return _kept(_BOXES, tiling, lambda: _box_of(reader, tiling))


def _box_of(reader: Reader, tiling: str) -> Box:
    west, south, east, north = _reach(reader, tiling)
    if west >= -EDGE and east <= EDGE and east - west <= EDGE:
        return west, south, east, north
    parts = [shapely.get_parts(cut_at_edge(block)) for block in reader.features.blocks(tiling)]
    around = extent_around(shapely.bounds(np.concatenate(parts)))
    return (west, south, east, north) if around is None else (around[0], around[1], around[2], around[3])


def collection(db: Database, who: Principal, name: str) -> Collection:
    """One collection by its id.

    Raises
    ------
    NotFound
        There is none of that id.
    """
    with db.read() as reader:
        named = _named(reader, who, name)
        if named.plan is not None:
            plan = reader.plans.bare(named.plan)
            title = f"{reader.territories.get(plan.territory).name}: {plan.name or plan.id}"
            return Collection(**vars(named), title=title, box=_box(reader, plan.tiling))
        found = _published(reader, named.territory, named.line)
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
    with db.read() as reader:
        return _for(least_for(who, small), _version(reader, found, at, pinned))


def named_version(
    db: Database, who: Principal, name: str, at: datetime | None = None, small: int = SMALL
) -> Version | None:
    """As `version`, of the collection of that id, for who need not be told more of it.

    Raises
    ------
    NotFound
        There is none of that id.
    """
    with db.read() as reader:
        named = _named(reader, who, name)
        found = _version(reader, named, at, None)
        if found is None and reader.publications.begun(named.territory, named.line) is None:
            raise _none(name)
    return _for(least_for(who, small), found)


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


def _for(least: int | None, state: Version | None) -> Version | None:
    """A state as it is shown to who may see counts from `least` on."""
    if state is None or least is None:
        return state
    return replace(state, least=least, token=f"{state.token}-{least}")


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
    with db.read() as reader:
        roster = reader.rosters.get(state.collection.territory, state.r).at(state.at) if state.r else None
        key = (state.collection.id.rpartition(".")[0], wanted, state.token, _leads(roster))
        source = state.record or str(state.collection.plan)
        return shelf.get(key, lambda: table_of(reader, source, wanted, roster, _shared(state), state.least))


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


# --- which features


def search(db: Database, found: Table, query: Query) -> Rows:
    """Rows of the features wanted, ascending: int64 array.

    Raises
    ------
    InvalidInput
        A condition which cannot be judged.
    """
    wanted = np.ones(len(found), np.bool_)
    for name, text in (query.equal or {}).items():
        wanted &= _equal(found, name, text)
    if query.condition is not None:
        relate = partial(_related, db, found)
        wanted &= holds(query.condition, found.compared, len(found), relate)
    if query.windows:
        wanted &= np.logical_or.reduce([_in_window(db, found, window) for window in query.windows])
    return np.flatnonzero(wanted)


def _equal(found: Table, name: str, text: str) -> NDArray[np.bool_]:
    column, kind = found.compared[name], found.kinds[name]
    value: Any = text
    try:
        if kind == "number":
            value = float(text)
        elif kind == "truth":
            value = {"true": 1.0, "false": 0.0}[text.lower()]
        elif kind == "instant":
            value = datetime.fromisoformat(text).timestamp()
    except (KeyError, ValueError):
        raise InvalidInput(f"{name} is a {kind}", field=name, cure=f"give a {kind}") from None
    same: NDArray[np.bool_] = (column.values == value) & column.known
    return same


def _in_window(db: Database, found: Table, window: Window) -> NDArray[np.bool_]:
    if window.shape is not None:
        return _related(db, found, "intersects", window.shape)
    return _related(db, found, "intersects", shapely.box(*window.box), certain=True)


def _related(
    db: Database, found: Table, op: str, shape: shapely.Geometry, *, certain: bool = False
) -> NDArray[np.bool_]:
    """Which features stand in a relation to a shape; `certain`: it is a box, which meets all boxes in it."""
    related = getattr(shapely, op)
    if found.geometry is not None:
        shapely.prepare(found.geometry)
        return np.asarray(related(found.geometry, shape), np.bool_)
    out = np.zeros(len(found), np.bool_)
    with db.read() as reader:
        rows, inside = _near(reader, found.tiling, shape.bounds)
        if certain:
            out[rows[inside]] = True
            rows = rows[~inside]
        for start in range(0, len(rows), 20 * _CHUNK):
            part = rows[start : start + 20 * _CHUNK]
            out[part] = related(cut_at_edge(reader.features.cells(found.tiling, part)), shape)
    return out


def _near(reader: Reader, tiling: str, box: Box) -> tuple[Rows, NDArray[np.bool_]]:
    """As the reader's, also of cells whose longitudes run on past 180."""
    west, _, east, _ = _reach(reader, tiling)
    turned = [(box[0] + turn, box[1], box[2] + turn, box[3]) for turn in (2 * EDGE, -2 * EDGE)]
    windows = [box, *(window for window in turned if window[0] <= east and window[2] >= west)]
    rows, inside = zip(*(reader.features.near(tiling, window) for window in windows), strict=True)
    every, first = np.unique(np.concatenate(rows), return_inverse=True)
    return every, np.bincount(first, np.concatenate(inside), len(every)) > 0


# --- in pieces


def pieces(
    db: Database, found: Table, rows: Rows, crs: str = "wgs84", *, north_first: bool = False
) -> Iterator[list[bytes]]:
    """Features as GeoJSON, some hundreds at a time, whatever their number.

    Parameters
    ----------
    crs : str
        Of the coordinates, as `gridsvc.crs` names it.
    north_first : bool
        Write northing or latitude before easting or longitude.
    """
    decimals = 7 if crs in {"wgs84", "EPSG:4490"} else 3
    for start in range(0, len(rows), _CHUNK):
        part = rows[start : start + _CHUNK]
        shapes = geometry_from_wgs84(outlines(db, found, part), crs)
        shapes = shapely.transform(shapes, lambda xy: np.round(xy, decimals))
        shapes = shapely.orient_polygons(shapes)
        if found.several:
            parts, whole = shapely.get_parts(shapes, return_index=True)
            shapes = shapely.multipolygons(parts, indices=whole)
        if north_first:
            shapes = shapely.transform(shapes, lambda xy: xy[:, ::-1])
        texts = shapely.to_geojson(shapes)
        yield [_feature(found, row, text) for row, text in zip(part.tolist(), texts, strict=True)]


def outlines(db: Database, found: Table, rows: Rows) -> NDArray[np.object_]:
    """Outlines of some features, WGS-84: object array as long as `rows`, which ascend."""
    if found.geometry is not None:
        return found.geometry[rows]
    if not len(rows):
        return np.empty(0, object)
    with db.read() as reader:
        return cut_at_edge(reader.features.cells(found.tiling, rows))


def _feature(found: Table, row: int, geometry: str) -> bytes:
    properties = {name: values[row] for name, values in found.columns.items()}
    return b'{"type":"Feature","id":%b,"geometry":%b,"properties":%b}' % (
        orjson.dumps(properties[IDS[found.kind]]),
        geometry.encode(),
        orjson.dumps(properties),
    )
