"""A row of any table, made from its columns."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import Integer, Table, TypeDecorator
from sqlalchemy.dialects.postgresql import ARRAY

from storage.columns import Json, Moment, Word
from storage.tables import METADATA, Organization
from tests.storage.factories import NOON

TENANT_COLUMN = {
    table.name: "id" if table is METADATA.tables[Organization.__tablename__] else "org_id"
    for table in METADATA.sorted_tables
    if "org_id" in table.columns or table.name == "organizations"
}

REACHED = {
    "health_names",
    "health_name_targets",
    "health_targets",
    "health_states",
    "health_transitions",
    "name_changes",
    "health_hours",
}
"""Shared by organizations, and seen by those whose trunks lead there: see test_health_tenancy."""
WITHOUT_TENANT = {
    "health_shards",
    "port_link_requests",
    "port_seal_keys",
    "portability_checks",
    "server_keys",
    "simulated_ports",
    "worker_presence",
}
APPEND_ONLY = {
    "alert_attempts",
    "audit_log",
    "call_events",
    "discovery_attempts",
    "port_signature_events",
    "port_timeline",
    "sip_messages",
}
KEPT_BY_DAY = {"live_calls"}
"""Changed while it goes on, and gone with its day only."""


def a_row(table: Table, org_id: str, suffix: str = "") -> dict[str, Any]:
    """A row of any table, valid by its types alone; ids follow from the organization."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.identity is not None:
            continue
        if column.name == TENANT_COLUMN[table.name]:
            row[column.name] = org_id
        elif column.foreign_keys:
            (key,) = column.foreign_keys
            row[column.name] = f"{key.column.table.name} {org_id}"
        elif column.primary_key and not isinstance(column.type, Moment | Integer):
            row[column.name] = f"{table.name} {org_id}{suffix}"
        else:
            row[column.name] = a_value(column.type, f"{org_id}{suffix}")
    return row


def a_value(kind: Any, seed: str) -> Any:
    if isinstance(kind, Word):
        return next(iter(kind.words.__members__.values()))
    if isinstance(kind, Json):
        return "{}"
    if isinstance(kind, ARRAY):
        return []
    if isinstance(kind, Moment):
        return NOON
    if isinstance(kind, TypeDecorator):
        return a_value(kind.impl_instance, seed)
    return {
        str: seed,
        int: 1,
        float: 1.0,
        bool: True,
        bytes: seed.encode(),
        date: NOON.date(),
    }[kind.python_type]


def insert_statement(table: Table, row: dict[str, Any]) -> str:
    return (
        f"INSERT INTO {table.name} ({', '.join(row)}) "
        f"VALUES ({', '.join(f'%({name})s' for name in row)})"
    )
