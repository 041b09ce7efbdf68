"""Discoveries of an endpoint's settings, and every attempt they made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Identity,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from domain.discovery_state import DiscoveryStatus
from storage.columns import Json, Moment, StorableText, Word

__all__ = ["Discovery", "DiscoveryAttempt", "DiscoveryStatus"]


class Discovery(SQLModel, table=True):
    """One discovery. The partial unique index is the slot: one running per organization."""

    __tablename__ = "discoveries"
    __table_args__ = (
        CheckConstraint("status IN ('running', 'completed', 'failed')", name="discoveries_status"),
        Index(
            "discoveries_one_running",
            "org_id",
            unique=True,
            postgresql_where=text("status = 'running'"),
        ),
        Index("discoveries_host", "host", "started_at"),
        Index("discoveries_addresses", "addresses", postgresql_using="gin"),
        Index("discoveries_org", "org_id", "started_at", "id"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    host: str = Field(sa_type=StorableText)
    """Lower case, without a trailing dot: the target as the limits count it."""
    port: int | None = None
    transport: str | None = Field(default=None, sa_type=Text)
    input: dict[str, Any] = Field(sa_type=Json)
    """What was asked; the host as it was read, because what is pasted may hold a password."""
    status: DiscoveryStatus = Field(sa_type=Word(DiscoveryStatus))
    requested_by: str | None = Field(default=None, sa_type=Text)
    """Id of the API key; no foreign key, because a discovery outlives it."""
    started_at: datetime = Field(sa_type=Moment)
    deadline_at: datetime = Field(sa_type=Moment)
    """When the reaper may fail it, whatever its workflow says."""
    completed_at: datetime | None = Field(default=None, sa_type=Moment)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    """When the contract's status route forgets it."""
    addresses: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    """Every address of ``pinned``, for the limit per target address."""
    pinned: list[dict[str, Any]] | None = Field(default=None, sa_type=Json)
    """The targets of the first look-up; set once, so that a name cannot change its answer."""
    srv_records: list[dict[str, Any]] | None = Field(default=None, sa_type=Json)
    trail: list[dict[str, Any]] | None = Field(default=None, sa_type=Json)
    """Every DNS question with its outcome, in order."""
    recommended: dict[str, Any] | None = Field(default=None, sa_type=Json)
    fingerprint: dict[str, Any] | None = Field(default=None, sa_type=Json)
    error_code: str | None = Field(default=None, sa_type=Text)
    error_message: str | None = Field(default=None, sa_type=StorableText)
    workflow_id: str | None = Field(default=None, sa_type=Text)


class DiscoveryAttempt(SQLModel, table=True):
    """One candidate that was probed. ``seq`` grows as attempts end."""

    __tablename__ = "discovery_attempts"
    __table_args__ = (
        UniqueConstraint(
            "discovery_id", "address", "port", "transport", name="discovery_attempts_candidate"
        ),
        Index("discovery_attempts_order", "discovery_id", "seq"),
    )

    seq: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    discovery_id: str = Field(sa_type=Text, foreign_key="discoveries.id", ondelete="CASCADE")
    org_id: str = Field(sa_type=Text)
    address: str = Field(sa_type=Text)
    port: int
    transport: str = Field(sa_type=Text)
    host: str = Field(sa_type=StorableText)
    """The name that led to the address: the host itself or the target of an SRV record."""
    outcome: str = Field(sa_type=Text)
    response_code: int | None = None
    response_reason: str | None = Field(default=None, sa_type=StorableText)
    response_time_ms: float | None = Field(default=None, sa_type=Double)
    user_agent: str | None = Field(default=None, sa_type=StorableText)
    error: str | None = Field(default=None, sa_type=StorableText)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """TLS facts, Server, Allow, Supported, Accept, codecs, where the reply came from."""
    started_at: datetime = Field(sa_type=Moment)
    ended_at: datetime = Field(sa_type=Moment)
