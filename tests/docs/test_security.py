"""The page on security names a measure and tests for each risk, and only tests which exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"(?m)^## API(\d+) ", TEXT)[1:]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TEXT)


def test_all_ten_risks_are_there() -> None:
    assert [int(number) for number in SECTIONS[::2]] == list(range(1, 11))


@pytest.mark.parametrize("section", SECTIONS[1::2], ids=[f"API{n}" for n in SECTIONS[::2]])
def test_each_risk_has_tests_or_says_what_is_open(section: str) -> None:
    assert re.search(r"`tests/[\w/]+\.py::\w+`", section) or "\nOpen: " in section


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_each_named_test_exists(path: str, name: str) -> None:
    assert f"\ndef {name}(" in (ROOT / path).read_text(encoding="utf-8")
