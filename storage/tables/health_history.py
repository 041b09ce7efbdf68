"""What was seen of targets and names: kept for days, and never changed but to be made smaller."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Field, SQLModel

from domain.health_observation import HealthState
from sip.transports import Transport
from storage.columns import Json, Moment, StorableText, Word
from storage.tables.health import STATES, TRANSPORTS

__all__ = ["HealthHour", "HealthObservation", "HealthTransition", "NameChange"]


class HealthTransition(SQLModel, table=True):
    """A change of state of a target by one rule, with what proves it.

    It outlives the target, and is seen again when the target comes back: ids are made of what they
    name. ``request`` and ``reply`` are the bytes of the probe that decided.
    """

    __tablename__ = "health_transitions"
    __table_args__ = (
        CheckConstraint(f"before IN {STATES}", name="health_transitions_before"),
        CheckConstraint(f"after IN {STATES}", name="health_transitions_after"),
        Index("health_transitions_of_target", "target_id", "id"),
        Index("health_transitions_at", "at"),
    )

    id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    target_id: str = Field(sa_type=Text)
    rule_key: str = Field(sa_type=Text)
    seq: int = Field(sa_type=BigInteger)
    at: datetime = Field(sa_type=Moment)
    before: HealthState = Field(sa_type=Word(HealthState))
    after: HealthState = Field(sa_type=Word(HealthState))
    reason: str = Field(sa_type=StorableText)
    evidence: dict[str, Any] = Field(sa_type=Json)
    request: bytes | None = Field(default=None, sa_type=LargeBinary)
    reply: bytes | None = Field(default=None, sa_type=LargeBinary)


class NameChange(SQLModel, table=True):
    """What a look-up changed: targets that came and went, or why it began to fail."""

    __tablename__ = "name_changes"
    __table_args__ = (
        Index("name_changes_of_name", "name_id", "id"),
        Index("name_changes_at", "at"),
    )

    id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    name_id: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment)
    added: list[dict[str, Any]] = Field(sa_type=Json)
    """``[{"address", "port", "transport"}]``, and so is ``removed``."""
    removed: list[dict[str, Any]] = Field(sa_type=Json)
    error: str | None = Field(default=None, sa_type=StorableText)


class HealthHour(SQLModel, table=True):
    """An hour of a target: totals, and samples of its minutes as ``domain.health_history`` packs
    them until they are too old.

    Partitioned by day, so that forgetting a day is dropping a table.
    """

    __tablename__ = "health_hours"
    __table_args__ = ({"postgresql_partition_by": "RANGE (hour)"},)

    target_id: str = Field(sa_type=Text, primary_key=True)
    hour: datetime = Field(sa_type=Moment, primary_key=True)
    probes: int
    classes: list[int] = Field(sa_type=ARRAY(Integer))
    """Counts by ``OutcomeClass``."""
    total_ms: int = Field(sa_type=BigInteger)
    max_ms: int
    minutes: bytes | None = Field(default=None, sa_type=LargeBinary)


class HealthObservation(SQLModel, table=True):
    """How a real call ended: a fact about the trunk that placed it, and about the target it was
    sent to, if that is one that is watched.

    ``host``, ``port`` and ``transport`` are the endpoint's as it was configured. ``seen_at`` is
    when the holder of the target's shard took note.
    """

    __tablename__ = "health_observations"
    __table_args__ = (
        CheckConstraint(f"transport IN {TRANSPORTS}", name="health_observations_transport"),
        Index("health_observations_unseen", "shard", postgresql_where=text("seen_at IS NULL")),
        Index("health_observations_of_trunk", "trunk_id", "id"),
        Index("health_observations_at", "at"),
    )

    id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    trunk_id: str = Field(sa_type=Text)
    shard: int | None = Field(default=None, sa_type=SmallInteger)
    target_id: str | None = Field(default=None, sa_type=Text)
    at: datetime = Field(sa_type=Moment)
    host: str = Field(sa_type=StorableText)
    port: int | None = None
    transport: Transport | None = Field(default=None, sa_type=Word(Transport))
    kind: str = Field(sa_type=Text)
    """A word of ``domain.health_observation.Observed``."""
    sign: str = Field(sa_type=Text)
    """What the call says of the endpoint, for failover."""
    status: int | None = None
    detail: str | None = Field(default=None, sa_type=StorableText)
    seen_at: datetime | None = Field(default=None, sa_type=Moment)
