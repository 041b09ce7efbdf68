"""What is probed, for whom, and where it stands now.

A target is probed once, whoever uses it, so most of these rows belong to no organization: a tenant
sees those that its own trunks lead to.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Text,
    text,
)
from sqlmodel import Field, SQLModel

from domain.health_observation import HealthState, Observed
from sip.transports import Transport
from storage.columns import Json, Moment, StorableText, Word

__all__ = [
    "HealthName",
    "HealthNameTarget",
    "HealthShard",
    "HealthStateRow",
    "HealthTarget",
    "TrunkEndpoint",
]

TRANSPORTS = "('udp', 'tcp', 'tls')"
STATES = "('unchecked', 'healthy', 'reachable', 'degraded', 'down')"


class HealthShard(SQLModel, table=True):
    """One logical shard: who holds it, and how often what it probes has changed.

    Every write of a holder is checked against ``fence``, which grows with each holder.
    """

    __tablename__ = "health_shards"

    shard: int = Field(
        sa_type=SmallInteger, primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    fence: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})
    holder: str | None = Field(default=None, sa_type=StorableText)
    taken_at: datetime | None = Field(default=None, sa_type=Moment)
    config_revision: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")})


class HealthName(SQLModel, table=True):
    """A host as somebody configured it, resolved again when ``expires_at`` has come.

    Without ``resolved_at`` it was never resolved, without ``expires_at`` it need not be: the host
    is an address. ``error`` is why the last look-up failed.
    """

    __tablename__ = "health_names"
    __table_args__ = (
        CheckConstraint(f"transport IN {TRANSPORTS}", name="health_names_transport"),
        Index("health_names_shard", "shard"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    shard: int = Field(sa_type=SmallInteger)
    host: str = Field(sa_type=StorableText)
    port: int | None = None
    transport: Transport | None = Field(default=None, sa_type=Word(Transport))
    profile: dict[str, Any] = Field(sa_type=Json)
    resolved_at: datetime | None = Field(default=None, sa_type=Moment)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    error: str | None = Field(default=None, sa_type=StorableText)


class HealthTarget(SQLModel, table=True):
    """An address that is probed; it stays in the shard of the name that brought it first."""

    __tablename__ = "health_targets"
    __table_args__ = (
        CheckConstraint(f"transport IN {TRANSPORTS}", name="health_targets_transport"),
        Index("health_targets_shard", "shard"),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    shard: int = Field(sa_type=SmallInteger)
    address: str = Field(sa_type=Text)
    port: int
    transport: Transport = Field(sa_type=Word(Transport))
    profile: dict[str, Any] = Field(sa_type=Json)


class HealthNameTarget(SQLModel, table=True):
    """What a name was resolved to; ``position`` is the place in RFC 3263's order."""

    __tablename__ = "health_name_targets"
    __table_args__ = (
        # Checked at commit: a tenant may write a target only when a name of its own leads there.
        ForeignKeyConstraint(
            ["name_id"],
            ["health_names.id"],
            name="health_name_targets_name",
            ondelete="CASCADE",
            deferrable=True,
            initially="DEFERRED",
        ),
        ForeignKeyConstraint(
            ["target_id"],
            ["health_targets.id"],
            name="health_name_targets_target",
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("health_name_targets_by_target", "target_id"),
    )

    name_id: str = Field(sa_type=Text, primary_key=True)
    target_id: str = Field(sa_type=Text, primary_key=True)
    priority: int
    weight: int
    position: int


class TrunkEndpoint(SQLModel, table=True):
    """An endpoint of a trunk, in the trunk's order, and the rule it is judged by."""

    __tablename__ = "trunk_endpoints"
    __table_args__ = (
        # Checked at commit: a tenant may write a name only when an endpoint of its own uses it.
        ForeignKeyConstraint(
            ["name_id"],
            ["health_names.id"],
            name="trunk_endpoints_name",
            deferrable=True,
            initially="DEFERRED",
        ),
        Index("trunk_endpoints_by_name", "name_id", "org_id"),
        Index("trunk_endpoints_of_org", "org_id"),
    )

    trunk_id: str = Field(sa_type=Text, primary_key=True)
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    name_id: str = Field(sa_type=Text)
    label: str = Field(sa_type=StorableText)
    rule_key: str = Field(sa_type=Text)
    rule: dict[str, Any] = Field(sa_type=Json)


class HealthStateRow(SQLModel, table=True):
    """Where a target stands by one rule; without a row it is unchecked."""

    __tablename__ = "health_states"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="health_states_state"),
        ForeignKeyConstraint(
            ["target_id"], ["health_targets.id"], name="health_states_target", ondelete="CASCADE"
        ),
    )

    target_id: str = Field(sa_type=Text, primary_key=True)
    rule_key: str = Field(sa_type=Text, primary_key=True)
    rule: dict[str, Any] = Field(sa_type=Json)
    state: HealthState = Field(sa_type=Word(HealthState))
    since: datetime | None = Field(default=None, sa_type=Moment)
    seq: int = Field(sa_type=BigInteger)
    misses: int
    goods: int
    maintenance_until: datetime | None = Field(default=None, sa_type=Moment)
    last_at: datetime | None = Field(default=None, sa_type=Moment)
    last_ms: float | None = Field(default=None, sa_type=Double)
    last_status: int | None = None
    missed_by: Observed | None = Field(default=None, sa_type=Word(Observed))
    next_at: datetime | None = Field(default=None, sa_type=Moment)
    reason: str = Field(sa_type=StorableText)
