"""A service which wants keys, as an operator starts it."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from gridsvc.principal import LOCAL
from gridsvc.services import keys
from gridsvc.services.keys import Wanted
from gridsvc.store import Database
from tests.conftest import LONG_WALK
from tests.journey.served import serving


def _status(url: str, key: str = "") -> int:
    asked = urllib.request.Request(f"{url}/v1/me", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def _all_say(url: str, key: str, status: int) -> bool:
    """Whether each of two workers says so: connections go to either."""
    return all(_status(url, key) == status for _ in range(12))


def _within(seconds: float, url: str, key: str, status: int) -> None:
    end = time.monotonic() + seconds
    while not _all_say(url, key, status):
        assert time.monotonic() < end


@LONG_WALK
def test_the_first_start_shows_a_key_which_every_worker_takes_and_loses(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDSVC_ACCESS", "keys")
    with serving(database_url, tmp_path, workers=2) as url:
        said = (tmp_path / "serve.log").read_text()
        (key,) = re.findall(r"gsk_[\w-]{43}", said)
        assert "nobody has to sign in" not in said
        assert _all_say(url, "", 401)
        _within(30, url, key, 200)
        with_database = Database.open(database_url)
        other = keys.create(with_database, LOCAL, Wanted("crm", "service"))[1]
        _within(30, url, other, 200)
        keys.revoke(with_database, LOCAL, "crm")
        with_database.close()
        _within(30, url, other, 401)
        assert _status(url, key) == 200
    with serving(database_url, tmp_path) as url:
        assert not re.findall(r"gsk_", (tmp_path / "serve.log").read_text())
        assert _status(url, key) == 200
