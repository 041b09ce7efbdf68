"""Alerts as a text message that fits into one.

The default alphabet of 3GPP TS 23.038 (GSM-7) carries 160 characters, those of its extension table
count twice; any other character makes the whole message UCS-2, 70 units of 16 bits.
"""

from __future__ import annotations

from typing import Final

from domain.alert_messages import AlertDigest, AlertEventType, AlertMessage
from domain.alert_words import count, line

__all__ = ["GSM_LIMIT", "UCS2_LIMIT", "sms_of", "sms_units"]

GSM_LIMIT: Final = 160
UCS2_LIMIT: Final = 70

# 3GPP TS 23.038, 6.2.1 and 6.2.1.1, without the escape and the page break.
_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("^{}\\[~]|€")

_WORDS: Final = {
    AlertEventType.OPENED: "ALERT",
    AlertEventType.UPDATED: "WORSE",
    AlertEventType.REMINDER: "STILL OPEN",
    AlertEventType.RESOLVED: "RESOLVED",
    AlertEventType.TEST: "TEST",
}


def sms_of(message: AlertMessage) -> str:
    """One message of at most 160 GSM-7 or 70 UCS-2 units: what, about what, how many."""
    if isinstance(message, AlertDigest):
        return _fitted(
            f"{count(message.data.alerts_total, 'alert')} opened and ended in quiet hours"
        )
    data = message.data
    said = f"{_WORDS[message.type]} {data.severity.value}: {line(data.title)}"
    tail = f" ({count(data.trunks_total, 'trunk')})" if data.trunks_total > 1 else ""
    return _fitted(said, tail)


def sms_units(text: str) -> tuple[int, int]:
    """How many units the text takes, and how many one message carries."""
    if all(each in _BASIC or each in _EXTENDED for each in text):
        return sum(1 + (each in _EXTENDED) for each in text), GSM_LIMIT
    return sum(1 + (ord(each) > 0xFFFF) for each in text), UCS2_LIMIT


def _fitted(text: str, tail: str = "") -> str:
    """The text cut so that it fits together with the tail; dots show that it was."""
    if _fits(text + tail):
        return text + tail
    cuts = (
        f"{text[:length].rstrip()}...{tail}" for length in range(min(len(text), GSM_LIMIT), 0, -1)
    )
    return next(each for each in cuts if _fits(each))


def _fits(text: str) -> bool:
    units, limit = sms_units(text)
    return units <= limit
