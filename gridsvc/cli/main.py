"""The commands together, and what their errors look like."""

from __future__ import annotations

import importlib
import signal
import sys
from types import FrameType
from typing import NoReturn

import click
import orjson

from gridsvc import __version__, errors

__all__ = ["cli", "main"]


# Each command's module is loaded when the command is used: a lookup need not wait for the engine.
_COMMANDS = {
    "tile": "tile",
    "balance": "balance",
    "assign": "assign",
    "adopt": "adopt",
    "roster": "roster",
    "compare": "compare",
    "publish": "publish",
    "export": "export",
    "scorecard": "scorecards",
    "loads": "scorecards",
    "handover": "handover",
    "orders": "conduct",
    "check": "conduct",
    "dispute": "conduct",
    "layers": "layers",
    "lookup": "lookup",
    "demo": "service",
    "sample": "service",
    "serve": "serve",
    "worker": "serve",
    "db": "service",
    "audit": "audit",
    "backup": "backup",
    "restore": "backup",
    "keys": "keys",
    "customers": "erasure",
    "doctor": "doctor",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"gridsvc.cli.{_COMMANDS[cmd_name]}")
        found: click.Command = getattr(module, cmd_name)
        return found


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(__version__, prog_name="gridsvc")
def cli() -> None:
    """Cut a territory into balanced grids, give each to a team, and say who owns what."""


_REMINDED = 0.5
"""Seconds after which a process which was told to end, and does not, is told again."""


class _Terminated(BaseException):
    """Somebody asked the process to end; what is under way cleans up as after Ctrl-C."""


def _terminate(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough: cleaning up is not to be disturbed
    signal.signal(signal.SIGALRM, _remind)
    signal.setitimer(signal.ITIMER_REAL, _REMINDED, _REMINDED)
    raise _Terminated


def _remind(_number: int, _frame: FrameType | None) -> None:
    """End all the same, where what was raised got lost: C code which looks for something clears any error."""
    under_way = sys.exc_info()[1]
    while under_way is not None and not isinstance(under_way, _Terminated):
        under_way = under_way.__context__
    if under_way is None:
        raise _Terminated


def _exit_code(error: errors.GridsvcError) -> int:
    return 3 if isinstance(error, errors.Infeasible) else 2


def main() -> None:
    """Run a command: exit 0 done, 2 bad input, 3 no plan within the constraints, 130 and 143 stopped."""
    signal.signal(signal.SIGTERM, _terminate)
    as_json = "--json" in sys.argv[1:]
    try:
        code = cli.main(standalone_mode=False)
    except errors.GridsvcError as error:
        # A plan which is the best but not good enough has printed its report, with the error in it.
        code = _exit_code(error)
        _complain(str(error), error.as_dict() if as_json and code != 3 else None)
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
    except (click.Abort, KeyboardInterrupt, _Terminated) as stopped:
        signal.setitimer(signal.ITIMER_REAL, 0)
        _complain("stopped; nothing was left half done", None)
        code = 143 if isinstance(stopped, _Terminated) else 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    sys.exit(code if isinstance(code, int) else 0)


def _complain(text: str, document: dict[str, object] | None) -> None:
    if document is not None:
        click.echo(orjson.dumps({"error": document}).decode())
    click.echo(f"gridsvc: {text}", err=True)
