"""From a wire record to the row that keeps it."""

from __future__ import annotations

from sip.net.wire import WireRecord
from storage.sip_messages import NewMessage
from storage.tables import MessageDirection

__all__ = ["message_row"]


def message_row(org_id: str, owner_kind: str, owner_id: str, record: WireRecord) -> NewMessage:
    """The row of one message that belongs to a discovery, a call or a probe."""
    flow = record.flow
    return NewMessage(
        org_id=org_id,
        owner_kind=owner_kind,
        owner_id=owner_id,
        at=record.at,
        direction=MessageDirection(record.direction.value),
        transport=flow.transport.lower(),
        local_address=flow.local[0],
        local_port=flow.local[1],
        remote_address=flow.remote[0],
        remote_port=flow.remote[1],
        retransmission=record.retransmission,
        data=record.data,
    )
