"""What the snippets are filled with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.codecs import Codec
from sip.transports import Transport

__all__ = ["PASSWORD", "SHOWN_NUMBERS", "SnippetValues"]

PASSWORD: Final = "<PASSWORD SHOWN WHEN THE TRUNK WAS SET UP>"
SHOWN_NUMBERS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SnippetValues:
    """One trunk as its PBX sees it.

    ``name`` is a lower-case identifier. ``registers``: we send REGISTER to the PBX as ``username``;
    else the PBX knows us by ``addresses`` (addresses or CIDR). ``username`` without ``registers`` is
    what our calls to the PBX authenticate as.
    """

    name: str
    sip_server: str
    port: int
    transport: Transport
    addresses: tuple[str, ...]
    codecs: tuple[Codec, ...]
    secure_media: bool
    numbers: tuple[str, ...]
    username: str | None
    registers: bool

    @property
    def shown_numbers(self) -> tuple[str, ...]:
        return self.numbers[:SHOWN_NUMBERS]

    @property
    def uri(self) -> str:
        """Our server as a SIP URI with port and transport."""
        return f"sip:{self.sip_server}:{self.port};transport={self.transport}"
