"""What is marked for the proof is in one of its parts, so that nothing is proven by nobody."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests import proof

ROOT = Path(__file__).resolve().parents[2]
MARKED = re.compile(r"mark\.proof\b|^@LONG_WALK", re.MULTILINE)


class EnoughError(Exception):
    """A part goes on to something else than tests."""


def asked_for(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Files and folders which the parts run."""
    asked: set[str] = set()

    def note(*arguments: str, **_: str) -> list[str]:
        asked.update(told for told in arguments if told.startswith("tests/"))
        return []

    def enough(*_: Any, **__: Any) -> Any:
        raise EnoughError

    monkeypatch.setattr(proof, "_pytest", note)
    monkeypatch.setattr(proof, "_speeds", list)
    monkeypatch.setattr(proof.subprocess, "run", enough)
    for part in proof.PARTS.values():
        with suppress(EnoughError):
            part()
    return asked


def test_every_test_of_the_proof_is_in_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_for(monkeypatch)
    assert all((ROOT / told).exists() for told in asked)
    marked = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if path != Path(__file__) and MARKED.search(path.read_text("utf-8"))
    ]
    assert len(marked) > 10
    assert [path for path in marked if not any(path.startswith(told) for told in asked)] == []
