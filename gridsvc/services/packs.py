"""The pack of a grid: gathered from what is in force at a date, for those who may see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from gridsvc.errors import InvalidInput, TooLarge
from gridsvc.exchange.packs.extras import Extra, Kind, read_extra
from gridsvc.exchange.packs.pack import Account, Pack, Resident, Stage
from gridsvc.ownership.residents import residents_of_grid
from gridsvc.ownership.snapshot import Snapshot
from gridsvc.principal import Principal
from gridsvc.services.asking import moment_of
from gridsvc.services.customers import records
from gridsvc.services.desk import Asked, Desk, stored_snapshot
from gridsvc.services.lineage import no_such_grid
from gridsvc.services.pack_ground import ground, held, owner_name, stages
from gridsvc.services.pack_rules import PackRules, rules_of
from gridsvc.store.database import Reader
from gridsvc.store.records import CustomerRecord
from gridsvc.teams.masking import PII
from gridsvc.teams.model import Named, Roster

__all__ = ["File", "pack"]

_MOST = 50_000
_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class File:
    """A file of another system: what it holds, where it is, and its name for errors."""

    kind: Kind
    path: Path
    name: str


def pack(
    desk: Desk,
    who: Principal,
    territory: str,
    code: str,
    *,
    line: str = "base",
    at: str | datetime | None = None,
    handover: str | None = None,
    files: Sequence[File] = (),
) -> tuple[Pack, ZoneInfo]:
    """What a successor needs of a grid or carve-out, and the territory's time zone.

    The customers are those of now; the grid, its team and its neighbours those at the date.

    Parameters
    ----------
    at : str, datetime or None
        The date of the handover; the team is shown before and from then on.
    handover : str or None
        Its id: the pack speaks of its dates and names its reason.
    files : sequence of File
        Need the scope ``customers:read``, for their rows are sorted by customer.

    Raises
    ------
    NotFound
        There is no such grid then, or no such handover.
    TooLarge
        More than 50,000 customers live there.
    """
    who.require("packs:read")
    sees = "customers:read" in who.scopes
    if files:
        who.require("customers:read")
    if at is not None and handover is not None:
        raise InvalidInput("a date beside a handover", field="at", cure="give one of the two")
    with desk.database.read(who) as reader:
        place = reader.territories.get(territory)
        record = None if handover is None else reader.handovers.get(territory, handover)
        moment = moment_of(reader, territory, at) if record is None else record.effective_at
        found = stored_snapshot(desk, reader, Asked(territory, line, as_of=moment))
        holder = held(reader, found, code)
        rules = rules_of(reader)
        living = _living(reader, found, code)
        team = holder.team or found.roster.fallback
        named = found.people.named_by_customer
        mine = [r for r in living if r.id not in named or named[r.id].team == team]
        cells, area, neighbours = ground(reader, found, code)
        told = Pack(
            territory=territory,
            territory_name=place.name,
            customers_word=place.customers_word,
            simulated=place.simulated,
            line=line,
            code=code,
            name=holder.name,
            publication=found.moment.publication,
            valid_from=found.moment.valid_from,
            valid_to=found.moment.valid_to,
            roster=found.moment.roster,
            cells=cells,
            area_km2=area,
            stages=_shown(stages(desk, reader, found, code, moment, record, dated=at is not None), who),
            tier_column=rules.tier_column,
            tiers=_tiers(mine, rules) if sees else None,
            elsewhere=len(living) - len(mine) if sees else None,
            customers=_residents(found, living, rules, team) if sees else None,
            accounts=_accounts(found.people, team, {r.id for r in living}) if sees else None,
            neighbours=neighbours,
            extras=tuple(_extra(reader, found, code, f, living, team) for f in files),
            reason=None if record is None else record.reason,
            made=datetime.now(UTC),
        )
    return told, ZoneInfo(place.time_zone)


def _shown(found: tuple[Stage, ...], who: Principal) -> tuple[Stage, ...]:
    """The teams, with ids for the names of people whom the caller may not see."""
    if PII in who.scopes:
        return found
    return tuple(replace(s, people=tuple(replace(p, name=p.id) for p in s.people)) for s in found)


# --- customers


def _living(reader: Reader, found: Snapshot, code: str) -> list[CustomerRecord]:
    residents = residents_of_grid(found, code)
    if residents is None:
        raise no_such_grid(reader, found, code)
    living = list[CustomerRecord]()
    for record in records(reader, found, residents, residents.rows, None, _CHUNK):
        living.append(record)
        if len(living) > _MOST:
            raise TooLarge(
                f"grid {code!r} has more than {_MOST:,} customers",
                field="grid",
                cure=f"stream them from /v1/grids/{code}/customers",
            )
    return living


def _tier(record: CustomerRecord, rules: PackRules) -> str | None:
    value = None if rules.tier_column is None else record.values.get(rules.tier_column)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None or value == "" else str(value)


def _tiers(records: Sequence[CustomerRecord], rules: PackRules) -> dict[str | None, int]:
    """Number of customers by tier, in the company's order; those without one last."""
    counts = Counter(_tier(record, rules) for record in records)
    order = {tier: i for i, tier in enumerate(rules.tiers)}
    there = [tier for tier in {*counts, *rules.tiers} if tier is not None]
    there.sort(key=lambda tier: (order.get(tier, len(order)), tier))
    found: dict[str | None, int] = {tier: counts[tier] for tier in there}
    if None in counts or not found:
        found[None] = counts[None]
    return found


def _residents(
    found: Snapshot, living: Sequence[CustomerRecord], rules: PackRules, team: str | None
) -> tuple[Resident, ...]:
    named = found.people.named_by_customer
    shown = []
    for r in living:
        entry = named.get(r.id)
        other = None if entry is None or entry.team == team else owner_name(found.people, entry.team)
        cell = found.places.name(r.cell) if r.cell >= 0 else None
        shown.append(Resident(r.id, _tier(r, rules), r.premise, cell, r.lon, r.lat, other))
    return tuple(shown)


def _accounts(roster: Roster, team: str | None, here: Collection[str]) -> tuple[Account, ...]:
    """The team's named accounts wherever they are, then those who live here and are others'."""

    def account(entry: Named) -> Account:
        own = entry.team == team
        name = owner_name(roster, entry.team)
        return Account(entry.customer, name, own, entry.customer in here, entry.reason, entry.until)

    concerned = [e for e in roster.named if e.team == team or e.customer in here]
    return tuple(account(e) for e in sorted(concerned, key=lambda e: (e.team != team, e.customer)))


def _extra(
    reader: Reader,
    found: Snapshot,
    code: str,
    file: File,
    living: Sequence[CustomerRecord],
    team: str | None,
) -> Extra:
    named = found.people.named_by_customer
    mine = {r.id for r in living if r.id not in named or named[r.id].team == team}
    mine |= {customer for customer, entry in named.items() if entry.team == team}
    codes = {grid.code for grid in found.holdings.grids} | {o.code for o in found.holdings.overlays}

    def known(ids: list[str]) -> Collection[str]:
        live = reader.customers.live_import(found.holdings.territory)
        there = set() if live is None else set(reader.customers.cells_of(live.id, ids))
        late = [i for i in ids if i not in there]
        return there | {i for i in late if reader.customers.find(found.holdings.territory, i) is not None}

    return read_extra(file.kind, file.path, file.name, code, codes, mine, known)
