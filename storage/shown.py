"""What is configured as the API shows it: read in one round trip, and without anything sealed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import DateTime, Integer, Text, any_, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlmodel import col

from domain.trunk import AuthMode, Direction, TrunkDirection
from storage.engine import Database
from storage.reading import Question
from storage.tables import NumberBinding, Trunk, TrunkHealth
from storage.trunks import Place

__all__ = [
    "ListedTrunk",
    "ShownBinding",
    "ShownTrunk",
    "TrunkWithNumbers",
    "named_trunks",
    "of_number",
    "trunk_with_numbers",
]

ORG_ID = bindparam("org_id", type_=Text)
TRUNK_ID = bindparam("trunk_id", type_=Text)


class ShownTrunk(NamedTuple):
    """A trunk; of its secrets only whether they are there. ``state`` is that of its endpoints, a
    ``HealthState``, ``None`` when none of them is probed."""

    id: str
    name: str | None
    provider: str | None
    direction: TrunkDirection
    sip_endpoint: str | None
    auth_mode: AuthMode
    register_username: str | None
    options: dict[str, Any]
    headers: dict[str, Any] | None
    failover: dict[str, Any] | None
    alerts: dict[str, Any] | None
    has_sip_password: bool
    has_client_key: bool
    revision: int
    adopted_revision: int
    created_at: datetime
    updated_at: datetime
    state: str | None

    @classmethod
    def of(cls, trunk: Trunk, state: str | None = None) -> ShownTrunk:
        """The trunk of a session."""
        return cls(
            id=trunk.id,
            name=trunk.name,
            provider=trunk.provider,
            direction=trunk.direction,
            sip_endpoint=trunk.sip_endpoint,
            auth_mode=trunk.auth_mode,
            register_username=trunk.register_username,
            options=trunk.options,
            headers=trunk.headers,
            failover=trunk.failover,
            alerts=trunk.alerts,
            has_sip_password=trunk.sip_password_sealed is not None,
            has_client_key=trunk.client_key_sealed is not None,
            revision=trunk.revision,
            adopted_revision=trunk.adopted_revision,
            created_at=trunk.created_at,
            updated_at=trunk.updated_at,
            state=state,
        )


class ShownBinding(NamedTuple):
    """One configuration of a number, and the trunk that carries it. ``updated_at`` is when either
    changed."""

    id: str
    org_id: str
    phone_number: str
    direction: Direction
    created_at: datetime
    updated_at: datetime
    trunk: ShownTrunk

    @classmethod
    def of(cls, binding: NumberBinding, trunk: Trunk, state: str | None = None) -> ShownBinding:
        """The binding and its trunk, of a session."""
        return cls(
            id=binding.id,
            org_id=binding.org_id,
            phone_number=binding.phone_number,
            direction=binding.direction,
            created_at=binding.created_at,
            updated_at=max(binding.updated_at, trunk.updated_at),
            trunk=ShownTrunk.of(trunk, state),
        )


class ListedTrunk(NamedTuple):
    """A trunk, and how many numbers are bound to it."""

    trunk: ShownTrunk
    bound_number_count: int


class TrunkWithNumbers(NamedTuple):
    """A trunk, and what is bound to it: numbers by their text, each with its directions."""

    trunk: ShownTrunk
    numbers: list[tuple[str, list[str]]]


async def of_number(
    database: Database, org_id: str, spellings: Collection[str]
) -> list[ShownBinding]:
    """The configurations of the numbers that are written like this, each number's in route order."""
    return await database.read(org_id, _OF_NUMBER, spellings=list(spellings))


async def named_trunks(
    database: Database, org_id: str, *, limit: int | None = None, after: Place | None = None
) -> list[ListedTrunk]:
    """The organization's named trunks, oldest first: at most ``limit`` from behind ``after`` on."""
    given: dict[str, Any] = {"limit": limit}
    if after is not None:
        given |= {"after_time": after.created_at, "after_id": after.trunk_id}
    return await database.read(org_id, _named(after is not None), **given)


async def trunk_with_numbers(
    database: Database, org_id: str, trunk_id: str
) -> TrunkWithNumbers | None:
    """The organization's trunk, named or implicit."""
    found = await database.read(org_id, _WITH_NUMBERS, trunk_id=trunk_id)
    return found[0] if found else None


_TRUNK = (
    col(Trunk.id),
    col(Trunk.name),
    col(Trunk.provider),
    col(Trunk.direction),
    col(Trunk.sip_endpoint),
    col(Trunk.auth_mode),
    col(Trunk.register_username),
    col(Trunk.options),
    col(Trunk.headers),
    col(Trunk.failover),
    col(Trunk.alerts),
    col(Trunk.sip_password_sealed).is_not(None),
    col(Trunk.client_key_sealed).is_not(None),
    col(Trunk.revision),
    col(Trunk.adopted_revision),
    col(Trunk.created_at),
    col(Trunk.updated_at),
    # By its key, one row: an outer join would let the planner read all of them.
    select(col(TrunkHealth.state))
    .where(col(TrunkHealth.trunk_id) == col(Trunk.id))
    .scalar_subquery(),
)


def _trunk(values: Sequence[Any]) -> ShownTrunk:
    trunk_id, name, provider, direction, endpoint, auth_mode, *others = values
    return ShownTrunk(
        trunk_id,
        name,
        provider,
        TrunkDirection(direction),
        endpoint,
        AuthMode(auth_mode),
        *others,
    )


def _binding(values: Sequence[Any]) -> ShownBinding:
    binding_id, org_id, number, direction, created_at, updated_at, *trunk = values
    return ShownBinding(
        binding_id, org_id, number, Direction(direction), created_at, updated_at, _trunk(trunk)
    )


_OF_NUMBER = Question.of(
    select(
        col(NumberBinding.id),
        col(NumberBinding.org_id),
        col(NumberBinding.phone_number),
        col(NumberBinding.direction),
        col(NumberBinding.created_at),
        func.greatest(col(NumberBinding.updated_at), col(Trunk.updated_at)),
        *_TRUNK,
    )
    .join(Trunk, col(Trunk.id) == col(NumberBinding.trunk_id))
    .where(
        col(NumberBinding.org_id) == ORG_ID,
        col(NumberBinding.phone_number) == any_(bindparam("spellings", type_=ARRAY(Text))),
    )
    .order_by(
        col(NumberBinding.phone_number), col(NumberBinding.direction), col(NumberBinding.priority)
    ),
    _binding,
)


@cache
def _named(is_continued: bool) -> Question[ListedTrunk]:
    order = col(Trunk.created_at), col(Trunk.id)
    bound = (
        select(func.count(func.distinct(col(NumberBinding.phone_number))))
        .where(col(NumberBinding.org_id) == ORG_ID, col(NumberBinding.trunk_id) == col(Trunk.id))
        .scalar_subquery()
    )
    named = select(bound, *_TRUNK).where(col(Trunk.org_id) == ORG_ID, ~col(Trunk.implicit))
    if is_continued:
        after = bindparam("after_time", type_=DateTime(True)), bindparam("after_id", type_=Text)
        named = named.where(tuple_(*order) > tuple_(*after))
    return Question.of(
        named.order_by(*order).limit(bindparam("limit", type_=Integer)),
        lambda values: ListedTrunk(_trunk(values[1:]), values[0]),
    )


_numbers = (
    select(
        col(NumberBinding.phone_number),
        func.array_agg(
            aggregate_order_by(col(NumberBinding.direction), col(NumberBinding.direction))
        ).label("directions"),
    )
    .where(col(NumberBinding.org_id) == ORG_ID, col(NumberBinding.trunk_id) == TRUNK_ID)
    .group_by(col(NumberBinding.phone_number))
    .subquery()
)
# One row with all of them: the trunk itself is not repeated for each number.
_carried = select(
    func.json_agg(
        aggregate_order_by(
            func.json_build_array(_numbers.c.phone_number, _numbers.c.directions),
            _numbers.c.phone_number,
        )
    )
).scalar_subquery()
_WITH_NUMBERS = Question.of(
    select(_carried, *_TRUNK).where(col(Trunk.org_id) == ORG_ID, col(Trunk.id) == TRUNK_ID),
    lambda values: TrunkWithNumbers(_trunk(values[1:]), values[0] or []),
)
