"""Where compiled kernels are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gridsvc.balance import cache


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cache.tempfile, "tempdir", str(tmp_path))


def _not_in(monkeypatch: pytest.MonkeyPatch, *closed: Path) -> None:
    """As if nothing could be written in some folders, although root can."""
    writable = cache._writable
    monkeypatch.setattr(cache, "_writable", lambda folder: folder not in closed and writable(folder))


PACKAGE = Path(cache.__file__).parent


def _taken() -> Path:
    """Where the cache is: a place, and in it a folder for the kernels as they are now."""
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    assert folder.name.startswith("kernels-")
    return folder.parent


def test_a_place_that_is_named_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/somewhere")
    _not_in(monkeypatch, PACKAGE)
    cache.prepare_cache()
    cache.prepare_cache()  # as in a child process
    assert _taken() == Path("/somewhere")


def test_changed_kernels_have_another_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in cache._COMPILED:
        (tmp_path / f"{module}.py").write_text("pass")
    monkeypatch.setattr(cache, "__file__", str(tmp_path / "cache.py"))
    before = cache._sources()
    (tmp_path / "kernels.py").write_text("pass  # and more")
    assert cache._sources() != before


def test_a_package_that_can_be_written_keeps_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cache, "_writable", lambda folder: True)
    cache.prepare_cache()
    assert _taken() == PACKAGE / "__pycache__"


def test_else_the_users_cache_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _not_in(monkeypatch, PACKAGE)
    cache.prepare_cache()
    place = _taken()
    assert place == tmp_path / "cache" / "gridsvc" / "numba"
    assert place.is_dir()


def test_without_one_a_private_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _not_in(monkeypatch, PACKAGE, tmp_path / "cache" / "gridsvc" / "numba")
    cache.prepare_cache()
    place = _taken()
    assert place.parent == tmp_path
    assert place.stat().st_mode & 0o077 == 0


def test_a_folder_others_may_write_is_never_trusted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _not_in(monkeypatch, PACKAGE, tmp_path / "cache" / "gridsvc" / "numba")
    trap = cache._temporary()
    trap.mkdir()
    trap.chmod(0o777)
    cache.prepare_cache()
    assert _taken() != trap
