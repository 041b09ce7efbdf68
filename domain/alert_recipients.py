"""Recipients of alerts as a log shows them: enough to tell one from another, too little to write to."""

from __future__ import annotations

from typing import Final

from domain.alert_picture import ChannelKind

__all__ = ["masked_recipient"]

_COVER: Final = "***"

_SHOWN_AT_LAST: Final = 4
_SHOWN_AT_FIRST: Final = 5
_COVERED: Final = 3
"""Digits of a phone number; of a short one the beginning gives way."""


def masked_recipient(channel: ChannelKind, recipient: str) -> str:
    """``a***@example.com``, ``+1415***0100``; the id of a webhook, or of the trunk whose own it is, is
    no secret and comes back as it is."""
    if channel is ChannelKind.EMAIL:
        return f"{recipient[:1]}{_COVER}@{recipient.rpartition('@')[2]}"
    if channel is ChannelKind.SMS:
        first = min(_SHOWN_AT_FIRST, max(1, len(recipient) - _SHOWN_AT_LAST - _COVERED))
        return f"{recipient[:first]}{_COVER}{recipient[-_SHOWN_AT_LAST:]}"
    return recipient
