"""What people and their systems are told about port orders: one message for each transition."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.columns import Json, Moment, StorableText, Word

__all__ = ["NoticeChannel", "NoticeState", "PortNotice"]


class NoticeChannel(StrEnum):
    """How a notice travels."""

    EMAIL = "email"
    WEBHOOK = "webhook"


class NoticeState(StrEnum):
    """How far a notice is."""

    PENDING = "pending"
    CLAIMED = "claimed"
    """Somebody is sending it, or died while doing so; ``next_at`` is when it may be tried again."""
    SENT = "sent"
    GIVEN_UP = "given_up"


class PortNotice(SQLModel, table=True):
    """One message to one recipient about one transition of an order.

    ``recipient`` is an e-mail address or the id of a webhook endpoint, never a URL, which may hold a
    secret. ``message_id`` is the same with every attempt, so that a receiver can tell a repetition.
    """

    __tablename__ = "port_notices"
    __table_args__ = (
        CheckConstraint("channel IN ('email', 'webhook')", name="port_notices_channel"),
        CheckConstraint(
            "state IN ('pending', 'claimed', 'sent', 'given_up')", name="port_notices_state"
        ),
        UniqueConstraint(
            "order_id", "transition_key", "channel", "recipient", name="port_notices_once"
        ),
        Index(
            "port_notices_pending",
            "order_id",
            "next_at",
            postgresql_where=text("state IN ('pending', 'claimed')"),
        ),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text, foreign_key="port_orders.id", ondelete="CASCADE")
    org_id: str = Field(sa_type=Text)
    transition_key: str = Field(sa_type=Text)
    channel: NoticeChannel = Field(sa_type=Word(NoticeChannel))
    recipient: str = Field(sa_type=StorableText)
    message_id: str = Field(sa_type=Text)
    content: dict[str, Any] = Field(sa_type=Json)
    """``{"subject", "body"}`` of a mail, the event of a webhook."""
    state: NoticeState = Field(sa_type=Word(NoticeState))
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    created_at: datetime = Field(sa_type=Moment)
    next_at: datetime | None = Field(default=None, sa_type=Moment)
    """When it is due; of a claimed one, when the claim lapses."""
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    last_error: str | None = Field(default=None, sa_type=StorableText)
