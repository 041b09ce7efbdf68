"""Secrets that sign webhooks, and whether one that comes in is from whom it says, and fresh.

Standard Webhooks: ``webhook-id``, ``webhook-timestamp`` (Unix seconds) and ``webhook-signature``, a list of
``v1,`` and the base64 of HMAC-SHA256 over ``id.timestamp.body``, where the body is the bytes as they came.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from datetime import datetime, timedelta
from typing import Final

__all__ = ["MAX_ID", "WINDOW", "InvalidSecret", "is_genuine", "key_of"]

WINDOW: Final = timedelta(minutes=5)
"""How far the sender's clock may be from ours, and how long something recorded could be replayed."""

MAX_ID: Final = 255

_PREFIX: Final = "whsec_"

_ID: Final = re.compile(rf"[\x21-\x7e]{{1,{MAX_ID}}}\Z")
_SECONDS: Final = re.compile(r"[0-9]{1,12}\Z")
_MAX_SIGNATURES: Final = 8
"""Several are sent while a secret is rotated."""


class InvalidSecret(ValueError):
    """A signing secret that is not ``whsec_`` and base64."""


def key_of(secret: str) -> bytes:
    """The key in a secret: ``whsec_`` and base64, of either alphabet, with or without padding.

    Raises ``InvalidSecret``.
    """
    text = secret.removeprefix(_PREFIX).rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidSecret("a signing secret is whsec_ and base64") from error
    if not key:
        raise InvalidSecret("a signing secret is whsec_ and base64")
    return key


def is_genuine(
    key: bytes, *, message_id: str, timestamp: str, signatures: str, body: bytes, now: datetime
) -> bool:
    """Whether the three headers fit the body. An id with a full stop is refused: the parts that are
    signed are separated by it. Takes the same time for every wrong signature of a length."""
    if not _ID.match(message_id) or "." in message_id or not _SECONDS.match(timestamp):
        return False
    if abs(now.timestamp() - int(timestamp)) > WINDOW.total_seconds():
        return False
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    digest = base64.b64encode(hmac.digest(key, signed, hashlib.sha256))
    expected = b"v1," + digest
    genuine = False
    for each in signatures.split()[:_MAX_SIGNATURES]:
        # All are compared, so that the time tells nothing of which one fits.
        genuine |= hmac.compare_digest(each.encode("utf-8", "replace"), expected)
    return genuine
