"""Port orders, their numbers, what happened to them, and what carriers said before there was one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from domain.porting.words import (
    NumberStatus,
    NumberType,
    PortKind,
    PortType,
    PublicStatus,
    SubStatus,
)
from storage.columns import Json, Moment, StorableText, Word

__all__ = ["PortNumber", "PortOrder", "PortTimelineEntry", "PortabilityResult", "SimulatedPort"]


class PortOrder(SQLModel, table=True):
    """One order, as its workflow projected it last; with ``parent_id`` a part of a split order.

    ``status`` follows from ``sub_status``. ``generation`` counts the projections, ``revision`` the
    changes that people made to ``details``.
    """

    __tablename__ = "port_orders"
    __table_args__ = (
        CheckConstraint(
            "sub_status IN ('draft', 'validating', 'awaiting_documents', 'awaiting_signature', "
            "'in_review', 'submitting', 'lsr_sent', 'action_required', 'supp_sent', "
            "'foc_confirmed', 'activating', 'verifying', 'completed', 'partially_completed', "
            "'canceled', 'expired', 'failed')",
            name="port_orders_sub_status",
        ),
        CheckConstraint(
            "status IN ('draft', 'waiting_for_signature', 'submitted', 'in_progress', "
            "'completed', 'failed', 'canceled')",
            name="port_orders_status",
        ),
        CheckConstraint("kind IN ('local', 'toll_free')", name="port_orders_kind"),
        CheckConstraint("port_type IN ('full', 'partial')", name="port_orders_port_type"),
        Index("port_orders_of_org", "org_id", "created_at", "id"),
        Index("port_orders_of_parent", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index(
            "port_orders_of_carrier",
            "carrier",
            "carrier_order_id",
            unique=True,
            postgresql_where=text("carrier_order_id IS NOT NULL"),
        ),
        Index("port_orders_drafts", "updated_at", postgresql_where=text("sub_status = 'draft'")),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    parent_id: str | None = Field(
        default=None, sa_type=Text, foreign_key="port_orders.id", ondelete="CASCADE"
    )
    sub_status: SubStatus = Field(sa_type=Word(SubStatus))
    status: PublicStatus = Field(sa_type=Word(PublicStatus))
    kind: PortKind = Field(sa_type=Word(PortKind))
    port_type: PortType = Field(sa_type=Word(PortType))
    details: dict[str, Any] = Field(sa_type=Json)
    """``domain.porting.order.PortDetails``: personal data, no secrets."""
    secrets_sealed: bytes | None = Field(default=None, sa_type=LargeBinary, repr=False)
    """``domain.porting.order.PortSecrets`` as JSON, sealed; gone once the order has ended."""
    carrier: str = Field(sa_type=Text)
    """Which winning carrier takes the order."""
    carrier_order_id: str | None = Field(default=None, sa_type=StorableText)
    carrier_profile: str = Field(sa_type=Text)
    """Whose calendar and periods hold."""
    losing_carrier: str | None = Field(default=None, sa_type=StorableText)
    spid: str | None = Field(default=None, sa_type=StorableText)
    trunk_id: str | None = Field(default=None, sa_type=Text)
    """Where the numbers are attached; no foreign key, because a trunk may go while an order waits
    for weeks, and the order must be able to say so."""
    customer_reference: str | None = Field(default=None, sa_type=StorableText)
    requested_date: date | None = Field(default=None, sa_type=Date)
    foc_at: datetime | None = Field(default=None, sa_type=Moment)
    completed_at: datetime | None = Field(default=None, sa_type=Moment)
    cancel_requested_at: datetime | None = Field(default=None, sa_type=Moment)
    cancel_cutoff_at: datetime | None = Field(default=None, sa_type=Moment)
    standing: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """What else a client is shown: rejections, counters, warnings, dates."""
    state: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """``domain.porting.state.PortState`` as its workflow wrote it last, for one that has to take over."""
    generation: int = Field(
        default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": text("0")}
    )
    revision: int = Field(
        default=1, sa_type=BigInteger, sa_column_kwargs={"server_default": text("1")}
    )
    created_at: datetime = Field(sa_type=Moment)
    updated_at: datetime = Field(sa_type=Moment)


class PortNumber(SQLModel, table=True):
    """One number of an order (E.164 with ``+``), also one that was dropped from it.

    ``held`` says that the order has the number to itself in the whole installation: from its
    submission on, until the number or the order has come to its end.
    """

    __tablename__ = "port_numbers"
    __table_args__ = (
        PrimaryKeyConstraint("order_id", "number"),
        CheckConstraint(
            "status IN ('requested', 'submitted', 'accepted', 'activating', 'ported', 'verified', "
            "'rejected', 'dropped', 'canceled', 'failed')",
            name="port_numbers_status",
        ),
        CheckConstraint("type IN ('landline', 'mobile', 'toll_free')", name="port_numbers_type"),
        UniqueConstraint("order_id", "position", name="port_numbers_position"),
        Index("port_numbers_held", "number", unique=True, postgresql_where=text("held")),
        Index("port_numbers_of_org", "org_id", "number"),
    )

    order_id: str = Field(sa_type=Text, foreign_key="port_orders.id", ondelete="CASCADE")
    number: str = Field(sa_type=Text)
    position: int
    """Its place in the order, from 0 on; workflows know it by this."""
    org_id: str = Field(sa_type=Text)
    status: NumberStatus = Field(sa_type=Word(NumberStatus))
    type: NumberType | None = Field(default=None, sa_type=Word(NumberType))
    """``None`` where no check could tell."""
    held: bool = Field(sa_type=Boolean)
    carrier_status_raw: str | None = Field(default=None, sa_type=StorableText)
    """The carrier's own word, whatever it is."""
    rejection: str | None = Field(default=None, sa_type=Text)
    """Code of what is wrong with this number, or why it left the order."""
    ported_at: datetime | None = Field(default=None, sa_type=Moment)
    attached_at: datetime | None = Field(default=None, sa_type=Moment)
    first_inbound_at: datetime | None = Field(default=None, sa_type=Moment)
    verified_at: datetime | None = Field(default=None, sa_type=Moment)


class PortTimelineEntry(SQLModel, table=True):
    """One thing that happened to an order, or a comment; within an order ``id`` is the order of events.

    ``entry_key`` makes that nothing is told twice.
    """

    __tablename__ = "port_timeline"
    __table_args__ = (
        UniqueConstraint("order_id", "entry_key", name="port_timeline_once"),
        Index("port_timeline_of_order", "order_id", "id"),
    )

    id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    order_id: str = Field(sa_type=Text, foreign_key="port_orders.id", ondelete="CASCADE")
    org_id: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Moment)
    entry_key: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    from_sub_status: SubStatus | None = Field(default=None, sa_type=Word(SubStatus))
    to_sub_status: SubStatus | None = Field(default=None, sa_type=Word(SubStatus))
    actor: str = Field(sa_type=Text)
    """Who: ``customer``, ``operator``, ``system``, ``winning_carrier``, ``losing_carrier``."""
    text: str = Field(sa_type=StorableText)
    raw: str | None = Field(default=None, sa_type=StorableText)
    """A carrier's own words."""
    data: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    public: bool = Field(sa_type=Boolean)
    """Whether the customer sees it."""


class PortabilityResult(SQLModel, table=True):
    """What a winning carrier said of a number, for everybody who asks within its age."""

    __tablename__ = "portability_checks"
    __table_args__ = (
        PrimaryKeyConstraint("carrier", "number"),
        Index("portability_checks_age", "checked_at"),
    )

    carrier: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text)
    result: dict[str, Any] = Field(sa_type=Json)
    checked_at: datetime = Field(sa_type=Moment)


class SimulatedPort(SQLModel, table=True):
    """An order as the simulated winning carrier has it: what it was told and when.

    It belongs to no organization, as nothing does at a carrier; only the system scope sees it.
    """

    __tablename__ = "simulated_ports"
    __table_args__ = (
        UniqueConstraint("order_id", name="simulated_ports_order"),
        Index("simulated_ports_due", "webhook_at", postgresql_where=text("webhook_at IS NOT NULL")),
    )

    carrier_order_id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text)
    """What the order was called when it was placed."""
    state: dict[str, Any] = Field(sa_type=Json)
    """``carriers.simulator_state.SimulatedOrder``."""
    webhook_at: datetime | None = Field(default=None, sa_type=Moment)
    """When its next webhook is due."""
    updated_at: datetime = Field(sa_type=Moment)
