"""`gridsvc serve` and `gridsvc worker`: the processes which stay."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import suppress

import click

from gridsvc import logs
from gridsvc.bounds import SPARE_FILES, allow_files
from gridsvc.cli.common import database_option, opened, say
from gridsvc.config import Settings
from gridsvc.errors import InvalidInput
from gridsvc.node import Node
from gridsvc.origins import origins_of
from gridsvc.processes import SERVER
from gridsvc.store.chain import revisions
from gridsvc.store.pulse import UnreachableError, open_pulse
from gridsvc.store.quick_keys import QuickKeys
from gridsvc.warm import warm_in_background

__all__ = ["serve", "worker"]

_RESTING_SECONDS = 75
"""For which a connection between requests is kept: longer than proxies keep theirs (nginx: 60 seconds), or
they send a request, which may be a change, just as it is closed."""


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on.  [default: 8000]")
@click.option("--workers", type=int, help="API worker processes.  [default: 1]")
@click.option(
    "--open", "open_", is_flag=True, help="Allow an address others can reach, although nobody has to sign in."
)
@click.option(
    "--access",
    type=click.Choice(["open", "keys"]),
    help="Whether callers must show a key.  [default: open]",
)
@click.option("--upgrade", is_flag=True, help="Bring the database to this version first.")
@database_option
def serve(
    host: str | None,
    port: int | None,
    workers: int | None,
    access: str | None,
    database: str | None,
    *,
    open_: bool,
    upgrade: bool,
) -> None:
    """Serve the map page, the API and its documentation."""
    given = {"host": host, "port": port, "workers": workers, "access": access, "database_url": database}
    # API workers are processes of their own and read their settings from the environment.
    os.environ.update(
        {f"GRIDSVC_{name.upper()}": str(value) for name, value in given.items() if value is not None}
    )
    settings = Settings.load()
    if settings.webhook_allow:
        from gridsvc.exchange.receivers import Receivers

        Receivers.parse(settings.webhook_allow)  # what is wrong with it shows here, and not in the workers
    origins_of(settings.cors_origins)
    if settings.oidc_issuer:
        from gridsvc.openid.company import company_of

        company_of(settings)
    if settings.access == "open":
        _require_loopback(settings.host, open_=open_)
    _require_free(settings.host, settings.port)
    if not _is_current(settings.url):
        with opened(settings.url, upgrade=upgrade or settings.url.startswith("sqlite")):
            pass
    settings.hand_down()
    allow_files(settings.max_connections + SPARE_FILES)
    node = Node(settings.url, settings.mapped)
    say(
        f"page http://{settings.host}:{settings.port}/  API documentation http://{settings.host}:{settings.port}/docs"
    )
    warm_in_background()
    if settings.access == "open":
        say("local mode: nobody has to sign in, so whoever reaches this port may do everything")
    else:
        _make_first_key(settings.url)
    os.environ.update({"GRIDSVC_WATCHED": "1", SERVER: str(os.getpid())})
    import uvicorn

    uvicorn.run(
        "api.front:create",
        factory=True,
        http="api.at_once:AtOnce",
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,  # api.front reads them, for all but lookups, which do not need them
        timeout_keep_alive=_RESTING_SECONDS,
        timeout_graceful_shutdown=settings.stop_seconds,
    )
    node.stop()


def _make_first_key(url: str) -> None:
    with suppress(UnreachableError):
        if QuickKeys(url).any():
            return
    from gridsvc.services import keys

    with opened(url) as db:
        key = keys.first(db)
    if key is not None:
        say(f"the first administrator's key, shown this once: {key}")
        say("keep it now; gridsvc keys makes others, and revokes this one")


def _is_current(url: str) -> bool:
    """Whether the tables are this version's, asked in the quickest way; in doubt they are opened."""
    try:
        pulse = open_pulse(url)
    except OSError:
        return False
    found = pulse.version()
    pulse.close()
    return found == revisions()[-1]


def _require_loopback(host: str, *, open_: bool) -> None:
    if not open_ and host not in {"127.0.0.1", "::1", "localhost"}:
        raise InvalidInput(
            f"{host} can be reached by others and nobody has to sign in",
            field="--host",
            cure="use 127.0.0.1, or --access keys, or add --open where a proxy or firewall guards the port",
        )


def _require_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise InvalidInput(
                f"cannot listen on {host}:{port}",
                field="--port",
                cure="stop what uses it, or choose another port",
            ) from None


@click.command()
@click.option("--slots", type=click.IntRange(1, 32), help="Jobs done at the same time.  [default: 1]")
@database_option
def worker(slots: int | None, database: str | None) -> None:
    """Do the jobs that wait in the database, beside the server's own workers or on another machine."""
    given = {"job_slots": slots, "database_url": database}
    os.environ.update(
        {f"GRIDSVC_{name.upper()}": str(value) for name, value in given.items() if value is not None}
    )
    settings = Settings.load()
    settings.hand_down()
    logs.configure(settings.log_format)
    with opened(settings.url):
        pass
    stopped: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda caught, _: stopped.append(caught))
    from gridsvc.exchange.receivers import Receivers
    from gridsvc.supervisor import Supervisor

    receivers = Receivers.parse(settings.webhook_allow)
    supervisor = Supervisor(settings.url, slots=settings.job_slots, receivers=receivers)
    supervisor.start()
    say("doing jobs; stop with Ctrl-C")
    warm_in_background()
    while not stopped:
        time.sleep(0.2)
    supervisor.stop()
