"""Answers kept for clients that send a mutation again."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, LargeBinary, Text
from sqlmodel import Field, SQLModel

from storage.columns import Json, Moment, StorableText, Word

__all__ = ["IdempotencyKey", "IdempotencyState"]


class IdempotencyState(StrEnum):
    """Whether the answer is known."""

    RUNNING = "running"
    DONE = "done"


class IdempotencyKey(SQLModel, table=True):
    """One use of an ``Idempotency-Key`` by an organization."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'done')", name="idempotency_keys_state"),
        Index("idempotency_keys_expiry", "expires_at"),
    )

    org_id: str = Field(
        sa_type=Text, primary_key=True, foreign_key="organizations.id", ondelete="CASCADE"
    )
    key: str = Field(sa_type=StorableText, primary_key=True)
    method: str = Field(sa_type=Text)
    path: str = Field(sa_type=StorableText)
    request_hash: bytes = Field(sa_type=LargeBinary)
    """SHA-256 of what the request asked, to notice a key used for another one."""
    state: IdempotencyState = Field(sa_type=Word(IdempotencyState))
    status: int | None = None
    """HTTP status of the answer."""
    headers: dict[str, Any] | None = Field(default=None, sa_type=Json)
    response_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    """The body, sealed: it may hold a secret that is shown once."""
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
