"""The organization's numbers as a list: filtered, in pages, each with where its calls go."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    SQLColumnExpression,
    Text,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlmodel import col

from domain.trunk import Direction
from storage.engine import Database
from storage.number_search import matching
from storage.reading import Question
from storage.tables import NumberBinding, Trunk, TrunkHealth

__all__ = ["ListedNumber", "NumberFilter", "page"]

ORG_ID = bindparam("org_id", type_=Text)
AFTER = bindparam("after", type_=Text)
LIMIT = bindparam("limit", type_=Integer)
# The planner must know that one row is wanted, also where it knows no values.
ONE = literal_column("1", Integer)
INBOUND = literal_column(f"'{Direction.INBOUND}'", Text)
OUTBOUND = literal_column(f"'{Direction.OUTBOUND}'", Text)


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """Which numbers are wanted: those with a configuration that meets all of these. ``search`` is
    a part of the number."""

    direction: Direction | None = None
    trunk_id: str | None = None
    search: str | None = None


class ListedNumber(NamedTuple):
    """A number, the directions it is configured for, and of its first outbound configuration the
    endpoint and the state of the trunk (a ``HealthState``, ``None`` when nothing of it is probed)."""

    phone_number: str
    inbound: bool
    outbound: bool
    sip_endpoint: str | None
    state: str | None


async def page(
    database: Database, org_id: str, wanted: NumberFilter, *, limit: int, after: str = ""
) -> list[ListedNumber]:
    """At most ``limit`` numbers in the order of their text, from after ``after`` on.

    A page costs the same wherever in the list it is.
    """
    given: dict[str, Any] = {"after": after, "limit": limit}
    if wanted.direction is not None:
        given["direction"] = wanted.direction.value
    if wanted.trunk_id is not None:
        given["trunk_id"] = wanted.trunk_id
    return await database.read(org_id, _question(wanted, limit, after), **given)


def _question(wanted: NumberFilter, limit: int, after: str) -> Question[ListedNumber]:
    if wanted.search is not None:
        numbers = matching(
            wanted.search,
            direction=wanted.direction,
            trunk_id=wanted.trunk_id,
            limit=limit,
            after=after,
        )
        # Which index serves a search depends on the text that is searched for.
        return Question.of(_with_state(_among(numbers)), ListedNumber._make, kept=False)
    if wanted == NumberFilter():
        return _every()
    return _filtered(wanted.direction is not None, wanted.trunk_id is not None)


@cache
def _every() -> Question[ListedNumber]:
    number = col(NumberBinding.phone_number)
    all_of_them = _listed().where(number > AFTER).limit(LIMIT)
    return Question.of(_with_state(all_of_them), ListedNumber._make, in_index_order=True)


@cache
def _filtered(by_direction: bool, by_trunk: bool) -> Question[ListedNumber]:
    return Question.of(_with_state(_among(_stepping(by_direction, by_trunk))), ListedNumber._make)


def _among(numbers: Select[Any]) -> Select[Any]:
    wanted = numbers.subquery("wanted")
    number = col(NumberBinding.phone_number)
    return _listed().join(wanted, wanted.c.phone_number == number)


def _listed() -> Select[Any]:
    number, direction = col(NumberBinding.phone_number), col(NumberBinding.direction)
    outbound = direction == OUTBOUND

    def of_the_first(column: Any) -> Any:
        in_order = aggregate_order_by(column, col(NumberBinding.priority))
        return func.array_agg(in_order, type_=ARRAY(Text)).filter(outbound)[ONE]

    return (
        select(
            number,
            func.bool_or(direction == INBOUND).label("inbound"),
            func.bool_or(outbound).label("outbound"),
            of_the_first(col(Trunk.sip_endpoint)).label("sip_endpoint"),
            of_the_first(col(NumberBinding.trunk_id)).label("trunk_id"),
        )
        .join(Trunk, col(Trunk.id) == col(NumberBinding.trunk_id))
        .where(col(NumberBinding.org_id) == ORG_ID)
        .group_by(number)
        .order_by(number)
    )


def _with_state(listed: Select[Any]) -> Select[Any]:
    """With the state of the first trunk: looked up once for a number, and for those shown only."""
    shown = listed.subquery("shown")
    return (
        select(
            shown.c.phone_number,
            shown.c.inbound,
            shown.c.outbound,
            shown.c.sip_endpoint,
            col(TrunkHealth.state),
        )
        .outerjoin(TrunkHealth, col(TrunkHealth.trunk_id) == shown.c.trunk_id)
        .select_from(shown)
        .order_by(shown.c.phone_number)
    )


def _stepping(by_direction: bool, by_trunk: bool) -> Select[Any]:
    """Each number once, found by stepping through the index from one to the next.

    Grouping would read all numbers that the filter leaves out between two that it lets through.
    """
    first = _next(AFTER, by_direction, by_trunk).subquery()
    found = select(first.c.phone_number).cte("found", recursive=True)
    step = _next(found.c.phone_number, by_direction, by_trunk).scalar_subquery()
    found = found.union_all(select(step).where(found.c.phone_number.is_not(None)))
    # A recursive query is carried out as far as its rows are asked for.
    return select(found.c.phone_number).where(found.c.phone_number.is_not(None)).limit(LIMIT)


def _next(after: SQLColumnExpression[str], by_direction: bool, by_trunk: bool) -> Select[Any]:
    number = col(NumberBinding.phone_number)
    conditions: list[ColumnElement[bool]] = [
        col(NumberBinding.org_id) == ORG_ID,
        number > after,
    ]
    if by_direction:
        conditions.append(col(NumberBinding.direction) == bindparam("direction", type_=Text))
    if by_trunk:
        conditions.append(col(NumberBinding.trunk_id) == bindparam("trunk_id", type_=Text))
    return select(number).where(*conditions).order_by(number).limit(ONE)
