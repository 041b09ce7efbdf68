"""Alerts, and how each message about one travelled."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Identity, Index, Text, text
from sqlmodel import Field, SQLModel

from domain.alert_picture import ChannelKind
from storage.columns import Json, Moment, StorableText, Word

__all__ = ["AlertAttempt", "AlertDelivery", "AlertRow", "AlertWatch", "DeliveryState"]


class DeliveryState(StrEnum):
    """How far a message is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


class AlertRow(SQLModel, table=True):
    """One alert of an organization; ``document`` is ``domain.alert_state.Alert`` whole."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index("alerts_of_org", "org_id", "opened_at", "id"),
        Index("alerts_open", "org_id", postgresql_where=text("resolved_at IS NULL")),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    kind: str = Field(sa_type=Text)
    severity: str = Field(sa_type=Text)
    opened_at: datetime = Field(sa_type=Moment)
    changed_at: datetime = Field(sa_type=Moment)
    resolved_at: datetime | None = Field(default=None, sa_type=Moment)
    document: dict[str, Any] = Field(sa_type=Json)


class AlertDelivery(SQLModel, table=True):
    """One message to one recipient. ``event`` is what is told, the same with every attempt.

    ``recipient`` is an e-mail address, a phone number, the id of a webhook endpoint, or the id of the
    trunk whose own webhook it is: never a URL, which may hold a secret. ``alert_id`` is ``None`` for a
    trial.
    """

    __tablename__ = "alert_deliveries"
    __table_args__ = (
        CheckConstraint(
            "state IN ('pending', 'delivered', 'given_up')", name="alert_deliveries_state"
        ),
        CheckConstraint("channel IN ('email', 'sms', 'webhook')", name="alert_deliveries_channel"),
        Index("alert_deliveries_of_alert", "alert_id", "created_at", "id"),
        Index("alert_deliveries_of_org", "org_id", "created_at", "id"),
        Index(
            "alert_deliveries_pending", "workflow_id", postgresql_where=text("state = 'pending'")
        ),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    alert_id: str | None = Field(
        default=None, sa_type=Text, foreign_key="alerts.id", ondelete="CASCADE"
    )
    workflow_id: str = Field(sa_type=Text)
    """Which workflow sends it."""
    notice: str = Field(sa_type=Text)
    channel: ChannelKind = Field(sa_type=Word(ChannelKind))
    route_key: str = Field(sa_type=Text)
    recipient: str = Field(sa_type=StorableText)
    event: dict[str, Any] = Field(sa_type=Json)
    state: DeliveryState = Field(sa_type=Word(DeliveryState))
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    created_at: datetime = Field(sa_type=Moment)
    next_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    last_error: str | None = Field(default=None, sa_type=StorableText)


class AlertAttempt(SQLModel, table=True):
    """One attempt to deliver."""

    __tablename__ = "alert_attempts"
    __table_args__ = (Index("alert_attempts_of_delivery", "delivery_id", "id"),)

    id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    delivery_id: str = Field(sa_type=Text, foreign_key="alert_deliveries.id", ondelete="CASCADE")
    org_id: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment)
    delivered: bool = Field(sa_type=Boolean)
    ms: int
    detail: str = Field(sa_type=StorableText)


class AlertWatch(SQLModel, table=True):
    """When an organization's alerts are to be decided again."""

    __tablename__ = "alert_watch"
    __table_args__ = (Index("alert_watch_due", "due_at"),)

    org_id: str = Field(
        sa_type=Text, primary_key=True, foreign_key="organizations.id", ondelete="CASCADE"
    )
    due_at: datetime = Field(sa_type=Moment)
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
