"""Calls that Trunkline placed or saw, and what happened in them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Identity, Index, LargeBinary, Text, text
from sqlmodel import Field, SQLModel

from domain.call_state import CallResult, CallStatus
from storage.columns import Json, Moment, StorableText, Word

__all__ = ["Call", "CallDirection", "CallEvent", "CallKind", "CallResult", "CallStatus"]


class CallKind(StrEnum):
    """Why there was a call."""

    TEST = "test"
    LIVE = "live"


class CallDirection(StrEnum):
    """Seen from the platform (contract section 2)."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class Call(SQLModel, table=True):
    """One call. A test call is unfinished, and its process kept an eye on, until ``ended_at``."""

    __tablename__ = "calls"
    __table_args__ = (
        CheckConstraint("kind IN ('test', 'live')", name="calls_kind"),
        CheckConstraint("direction IN ('inbound', 'outbound')", name="calls_direction"),
        CheckConstraint(
            "status IN ('queued', 'initiated', 'ringing', 'in-progress', 'completed', 'failed', "
            "'busy', 'no-answer')",
            name="calls_status",
        ),
        CheckConstraint(
            "result IN ('pending', 'connected', 'failed', 'busy', 'no_answer')",
            name="calls_result",
        ),
        Index(
            "calls_unfinished",
            "started_at",
            postgresql_where=text("kind = 'test' AND ended_at IS NULL"),
        ),
        Index("calls_org", "org_id", "started_at", "id"),
        Index("calls_number", "number", "started_at"),
        Index("calls_sip_call_id", "sip_call_id"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    kind: CallKind = Field(sa_type=Word(CallKind))
    number: str = Field(sa_type=Text)
    trunk_id: str | None = Field(default=None, sa_type=Text)
    direction: CallDirection = Field(sa_type=Word(CallDirection))
    status: CallStatus = Field(sa_type=Word(CallStatus))
    result: CallResult = Field(sa_type=Word(CallResult))
    sip_call_id: str | None = Field(default=None, sa_type=StorableText)
    """The Call-ID header."""
    from_user: str | None = Field(default=None, sa_type=StorableText)
    to_user: str | None = Field(default=None, sa_type=StorableText)
    target: dict[str, Any] | None = Field(default=None, sa_type=Json)
    started_at: datetime = Field(sa_type=Moment)
    answered_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    duration_ms: int | None = None
    sip_code: int | None = None
    sip_reason: str | None = Field(default=None, sa_type=StorableText)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """``settings``, and once it ended ``facts``, ``proof``, ``diagnosis``, ``variants``,
    ``failure_reason``."""
    snapshot: bytes | None = Field(default=None, sa_type=LargeBinary)
    """What ends the call's legs from another process; sealed, since whoever reads it could."""
    hang_up_at: datetime | None = Field(default=None, sa_type=Moment)
    """When somebody asked for its end."""
    deadline_at: datetime | None = Field(default=None, sa_type=Moment)
    """When the reaper may fail it, whatever its workflow says."""
    parent_id: str | None = Field(
        default=None, sa_type=Text, foreign_key="calls.id", ondelete="SET NULL"
    )
    """The call of which this one is a retry."""
    variant: str | None = Field(default=None, sa_type=Text)
    """What this retry changes in its parent's settings."""
    workflow_id: str | None = Field(default=None, sa_type=Text)
    requested_by: str | None = Field(default=None, sa_type=Text)
    """Id of the API key; no foreign key, because a call outlives it."""


class CallEvent(SQLModel, table=True):
    """One line of a call's timeline (contract 4.5), or a fact for those who watch it live."""

    __tablename__ = "call_events"
    __table_args__ = (Index("call_events_order", "call_id", "seq"),)

    seq: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    call_id: str = Field(sa_type=Text, foreign_key="calls.id", ondelete="CASCADE")
    org_id: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment)
    event: str = Field(sa_type=Text)
    detail: str = Field(sa_type=StorableText)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
