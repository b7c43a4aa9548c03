"""Throw-away databases for the tests: a file for the embedded one, and a PostGIS server of our own.

The PostGIS server lives for the session, listens on a unix socket in a temporary folder only, and gives each
test a fresh copy of a migrated database.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gridsvc.store import Database

_numbers = itertools.count(1)


def missing(what: str) -> None:
    """Skip on a laptop; in CI a test that cannot run is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is needed in CI", pytrace=False)
    pytest.skip(f"{what} is not here")


def postgis_binaries() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in installed), key=lambda p: int(p.parent.name), default=None)


class PostgisServer:
    """A PostgreSQL server in a temporary folder; root starts it as `postgres`, for it refuses root."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # socket paths must stay short
        if self._user:
            shutil.chown(self._folder, self._user)

    def start(self) -> None:
        data = str(self._folder / "d")
        self._run("initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
        self.resume()

    def pause(self) -> None:
        """Go away, in the middle of whatever is asked."""
        self._run("pg_ctl", "-D", str(self._folder / "d"), "-m", "fast", "-w", "stop")

    def resume(self) -> None:
        """Be there again; where it is there already this does nothing."""
        data = str(self._folder / "d")
        if (self._folder / "d" / "postmaster.pid").exists():
            return
        options = f"-k {self._folder} -c listen_addresses='' -c fsync=off -c full_page_writes=off"
        self._run("pg_ctl", "-D", data, "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "d"), "-m", "immediate", "-w", "stop", check=False)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [str(self._binaries / program), *arguments]
        done = subprocess.run(
            command,
            check=False,
            user=self._user,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server would keep a pipe open
            stderr=subprocess.PIPE if program == "initdb" else subprocess.DEVNULL,
        )
        if check and done.returncode:
            raise RuntimeError(f"{program} failed: {(done.stderr or b'').decode()}")

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://test@/{name}?host={self._folder}"

    def sql(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(f"host={self._folder} user=test dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


def start_postgis() -> Iterator[PostgisServer]:
    """A running server whose database `migrated` has PostGIS and our tables."""
    binaries = postgis_binaries()
    if binaries is None:
        missing("PostgreSQL")
        return
    server = PostgisServer(binaries)
    try:
        server.start()
        server.sql("CREATE DATABASE empty")
        try:
            _in(server, "empty", "CREATE EXTENSION postgis")
        except Exception:  # noqa: BLE001 (whatever the reason, it is not here)
            missing("PostGIS")
        server.sql("CREATE DATABASE migrated TEMPLATE empty")
        migrate(server.url("migrated"))
        yield server
    finally:
        server.stop()


def _in(server: PostgisServer, name: str, statement: str) -> None:
    import psycopg

    url = server.url(name).replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


def migrate(url: str) -> None:
    database = Database.open(url)
    try:
        database.upgrade()
    finally:
        database.close()


def copy_postgis(server: PostgisServer, template: str) -> Iterator[str]:
    """The address of a fresh copy of `template`."""
    name = f"t{next(_numbers)}"
    # Files are copied at a third of the time which writing all of it through the log takes.
    server.sql(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    try:
        yield server.url(name)
    finally:
        server.sql(f"DROP DATABASE {name} WITH (FORCE)")


Opener = Callable[..., Database]


def opener(url: str) -> Iterator[Opener]:
    """Opens `url` as often as a test likes, with the clock it likes, and closes all of it."""
    opened: list[Database] = []

    def open_(**options: object) -> Database:
        opened.append(Database.open(url, **options))  # type: ignore[arg-type]
        return opened[-1]

    try:
        yield open_
    finally:
        for database in opened:
            database.close()


@contextmanager
def migrated(request: pytest.FixtureRequest, folder: Path, dialect: str) -> Iterator[str]:
    """The address of a migrated database for a whole module, in `folder` if it is the embedded one."""
    if dialect == "postgis":
        yield from copy_postgis(request.getfixturevalue("postgis_server"), "migrated")
    else:
        path = folder / "gridsvc.db"
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        yield f"sqlite:///{path}"


@contextmanager
def shared(request: pytest.FixtureRequest, folders: pytest.TempPathFactory) -> Iterator[Database]:
    """A database of the kind `request` names, for all tests of a module which leave it as it is."""
    folder = folders.mktemp("shared")
    with migrated(request, folder, request.param) as url, closing(Database.open(url)) as database:
        yield database
