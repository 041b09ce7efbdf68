"""One SIP message as it was on the wire: what traces, ladders and captures are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from sip.masking import masked
from sip.transaction_events import Flow

__all__ = ["CapturedMessage", "WireDirection"]


class WireDirection(StrEnum):
    """Seen from this host."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedMessage:
    """A message with its moment (aware UTC) and its way.

    `transport` is upper case (`UDP`, `TCP`, `TLS`). `local` and `remote` are an IP literal without
    brackets and a port. `retransmission` marks what the sender is known to have repeated.
    """

    at: datetime
    direction: WireDirection
    transport: str
    local: tuple[str, int]
    remote: tuple[str, int]
    data: bytes
    retransmission: bool = False

    @classmethod
    def on_flow(
        cls, at: datetime, direction: str, flow: Flow, data: bytes, *, retransmission: bool = False
    ) -> Self:
        """The message of a wire record. Raises ValueError unless `direction` is "in" or "out"."""
        return cls(
            at=at,
            direction=WireDirection(direction),
            transport=flow.transport,
            local=flow.local,
            remote=flow.remote,
            data=data,
            retransmission=retransmission,
        )

    @property
    def source(self) -> tuple[str, int]:
        """The address that sent it."""
        return self.local if self.direction is WireDirection.OUT else self.remote

    @property
    def destination(self) -> tuple[str, int]:
        """The address that it was sent to."""
        return self.remote if self.direction is WireDirection.OUT else self.local

    def masked(self, *, hide_numbers: bool = False) -> CapturedMessage:
        """The message without its secrets, of the same length (see `sip.masking`)."""
        return replace(self, data=masked(self.data, hide_numbers=hide_numbers))
