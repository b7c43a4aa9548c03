"""Options, progress and output which commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from gridsvc.config import Settings
from gridsvc.errors import InvalidInput, NotFound
from gridsvc.principal import LOCAL, SYSTEM, Principal
from gridsvc.progress import Progress

if TYPE_CHECKING:
    from gridsvc.services.keeping import Keeper
    from gridsvc.store.database import Database

__all__ = [
    "WHO",
    "as_json",
    "csv_writer",
    "database_option",
    "emit",
    "in_path",
    "json_writer",
    "kept",
    "only_territory",
    "opened",
    "out_path",
    "percent",
    "published_folder",
    "reported",
    "require_places",
    "say",
    "territory_option",
    "write_csv",
    "write_json",
]

WHO: Principal = LOCAL

out_path = click.Path(path_type=Path, dir_okay=False)
in_path = click.Path(path_type=Path)

territory_option = click.option("--territory", metavar="ID", help="Needed where there are several.")
as_json = click.option("--json", "json_", is_flag=True, help="Print machine-readable output.")

database_option = click.option(
    "--database", metavar="URL", help="Database; else GRIDSVC_DATABASE_URL, else the embedded file in var/."
)


def say(text: str = "") -> None:
    """Print a line for a person."""
    click.echo(text)


def emit(document: Mapping[str, Any], lines: Sequence[str], *, json_: bool) -> None:
    """Print `document` for programs or `lines` for people."""
    if json_:
        click.echo(orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY).decode())
    else:
        for line in lines:
            say(line)


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{100 * share:.1f} %"


@contextmanager
def reported(title: str) -> Iterator[Progress]:
    """Show progress on the error stream: a bar on a terminal, nothing where nobody watches."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<38.38}"), BarColumn(30), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(title, total=1.0)

        def progress(share: float, message: str) -> None:
            bar.update(task, completed=share, description=f"{title}: {message}")

        yield progress


@contextmanager
def opened(url: str | None, *, upgrade: bool = False) -> Iterator[Database]:
    """The database named on the command line or in the environment, with the right tables."""
    from gridsvc.store.database import Database

    settings = Settings.load()
    chosen = url or settings.url
    if chosen.startswith("sqlite:///"):
        Path(chosen.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    database = Database.open(chosen)
    try:
        if upgrade:
            database.upgrade()
        else:
            database.require_version()
        yield database
    finally:
        database.close()


def kept(url: str | None) -> Keeper:
    """What lookups need of a database, in the files beside it; in memory where they cannot be written."""
    from gridsvc.services.keeping import Keeper

    settings = Settings.load()
    folder = settings.model_copy(update={"database_url": url or settings.url}).mapped
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return Keeper()
    return Keeper(folder if os.access(folder, os.W_OK) else None)


def only_territory(db: Database) -> str:
    """The territory which is published, if there is but one."""
    with db.read(SYSTEM) as reader:
        found = sorted({territory for territory, _ in reader.publications.lines()})
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound("nothing is published yet", cure="run gridsvc demo, or gridsvc publish")
    raise InvalidInput(
        "several territories are published", field="--territory", cure=f"name one of {', '.join(found)}"
    )


def published_folder(url: str | None) -> Path:
    """Where the publications of a database renew ``current.gpkg``."""
    settings = Settings.load()
    return settings.model_copy(update={"database_url": url or settings.url}).published


def require_places(**options: Path | None) -> None:
    """Refuse files that could not be written in the end, before there is anything to lose.

    Parameters
    ----------
    options : Path or None
        By the option that names the file.

    Raises
    ------
    InvalidInput
        A folder is not there or may not be written, or two options name one file.
    """
    taken: dict[Path, str] = {}
    for name, path in options.items():
        if path is None:
            continue
        if not os.access(path.parent, os.W_OK | os.X_OK) or not path.parent.is_dir():
            raise InvalidInput(
                f"cannot write {path.name}", field=name, cure="name a folder that exists and may be written"
            )
        other = taken.setdefault(path.resolve(), name)
        if other != name:
            raise InvalidInput(f"{path.name} is the {other} too", field=name, cure="name another file")


def write_csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a CSV as a whole."""
    from gridsvc.exchange.files import replace_whole

    replace_whole(path, csv_writer(header, rows))


def csv_writer(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Callable[[Path], None]:
    """What writes a CSV, for `gridsvc.exchange.files.replace_together`."""
    import csv

    def write(draft: Path) -> None:
        with draft.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)

    return write


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a JSON file as a whole."""
    from gridsvc.exchange.files import replace_whole

    replace_whole(path, json_writer(document))


def json_writer(document: Mapping[str, Any]) -> Callable[[Path], None]:
    """What writes a JSON file, for `gridsvc.exchange.files.replace_together`."""

    def write(draft: Path) -> None:
        draft.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY))

    return write
