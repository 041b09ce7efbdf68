"""What follows for trunks from the health of their endpoints: their state, route and drills."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKeyConstraint, Index, Text, text
from sqlmodel import Field, SQLModel

from domain.health_observation import HealthState
from storage.columns import Json, Moment, Word
from storage.tables.health import STATES

__all__ = ["Drill", "TrunkHealth", "TrunkRoute"]


class TrunkHealth(SQLModel, table=True):
    """The best state among a trunk's targets, kept for lists; without a row it is unchecked.

    No foreign key to the trunk: its removal would wait for who writes health, and the other way.
    """

    __tablename__ = "trunk_health"
    __table_args__ = (CheckConstraint(f"state IN {STATES}", name="trunk_health_state"),)

    trunk_id: str = Field(sa_type=Text, primary_key=True)
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    state: HealthState = Field(sa_type=Word(HealthState))
    since: datetime | None = Field(default=None, sa_type=Moment)


class TrunkRoute(SQLModel, table=True):
    """Where a trunk's calls go, as its workflow published it last."""

    __tablename__ = "trunk_routes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["org_id", "trunk_id"],
            ["trunks.org_id", "trunks.id"],
            name="trunk_routes_trunk",
            ondelete="CASCADE",
        ),
    )

    org_id: str = Field(sa_type=Text, primary_key=True)
    trunk_id: str = Field(sa_type=Text, primary_key=True)
    generation: int = Field(sa_type=BigInteger)
    route: dict[str, Any] = Field(sa_type=Json)
    changed_at: datetime = Field(sa_type=Moment)


class Drill(SQLModel, table=True):
    """A rehearsal of a failover for one number of a trunk."""

    __tablename__ = "drills"
    __table_args__ = (
        Index("drills_of_trunk", "trunk_id", "started_at", "id"),
        Index("drills_open", "trunk_id", postgresql_where=text("ended_at IS NULL")),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    trunk_id: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    """``running``, then how it ended."""
    seconds: int
    started_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    report: dict[str, Any] | None = Field(default=None, sa_type=Json)
