"""Signatures of the Standard Webhooks form, by which receivers know us: https://www.standardwebhooks.com."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

__all__ = ["new_secret", "signed_headers"]

_PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """A fresh secret: ``whsec_`` and 32 random bytes in base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def signed_headers(keys: Sequence[str], message: str, now: datetime, body: bytes) -> dict[str, str]:
    """Headers which prove who sent a body, and when.

    Parameters
    ----------
    keys : sequence of str
        Secrets; while one is replaced by another both sign, and a receiver needs one.
    message : str
        Id of the message, the same each time it is sent.
    """
    seconds = str(int(now.timestamp()))
    signed = b".".join([message.encode(), seconds.encode(), body])
    return {
        "webhook-id": message,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{_signature(key, signed)}" for key in keys),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
