"""The whole configuration of an organization: every trunk and everything that is bound to it.

Every function that writes needs ``storage.trunks.lock`` in the same transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Integer, Text, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.trunk import Direction
from storage.tables import NumberBinding, Trunk

__all__ = ["Bound", "Configuration", "Move", "move_each", "version_of", "whole"]


@dataclass(frozen=True, slots=True)
class Bound:
    """One configuration of a number, DID or extension: its slot and the trunk that carries it."""

    id: str
    phone_number: str
    direction: Direction
    trunk_id: str
    priority: int


@dataclass(frozen=True, slots=True)
class Configuration:
    """Trunks, the oldest first, and what is bound to them in the order of numbers and routes."""

    trunks: tuple[Trunk, ...]
    bound: tuple[Bound, ...]

    def version(self) -> str:
        """A text that is another one after every change of a trunk or of what is bound to it."""
        return _version((trunk.id, trunk.revision) for trunk in self.trunks)


@dataclass(frozen=True, slots=True)
class Move:
    """A configuration gets this trunk and this slot; its id stays."""

    id: str
    trunk_id: str
    priority: int


async def whole(session: AsyncSession, org_id: str) -> Configuration:
    """Everything that is configured, as of one moment, also while others change it."""
    # One statement sees one snapshot; two could see a number between two trunks.
    carried = (
        select(
            func.json_agg(
                func.json_build_array(
                    col(NumberBinding.id),
                    col(NumberBinding.phone_number),
                    col(NumberBinding.direction),
                    col(NumberBinding.priority),
                )
            )
        )
        .where(col(NumberBinding.org_id) == org_id, col(NumberBinding.trunk_id) == col(Trunk.id))
        .scalar_subquery()
    )
    found = await session.execute(
        select(Trunk, carried)
        .where(col(Trunk.org_id) == org_id)
        .order_by(col(Trunk.created_at), col(Trunk.id))
        .execution_options(populate_existing=True)
    )
    trunks: list[Trunk] = []
    bound: list[Bound] = []
    for trunk, rows in found:
        trunks.append(trunk)
        bound += (
            Bound(binding_id, number, Direction(direction), trunk.id, priority)
            for binding_id, number, direction, priority in rows or ()
        )
    bound.sort(key=lambda each: (each.phone_number, each.direction, each.priority))
    return Configuration(tuple(trunks), tuple(bound))


async def version_of(session: AsyncSession, org_id: str) -> str:
    """``Configuration.version`` of what is there now."""
    found = await session.execute(
        select(col(Trunk.id), col(Trunk.revision)).where(col(Trunk.org_id) == org_id)
    )
    return _version((row.id, row.revision) for row in found)


async def move_each(session: AsyncSession, org_id: str, moves: Sequence[Move]) -> None:
    """Carry out these moves in one statement. Raises ``IntegrityError`` when a slot is taken."""
    if not moves:
        return
    to = select(
        func.unnest(literal([each.id for each in moves], ARRAY(Text))).label("id"),
        func.unnest(literal([each.trunk_id for each in moves], ARRAY(Text))).label("trunk_id"),
        func.unnest(literal([each.priority for each in moves], ARRAY(Integer))).label("priority"),
    ).subquery("moves")
    await session.execute(
        update(NumberBinding)
        .where(col(NumberBinding.org_id) == org_id, col(NumberBinding.id) == to.c.id)
        .values(trunk_id=to.c.trunk_id, priority=to.c.priority, updated_at=func.now())
        .execution_options(synchronize_session=False)
    )


def _version(revisions: Iterable[tuple[str, int]]) -> str:
    digest = hashlib.sha256()
    for trunk_id, revision in sorted(revisions):
        digest.update(f"{trunk_id} {revision}\n".encode())
    return digest.hexdigest()[:32]
