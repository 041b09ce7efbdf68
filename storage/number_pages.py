"""The organization's numbers as a list: filtered, in pages, each with where its calls go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, Text, any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.trunk import Direction
from storage.tables import NumberBinding, Trunk

__all__ = ["ListedNumber", "NumberFilter", "page"]


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """Which numbers are wanted: those with a configuration that meets all of these. ``search`` is
    a part of the number."""

    direction: Direction | None = None
    trunk_id: str | None = None
    search: str | None = None


@dataclass(slots=True)
class ListedNumber:
    """A number, its directions, and the endpoint of its first outbound configuration."""

    phone_number: str
    directions: list[Direction]
    sip_endpoint: str | None


async def page(
    session: AsyncSession,
    org_id: str,
    wanted: NumberFilter,
    *,
    limit: int,
    after: str = "",
) -> list[ListedNumber]:
    """At most ``limit`` numbers in the order of their text, from after ``after`` on.

    A page costs the same wherever in the list it is.
    """
    numbers = (await session.scalars(_numbers(org_id, wanted, limit, after))).all()
    found = await session.execute(
        select(
            col(NumberBinding.phone_number), col(NumberBinding.direction), col(Trunk.sip_endpoint)
        )
        .join(Trunk, col(Trunk.id) == col(NumberBinding.trunk_id))
        .where(
            col(NumberBinding.org_id) == org_id,
            col(NumberBinding.phone_number) == any_(literal(numbers, ARRAY(Text))),
        )
        .order_by(
            col(NumberBinding.phone_number),
            col(NumberBinding.direction),
            col(NumberBinding.priority),
        )
    )
    listed: list[ListedNumber] = []
    for number, direction, endpoint in found:
        if not listed or listed[-1].phone_number != number:
            listed.append(ListedNumber(number, [], None))
        item = listed[-1]
        if direction not in item.directions:
            item.directions.append(direction)
            if direction is Direction.OUTBOUND:
                item.sip_endpoint = endpoint
    return listed


def _numbers(org_id: str, wanted: NumberFilter, limit: int, after: str) -> Select[Any]:
    """Each number once, found by stepping through the index from one to the next.

    Grouping would leave the choice to the planner, which sorts every number of the organization
    when its statistics are young.
    """
    first = _next(org_id, wanted, after).subquery()
    found = select(first.c.phone_number).cte("found", recursive=True)
    step = _next(org_id, wanted, found.c.phone_number).scalar_subquery()
    found = found.union_all(select(step).where(found.c.phone_number.is_not(None)))
    # A recursive query is carried out as far as its rows are asked for.
    return select(found.c.phone_number).where(found.c.phone_number.is_not(None)).limit(limit)


def _next(org_id: str, wanted: NumberFilter, after: str | SQLColumnExpression[str]) -> Select[Any]:
    number = col(NumberBinding.phone_number)
    conditions: list[ColumnElement[bool]] = [
        col(NumberBinding.org_id) == org_id,
        number > after,
    ]
    if wanted.direction is not None:
        conditions.append(col(NumberBinding.direction) == wanted.direction)
    if wanted.trunk_id is not None:
        conditions.append(col(NumberBinding.trunk_id) == wanted.trunk_id)
    if wanted.search is not None:
        conditions.append(number.contains(wanted.search, autoescape=True))
    return select(number).where(*conditions).order_by(number).limit(1)
