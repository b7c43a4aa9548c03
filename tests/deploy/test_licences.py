"""What is shipped may be shipped, and the reference says under which licence."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    spec = importlib.util.spec_from_file_location("licences", ROOT / ".ci" / "licences.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_each_package_which_is_shipped_goes_with_our_licence(licences: ModuleType) -> None:
    shipped = {*licences.python_packages(), *licences.web_packages()}
    assert {"fastapi", "numba", "maplibre-gl"} <= {name for name, _ in shipped}
    assert [(name, told) for name, told in shipped if not licences.fits(name, told)] == []


@pytest.mark.parametrize(
    ("expression", "fits"),
    [
        ("MIT", True),
        ("(MIT OR GPL-3.0-only)", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("MIT AND GPL-3.0-or-later", False),
        ("AGPL-3.0-only", False),
        ("LGPL-3.0-only", False),
        ("BUSL-1.1", False),
        ("Proprietary", False),
        ("", False),
    ],
)
def test_what_does_not_go_with_it_is_refused(licences: ModuleType, expression: str, fits: bool) -> None:
    assert licences.fits("some-package", expression) is fits


def test_the_reference_names_each_package_with_its_licence(licences: ModuleType) -> None:
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page(), "run: make sbom"
