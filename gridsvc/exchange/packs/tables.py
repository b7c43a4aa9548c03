"""A pack as titled tables of plain values, from which workbook and page are made alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from gridsvc.exchange.packs.extras import Extra
from gridsvc.exchange.packs.pack import Pack, Person
from gridsvc.exchange.packs.words import WORDS, Lang

__all__ = ["Sheet", "Value", "heading", "sheets_of"]

Value = str | int | float | None


@dataclass(frozen=True)
class Sheet:
    """A table; `note` stands where it has no rows."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str | None = None


def heading(pack: Pack, lang: Lang, zone: ZoneInfo) -> list[tuple[str, Value]]:
    """What the pack is about, as pairs of a word and a value."""
    words = WORDS[lang]
    start, end = _day(pack.valid_from, zone), _day(pack.valid_to, zone)
    lasts = (
        words["from_on"].format(start=start) if end is None else words["from_to"].format(start=start, end=end)
    )
    area = None if pack.area_km2 is None else round(pack.area_km2, 3)
    pairs: list[tuple[str, Value]] = [
        (words["territory"], pack.territory_name),
        (words["grid"], pack.code if pack.name in {"", pack.code} else f"{pack.code} · {pack.name}"),
        (words["line"], pack.line),
        (words["publication"], pack.publication),
        (words["in_force"], lasts),
        (words["roster"], pack.roster),
        (words["cells"], pack.cells),
        (words["area"], area),
        (
            pack.customers_word if lang == "zh" and _chinese(pack.customers_word) else words["customers"],
            pack.number,
        ),
        (words["reason"], pack.reason),
        (words["made"], pack.made.astimezone(zone).strftime("%Y-%m-%d %H:%M")),
    ]
    return [(word, value) for word, value in pairs if value is not None]


def sheets_of(pack: Pack, lang: Lang, zone: ZoneInfo) -> list[Sheet]:
    """The tables of a pack, in the order in which a successor reads them."""
    words = WORDS[lang]
    found = [*_stages(pack, words, zone), _tiers(pack, words), _accounts(pack, words, zone)]
    found += [_extra(extra, words) for extra in pack.extras]
    found += [_neighbours(pack, words), _customers(pack, words)]
    if pack.extras:
        found.append(_verdicts(pack.extras, words))
    return found


def _chinese(word: str) -> bool:
    """Whether a territory's word for its customers is in Chinese."""
    return any("\u4e00" <= char <= "\u9fff" for char in word)


def _day(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """A moment as a date, with its time where it is not midnight there."""
    if moment is None:
        return None
    local = moment.astimezone(zone)
    return local.strftime("%Y-%m-%d" if (local.hour, local.minute) == (0, 0) else "%Y-%m-%d %H:%M")


def _stages(pack: Pack, words: Mapping[str, str], zone: ZoneInfo) -> Iterable[Sheet]:
    header = tuple(words[n] for n in ("person", "name", "department", "role", "acting", "backup"))
    for stage in pack.stages:
        when = words["since"].format(date=_day(stage.start, zone)) if stage.start else words["before"]
        title = words["today"] if len(pack.stages) == 1 else when
        rows = tuple(_person(person, words) for person in stage.people)
        yield Sheet(f"{title} · {stage.name}", header, rows, words["none"])


def _person(person: Person, words: Mapping[str, str]) -> tuple[Value, ...]:
    role = words["lead_role"] if person.role == "lead" else words[person.role]
    flags = (words["yes"] if flag else None for flag in (person.acting, person.backup))
    return (person.id, person.name, person.department, role, *flags)


def _tiers(pack: Pack, words: Mapping[str, str]) -> Sheet:
    rows: list[tuple[Value, ...]] = []
    if pack.tier_column is not None and pack.tiers is not None:
        rows = [(words["no_tier"] if tier is None else tier, n) for tier, n in pack.tiers.items()]
    if pack.elsewhere:
        rows.append((words["elsewhere"], pack.elsewhere))
    if rows:
        rows.append((words["total"], pack.number))
    note = words["no_column"] if pack.tier_column is None else words["none"]
    note = words["hidden"] if pack.tiers is None else note
    return Sheet(words["tiers"], (words["tier"], words["number"]), tuple(rows), note)


def _accounts(pack: Pack, words: Mapping[str, str], zone: ZoneInfo) -> Sheet:
    header = tuple(words[n] for n in ("id", "owner", "whose", "here", "why", "until"))
    rows = tuple(
        (
            *(a.customer, a.team, words["own" if a.own else "others"], words["yes"] if a.here else None),
            *(a.reason, _day(a.until, zone)),
        )
        for a in pack.accounts or ()
    )
    return Sheet(words["accounts"], header, rows, words["hidden" if pack.accounts is None else "none"])


def _extra(extra: Extra, words: Mapping[str, str]) -> Sheet:
    return Sheet(words[extra.kind], extra.columns, extra.rows, words["none"])


def _neighbours(pack: Pack, words: Mapping[str, str]) -> Sheet:
    header = tuple(words[n] for n in ("code", "grid_name", "team", "lead", "border"))
    rows = tuple((n.code, n.name, n.team, n.lead, round(n.border_km, 2)) for n in pack.neighbours)
    return Sheet(words["neighbours"], header, rows, words["none"])


def _customers(pack: Pack, words: Mapping[str, str]) -> Sheet:
    header = tuple(words[n] for n in ("id", "tier", "premise", "cell", "lon", "lat", "by_name"))
    rows = tuple((c.id, c.tier, c.premise, c.cell, c.lon, c.lat, c.named) for c in pack.customers or ())
    return Sheet(words["customers"], header, rows, words["hidden" if pack.customers is None else "none"])


def _verdicts(extras: Iterable[Extra], words: Mapping[str, str]) -> Sheet:
    header = tuple(words[n] for n in ("file", "row", "verdict"))
    rows = tuple((e.source, one.row, words[one.verdict]) for e in extras for one in e.verdicts)
    return Sheet(words["verdicts"], header, rows, words["none"])
