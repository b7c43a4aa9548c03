"""The words of scorecard and load report in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gridsvc.exchange.comparison.words import Lang
from gridsvc.exchange.scorecards.report import About

__all__ = ["WORDS", "Lang", "Words"]

_EN = {
    "scorecard": "Grid scorecard",
    "load_report": "Load and fairness",
    "simulated": "Simulated data: no real place, customer, company or person.",
    "territory": "Territory",
    "line": "Line of business",
    "state": "Grids of",
    "before": "Compared with",
    "publication": "publication {n}",
    "draft": "draft {name}, revision {revision}",
    "effective": "in force from {date}",
    "at": "As of",
    "made": "Made",
    "parts": "Measures",
    "absent": "Not shown, for want of measures",
    "kept_back": "Numbers below {n}, and others which would tell them, are kept back: {mark}.",
    "summary": "All grids together",
    "ranking": "Score by grid",
    "each_grid": "Grids, the best first",
    "score_note": "The score is the weighed mean of percentiles; 100 beats all others. Weights: {weights}.",
    "more": "and {n} more: see the table",
    "tie": "=",
    "rank": "rank",
    "grid": "grid",
    "name": "name",
    "team": "team",
    "teams": "Teams",
    "people": "People",
    "person": "person",
    "department": "department and teams",
    "departments": "Evenness by department",
    "no_team": "no team",
    "carved": "carved out",
    "score": "score",
    "percentile": "percentile",
    "points": "points",
    "trend": "trend",
    "deviation": "off target",
    "tiers": "tier",
    "no_tier": "without tier",
    "cells": "cells",
    "area_km2": "km²",
    "potential": "potential",
    "penetration": "penetration",
    "white_space": "white space",
    "competition": "competition",
    "density": "a km²",
    "base_km": "km to base",
    "outlet_km": "km to outlet",
    "served": "served",
    "premises": "premises",
    "sales": "sales",
    "bases": "bases of teams",
    "outlets": "outlets",
    "visits": "visits a month",
    "grids": "grids",
    "mean_km": "km to customers, mean",
    "p90_km": "nine in ten within km",
    "time": "share of time",
    "used": "of capacity",
    "over": "above capacity",
    "over_none": "Nobody is above capacity.",
    "over_some": "Above capacity: {names}.",
    "fairness": "Evenness",
    "holders": "number",
    "mean": "mean",
    "spread": "largest / mean",
    "gini": "Gini",
    "jain": "Jain",
    "fair_note": "Even is 1 for largest / mean and Jain, 0 for Gini. The fallback team is not counted.",
    "split_team": "A team's load is shared by time over all its members.",
    "split_role": "Each role carries a team's whole load, shared by time over its members.",
    "capacity_key": "line: capacity; hollow: before",
    "separator": ", ",
    "what": "what",
}
_ZH = {
    "scorecard": "网格记分卡",
    "load_report": "负荷与均衡报告",
    "simulated": "模拟数据：不含真实地点、客户、企业或个人。",
    "territory": "服务区域",
    "line": "业务线",
    "state": "网格依据",
    "before": "对比",
    "publication": "发布版本 {n}",
    "draft": "草案 {name}，修订 {revision}",
    "effective": "{date} 起生效",
    "at": "数据时点",
    "made": "生成时间",
    "parts": "所用指标",
    "absent": "因缺少指标未列出",
    "kept_back": "小于 {n} 的数及可据以推算的数不予显示：{mark}。",
    "summary": "全部网格合计",
    "ranking": "各网格得分",
    "each_grid": "各网格（由优到劣）",
    "score_note": "得分为各项百分位的加权平均：100 表示优于其他所有网格。权重：{weights}。",
    "more": "另有 {n} 个，见下表",
    "tie": "并列",
    "rank": "名次",
    "grid": "网格",
    "name": "名称",
    "team": "团队",
    "teams": "团队",
    "people": "人员",
    "person": "人员",
    "department": "部门与团队",
    "departments": "各部门均衡度",
    "no_team": "无团队",
    "carved": "单列",
    "score": "得分",
    "percentile": "百分位",
    "points": "得分项",
    "trend": "趋势",
    "deviation": "较目标偏差",
    "tiers": "等级",
    "no_tier": "未分级",
    "cells": "单元数",
    "area_km2": "平方公里",
    "potential": "潜力",
    "penetration": "渗透率",
    "white_space": "空白市场",
    "competition": "竞争",
    "density": "每平方公里",
    "base_km": "距驻点公里",
    "outlet_km": "距网点公里",
    "served": "已服务",
    "premises": "总户数",
    "sales": "销售量",
    "bases": "团队驻点",
    "outlets": "网点",
    "visits": "月走访次数",
    "grids": "网格数",
    "mean_km": "距客户平均公里",
    "p90_km": "九成客户在公里内",
    "time": "时间占比",
    "used": "占能力",
    "over": "超能力",
    "over_none": "无人超出能力。",
    "over_some": "超出能力：{names}。",
    "fairness": "均衡度",
    "holders": "个数",
    "mean": "平均",
    "spread": "最大/平均",
    "gini": "基尼系数",
    "jain": "Jain 指数",
    "fair_note": "均等时：最大/平均与 Jain 为 1，基尼系数为 0。不含兜底团队。",
    "split_team": "团队负荷按时间占比由全体成员分担。",
    "split_role": "每一角色承担团队全部负荷，在同角色成员间按时间占比分担。",
    "capacity_key": "竖线：能力；空心：之前",
    "separator": "，",
    "what": "项目",
}

MARK = "···"
"""In tables, for what is kept back."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language."""

    lang: Lang
    texts: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        return self.texts[key]

    def figure(self, name: str, about: About) -> str:
        """What a figure or part is called; customers by the territory's word, if it is of this language."""
        if name != "customers":
            return self.texts.get(name, name)
        word = about.customers_word.strip()
        own = word and word.isascii() == (self.lang == "en")
        return word if own else {"en": "customers", "zh": "客户"}[self.lang]

    def state(self, about: About) -> str:
        """The publication or draft as people name it."""
        if about.publication is None:
            return self["draft"].format(name=about.name or about.plan, revision=about.revision)
        told = [self["publication"].format(n=about.publication)]
        if about.effective_at is not None:
            told.append(self["effective"].format(date=f"{about.effective_at:%Y-%m-%d %H:%M}"))
        return self["separator"].join(told)

    def heading(
        self, about: About, parts: Mapping[str, str], before: About | None = None
    ) -> list[tuple[str, str]]:
        """What a report is about: label and value, line by line."""
        played = [f"{self.figure(part, about)}: {measures}" for part, measures in parts.items()]
        lines = [
            (self["territory"], f"{about.territory_name} ({about.territory})"),
            (self["line"], about.line if about.line != "base" else ""),
            (self["state"], self.state(about)),
            (self["before"], "" if before is None else self.state(before)),
            (self["at"], f"{about.at:%Y-%m-%d %H:%M %Z}".strip()),
            (self["made"], f"{about.made_at:%Y-%m-%d %H:%M %Z}".strip()),
            (self["parts"], "; ".join(played)),
        ]
        return [(label, value) for label, value in lines if value]


WORDS: dict[Lang, Words] = {"en": Words("en", _EN), "zh": Words("zh", _ZH)}
