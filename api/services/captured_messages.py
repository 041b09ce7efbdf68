"""Stored SIP messages as the values that traces and captures are made of."""

from __future__ import annotations

from sip.capture import CapturedMessage, WireDirection
from storage.tables import SipMessage

__all__ = ["captured"]


def captured(row: SipMessage) -> CapturedMessage:
    """The message of a row, secrets still in it."""
    return CapturedMessage(
        at=row.at,
        direction=WireDirection(row.direction.value),
        transport=row.transport.upper(),
        local=(row.local_address, row.local_port),
        remote=(row.remote_address, row.remote_port),
        data=row.data,
        retransmission=row.retransmission,
    )
