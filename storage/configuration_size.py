"""How much an organization has configured, counted before all of it is read."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from storage.tables import NumberBinding, Trunk

__all__ = ["ConfigurationSize", "size_of"]


@dataclass(frozen=True, slots=True)
class ConfigurationSize:
    """Named trunks, and numbers, DIDs and extensions."""

    trunks: int
    numbers: int


async def size_of(session: AsyncSession, org_id: str) -> ConfigurationSize:
    """The size of the organization's configuration."""
    trunks = (
        select(func.count())
        .select_from(Trunk)
        .where(col(Trunk.org_id) == org_id, ~col(Trunk.implicit))
    )
    numbers = select(func.count(func.distinct(col(NumberBinding.phone_number)))).where(
        col(NumberBinding.org_id) == org_id
    )
    found = (
        await session.execute(select(trunks.scalar_subquery(), numbers.scalar_subquery()))
    ).one()
    return ConfigurationSize(trunks=found[0], numbers=found[1])
