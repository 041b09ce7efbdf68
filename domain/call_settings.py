"""What a call to a customer's trunk is made of: everything but the password.

The values come from a number's outbound configuration (contract 3.2), from the command line or from
a variant of an earlier call; they are stored with the call, so they hold no secret.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from domain.codecs import Codec
from sip.errors import RemoteProtocolError
from sip.transports import Transport
from sip.uri import SipUri, parse_uri

__all__ = [
    "MAX_USER_PART",
    "CallSettings",
    "CallerId",
    "IdentityHeader",
    "MediaSecurity",
    "NumberFormat",
    "is_user_part",
]

MAX_USER_PART = 64
"""Characters of whom a call may dial; E.164 has 15 digits, names of extensions are short."""


class CallerId(StrEnum):
    """Who From says is calling."""

    NUMBER = "number"
    AUTH_USER = "auth_user"


class IdentityHeader(StrEnum):
    """Which header field asserts the caller's number beside From (RFC 3325)."""

    NONE = "none"
    ASSERTED = "p_asserted_identity"
    PREFERRED = "p_preferred_identity"


class NumberFormat(StrEnum):
    """How E.164 numbers are written on the wire."""

    PLUS_E164 = "+e164"
    E164 = "e164"


class MediaSecurity(StrEnum):
    """Whether media is encrypted by SRTP with SDES keys (RFC 4568)."""

    PLAIN = "plain"
    SRTP = "srtp"


class CallSettings(BaseModel):
    """One call's destination and manner.

    ``host`` is a name or an address without brackets. Without ``transport`` RFC 3263 selects one.
    ``callee`` and ``caller_number`` are what a customer typed: E.164 numbers with ``+``, or DIDs,
    extensions and user parts verbatim; ``number_format`` only changes how E.164 is written.
    ``realm`` pins the digest realm that is answered; ``minimum_digest`` is an algorithm name of
    ``sip.digest.Algorithm``. ``exact_tls_names`` refuses certificates with a wildcard.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str
    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    transport: Transport | None = None
    callee: str
    caller_number: str
    caller_id: CallerId = CallerId.NUMBER
    identity_header: IdentityHeader = IdentityHeader.NONE
    number_format: NumberFormat = NumberFormat.PLUS_E164
    from_domain: str | None = None
    username: str | None = None
    realm: str | None = None
    minimum_digest: str | None = None
    media: MediaSecurity = MediaSecurity.PLAIN
    codecs: tuple[Codec, ...] = (Codec.PCMU, Codec.PCMA, Codec.OPUS)
    exact_tls_names: bool = False
    ca_pem: str | None = Field(default=None, description="Authorities trusted for this trunk.")
    certificate_pin: str | None = Field(
        default=None, description="SHA-256 of the peer's certificate or public key, in hex."
    )
    headers: dict[str, Any] | None = Field(
        default=None, description="Header mappings or fixed headers of the trunk (contract 3.7)."
    )


def is_user_part(text: str) -> bool:
    """Whether ``text`` can stand before the ``@`` of a SIP URI as it is (RFC 3261 section 25.1).

    Spaces, ``@``, ``:`` and ``#`` cannot, escapes such as ``%23`` can.
    """
    if not 0 < len(text) <= MAX_USER_PART:
        return False
    try:
        uri = parse_uri(f"sip:{text}@host.invalid")
    except RemoteProtocolError:
        return False
    return isinstance(uri, SipUri) and uri.user == text
