"""Trunks, and the keys of this installation that passwords are derived with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlmodel import Field, SQLModel

from domain.trunk import AuthMode, TrunkDirection
from storage.columns import Json, Moment, StorableText, Word

__all__ = ["ServerKey", "Trunk"]


class Trunk(SQLModel, table=True):
    """One connection to a carrier or a PBX.

    A trunk is named, made and changed under its own id, or implicit: found or created by the
    settings that a number was configured with, shared by all numbers with the same ones.
    """

    __tablename__ = "trunks"
    __table_args__ = (
        CheckConstraint("direction IN ('inbound', 'outbound', 'both')", name="trunks_direction"),
        CheckConstraint("auth_mode IN ('ip', 'register')", name="trunks_auth_mode"),
        UniqueConstraint("org_id", "id", name="trunks_owner"),
        Index(
            "trunks_settings",
            "org_id",
            "fingerprint",
            unique=True,
            postgresql_where=text("implicit"),
        ),
        Index("trunks_org", "org_id", "created_at", "id"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    implicit: bool
    name: str | None = Field(default=None, sa_type=StorableText)
    provider: str | None = Field(default=None, sa_type=StorableText)
    direction: TrunkDirection = Field(sa_type=Word(TrunkDirection))
    fingerprint: bytes = Field(sa_type=LargeBinary)
    """Keyed hash of the settings with their passwords."""
    revision: int = Field(default=1, sa_type=BigInteger)
    """Grows with every change of the trunk or of what is bound to it."""
    adopted_revision: int = Field(
        default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")}
    )
    """The newest revision that the trunk's workflow goes by."""
    sip_endpoint: str | None = Field(default=None, sa_type=StorableText)
    auth_mode: AuthMode = Field(sa_type=Word(AuthMode))
    register_username: str | None = Field(default=None, sa_type=StorableText)
    options: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    headers: dict[str, Any] | None = Field(default=None, sa_type=Json)
    failover: dict[str, Any] | None = Field(default=None, sa_type=Json)
    alerts: dict[str, Any] | None = Field(default=None, sa_type=Json)
    sip_password_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    register_password_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    pbx_password_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    """What our REGISTER proves; kept, so that no change of keys changes it."""
    client_key_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    """Key of the client certificate among the options."""
    created_at: datetime = Field(
        default=None, sa_type=Moment, sa_column_kwargs={"server_default": func.now()}
    )
    updated_at: datetime = Field(
        default=None, sa_type=Moment, sa_column_kwargs={"server_default": func.now()}
    )


class ServerKey(SQLModel, table=True):
    """A random key of the installation, sealed; it belongs to no organization."""

    __tablename__ = "server_keys"

    name: str = Field(sa_type=Text, primary_key=True)
    sealed: bytes = Field(sa_type=LargeBinary, repr=False)
    created_at: datetime = Field(
        default=None, sa_type=Moment, sa_column_kwargs={"server_default": func.now()}
    )
