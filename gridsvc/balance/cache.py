"""A place where compiled kernels are kept, so that only the first solve waits for the compiler."""

from __future__ import annotations

import os
import stat
import tempfile
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any, cast

__all__ = ["is_warm", "load_engine", "prepare_cache", "warm_engine"]

_WARM = "warm"  # a file which says that all kernels are in the cache
_COMPILED = ("arrays", "compiled", "kernels", "trees", "cuts")


def load_engine() -> float:
    """Import the compiled part of the engine, with a place for its cache; gives the seconds it took."""
    began = perf_counter()
    prepare_cache()
    import gridsvc.balance.search  # noqa: F401 - loading it is the point

    return perf_counter() - began


def warm_engine() -> None:
    """Compile the kernels, or find them in the cache."""
    load_engine()
    from gridsvc.balance import kernels, trees

    kernels.warm()
    trees.warm()
    from numba import config

    read_at_its_start: str = cast(Any, config).CACHE_DIR
    if read_at_its_start == os.environ["NUMBA_CACHE_DIR"]:
        _folder().mkdir(parents=True, exist_ok=True)
        (_folder() / _WARM).touch()


def is_warm() -> bool:
    """Whether the kernels of these sources have been compiled here before, so that nobody waits for that."""
    prepare_cache()
    return (_folder() / _WARM).exists()


def _folder() -> Path:
    return Path(os.environ["NUMBA_CACHE_DIR"])


def prepare_cache() -> None:
    """See to it that numba can keep what it compiles; must come before numba is imported.

    Where ``NUMBA_CACHE_DIR`` is set it stands, and a package in a folder that can be written keeps its own.
    Else the user's cache folder is taken, or a private temporary one. In it each state of the kernels'
    sources has a folder of its own: numba does not notice when a function of another module has changed.
    """
    name = _sources()
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given and Path(given).name == name:
        return
    place = Path(given) if given else _place()
    os.environ["NUMBA_CACHE_DIR"] = str(place / name)


def _place() -> Path:
    own = Path(__file__).parent
    if _writable(own):
        return own / "__pycache__"
    places = (_user_cache() / "gridsvc" / "numba", _temporary())
    return next((p for p in places if _made(p)), None) or Path(tempfile.mkdtemp())


def _sources() -> str:
    """A name for the state of the kernels' sources."""
    read = [(Path(__file__).parent / f"{module}.py").read_bytes() for module in _COMPILED]
    return f"kernels-{sha256(b''.join(read)).hexdigest()[:12]}"


def _user_cache() -> Path:
    given = os.environ.get("XDG_CACHE_HOME")
    return Path(given) if given else Path("~/.cache").expanduser()


def _temporary() -> Path:
    return Path(tempfile.gettempdir()) / f"gridsvc-{os.getuid() if hasattr(os, 'getuid') else 'cache'}"


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _made(folder: Path) -> bool:
    """Whether the folder is there, ours alone and can be written: what lies in it will be run."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat()
    except (OSError, RuntimeError):
        return False
    ours = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return ours and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and _writable(folder)
