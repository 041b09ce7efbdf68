"""Identifiers: a prefix that names the kind, and 22 random base62 characters (131 bits).

The prefix makes an id in a log line or a support request readable; the length makes it
unguessable, so that an id alone tells nothing about how many there are.
"""

from __future__ import annotations

import re
import secrets
import string
from typing import Final, Literal, get_args

__all__ = ["ALPHABET", "PREFIXES", "Prefix", "is_id", "new_id"]

Prefix = Literal[
    "org", "key", "disc", "tc", "trk", "cfg", "wkr", "whk", "drl", "lc", "dlv", "atr",
    "port", "doc", "loa", "ntc", "psk",
]  # fmt: skip
"""org organization, key API key, disc discovery, tc test call, trk trunk, cfg a number's configuration,
wkr process seen alive, whk webhook endpoint, drl drill of a failover, lc call of real traffic,
dlv message about an alert, atr trial of alerts, port port order, doc uploaded document, loa letter of
authorization, ntc notice about a port, psk key that seals signed letters."""

PREFIXES: Final[frozenset[str]] = frozenset(get_args(Prefix))
ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
LENGTH: Final = 22

# Of 256 bytes 248 stand for each character four times; the others would make some likelier.
_CHARACTERS: Final = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_SURPLUS: Final = bytes(range(256 - 256 % len(ALPHABET), 256))
_RANDOM_PART = re.compile(r"[0-9A-Za-z]{22}\Z")


def new_id(prefix: Prefix) -> str:
    """A new id such as ``disc_2Nq0bV…``: the prefix, ``_`` and 22 base62 characters.

    Raises ``ValueError`` for a prefix that is not in ``PREFIXES``.
    """
    if prefix not in PREFIXES:
        raise ValueError(f"{prefix!r} is not a prefix of ids")
    characters = b""
    while len(characters) < LENGTH:
        # One call of the system is enough nearly always: bulk changes make thousands of ids.
        characters += secrets.token_bytes(2 * LENGTH).translate(_CHARACTERS, _SURPLUS)
    return f"{prefix}_{characters[:LENGTH].decode()}"


def is_id(prefix: Prefix, text: str) -> bool:
    """Whether ``text`` has the form of an id with this prefix; it need not exist."""
    head, separator, rest = text.partition("_")
    return head == prefix and bool(separator) and _RANDOM_PART.match(rest) is not None
