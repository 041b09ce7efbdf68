"""Which trunk carries which number: the configurations of numbers, DIDs and extensions.

Every function that writes needs ``storage.trunks.lock`` in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, Text, any_, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col

from domain.trunk import Direction
from storage.columns import row_of
from storage.tables import InboundNumber, NumberBinding

__all__ = [
    "NewBinding",
    "add",
    "claim_inbound",
    "first_numbers",
    "inherit",
    "of_numbers",
    "of_trunk",
    "rebind",
    "release_inbound",
    "remove",
]


# One statement with one array for each column: a hundred numbers are attached in one request.
_COLUMNS = {
    "id": Text,
    "org_id": Text,
    "phone_number": Text,
    "direction": Text,
    "trunk_id": Text,
    "priority": Integer,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBinding:
    """One configuration to add, in a slot that is free."""

    id: str
    org_id: str
    phone_number: str
    direction: Direction
    trunk_id: str
    priority: int


async def of_numbers(
    session: AsyncSession, org_id: str, numbers: Collection[str]
) -> dict[str, list[NumberBinding]]:
    """The configurations of these numbers by number, in route order; numbers without one are not
    there."""
    found = await session.scalars(
        select(NumberBinding)
        .where(
            col(NumberBinding.org_id) == org_id, _among(col(NumberBinding.phone_number), numbers)
        )
        .order_by(col(NumberBinding.direction), col(NumberBinding.priority))
        .execution_options(populate_existing=True)
    )
    by_number: dict[str, list[NumberBinding]] = {}
    for binding in found:
        by_number.setdefault(binding.phone_number, []).append(binding)
    return by_number


async def of_trunk(session: AsyncSession, org_id: str, trunk_id: str) -> list[NumberBinding]:
    """What is bound to a trunk, by number."""
    found = await session.scalars(
        select(NumberBinding)
        .where(col(NumberBinding.org_id) == org_id, col(NumberBinding.trunk_id) == trunk_id)
        .order_by(col(NumberBinding.phone_number), col(NumberBinding.direction))
        .execution_options(populate_existing=True)
    )
    return list(found)


async def first_numbers(
    session: AsyncSession, org_id: str, trunk_id: str, *, limit: int
) -> tuple[str, ...]:
    """The first numbers that a trunk carries, by their text."""
    found = await session.scalars(
        select(col(NumberBinding.phone_number))
        .where(col(NumberBinding.org_id) == org_id, col(NumberBinding.trunk_id) == trunk_id)
        .distinct()
        .order_by(col(NumberBinding.phone_number))
        .limit(limit)
    )
    return tuple(found)


async def add(session: AsyncSession, new: Sequence[NewBinding]) -> None:
    """Add configurations. Raises ``IntegrityError`` when a slot is taken."""
    if not new:
        return
    rows = [row_of(each) for each in new]
    columns = select(
        *(
            func.unnest(literal([row[name] for row in rows], ARRAY(kind))).label(name)
            for name, kind in _COLUMNS.items()
        )
    )
    await session.execute(insert(NumberBinding).from_select(list(_COLUMNS), columns))


async def rebind(session: AsyncSession, binding_id: str, trunk_id: str, *, priority: int) -> None:
    """Let this configuration be carried by another trunk, in this slot; its id stays."""
    await session.execute(
        update(NumberBinding)
        .where(col(NumberBinding.id) == binding_id)
        .values(trunk_id=trunk_id, priority=priority, updated_at=func.now())
        .execution_options(synchronize_session=False)
    )


async def inherit(
    session: AsyncSession, org_id: str, trunk_id: str, direction: Direction, heir_id: str
) -> None:
    """Let the heir carry everything that a trunk carried in this direction.

    A number that the heir carries already loses the configuration that became its double.
    """
    heirs = aliased(NumberBinding)
    mine = (
        col(NumberBinding.org_id) == org_id,
        col(NumberBinding.trunk_id) == trunk_id,
        col(NumberBinding.direction) == direction,
    )
    double = (
        select(col(heirs.id))
        .where(
            col(heirs.org_id) == org_id,
            col(heirs.trunk_id) == heir_id,
            col(heirs.direction) == direction,
            col(heirs.phone_number) == col(NumberBinding.phone_number),
        )
        .exists()
    )
    await session.execute(
        delete(NumberBinding).where(*mine, double).execution_options(synchronize_session=False)
    )
    await session.execute(
        update(NumberBinding)
        .where(*mine)
        .values(trunk_id=heir_id, updated_at=func.now())
        .execution_options(synchronize_session=False)
    )


async def remove(session: AsyncSession, binding_ids: Collection[str]) -> None:
    """Take configurations away; the slots behind them stay as they are."""
    await session.execute(
        delete(NumberBinding)
        .where(_among(col(NumberBinding.id), binding_ids))
        .execution_options(synchronize_session=False)
    )


async def claim_inbound(session: AsyncSession, org_id: str, numbers: Iterable[str]) -> set[str]:
    """Make these E.164 numbers the organization's for inbound calls; returns those that are now.

    What is missing in the answer belongs to another organization. Waits for another organization
    that claims one of them at the same moment; in one order, so that none waits for the other.
    """
    wanted = sorted(set(numbers))
    if not wanted:
        return set()
    each = select(func.unnest(literal(wanted, ARRAY(Text))), literal(org_id, Text))
    await session.execute(
        insert(InboundNumber).from_select(["phone_number", "org_id"], each).on_conflict_do_nothing()
    )
    mine = await session.scalars(
        select(col(InboundNumber.phone_number)).where(
            col(InboundNumber.org_id) == org_id, _among(col(InboundNumber.phone_number), wanted)
        )
    )
    return set(mine)


async def release_inbound(session: AsyncSession, org_id: str, numbers: Iterable[str]) -> None:
    """Give these numbers back; another organization may claim them from the commit on."""
    await session.execute(
        delete(InboundNumber)
        .where(
            col(InboundNumber.org_id) == org_id,
            _among(col(InboundNumber.phone_number), set(numbers)),
        )
        .execution_options(synchronize_session=False)
    )


def _among(column: Mapped[str], values: Collection[str]) -> ColumnElement[bool]:
    """As one array: a list of parameters ends at 65,535 of them."""
    return column == any_(literal(list(values), ARRAY(Text)))
