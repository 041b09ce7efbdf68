"""What was decided in a transaction and must still reach Temporal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index, Text, func, text
from sqlmodel import Field, SQLModel

from storage.columns import Json, Moment, StorableText

__all__ = ["OutboxEntry"]


class OutboxEntry(SQLModel, table=True):
    """One message of a stream; within a stream ``id`` is the order of delivery."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_undelivered", "stream", "id", postgresql_where=text("delivered_at IS NULL")),
        Index("outbox_delivered", "delivered_at"),
    )

    id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    org_id: str = Field(sa_type=Text)
    stream: str = Field(sa_type=Text)
    """What is kept in order, for instance a trunk's id."""
    kind: str = Field(sa_type=Text)
    payload: dict[str, Any] = Field(sa_type=Json)
    created_at: datetime = Field(
        default=None, sa_type=Moment, sa_column_kwargs={"server_default": func.now()}
    )
    delivered_at: datetime | None = Field(default=None, sa_type=Moment)
    attempts: int = Field(default=0)
    retry_at: datetime | None = Field(default=None, sa_type=Moment)
    """Not before this time after a failed delivery."""
    last_error: str | None = Field(default=None, sa_type=StorableText)
