"""The tables of a roster file: which lists and columns there are, by what names, and what a cell means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from gridsvc.errors import InvalidInput

__all__ = ["CAPACITY", "COLUMNS", "LISTS", "Sheet", "SheetRow", "column_of", "list_of", "value_of"]

CAPACITY = "capacity_"
"""Before the name of a measure: what a team can carry of it."""

LISTS: Mapping[str, tuple[str, ...]] = {
    "departments": ("部门",),
    "people": ("人员", "员工", "花名册"),
    "teams": ("团队", "虚拟团队", "网格团队"),
    "members": ("成员", "团队成员"),
    "named": ("名单", "名单制客户", "name list"),
}

_HEADERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "departments": {
        "id": ("部门编号", "编号"),
        "name": ("部门", "部门名称", "名称"),
        "parent": ("上级部门", "上级"),
        "head": ("部门负责人", "负责人"),
        "acting_head": ("代理负责人", "代理部门负责人"),
    },
    "people": {
        "id": ("工号", "人员编号", "编号"),
        "name": ("姓名",),
        "department": ("部门", "所属部门"),
        "skills": ("技能",),
        "lon": ("经度",),
        "lat": ("纬度",),
        "capacity": ("能力", "岗位占比"),
        "languages": ("语言",),
        "kpi_share": ("部门考核占比",),
        "valid_until": ("离职日期", "失效日期"),
    },
    "teams": {
        "id": ("团队编号", "编号"),
        "name": ("团队", "团队名称", "名称"),
        "lon": ("经度",),
        "lat": ("纬度",),
        "level": ("层级",),
        "fallback": ("兜底", "属地兜底"),
    },
    "members": {
        "team": ("团队", "团队编号"),
        "person": ("工号", "人员", "人员编号", "成员"),
        "role": ("角色",),
        "time_share": ("时间占比",),
        "kpi_share": ("考核占比",),
        "acting": ("代理", "代理负责人"),
        "backup": ("后备", "备岗"),
        "valid_from": ("生效日期", "生效时间"),
        "valid_until": ("失效日期", "失效时间"),
    },
    "named": {
        "customer": ("客户", "客户编号", "户号"),
        "team": ("团队", "团队编号"),
        "reason": ("原因", "理由"),
        "until": ("失效日期", "截止日期"),
    },
}

COLUMNS: Mapping[str, tuple[str, ...]] = {name: tuple(columns) for name, columns in _HEADERS.items()}
"""Columns of each list, in the order in which they are written."""

_LISTED = {"skills", "languages"}
_NUMBERS = {"lon", "lat", "capacity", "kpi_share", "time_share"}
_FLAGS = {"acting", "backup", "fallback"}
_TIMES = {"valid_from", "valid_until", "until"}
_TRUE, _FALSE = {"true", "1", "yes", "y", "是", "√"}, {"false", "0", "no", "n", "否"}
_ROLES = {
    "网格长": "lead", "负责人": "lead", "团队负责人": "lead", "大客户": "enterprise",
    "大客户服务": "enterprise", "大客户经理": "enterprise", "vip服务": "vip",
    "vip客户服务": "vip", "运维": "maintenance",
    "运维检修": "maintenance", "网络维护": "maintenance", "成员": "member", "组员": "member",
}  # fmt: skip
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row of a table: its number as a spreadsheet shows it (the header is 1), and its texts by column."""

    number: int
    values: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of a roster file; `source` is the file's or the sheet's name."""

    source: str
    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]


def list_of(name: str) -> str | None:
    """The list which a file or sheet of a name holds; None for none."""
    plain = name.strip().lower()
    return next((known for known, others in LISTS.items() if plain == known or plain in others), None)


def column_of(listed: str, header: str) -> str | None:
    """The column of a list which a header means, in English or Chinese; None for none."""
    plain = header.strip().lower()
    if listed == "teams" and plain.startswith((CAPACITY, "能力_")):
        return CAPACITY + header.strip().split("_", 1)[1]
    named = _HEADERS[listed]
    return next((column for column, others in named.items() if plain == column or plain in others), None)


def value_of(column: str, text: str, zone: ZoneInfo) -> Any:
    """What a cell says, as a roster's document has it; None for an empty one.

    Raises
    ------
    InvalidInput
        With the column and the cure; the text of a customer is not quoted.
    """
    if not text:
        return [] if column in _LISTED else None
    if column in _LISTED:
        return [part.strip() for part in text.replace("；", ";").split(";") if part.strip()]
    if column in _NUMBERS or column.startswith(CAPACITY):
        return _number(column, text)
    return _KINDS.get(column, _plain)(column, text, zone)


def _plain(_column: str, text: str, _zone: ZoneInfo) -> str:
    return text


def _role(_column: str, text: str, _zone: ZoneInfo) -> str:
    return _ROLES.get(text.lower(), text.lower())


def _number(column: str, text: str) -> float:
    percent = text.endswith(("%", "\uff05"))
    try:
        value = float(text[:-1] if percent else text)
    except ValueError:
        fault = f"{text[:_SHOWN]!r} is not a number"
        raise InvalidInput(fault, field=column, cure="give a number, such as 0.5 or 50%") from None
    return round(value / 100, 12) if percent else value


def _flag(column: str, text: str, _zone: ZoneInfo) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        fault = f"{text[:_SHOWN]!r} is neither true nor false"
        raise InvalidInput(fault, field=column, cure="write true or false, 是 or 否")
    return text.lower() in _TRUE


def _time(column: str, text: str, zone: ZoneInfo) -> str:
    """A day is its first moment in the territory's time zone."""
    try:
        found = datetime.fromisoformat(text.replace("/", "-"))
        moment = found.replace(tzinfo=zone) if found.tzinfo is None else found
        return moment.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        fault = f"{text[:_SHOWN]!r} is no date"
        raise InvalidInput(fault, field=column, cure="write it as 2026-12-01") from None


_KINDS: Mapping[str, Callable[[str, str, ZoneInfo], Any]] = {
    "role": _role,
    **dict.fromkeys(_FLAGS, _flag),
    **dict.fromkeys(_TIMES, _time),
}
