"""A row of any table, made from its columns."""

from __future__ import annotations

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
    return {str: seed, int: 1, float: 1.0, bool: True, bytes: seed.encode()}[kind.python_type]


def insert_statement(table: Table, row: dict[str, Any]) -> str:
    return (
        f"INSERT INTO {table.name} ({', '.join(row)}) "
        f"VALUES ({', '.join(f'%({name})s' for name in row)})"
    )
