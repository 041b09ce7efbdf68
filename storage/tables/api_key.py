"""API keys: who may do what for which organization."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, LargeBinary, Text, func
from sqlmodel import Field, SQLModel

from storage.columns import Moment, StorableText, Word

__all__ = ["ApiKey", "Role"]


class Role(StrEnum):
    """What a key may do, weakest first: each includes the ones before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    OPERATOR = "operator"


class ApiKey(SQLModel, table=True):
    """One API key; the key itself is not here, only its SHA-256.

    A plain hash suffices because a key is 256 random bits: there is nothing to guess.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("role IN ('viewer', 'editor', 'operator')", name="api_keys_role"),
        Index("api_keys_hash", "key_hash", unique=True),
        Index("api_keys_org", "org_id", "created_at"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    name: str = Field(sa_type=StorableText)
    role: Role = Field(sa_type=Word(Role))
    key_hash: bytes = Field(sa_type=LargeBinary, repr=False)
    hint: str = Field(sa_type=Text)
    """The last four characters of the key, for a person to tell keys apart."""
    created_at: datetime = Field(
        default=None, sa_type=Moment, sa_column_kwargs={"server_default": func.now()}
    )
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)
