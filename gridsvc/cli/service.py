"""`gridsvc demo`, `sample`, `db`: trying the product and looking after it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal

import click

import gridsvc
from gridsvc.cli.common import (
    WHO,
    as_json,
    database_option,
    emit,
    kept,
    opened,
    published_folder,
    reported,
    say,
)
from gridsvc.cli.customers import coverage_lines, placement_lines
from gridsvc.cli.plan import assignment_lines, plan_lines, staff_lines
from gridsvc.cli.publish import published
from gridsvc.cli.roster import needed_lines
from gridsvc.config import Settings
from gridsvc.plans.plan import Plan
from gridsvc.sample import DEFAULT_SEED, generate
from gridsvc.sample.maps import put_map_layers
from gridsvc.services import current, heads, main_job, publications
from gridsvc.services.main_job import Done

__all__ = ["db", "demo", "sample"]

_SHIPPED = (
    Path(gridsvc.__file__).parent.parent / "data" / "samples" / "county",
    Path("/usr/share/gridsvc/samples/county"),
)


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder made by gridsvc sample; else the shipped county.",
)
@database_option
@as_json
def demo(data: Path | None, database: str | None, *, json_: bool) -> None:
    """Do the main job on the sample county, and say what was done."""
    with opened(database, upgrade=True) as store:
        before = main_job.sample_done(store, WHO)
        if before is not None:
            emit(published(before), [f"the sample is there already, as publication {before.n}"], json_=json_)
            return
        with tempfile.TemporaryDirectory() as made, reported("main job") as progress:
            folder = data or _sample_folder(Path(made))
            done = main_job.run_sample(store, WHO, folder, progress)
            put_map_layers(folder, Settings.load().map_layers)
        current.write(store, WHO, published_folder(database))
        heads.make_files(store, kept(database))
    emit(published(done.publication), _told(done), json_=json_)


def _sample_folder(made: Path) -> Path:
    for folder in _SHIPPED:
        if folder.is_dir():
            return folder
    generate("county", DEFAULT_SEED, made)
    return made


def _told(done: Done) -> list[str]:
    report = done.plan.report or {}
    assert done.plan.labels is not None  # noqa: S101 - a published plan is solved
    plan = Plan(done.plan.labels, done.plan.grids)
    return [
        "Simulated county: the data is made up, see data/samples/README.md.",
        f"{done.tiling['cells']:,} cells of H3 resolution {done.tiling['resolution']}",
        *coverage_lines(done.placement["coverage"]),
        *placement_lines(done.placement),
        *plan_lines(report),
        *assignment_lines(plan, report["assignment"]),
        *staff_lines(done.staffing),
        f"{len(done.staffed.violations)} breaks of the company's rules for teams",
        *needed_lines(done.staffed),
        f"published as number {done.publication.n}",
    ]


@click.command()
@click.option("--size", type=click.Choice(["county", "city"]), default="county", show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=DEFAULT_SEED, show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True)
def sample(size: Literal["county", "city"], seed: int, output: Path) -> None:
    """Make a simulated county or city to try the product on."""
    with reported("sample") as progress:
        manifest = generate(size, seed, output, progress)
    say(f"{len(manifest.files)} files of a simulated {size} (seed {seed}) in {output}")


@click.group()
def db() -> None:
    """Bring the database's tables to this version, or check them."""


@db.command()
@database_option
def upgrade(database: str | None) -> None:
    """Make the tables, or bring them to this version."""
    with opened(database, upgrade=True) as store:
        say(f"the {store.dialect} database is at this version")


@db.command()
@database_option
def check(database: str | None) -> None:
    """Say whether the tables are those of this version, and the publications what was published."""
    with opened(database) as store:
        store.check()
        number = publications.verify(store, WHO)
        say(f"the {store.dialect} database is at this version")
        say(f"{number} publications, each as it was published")
