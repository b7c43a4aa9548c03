"""The command line: parse, call one use case, print."""

from gridsvc.cli.main import main

__all__ = ["main"]
