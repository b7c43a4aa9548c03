"""Signatures, verified by the public library which receivers use."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from gridsvc.exchange.signing import new_secret, signed_headers

BODY = json.dumps({"type": "a.b", "data": {"name": "网格"}}).encode()


def now() -> datetime:
    """Receivers take no message that is minutes old, so each is signed when it is looked at."""
    return datetime.now(UTC)


@given(st.dictionaries(st.text(), st.integers()))
def test_the_public_library_takes_what_we_sign(document: dict[str, int]) -> None:
    secret, body = new_secret(), json.dumps(document).encode()
    headers = signed_headers([secret], "evt_1", datetime.now(UTC), body)
    assert Webhook(secret).verify(body, headers) == document


def test_while_a_secret_is_replaced_either_verifies() -> None:
    new, former, other = new_secret(), new_secret(), new_secret()
    headers = signed_headers([new, former], "evt_1", now(), BODY)
    for secret in (new, former):
        Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, headers)


@pytest.mark.parametrize("change", ["webhook-id", "webhook-timestamp", "body"])
def test_nothing_of_a_message_can_be_changed(change: str) -> None:
    secret = new_secret()
    headers, body = signed_headers([secret], "evt_1", now(), BODY), BODY
    if change == "body":
        body += b" "
    else:
        headers[change] = {"webhook-id": "evt_2"}.get(change, str(int(now().timestamp()) + 60))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def test_secrets_are_long_and_never_alike() -> None:
    made = {new_secret() for _ in range(100)}
    assert len(made) == 100
    assert all(secret.startswith("whsec_") and len(secret) == 50 for secret in made)
