"""`gridsvc backup` and `gridsvc restore` as a person uses them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.cli.conftest import Run


def test_a_backup_is_written_checked_and_restored(run: Run) -> None:
    assert run("db", "upgrade").code == 0
    assert run("backup", "-o", "b.zip").out.endswith("in b.zip\n")
    assert run("backup", "--verify", "b.zip").out.startswith("b.zip is whole: ")
    assert run("restore", "b.zip", "--database", "sqlite:///r.db").out.endswith("restored, equal checksums\n")
    assert run("db", "check", "--database", "sqlite:///r.db").code == 0


def test_what_is_no_backup_is_refused(refused: Any, tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(b"x" * 100)
    assert "b.zip: is not a backup" in refused("backup", "--verify", "b.zip")
    assert "b.zip: is not a backup" in refused("restore", "b.zip", "--database", "sqlite:///r.db")
    assert "cannot be opened" in refused("backup", "--verify", "none.zip")
    assert "--output or --verify" in refused("backup")
