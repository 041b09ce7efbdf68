"""Calls that Trunkline placed or saw."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlmodel import Field, SQLModel

from storage.columns import Json, Moment, StorableText, Word

__all__ = ["Call", "CallDirection", "CallKind", "CallResult", "CallStatus"]


class CallKind(StrEnum):
    """Why there was a call."""

    TEST = "test"
    LIVE = "live"


class CallDirection(StrEnum):
    """Seen from the platform (contract section 2)."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class CallStatus(StrEnum):
    """Contract section 2, test call status."""

    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    FAILED = "failed"
    BUSY = "busy"
    NO_ANSWER = "no-answer"


class CallResult(StrEnum):
    """Contract section 2, test call result."""

    PENDING = "pending"
    CONNECTED = "connected"
    FAILED = "failed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"


class Call(SQLModel, table=True):
    """One call. The partial unique index is the slot: one unfinished test per organization."""

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
            "calls_one_test",
            "org_id",
            unique=True,
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
