"""SDES: SRTP keys in SDP, the `a=crypto` attribute (RFC 4568).

Key material comes in as an argument and goes out on the wire only: it stands in no repr and in no
error, and `mask_keys` takes it out of whatever is shown or stored.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sip.errors import LocalProtocolError, RemoteProtocolError

__all__ = [
    "CryptoAttribute",
    "CryptoReason",
    "CryptoRefusal",
    "CryptoSuite",
    "mask_key_text",
    "mask_keys",
    "new_crypto_attributes",
    "parse_crypto",
]

MAX_TAG = 999_999_999  # nine digits, RFC 4568 section 9.1
MAX_LIFETIME = 2**48  # SRTP packets under one master key, RFC 3711 section 9.2

_CRYPTO = re.compile(
    r"([0-9]{1,9})[ \t]++([A-Za-z0-9_]++)[ \t]++([^ \t]++)((?>(?:[ \t]++[^ \t]++)*))[ \t]*+"
)
_LIFETIME = re.compile(r"2\^([0-9]{1,2})|([0-9]{1,15})")


class CryptoSuite(StrEnum):
    """The crypto-suites of RFC 4568 section 6.2 that are spoken here."""

    AES_CM_128_HMAC_SHA1_80 = "AES_CM_128_HMAC_SHA1_80"
    AES_CM_128_HMAC_SHA1_32 = "AES_CM_128_HMAC_SHA1_32"

    @property
    def key_octets(self) -> int:
        """Octets of master key and master salt together: 16 and 14."""
        return 30


class CryptoReason(StrEnum):
    """Why a well-formed crypto attribute cannot be used."""

    SUITE = "suite_not_supported"
    KEY_METHOD = "key_method_not_supported"
    MKI = "mki_not_supported"
    SEVERAL_KEYS = "several_keys"
    KEY = "key_not_valid"
    LIFETIME = "lifetime_not_valid"
    SESSION_PARAMETER = "session_parameter_not_supported"


@dataclass(frozen=True, slots=True)
class CryptoRefusal:
    """A crypto attribute that its reader passes over (RFC 4568 section 5.1.2)."""

    tag: int
    suite_name: str
    reason: CryptoReason


@dataclass(frozen=True, slots=True)
class CryptoAttribute:
    """One usable crypto attribute.

    `key` is master key and salt, 30 octets; `lifetime` counts the packets that it may protect,
    `None` for the suite's own maximum. Raises LocalProtocolError for values out of range.
    """

    tag: int
    suite: CryptoSuite
    key: bytes = field(repr=False)
    lifetime: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.tag <= MAX_TAG:
            raise LocalProtocolError("the tag of a crypto attribute has at most nine digits")
        if len(self.key) != self.suite.key_octets:
            raise LocalProtocolError(f"{self.suite} takes {self.suite.key_octets} octets of key")
        if self.lifetime is not None and not 1 <= self.lifetime <= MAX_LIFETIME:
            raise LocalProtocolError("the lifetime of an SRTP key is 1 to 2^48 packets")

    def with_tag(self, tag: int) -> CryptoAttribute:
        """The same key under the tag of the attribute that it answers (RFC 4568 section 5.1.2)."""
        return replace(self, tag=tag)

    def wire_value(self) -> str:
        """What follows `a=crypto:`, key included."""
        lifetime = "" if self.lifetime is None else f"|{self.lifetime}"
        return f"{self.tag} {self.suite} inline:{b64encode(self.key).decode()}{lifetime}"


def new_crypto_attributes(
    suites: Sequence[CryptoSuite], new_key: Callable[[int], bytes]
) -> tuple[CryptoAttribute, ...]:
    """Crypto attributes in order of preference, tagged from 1.

    `new_key` returns that many random octets and is asked once for each suite: a master key serves
    one suite and one direction only (RFC 4568 section 6.1).
    """
    return tuple(
        CryptoAttribute(tag, suite, new_key(suite.key_octets))
        for tag, suite in enumerate(suites, start=1)
    )


def parse_crypto(value: str) -> CryptoAttribute | CryptoRefusal:
    """Read what follows `a=crypto:`.

    An MKI is refused even with a single key: it would stand in every packet, and no peer needs it
    for one key. Raises RemoteProtocolError when tag, suite and key parameters are not there.
    """
    found = _CRYPTO.fullmatch(value)
    if found is None:
        raise RemoteProtocolError("a crypto attribute is not tag, suite and key parameters")
    tag, suite_name = int(found[1]), found[2]
    if suite_name.upper() not in CryptoSuite.__members__:
        return CryptoRefusal(tag, suite_name, CryptoReason.SUITE)
    suite = CryptoSuite[suite_name.upper()]
    read = _key_parameters(found[3], suite)
    if not isinstance(read, CryptoReason) and not all(map(_is_harmless, found[4].split())):
        read = CryptoReason.SESSION_PARAMETER
    if isinstance(read, CryptoReason):
        return CryptoRefusal(tag, suite_name, read)
    key, lifetime = read
    return CryptoAttribute(tag, suite, key, lifetime)


def _key_parameters(text: str, suite: CryptoSuite) -> tuple[bytes, int | None] | CryptoReason:
    if ";" in text:
        return CryptoReason.SEVERAL_KEYS
    method, _, info = text.partition(":")
    if method.lower() != "inline":
        return CryptoReason.KEY_METHOD
    key_text, *rest = info.split("|")
    if any(":" in part for part in rest):
        return CryptoReason.MKI
    key = _key(key_text)
    if key is None or len(key) != suite.key_octets:
        return CryptoReason.KEY
    if not rest:
        return key, None
    lifetime = _lifetime(rest[0]) if len(rest) == 1 else None
    return CryptoReason.LIFETIME if lifetime is None else (key, lifetime)


def _key(text: str) -> bytes | None:
    # A non-ASCII character is a ValueError, anything else that is not base64 its subclass Error.
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _lifetime(text: str) -> int | None:
    found = _LIFETIME.fullmatch(text)
    if found is None:
        return None
    packets = 2 ** int(found[1]) if found[1] else int(found[2])
    return packets if 1 <= packets <= MAX_LIFETIME else None


def _is_harmless(parameter: str) -> bool:
    """Whether a session parameter may be passed over (RFC 4568 sections 6.3.6 and 6.3.7).

    The replay window's size is a hint, and `-` marks what a reader need not understand. All others
    change what stands in the packets.
    """
    return parameter.startswith("-") or parameter.upper().startswith("WSH=")


# A key ends where base64 does; the white space that some senders put before it is left alone.
# `k=` (RFC 4566 section 5.12) and `a=key-mgmt` (RFC 4567) can carry keys too.
_SECRETS = (
    (re.compile(rb"(inline:[ \t]*+)([^\s|;\"]++)", re.IGNORECASE)),
    (re.compile(rb"(^k=(?:clear|base64):)([^\r\n]++)", re.IGNORECASE | re.MULTILINE)),
    (re.compile(rb"(^a=key-mgmt:[^\s]++[ \t]++)([^\r\n]++)", re.IGNORECASE | re.MULTILINE)),
)


def mask_keys(data: bytes, *, keep_length: bool = False) -> bytes:
    """Return a message, in whole or in part, with every media key replaced by `***`.

    Works on the bytes wherever the SDP stands, so in multipart bodies too; a body under a content
    encoding is not opened. With `keep_length` each octet of a key becomes one `*`, so that
    Content-Length stays true and a capture still dissects. Masking twice changes nothing more.
    """

    def masked(found: re.Match[bytes]) -> bytes:
        return found[1] + (b"*" * len(found[2]) if keep_length else b"***")

    for pattern in _SECRETS:
        data = pattern.sub(masked, data)
    return data


def mask_key_text(text: str) -> str:
    """`mask_keys` for text."""
    return mask_keys(text.encode("utf-8", "replace")).decode()
