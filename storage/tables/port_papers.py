"""Papers of port orders: uploaded documents, letters of authorization, and how they were signed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Identity,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from storage.columns import Json, Moment, StorableText

__all__ = [
    "PortDocument",
    "PortLinkRequest",
    "PortLoa",
    "PortSealKey",
    "PortSignatureEvent",
    "PortSignatureLink",
]


class PortDocument(SQLModel, table=True):
    """One uploaded file, as it was checked and kept; its content is in the document store."""

    __tablename__ = "port_documents"
    __table_args__ = (
        Index("port_documents_of_org", "org_id", "created_at", "id"),
        Index("port_documents_counted", "org_id", postgresql_where=text("deleted_at IS NULL")),
    )

    id: str = Field(sa_type=Text, primary_key=True)
    org_id: str = Field(sa_type=Text, foreign_key="organizations.id", ondelete="CASCADE")
    media_type: str = Field(sa_type=Text)
    size: int = Field(sa_type=BigInteger)
    """In bytes, as it is kept."""
    sha256: str = Field(sa_type=Text)
    """Of what is kept, in hexadecimal."""
    pages: int | None = None
    name: str = Field(sa_type=StorableText)
    kind: str = Field(sa_type=Text)
    document_date: date | None = Field(default=None, sa_type=Date)
    """The date on a bill."""
    stored_key: str = Field(sa_type=Text)
    """Where the document store has it."""
    created_at: datetime = Field(sa_type=Moment)
    deleted_at: datetime | None = Field(default=None, sa_type=Moment)


class PortLoa(SQLModel, table=True):
    """One letter of authorization (47 CFR 64.1130): made, then signed, declined or superseded."""

    __tablename__ = "port_loas"
    __table_args__ = (UniqueConstraint("order_id", "revision", name="port_loas_once"),)

    id: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text, foreign_key="port_orders.id", ondelete="CASCADE")
    org_id: str = Field(sa_type=Text)
    revision: int
    """Counts the letters of an order, from 1 on."""
    template_version: str = Field(sa_type=Text)
    content: dict[str, Any] = Field(sa_type=Json)
    """``domain.porting.loa_text.LoaContent``: what the letter says and what is disclosed before it is
    signed, as it was when the letter was made."""
    unsigned_sha256: str = Field(sa_type=Text)
    unsigned_key: str = Field(sa_type=Text)
    signed_sha256: str | None = Field(default=None, sa_type=Text)
    """Of the letter with its audit appendix and its seal."""
    signed_key: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(sa_type=Moment)
    signed_at: datetime | None = Field(default=None, sa_type=Moment)
    declined_at: datetime | None = Field(default=None, sa_type=Moment)
    superseded_at: datetime | None = Field(default=None, sa_type=Moment)


class PortSignatureLink(SQLModel, table=True):
    """One link to a letter, mailed once; of its token only the hash is kept."""

    __tablename__ = "port_signature_links"
    __table_args__ = (Index("port_signature_links_of_order", "order_id", "created_at"),)

    token_sha256: str = Field(sa_type=Text, primary_key=True)
    order_id: str = Field(sa_type=Text, foreign_key="port_orders.id", ondelete="CASCADE")
    loa_id: str = Field(sa_type=Text, foreign_key="port_loas.id", ondelete="CASCADE")
    org_id: str = Field(sa_type=Text)
    email: str = Field(sa_type=StorableText)
    created_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    opened_at: datetime | None = Field(default=None, sa_type=Moment)
    used_at: datetime | None = Field(default=None, sa_type=Moment)
    """When the letter was signed or declined through it."""
    invalidated_at: datetime | None = Field(default=None, sa_type=Moment)
    """When a newer link took its place."""


class PortLinkRequest(SQLModel, table=True):
    """Somebody asked that a link be mailed, for an order that may not exist; kept to be counted."""

    __tablename__ = "port_link_requests"
    __table_args__ = (
        Index("port_link_requests_of_order", "order_id", "at"),
        Index("port_link_requests_of_source", "source", "at"),
        Index("port_link_requests_age", "at"),
    )

    id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    order_id: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    """The address that it came from; of IPv6 the network."""
    at: datetime = Field(sa_type=Moment)


class PortSignatureEvent(SQLModel, table=True):
    """One event of a signature's trail (ESIGN, 15 USC 7001); each holds the hash of the one before."""

    __tablename__ = "port_signature_events"
    __table_args__ = (UniqueConstraint("loa_id", "seq", name="port_signature_events_chain"),)

    id: int = Field(
        default=None, sa_column=Column(BigInteger, Identity(always=True), primary_key=True)
    )
    loa_id: str = Field(sa_type=Text, foreign_key="port_loas.id", ondelete="CASCADE")
    order_id: str = Field(sa_type=Text)
    org_id: str = Field(sa_type=Text)
    seq: int
    at: datetime = Field(sa_type=Moment)
    action: str = Field(sa_type=Text)
    event: dict[str, Any] = Field(sa_type=Json)
    """The whole event as it was hashed (``domain.porting.signature_trail``)."""
    previous: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Text)
    """Of this event and ``previous``, the hash before it; both in hexadecimal."""


class PortSealKey(SQLModel, table=True):
    """A key that seals signed letters, and its certificate; the installation's, not an organization's."""

    __tablename__ = "port_seal_keys"

    id: str = Field(sa_type=Text, primary_key=True)
    key_sealed: bytes = Field(sa_type=LargeBinary, repr=False)
    """Private key in PEM, sealed."""
    certificate_pem: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Moment)
