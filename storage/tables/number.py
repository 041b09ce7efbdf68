"""Numbers, DIDs and extensions, and the trunks they are bound to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    func,
)
from sqlmodel import Field, SQLModel

from domain.trunk import Direction
from storage.columns import Moment, Word

__all__ = ["InboundNumber", "NumberBinding"]


class NumberBinding(SQLModel, table=True):
    """One configuration of a number: a direction, and the trunk that carries it.

    Calls try the trunks of a direction by ``priority``, the lowest first. The foreign key names the
    organization too, so that no binding can reach another one's trunk.
    """

    __tablename__ = "number_bindings"
    __table_args__ = (
        CheckConstraint("direction IN ('inbound', 'outbound')", name="number_bindings_direction"),
        UniqueConstraint(
            "org_id", "phone_number", "direction", "priority", name="number_bindings_slot"
        ),
        UniqueConstraint(
            "org_id", "phone_number", "direction", "trunk_id", name="number_bindings_once"
        ),
        # Checked at commit: what is bound may move before its trunk goes, or after.
        ForeignKeyConstraint(
            ["org_id", "trunk_id"],
            ["trunks.org_id", "trunks.id"],
            name="number_bindings_trunk",
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("number_bindings_number", "phone_number", "direction"),
        Index("number_bindings_by_trunk", "trunk_id", "phone_number"),
        # Missing where the server has not the extensions pg_trgm and btree_gin.
        Index(
            "number_bindings_search",
            "org_id",
            "phone_number",
            postgresql_using="gin",
            postgresql_ops={"phone_number": "gin_trgm_ops"},
        ),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    phone_number: str = Field(sa_type=Text)
    """E.164 with ``+``, or a DID or extension verbatim."""
    direction: Direction = Field(sa_type=Word(Direction))
    trunk_id: str = Field(sa_type=Text)
    priority: int
    created_at: datetime = Field(
        default=None, sa_type=Moment, sa_column_kwargs={"server_default": func.now()}
    )
    updated_at: datetime = Field(
        default=None, sa_type=Moment, sa_column_kwargs={"server_default": func.now()}
    )


class InboundNumber(SQLModel, table=True):
    """Whose an inbound E.164 number is: calls to it can reach one organization only."""

    __tablename__ = "inbound_numbers"
    __table_args__ = (Index("inbound_numbers_org", "org_id"),)

    phone_number: str = Field(sa_type=Text, primary_key=True)
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    claimed_at: datetime = Field(
        default=None, sa_type=Moment, sa_column_kwargs={"server_default": func.now()}
    )
