"""The units of systemd: what they let a service have is enough for what it is set to."""

from __future__ import annotations

import re
import resource
from pathlib import Path

import pytest

from gridsvc.bounds import SPARE_FILES, allow_files
from gridsvc.config import Settings

UNITS = Path(__file__).resolve().parents[2] / "docs" / "deploy"


@pytest.mark.parametrize("unit", ["gridsvc", "gridsvc-worker"])
def test_as_many_files_may_be_open_as_connections_and_more(unit: str) -> None:
    found = re.search(r"^LimitNOFILE=(\d+)$", (UNITS / f"{unit}.service").read_text(), re.MULTILINE)
    assert found
    assert int(found[1]) > 10 * (Settings.model_fields["max_connections"].default + SPARE_FILES)


def test_a_server_allows_itself_what_it_needs_and_takes_nothing_away() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 1 << 20 if hard == resource.RLIM_INFINITY else hard
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, most), hard))
        allow_files(min(1200, most))
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(1200, most), hard)
        allow_files(300)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (min(1200, most), hard)
        allow_files(most + 1)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
