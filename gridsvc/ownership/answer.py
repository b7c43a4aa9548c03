"""The owner answer: one JSON form on every route."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

__all__ = ["Answer", "Lang", "Rule", "Status", "explain"]

Status = Literal["owned", "fallback", "outside", "unplaced", "unknown_customer", "invalid"]
Rule = Literal["name_list", "carve_out", "cell", "fallback"]
Lang = Literal["en", "zh"]

_WHY: dict[str, dict[Lang, str]] = {
    "cell": {
        "en": "Cell {cell} belongs to {grid} of {team} since publication {publication}.",
        "zh": "单元 {cell} 自第 {publication} 版起属于 {grid}，由 {team} 负责。",
    },
    "carve_out": {
        "en": "Cell {cell} is carved out as {grid} and owned by {team} since publication {publication}.",
        "zh": "单元 {cell} 自第 {publication} 版起单列为 {grid}，由 {team} 负责。",
    },
    "overlay": {
        "en": "The place is carved out as {grid} and owned by {team} since publication {publication}.",
        "zh": "该位置自第 {publication} 版起单列为 {grid}，由 {team} 负责。",
    },
    "name_list": {
        "en": "A named account, owned by {team} wherever it is.",
        "zh": "名单制客户，无论位于何处均由 {team} 负责。",
    },
    "cells": {
        "en": "The cell has {cells} cells of the territory in it, of {owners} owners.",
        "zh": "该单元内有本区域 {cells} 个基础单元，分属 {owners} 个归属方。",
    },
    "transition": {
        "en": "Until {until} customers may stay with {grid} of {team}.",
        "zh": "{until} 前客户可继续由 {grid}（{team}）服务。",
    },
    "fallback": {
        "en": "No grid covers this place, so the fallback team {team} owns it.",
        "zh": "该位置不在任何网格内，由属地兜底团队 {team} 负责。",
    },
    "unplaced": {
        "en": "The customer has no known place, so the fallback team {team} owns it.",
        "zh": "该客户尚未入格，由属地兜底团队 {team} 负责。",
    },
    "outside": {
        "en": "The place lies outside the territory.",
        "zh": "该位置不在服务区域内。",
    },
    "unknown_customer": {
        "en": "No customer is known under this id.",
        "zh": "没有此编号的客户。",
    },
    "invalid": {
        "en": "This is not a place: {fault}.",
        "zh": "位置无效：{fault}。",
    },
}


def explain(reason: str, lang: Lang, **values: object) -> str:
    """Say why in one sentence.

    Parameters
    ----------
    reason : str
        A rule, or the status where no rule applied.
    """
    return _WHY[reason][lang].format(**values)


@dataclass(frozen=True, slots=True)
class Answer:
    """Who owns a place, by which rule, according to which publication and roster.

    Attributes
    ----------
    valid_from, valid_to : datetime or None
        Half-open interval in which this publication is in force.
    inside_territory : bool or None
        Whether the point itself lies in the territory; None where no point was asked for.
    via : str or None
        ``"centre"`` when a finer H3 cell was answered by its centre point, ``"cells"`` when a coarser one was
        answered by the cells in it.
    transition : dict or None
        Where the owner changed and customers may still stay: ``until``, ``from_grid``, ``from_team``.
    cells : tuple of dict or None
        The cells in a coarser one, each with its owner.
    """

    status: Status
    territory: str
    line: str
    why: str
    publication: int
    roster: int | None
    seq: int
    cell: str | None = None
    grid: dict[str, Any] | None = None
    team: dict[str, Any] | None = None
    lead: dict[str, Any] | None = None
    roles: tuple[dict[str, Any], ...] = ()
    rule: Rule | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    inside_territory: bool | None = None
    crs: str | None = None
    via: str | None = None
    transition: dict[str, Any] | None = None
    cells: tuple[dict[str, Any], ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """The JSON form of the contract; ``transition`` and ``cells`` are members where there are any."""
        more: dict[str, Any] = {} if self.transition is None else {"transition": self.transition}
        if self.cells is not None:
            more["cells"] = list(self.cells)
        return {
            "status": self.status,
            "cell": self.cell,
            "grid": self.grid,
            "team": self.team,
            "lead": self.lead,
            "roles": list(self.roles),
            "rule": self.rule,
            "why": self.why,
            "territory": self.territory,
            "publication": self.publication,
            "roster": self.roster,
            "seq": self.seq,
            "valid_from": None if self.valid_from is None else self.valid_from.isoformat(),
            "valid_to": None if self.valid_to is None else self.valid_to.isoformat(),
            "inside_territory": self.inside_territory,
            "crs": self.crs,
            "via": self.via,
            **more,
        }
