"""Pages for people: the same answers as tables and a drawing, without scripts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

__all__ = ["STYLE", "drawing", "link_list", "page", "table", "word"]

_WORDS = {
    "OGC API": "OGC API 接口",
    "Collections": "图层集",
    "Conformance": "符合性声明",
    "API description": "接口说明",
    "Features": "要素",
    "Feature": "要素",
    "Queryables": "可查询属性",
    "Tiles": "矢量瓦片",
    "Tile matrix sets": "瓦片矩阵集",
    "Other forms": "其他格式",
    "as JSON": "JSON 格式",
    "Next page": "下一页",
    "First page": "第一页",
    "of": "/",
    "features": "个要素",
    "publication": "发布版本",
    "revision": "方案修订",
    "roster": "人员版本",
    "nothing was in force then": "当时没有生效的发布版本",
    "property": "属性",
    "value": "值",
    "type": "类型",
    "collection": "图层",
    "what": "说明",
    "grids": "网格",
    "cells": "基础单元",
    "teams": "虚拟团队",
    "draft": "草案",
    "published": "已发布",
    "class": "类别",
    "path": "路径",
    "Where it lies": "范围",
    "Since": "自",
    "Coordinate systems": "坐标系",
    "Published grids, cells and teams, and drafts, for GIS programs.": (
        "供 GIS 软件使用的已发布网格、基础单元、虚拟团队及草案。"
    ),
    "In QGIS: Layer > Add Layer > Add WFS / OGC API - Features Layer, with this address.": (
        "在 QGIS 中：图层 > 添加图层 > 添加 WFS / OGC API - Features 图层，填入本页地址。"
    ),
}

STYLE = """
:root{color-scheme:light dark;--ink:#1d2733;--soft:#5b6b7c;--line:#dfe5eb;--paper:#fff;--back:#f5f7f9;
--mark:#1769aa;--head:#fafbfc;--map:#eef2f5;--edge:#33475b}
@media (prefers-color-scheme:dark){:root{--ink:#e3e9ef;--soft:#9fb0c0;--line:#33404c;--paper:#1b232b;
--back:#12181e;--mark:#7cc0f5;--head:#202a33;--map:#161d24;--edge:#c4d0db}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);
font:15px/1.5 system-ui,"Noto Sans","Noto Sans CJK SC",sans-serif}
header{background:var(--paper);border-bottom:1px solid var(--line);padding:.8rem 1.5rem;display:flex;gap:1rem;
align-items:baseline;justify-content:space-between;flex-wrap:wrap}
header a{color:var(--soft);text-decoration:none}
header a:hover,main a:hover{text-decoration:underline}
main{max-width:76rem;margin:0 auto;padding:1rem 1.5rem 3rem}
h1{font-size:1.45rem;margin:.8rem 0 .4rem}
h2{font-size:1.05rem;margin:1.6rem 0 .4rem}
a{color:var(--mark)}
a:focus-visible{outline:2px solid var(--mark);outline-offset:2px}
.card{background:var(--paper);border:1px solid var(--line);border-radius:6px;overflow-x:auto;margin:.6rem 0}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.4rem .7rem;border-bottom:1px solid var(--line);vertical-align:top;
white-space:nowrap}
td.wide{white-space:normal;overflow-wrap:anywhere}
tr:last-child td{border-bottom:0}
th{color:var(--soft);font-weight:600;background:var(--head)}
td.number{text-align:right;font-variant-numeric:tabular-nums}
p.note{color:var(--soft);margin:.3rem 0}
nav.pages{display:flex;gap:1.2rem;margin:.8rem 0}
svg{display:block;width:100%;max-height:26rem;background:var(--map);stroke:var(--edge)}
"""

_PALETTE = (
    "#4e79a7",
    "#f28e2b",
    "#e15759",
    "#76b7b2",
    "#59a14f",
    "#edc948",
    "#b07aa1",
    "#ff9da7",
    "#9c755f",
    "#1f77b4",
)


def page(title: str, trail: Sequence[tuple[str, str]], body: Iterable[str], lang: str, root: str) -> str:
    """A whole page.

    Parameters
    ----------
    trail : sequence of (words, address)
        The pages above.
    body : iterable of str
        HTML.
    """
    crumbs = " / ".join(f'<a href="{escape(to)}">{escape(_word(words, lang))}</a>' for words, to in trail)
    return (
        f'<!doctype html><html lang="{"zh-CN" if lang == "zh" else "en"}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} · gridsvc</title>"
        f'<link rel="stylesheet" href="{escape(root)}/style.css"></head><body>'
        f'<header><span>{crumbs}</span><a href="/">gridsvc</a></header>'
        f"<main><h1>{escape(title)}</h1>{''.join(body)}</main></body></html>"
    )


def _word(text: str, lang: str) -> str:
    return _WORDS.get(text, text) if lang == "zh" else text


def word(text: str, lang: str) -> str:
    """A word of ours in the reader's language."""
    return _word(text, lang)


def link_list(links: Iterable[Mapping[str, Any]], lang: str) -> str:
    """Links as a list."""
    items = (
        f'<li><a href="{escape(link["href"])}">{escape(_word(link["title"], lang))}</a></li>'
        for link in links
    )
    return f"<ul>{''.join(items)}</ul>"


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]], lang: str) -> str:
    """A table; a cell which is a pair is a link of words and address."""
    head = "".join(f"<th>{escape(_word(text, lang))}</th>" for text in heads)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows)
    return f'<div class="card"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _cell(value: Any) -> str:
    if isinstance(value, tuple):
        return f'<td><a href="{escape(value[1])}">{escape(str(value[0]))}</a></td>'
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f'<td class="number">{value:,.10g}</td>'
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return f"<td{' class=wide' if len(text) > 40 else ''}>{escape(text)}</td>"


def drawing(geometry: NDArray[np.object_], colours: Sequence[Any], titles: Sequence[str]) -> str:
    """Outlines as a picture, those of one value in one colour."""
    if not len(geometry) or not np.isfinite(shapely.total_bounds(geometry)).all():
        return ""
    west, south, east, north = shapely.total_bounds(geometry).tolist()
    if east - west > 180.0:  # over the 180th meridian: both sides beside each other
        geometry = shapely.transform(geometry, lambda xy: np.column_stack([xy[:, 0] % 360.0, xy[:, 1]]))
        west, south, east, north = shapely.total_bounds(geometry).tolist()
    shrink = float(np.cos(np.radians((south + north) / 2)))
    scale = 1000 / max((east - west) * shrink, north - south, 1e-9)
    places = {value: k for k, value in enumerate(dict.fromkeys(colours))}
    paths = [
        f'<path d="{_path(shape, west, north, scale * shrink, scale)}" '
        f'fill="{_PALETTE[places[colour] % len(_PALETTE)]}">'
        f"<title>{escape(title)}</title></path>"
        for shape, colour, title in zip(geometry, colours, titles, strict=True)
    ]
    width, height = (east - west) * scale * shrink, (north - south) * scale
    return (
        f'<div class="card"><svg viewBox="-10 -10 {width + 20:.0f} {height + 20:.0f}" role="img" '
        'aria-label="map" fill-opacity="0.55" fill-rule="evenodd" stroke-width="1">'
        f"{''.join(paths)}</svg></div>"
    )


def _path(shape: Any, west: float, north: float, across: float, down: float) -> str:
    rings = shapely.get_rings(shapely.get_parts(shape))
    found = []
    for ring in rings:
        xy = (shapely.get_coordinates(ring) - (west, north)) * (across, -down)
        found.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in xy[:-1].tolist()) + "Z")
    return "".join(found)
