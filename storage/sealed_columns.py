"""Every column that holds what ``storage.secret_box`` sealed, and what each value is bound to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Table
from sqlmodel import SQLModel

from storage.tables import (
    Call,
    IdempotencyKey,
    Organization,
    PortOrder,
    PortSealKey,
    ServerKey,
    Trunk,
)
from storage.trunk_vault import NOBODY

__all__ = ["SEALED_COLUMNS", "SealedColumn"]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One column. ``purpose`` tells from a row's primary key what its value was sealed for;
    ``owner`` is the column with the organization, ``None`` for what belongs to none."""

    table: Table
    name: str
    purpose: Callable[[Row], str]
    owner: str | None

    def __str__(self) -> str:
        return f"{self.table.name}.{self.name}"

    @property
    def sealed(self) -> Column[bytes]:
        return self.table.columns[self.name]

    @property
    def key(self) -> tuple[Column[Any], ...]:
        """The primary key, in its order."""
        return tuple(self.table.primary_key.columns)

    @property
    def binding(self) -> tuple[Column[Any], ...]:
        """The columns that tell what a value is bound to, the primary key first."""
        return self.key if self.owner is None else (*self.key, self.table.columns[self.owner])

    def org_id(self, row: Row) -> str:
        """The organization that a row's value was sealed for."""
        return NOBODY if self.owner is None else str(row[self.owner])


def _column(
    model: type[SQLModel],
    name: str,
    purpose: str | Callable[[Row], str],
    *,
    owner: str | None = "org_id",
) -> SealedColumn:
    table = SQLModel.metadata.tables[str(model.__tablename__)]
    return SealedColumn(table, name, purpose if callable(purpose) else lambda _row: purpose, owner)


SEALED_COLUMNS: Final = (
    _column(ServerKey, "sealed", lambda row: f"server_key:{row['name']}", owner=None),
    _column(PortSealKey, "key_sealed", lambda row: f"port_seal_key:{row['id']}", owner=None),
    _column(Organization, "signing_secret_sealed", "signing_secret", owner="id"),
    _column(Trunk, "sip_password_sealed", "sip_password"),
    _column(Trunk, "register_password_sealed", "register_password"),
    _column(Trunk, "pbx_password_sealed", "pbx_password"),
    _column(Trunk, "client_key_sealed", "client_key"),
    _column(PortOrder, "secrets_sealed", "port_secrets"),
    _column(Call, "snapshot", "call_snapshot"),
    _column(IdempotencyKey, "response_sealed", "idempotent_answer"),
)
"""The installation's own keys first, the answers that are forgotten after a day last."""
