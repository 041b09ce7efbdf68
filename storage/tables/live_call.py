"""Calls of real traffic, as an operator's own SBC showed them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Index, PrimaryKeyConstraint, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from storage.columns import Json, Moment, StorableText, Word
from storage.tables.call import CallDirection

__all__ = ["NOBODYS", "CallMatch", "LiveCallRow"]

NOBODYS = "*"
"""``org_id`` of what belongs to no organization, or to several: only the system scope is called so,
so no tenant's policy lets it through."""


class CallMatch(StrEnum):
    """Whether the call's numbers say whose it is."""

    MATCHED = "matched"
    AMBIGUOUS = "ambiguous"
    UNMATCHED = "unmatched"


class LiveCallRow(SQLModel, table=True):
    """One call of real traffic.

    Partitioned by day of ``at``, the capture time of its first message that arrived, which never
    changes; ``started_at`` may be earlier when messages came out of order. No foreign key leaves: a
    row must not hold up the removal of an organization that has millions.
    """

    __tablename__ = "live_calls"
    __table_args__ = (
        PrimaryKeyConstraint("at", "id"),
        CheckConstraint("match IN ('matched', 'ambiguous', 'unmatched')", name="live_calls_match"),
        CheckConstraint("direction IN ('inbound', 'outbound')", name="live_calls_direction"),
        Index("live_calls_of_number", "org_id", "number", "started_at", "id"),
        Index("live_calls_of_trunk", "trunk_id", "ended_at"),
        Index("live_calls_sip_call_id", "sip_call_id"),
        Index("live_calls_correlation", "correlation_id"),
        Index("live_calls_id", "id"),
        Index("live_calls_open", "at", postgresql_where=text("NOT ended")),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    at: datetime = Field(sa_type=Moment)
    id: str = Field(sa_type=Text)
    org_id: str = Field(sa_type=Text)
    trunk_id: str | None = Field(default=None, sa_type=Text)
    number: str | None = Field(default=None, sa_type=Text)
    """The organization's, as it is configured."""
    direction: CallDirection | None = Field(default=None, sa_type=Word(CallDirection))
    match: CallMatch = Field(sa_type=Word(CallMatch))
    sip_call_id: str = Field(sa_type=StorableText)
    correlation_id: str | None = Field(default=None, sa_type=StorableText)
    """What ties this call to another one with another Call-ID."""
    from_user: str | None = Field(default=None, sa_type=StorableText)
    to_user: str | None = Field(default=None, sa_type=StorableText)
    ended: bool = Field(sa_type=Boolean)
    sip_code: int | None = None
    sip_reason: str | None = Field(default=None, sa_type=StorableText)
    source_ip: str | None = Field(default=None, sa_type=Text)
    started_at: datetime = Field(sa_type=Moment)
    answered_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    pdd_ms: int | None = None
    duration_ms: int | None = None
    codecs: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    messages: int
    retransmissions: int
    details: dict[str, Any] = Field(sa_type=Json)
    """What else ``domain.live_call.LiveCall`` says."""
    state: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """A call in progress as ``domain.live_call_state`` keeps it, for a collector that was started anew."""
