"""Every SIP message on the wire, byte for byte, kept for days."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
)
from sqlmodel import Field, SQLModel

from storage.columns import Moment, Word

__all__ = ["MessageDirection", "SipMessage"]


class MessageDirection(StrEnum):
    """Seen from us."""

    IN = "in"
    OUT = "out"


class SipMessage(SQLModel, table=True):
    """One message as it was sent or received.

    Partitioned by day of ``at``, so that forgetting a day is dropping a table; therefore no foreign
    key points here and none leaves, and ``at`` is part of the primary key.
    """

    __tablename__ = "sip_messages"
    __table_args__ = (
        PrimaryKeyConstraint("at", "seq"),
        CheckConstraint("direction IN ('in', 'out')", name="sip_messages_direction"),
        Index("sip_messages_owner", "owner_id", "seq"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    seq: int = Field(default=None, sa_column=Column(BigInteger, Identity(always=True)))
    org_id: str = Field(sa_type=Text)
    owner_kind: str = Field(sa_type=Text)
    """``discovery``, ``call``, ``probe``: what ``owner_id`` is."""
    owner_id: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment)
    direction: MessageDirection = Field(sa_type=Word(MessageDirection))
    transport: str = Field(sa_type=Text)
    local_address: str = Field(sa_type=Text)
    local_port: int
    remote_address: str = Field(sa_type=Text)
    remote_port: int
    retransmission: bool = Field(sa_type=Boolean)
    data: bytes = Field(sa_type=LargeBinary)
