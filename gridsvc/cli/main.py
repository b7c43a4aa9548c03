"""The commands together, and what their errors look like."""

from __future__ import annotations

import sys

import click
import orjson

from gridsvc import __version__, errors
from gridsvc.cli import lookup, plan, publish, service, tile

__all__ = ["cli", "main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="gridsvc")
def cli() -> None:
    """Cut a territory into balanced grids, give each to a team, and say who owns what."""


for command in (
    tile.tile,
    plan.balance,
    plan.assign,
    publish.publish,
    publish.export,
    lookup.lookup,
    service.demo,
    service.sample,
    service.serve,
    service.db,
    service.doctor,
):
    cli.add_command(command)


def _exit_code(error: errors.GridsvcError) -> int:
    return 3 if isinstance(error, errors.Infeasible) else 2


def main() -> None:
    """Run a command: exit 0 done, 2 bad input, 3 no plan within the constraints."""
    as_json = "--json" in sys.argv[1:]
    try:
        code = cli.main(standalone_mode=False)
    except errors.GridsvcError as error:
        _complain(str(error), error.as_dict() if as_json else None)
        code = _exit_code(error)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = 2
    except click.UsageError as error:
        where = f" (see '{error.ctx.command_path} --help')" if error.ctx else ""
        _complain(
            error.format_message() + where,
            {"code": "usage", "message": error.format_message()} if as_json else None,
        )
        code = 2
    except (click.Abort, KeyboardInterrupt):
        _complain("stopped; nothing was left half done", None)
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    sys.exit(code if isinstance(code, int) else 0)


def _complain(text: str, document: dict[str, object] | None) -> None:
    if document is not None:
        click.echo(orjson.dumps({"error": document}).decode())
    click.echo(f"gridsvc: {text}", err=True)
