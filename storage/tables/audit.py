"""Who changed what, for ever."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index, Text, func, text
from sqlmodel import Field, SQLModel

from storage.columns import Json, Moment, StorableText

__all__ = ["AuditEntry"]


class AuditEntry(SQLModel, table=True):
    """One change. The app's role may add and read entries, never change or delete them."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("audit_log_org", "org_id", "id"),
        Index("audit_log_subject", "subject_id", "id"),
        Index(
            "audit_log_connection_tests",
            text("(after ->> 'host')"),
            "at",
            postgresql_where=text("action = 'trunk.test_connection'"),
        ),
    )

    id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    org_id: str = Field(sa_type=Text)
    """No foreign key: the entry that says an organization was deleted stays."""
    at: datetime = Field(
        default=None, sa_type=Moment, sa_column_kwargs={"server_default": func.now()}
    )
    actor_kind: str = Field(sa_type=Text)
    """``api_key``, ``command``, ``workflow``, ``system``: what ``actor_id`` is."""
    actor_id: str | None = Field(default=None, sa_type=Text)
    action: str = Field(sa_type=Text)
    """A verb on a subject, for instance ``api_key.revoke``."""
    subject_kind: str = Field(sa_type=Text)
    subject_id: str = Field(sa_type=Text)
    request_id: str | None = Field(default=None, sa_type=StorableText)
    before: dict[str, Any] | None = Field(default=None, sa_type=Json)
    after: dict[str, Any] | None = Field(default=None, sa_type=Json)
