"""What an export is drawn from: a plan, published or not, with its cells, measures, people and a manifest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridsvc.errors import Conflict, Forbidden, InvalidInput
from gridsvc.ownership.publication import unpack
from gridsvc.plans.plan import Plan
from gridsvc.principal import Principal
from gridsvc.services.asking import counting_at
from gridsvc.services.drafts import Draft, draft, solved
from gridsvc.services.small_layers import counts_in
from gridsvc.services.subtrees import plan_seen, subtrees_of
from gridsvc.store.database import Reader
from gridsvc.store.records import MeasureRecord, PlanRecord, PublicationRecord, Territory
from gridsvc.teams.model import Roster
from gridsvc.tiling.tiling import Tiling

__all__ = ["Ground", "Source", "base_of_moves", "ground_of", "seen_of"]


@dataclass(frozen=True, slots=True)
class Source:
    """What is exported: a plan by its id, or a publication by territory, number and line."""

    plan: str | None = None
    territory: str | None = None
    n: int | None = None
    line: str = "base"


@dataclass(frozen=True, slots=True)
class Ground:
    """A plan with what its layers are made of.

    Attributes
    ----------
    stem : str
        What its files are called.
    said : dict
        What a manifest says of it, whatever the layer.
    record : PlanRecord
        Of the plan, or of the plan that was published.
    tiling : Tiling
        Without outlines.
    columns : mapping of str to float64 array, shape (n_cells,)
        Measures and scores.
    counts : tuple of str
        Those measures which count customers.
    rows : int64 array or None
        Of the cells which are seen, ascending, where that is a part of them; `plan` has no other grids then.
    """

    stem: str
    said: dict[str, Any]
    record: PlanRecord
    published: PublicationRecord | None
    territory: Territory
    plan: Plan
    tiling: Tiling
    columns: Mapping[str, NDArray[np.float64]]
    roster: Roster | None
    counts: tuple[str, ...] = ()
    rows: NDArray[np.int64] | None = None

    @property
    def targets(self) -> dict[str, dict[str, float]]:
        """What each grid should have, by code."""
        entries = (self.record.report or {}).get("grids", [])
        return {entry["code"]: entry.get("targets", {}) for entry in entries}


def ground_of(reader: Reader, source: Source, *, targets: bool = True) -> Ground:
    """Read what an export is drawn from.

    Parameters
    ----------
    targets : bool
        Whether `Ground.targets` are wanted; for a plan they cost all its outlines.

    Raises
    ------
    NotFound
        There is no such plan or publication.
    Conflict
        The plan is not solved yet.
    """
    if source.plan is not None:
        return _of_plan(reader, source.plan, targets=targets)
    if source.territory is None or source.n is None:
        raise InvalidInput("what is to be exported?", field="plan", cure="name a plan or a publication")
    return _of_publication(reader, source.territory, source.n, source.line)


def seen_of(reader: Reader, who: Principal, ground: Ground) -> Ground:
    """What of a ground a caller sees, by the levels now in force."""
    record = ground.record
    part = subtrees_of(reader, who, record.territory, record.line, record.tiling)
    if part is None:
        return ground
    plan = plan_seen(reader, ground.plan, record.tiling, part.cells(reader))
    return replace(ground, plan=plan, rows=np.flatnonzero(plan.labels >= 0).astype(np.int64))


def _of_plan(reader: Reader, plan: str, *, targets: bool) -> Ground:
    record = reader.plans.get(plan)
    solved(record)
    if targets:
        found = draft(reader, plan)
    else:
        tiling = reader.tilings.plain(record.tiling)
        found = Draft(record, tiling, reader.tilings.measures(record.tiling))
    said = {"plan": record.id, "revision": record.revision, "status": record.status, "line": record.line}
    return _ground(reader, plan, said, found, None, found.plan)


def _of_publication(reader: Reader, territory: str, n: int, line: str) -> Ground:
    record = reader.publications.get(territory, line, n)
    bare = reader.plans.bare(record.plan)
    measures = reader.tilings.measures(record.tiling, record.customers_import)
    said = {
        "line": line,
        "publication": n,
        "plan": record.plan,
        "effective_at": record.effective_at.isoformat(),
        "checksum": record.checksum,
    }
    found = Draft(bare, reader.tilings.plain(record.tiling), measures)
    return _ground(reader, f"{territory}-{n}", said, found, record, unpack(record.payload).plan)


def _ground(
    reader: Reader,
    stem: str,
    said: dict[str, Any],
    found: Draft,
    published: PublicationRecord | None,
    plan: Plan,
) -> Ground:
    now = datetime.now(UTC)
    territory = reader.territories.get(found.record.territory)
    roster = counting_at(reader, territory.id, now)
    tiling = reader.tilings.get(found.record.tiling)
    source = {
        "territory": territory.id,
        **said,
        "tiling": tiling.id,
        "simulated": territory.simulated,
        "licence": tiling.params.get("licence"),
        "as_of": _as_of(found.measures),
        "roster": None if roster is None else roster[0],
        "made_at": now.isoformat(timespec="seconds"),
    }
    light = replace(found.tiling, geometry=np.full(len(found.tiling), None, object))
    people = None if roster is None else roster[1]
    counts = counts_in(found.measures)
    return Ground(
        stem, source, found.record, published, territory, plan, light, found.columns, people, counts
    )


def _as_of(measures: Mapping[str, MeasureRecord]) -> dict[str, str]:
    """The time each measure speaks of."""
    return {name: measure.as_of.isoformat() for name, measure in measures.items()}


def base_of_moves(reader: Reader, ground: Ground) -> tuple[Plan, dict[str, Any]]:
    """What a draft's moves start from, and how a manifest names it.

    That is the publication it stands on; for a first draft, or one on another tiling, its own solution.

    Raises
    ------
    InvalidInput
        It is a publication: what that changed is told by the changes between publications.
    """
    record = ground.record
    if ground.rows is not None:
        raise Forbidden(
            "moves tell where cells came from, and you see a part of the territory",
            field="layer",
            cure="ask for grids or cells, or somebody who sees all of the territory",
        )
    if ground.published is not None:
        raise InvalidInput(
            "moves are those of a draft", field="layer", cure="ask /v1/changes what a publication changed"
        )
    if record.base_publication is not None:
        base = reader.publications.get(record.territory, record.line, record.base_publication)
        if base.tiling == record.tiling:
            return unpack(base.payload).plan, {"base": {"publication": base.n}}
    revision = reader.moves.head(record.id).labels_revision
    labels = reader.moves.labels(record.id, revision)
    if labels is None:
        raise Conflict("the plan is not solved yet", cure="wait for its job to be done", plan=record.id)
    return Plan(labels, reader.moves.grids(record.id)[0]), {"base": {"revision": revision}}
