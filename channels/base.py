"""What every channel promises: a message goes to one recipient, and what became of it is a value.

A channel does not repeat anything; whoever calls decides by the receipt. A message may arrive twice
when the answer to the first attempt was lost: its ``id`` stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from domain.alert_messages import AlertMessage
from domain.alert_words import line

__all__ = ["MAX_REASON", "Channel", "Delivered", "Failed", "Receipt", "Refused", "reason"]

MAX_REASON = 200
"""Characters of others' words that a receipt keeps."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side has taken it. ``reference`` is its name for it, for questions later."""

    detail: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not taken, and repeating it as it is will not help. With ``gone`` the recipient asks not
    to be sent anything any more."""

    reason: str
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """It was not taken this time. ``retry_after`` is what the other side asks to wait at least."""

    reason: str
    retry_after: timedelta | None = None


Receipt = Delivered | Refused | Failed

RecipientT = TypeVar("RecipientT", contravariant=True)


class Channel(Protocol[RecipientT]):
    """A way for messages. ``send`` ends within its own deadline and raises nothing but bugs."""

    async def send(self, message: AlertMessage, recipient: RecipientT) -> Receipt:
        """Send one message to one recipient."""
        ...


def reason(text: str, *secrets: str) -> str:
    """Others' words as one short line, without what must not be in a log."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    return line(text, MAX_REASON)
