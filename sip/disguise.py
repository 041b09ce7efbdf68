"""IPv4 addresses in disguise: every spelling that a C library takes for an address.

``inet_aton`` reads ``2130706433``, ``0x7f000001``, ``0177.0.0.1`` and ``127.1`` as 127.0.0.1, and name
preparation (IDNA mapping) turns full-width digits and dots into plain ones before that. A filter that
only knows dotted quads lets them pass, so whoever takes a host from a person decodes them first.
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv4Address

__all__ = ["decode_disguised_ipv4"]

# A longer text is no host name (RFC 1035 2.3.4 allows 253 characters), so normalising stays cheap.
_MAX_LENGTH = 256

# The C literal rules of inet_aton: 0x hexadecimal, a leading 0 octal, anything else decimal.
_HEXADECIMAL = re.compile(r"0[xX][0-9a-fA-F]+\Z")
_OCTAL = re.compile(r"0[0-7]*\Z")
_DECIMAL = re.compile(r"[1-9][0-9]*\Z")

# The full stops that IDNA takes for a dot and that compatibility normalisation leaves alone.
_IDEOGRAPHIC_FULL_STOP = "\u3002"


def decode_disguised_ipv4(text: str) -> IPv4Address | None:
    """The address that ``inet_aton`` reads from ``text`` after Unicode folding.

    ``None`` when the text is no such form, or already is the canonical dotted quad of an address.
    White space and a trailing dot are not part of a form; strip them before.
    """
    if not text or len(text) > _MAX_LENGTH:
        return None
    parts = _fold(text).split(".")
    if len(parts) > 4:
        return None
    values = [_part_value(part) for part in parts]
    value = 0
    for position, part in enumerate(values):
        last = position == len(values) - 1
        # The last part fills all octets that are left: 127.1 is 127.0.0.1, 1.2.772 is 1.2.3.4.
        octets = 4 - position if last else 1
        if part is None or part >= 256**octets:
            return None
        value = value * 256**octets + part
    address = IPv4Address(value)
    return None if text == str(address) else address


def _part_value(part: str) -> int | None:
    if _HEXADECIMAL.match(part):
        return int(part, 16)
    if _OCTAL.match(part):
        return int(part, 8)
    if _DECIMAL.match(part):
        return int(part)
    return None


def _fold(text: str) -> str:
    """Plain digits and dots for full-width, circled, superscript and other scripts' ones."""
    normal = unicodedata.normalize("NFKC", text).replace(_IDEOGRAPHIC_FULL_STOP, ".")
    return "".join(_fold_character(character) for character in normal)


def _fold_character(character: str) -> str:
    if character.isascii():
        return character
    # Soft hyphens, zero-width characters and variation selectors vanish in name preparation.
    if unicodedata.category(character) == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
