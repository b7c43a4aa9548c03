"""The provider of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.openid.company import OpenId, openid


@pytest.fixture
def company() -> Iterator[OpenId]:
    with openid() as provider:
        yield provider
