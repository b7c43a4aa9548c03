"""The whole sample, from a size and a seed to files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import shapely

from gridsvc.progress import Progress, silent
from gridsvc.sample.customers import Customers, make_customers
from gridsvc.sample.dirt import COLUMNS, Dirty, make_dirty
from gridsvc.sample.drawn_grids import DrawnGrids, make_drawn_grids
from gridsvc.sample.ground import Ground, make_ground
from gridsvc.sample.landscape import Land, make_land
from gridsvc.sample.organisation import Organisation, Table, make_organisation
from gridsvc.sample.premises import make_sites
from gridsvc.sample.roads import Roads, make_roads
from gridsvc.sample.scale import SCALES, Scale, Size
from gridsvc.sample.towns import Blocks, make_blocks
from gridsvc.sample.townships import Townships, make_townships
from gridsvc.sample.write import Content, Manifest, csv_file, geojson_file, json_file, write_files

__all__ = ["DEFAULT_SEED", "GENERATOR", "generate", "generate_scale"]

GENERATOR = "1"
DEFAULT_SEED = 2


def generate(size: Size, seed: int, out: Path, progress: Progress = silent) -> Manifest:
    """Make a simulated county (37,349 customers) or city (500,000) and write its files into `out`.

    The same seed gives the same bytes, with the same versions of numpy, scipy and shapely.

    Raises
    ------
    InvalidInput
        `out` cannot be written.
    Infeasible
        This seed gives no usable map; another one will.
    """
    return generate_scale(SCALES[size], seed, out, progress)


def generate_scale(scale: Scale, seed: int, out: Path, progress: Progress = silent) -> Manifest:
    """As `generate`, for a scale of your own."""
    # One stream a theme, so that a change in one leaves the others as they were.
    streams = iter(np.random.default_rng(seed).spawn(9))
    progress(0.0, "land and rivers")
    land = make_land(scale, next(streams))
    townships = make_townships(scale, land, next(streams))
    ground = make_ground(land, townships.shapes)
    progress(0.2, "roads and towns")
    roads = make_roads(scale, land, ground, townships, next(streams))
    blocks = make_blocks(scale, land, ground, townships, next(streams))
    progress(0.4, "customers")
    sites = make_sites(scale, land, ground, roads, blocks, rng=next(streams))
    customers = make_customers(scale, land, townships, sites, next(streams))
    dirty = make_dirty(scale, land, customers, next(streams))
    progress(0.7, "teams and last year's grids")
    organisation = make_organisation(scale, land, townships, sites, next(streams))
    drawn = make_drawn_grids(scale, land, ground, sites, next(streams))
    progress(0.9, "writing")
    files = _maps(
        scale, land, ground=ground, townships=townships, roads=roads, blocks=blocks, drawn=drawn,
        leads=organisation.leads,
    )  # fmt: skip
    files |= _tables(organisation)
    files["customers.csv"] = csv_file(COLUMNS, dirty.rows)
    files["truth.json"] = json_file(_truth(scale, customers, dirty, drawn))
    return write_files(out, files, size=scale.name, place=scale.place, seed=seed, generator=GENERATOR)


def _maps(
    scale: Scale,
    land: Land,
    *,
    ground: Ground,
    townships: Townships,
    roads: Roads,
    blocks: Blocks,
    drawn: DrawnGrids,
    leads: list[str],
) -> dict[str, Content]:
    degrees = land.plane.shape_to_degrees
    river_names = {"main": f"{scale.place[:2]}江", "tributary": f"{scale.place[:2]}溪"}
    rivers = [(line, {"name": river_names[key], "kind": key}) for key, line in land.rivers.items()]
    crossings = [
        (shapely.points(at), {"name": f"{number}号桥", "crossing": True})
        for number, at in enumerate(roads.bridges.tolist(), start=1)
    ]
    barriers = [(line, {"name": named["name"], "crossing": False}) for line, named in rivers]
    lines = [*roads.lines, *(("street", line) for line in blocks.streets)]
    districts = zip(townships.codes, townships.names, townships.kinds, strict=True)
    title = {"name": f"{scale.place}（模拟）", "code": f"{scale.prefix}000000"}
    layers: dict[str, list[tuple[Any, dict[str, Any]]]] = {
        "boundary": [(ground.boundary, title)],
        "townships": [
            (shape, {"code": code, "name": name, "kind": kind})
            for shape, (code, name, kind) in zip(townships.shapes, districts, strict=True)
        ],
        "rivers": rivers,
        "barriers": barriers + crossings,
        "roads": [(degrees(line), {"class": kind}) for kind, line in lines],
        "estates": [
            (degrees(shape), {"id": f"E{number:04d}", "name": f"{number}号小区"})
            for number, shape in enumerate(blocks.estates, start=1)
        ],
        "hills": [
            (shape, {"id": f"H{number:02d}", "name": f"{number}号山"})
            for number, shape in enumerate(ground.hills, start=1)
        ],
        "drawn_grids_last_year": [
            (shape, {"code": f"G{at + 1:03d}", "name": f"{at + 1}号网格", "lead": leads[at % len(leads)]})
            for at, shape in enumerate(drawn.shapes)
        ],
    }
    return {f"{name}.geojson": geojson_file(name, features) for name, features in layers.items()}


def _tables(organisation: Organisation) -> dict[str, Content]:
    tables: dict[str, Table] = {
        "stations": organisation.stations,
        "departments": organisation.departments,
        "people": organisation.people,
        "teams": organisation.teams,
        "members": organisation.members,
        "posts": organisation.posts,
    }
    return {f"{name}.csv": csv_file(table.columns, table.rows) for name, table in tables.items()}


def _truth(scale: Scale, customers: Customers, dirty: Dirty, drawn: DrawnGrids) -> dict[str, Any]:
    """What a reader of the files should find out, and what they sum to."""
    return {
        "simulated": True,
        "customers": {
            "rows": len(dirty.rows),
            "distinct_ids": len(customers.ids),
            "kwh": scale.kwh,
            "by_kind": {kind: customers.kinds.count(kind) for kind in sorted(set(customers.kinds))},
            "large_enterprises": [
                {"id": customers.ids[row], "kwh": int(customers.tenths[row]) / 10}
                for row in np.argsort(-customers.tenths, kind="stable")[: len(scale.enterprises)].tolist()
            ],
        },
        "faults": {name: {"count": len(rows), "rows": rows} for name, rows in dirty.faults.items()},
        "drawn_grids": drawn.truth,
    }
