"""Questions by which one sees that a service answers, and answers rightly."""

from __future__ import annotations

import json

import h3.api.basic_int as h3

from benchmarks.lookup.ground import Ground
from gridsvc.ownership.publication import Publication

__all__ = ["MIDDLE", "first_question", "question"]

MIDDLE = 81
"""Steps around a cell for 19,927 cells."""


def question(publication: Publication) -> tuple[str, str]:
    """A point in the middle of the cells, and the grid it is in."""
    middle = len(publication.ids) // 2
    lat, lon = h3.cell_to_latlng(int(publication.ids[middle]))
    return f"/v1/owner?lat={lat}&lon={lon}", publication.grids[publication.labels[middle]].code


def first_question(ground: Ground) -> tuple[str, str]:
    with (ground.folder / "points.jsonl").open() as lines:
        line = json.loads(next(lines))
    return "/v1/owner?lat={lat}&lon={lon}".format(**line["in"]), line["want"]["grid"]
