"""Organizations: the tenants, and who hears about their alerts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from storage.columns import Json, Moment, StorableText

__all__ = ["Organization"]


class Organization(SQLModel, table=True):
    """One customer of the platform. Row-level security compares its ``id``."""

    __tablename__ = "organizations"

    id: str = Field(sa_type=Text, primary_key=True)
    name: str = Field(sa_type=StorableText)
    region: str = Field(sa_type=StorableText)
    entitlements: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    """``SIP`` opens the routes under ``/v1/sip``."""
    alert_emails: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    alert_phones: list[str] = Field(default_factory=list, sa_type=ARRAY(Text))
    webhook_endpoints: list[dict[str, Any]] = Field(default_factory=list, sa_type=Json)
    """``[{"id", "url", "description", "format"}]``; without a format it is ``standard``."""
    quiet_hours: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """``domain.alert_quiet.QuietHours``."""
    signing_secret_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    signing_secret_set_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(
        default=None, sa_type=Moment, sa_column_kwargs={"server_default": func.now()}
    )
    updated_at: datetime = Field(
        default=None, sa_type=Moment, sa_column_kwargs={"server_default": func.now()}
    )
