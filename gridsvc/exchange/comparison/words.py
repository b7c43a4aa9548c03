"""The words of the realignment report in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gridsvc.exchange.comparison.report import AREA, CUSTOMERS, Report, Side

__all__ = ["WORDS", "Lang", "Words"]

Lang = Literal["zh", "en"]

_EN = {
    "title": "Realignment report",
    "simulated": "Simulated data: no real place, customer, company or person.",
    "territory": "Territory",
    "line": "Line of business",
    "before": "before",
    "after": "after",
    "made": "Made",
    "draft": "draft",
    "submitted": "submitted",
    "approved": "approved",
    "published": "published",
    "publication": "publication {n}",
    "effective": "in force from {date}",
    "revision": "revision {revision}",
    "summary": "Summary",
    "what": "Realignment report",
    "by_grid": "Grid to grid",
    "by_team": "Team to team",
    "each_grid": "Grids before and after",
    "moved_cells": "Moved cells",
    "more_cells": "and {n} more: ask for JSON with its cells",
    "total": "total",
    "moved": "in another grid",
    "handed_over": "with another team",
    "share": "share",
    "from": "from",
    "to": "to",
    "code": "grid",
    "name": "name",
    "team": "team",
    "lead": "lead",
    "cell": "cell",
    "cells": "cells",
    "area": "km²",
    "deviation": "deviation",
    "shape": "shape",
    "nobody": "nobody",
    "new": "new",
    "gone": "gone",
    "none": "No cell is in another grid.",
    "same_team": "No cell is with another team.",
    "no_team": "No grid has a team yet.",
    "grids_kept": "{changed} of {grids} grids change.",
    "shape_note": "Shape: 1 is a disc. Deviation: from the grid's target.",
    "separator": ", ",
}
_ZH = {
    "title": "网格调整报告",
    "simulated": "模拟数据：不含真实地点、客户、企业或个人。",
    "territory": "服务区域",
    "line": "业务线",
    "before": "调整前",
    "after": "调整后",
    "made": "生成时间",
    "draft": "草案",
    "submitted": "已提交",
    "approved": "已批准",
    "published": "已发布",
    "publication": "发布版本 {n}",
    "effective": "{date} 起生效",
    "revision": "修订 {revision}",
    "summary": "概要",
    "what": "网格调整报告",
    "by_grid": "网格间划转",
    "by_team": "团队间划转",
    "each_grid": "各网格调整前后",
    "moved_cells": "划转单元",
    "more_cells": "另有 {n} 个：请取含单元的 JSON",
    "total": "总数",
    "moved": "换网格",
    "handed_over": "换团队",
    "share": "占比",
    "from": "划出",
    "to": "划入",
    "code": "网格",
    "name": "名称",
    "team": "团队",
    "lead": "负责人",
    "cell": "单元",
    "cells": "单元数",
    "area": "平方公里",
    "deviation": "偏差",
    "shape": "形状",
    "nobody": "无",
    "new": "新增",
    "gone": "撤销",
    "none": "没有单元换网格。",
    "same_team": "没有单元换团队。",
    "no_team": "网格尚未分配团队。",
    "grids_kept": "{grids} 个网格中有 {changed} 个变动。",
    "shape_note": "形状：1 为圆形。偏差：相对网格目标值。",
    "separator": "，",
}


@dataclass(frozen=True, slots=True)
class Words:
    """One language."""

    lang: Lang
    texts: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.texts[key]

    def customers(self, word: str) -> str:
        """The territory's word for customers, if it is one of this language."""
        own = word.isascii() == (self.lang == "en") and word.strip()
        return word if own else {"en": "customers", "zh": "客户"}[self.lang]

    def side(self, side: Side) -> str:
        """A plan as people name it."""
        parts = [side.name] if side.name else []
        if side.publication is not None:
            parts.append(self["publication"].format(n=side.publication))
        elif side.status is not None:
            parts.append(self[side.status] if side.status in self.texts else side.status)
        if side.effective_at is not None:
            parts.append(self["effective"].format(date=f"{side.effective_at:%Y-%m-%d %H:%M}"))
        if side.publication is None and side.revision is not None:
            parts.append(self["revision"].format(revision=side.revision))
        return self["separator"].join(parts) or side.plan or "-"

    def heading(self, report: Report) -> list[tuple[str, str]]:
        """What the report is about: label and value, line by line."""
        where = [report.territory_name, report.territory and f"({report.territory})"]
        lines = [
            (self["territory"], " ".join(part for part in where if part)),
            (self["line"], report.after.line if report.after.line != "base" else ""),
            (self["before"], self.side(report.before)),
            (self["after"], self.side(report.after)),
            (self["made"], f"{report.made_at:%Y-%m-%d %H:%M %Z}".strip()),
        ]
        named = [(label[:1].upper() + label[1:], value) for label, value in lines if value]
        return [("", self["simulated"]), *named] if report.simulated else named

    def amounts(self, report: Report) -> list[tuple[str, str | None]]:
        """What is added up: label and name of the amount, None for the number of cells."""
        named = [(self.label(report, name), name) for name in report.shown]
        return [(self["cells"], None), *named, (self["area"], AREA)]

    def label(self, report: Report, name: str) -> str:
        """What an amount is called."""
        return self.customers(report.customers_word) if name in {CUSTOMERS, report.counted} else name


WORDS: dict[Lang, Words] = {"en": Words("en", _EN), "zh": Words("zh", _ZH)}
