"""The numbers of port orders: each is in one order that has not ended, in the whole installation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from domain.porting.rejections import RejectionCode
from domain.porting.words import NUMBER_TERMINAL, NumberStatus, NumberType
from storage.engine import require_system_scope
from storage.errors import StorageError
from storage.tables import LiveCallRow, PortNumber
from storage.tables.call import CallDirection

__all__ = [
    "NewPortNumber",
    "NumbersTaken",
    "add",
    "first_calls",
    "hold",
    "note_attached",
    "note_called",
    "note_raw",
    "of_order",
    "of_orders",
    "remove",
    "uncalled",
]


class NumbersTaken(StorageError):
    """``numbers`` (E.164) are in orders that have not ended. ``orders`` names the order of each that the
    session may see; of another organization's it says nothing."""

    def __init__(self, numbers: Sequence[str], orders: Mapping[str, str]) -> None:
        super().__init__(f"{', '.join(numbers)}: in another port order that has not ended")
        self.numbers = tuple(numbers)
        self.orders = dict(orders)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPortNumber:
    """A number of a new order (E.164 with ``+``)."""

    number: str
    type: NumberType | None
    status: NumberStatus = NumberStatus.REQUESTED
    rejection: RejectionCode | None = None


async def add(
    session: AsyncSession,
    order_id: str,
    org_id: str,
    numbers: Sequence[NewPortNumber],
    *,
    hold: bool,
) -> None:
    """Write the numbers of a new order in this order; with ``hold`` it takes those that are not over.

    Raises ``NumbersTaken``, and ``ValueError`` when a number is there twice.
    """
    if len({each.number for each in numbers}) < len(numbers):
        raise ValueError("a number is twice in an order")
    if not numbers:
        return
    rows = [
        {
            "order_id": order_id,
            "number": each.number,
            "position": position,
            "org_id": org_id,
            "status": each.status,
            "type": each.type,
            "held": hold and each.status not in NUMBER_TERMINAL,
            "rejection": each.rejection,
        }
        for position, each in enumerate(numbers)
    ]
    # In one order, so that of two transactions with common numbers none waits for the other twice.
    rows.sort(key=lambda row: str(row["number"]))
    written = await session.scalars(
        insert(PortNumber)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["number"], index_where=text("held"))
        .returning(col(PortNumber.number))
    )
    await _refuse_taken(session, {each.number for each in numbers} - set(written))


async def hold(session: AsyncSession, order_id: str) -> None:
    """Let a draft take its numbers. Raises ``NumbersTaken``."""
    wanted = await of_order(session, order_id)
    numbers = sorted(each.number for each in wanted if each.status not in NUMBER_TERMINAL)
    taken = await session.scalars(
        select(col(PortNumber.number)).where(
            col(PortNumber.number).in_(numbers), col(PortNumber.held)
        )
    )
    await _refuse_taken(session, set(taken))
    try:
        async with session.begin_nested():
            for number in numbers:
                await session.execute(
                    update(PortNumber)
                    .where(col(PortNumber.order_id) == order_id, col(PortNumber.number) == number)
                    .values(held=True)
                    .execution_options(synchronize_session=False)
                )
    except IntegrityError:
        # Another organization's row, which this session cannot see, or one of this very moment.
        raise NumbersTaken([number], {}) from None


async def remove(session: AsyncSession, order_id: str) -> None:
    """Forget the numbers of a draft."""
    await session.execute(
        delete(PortNumber)
        .where(col(PortNumber.order_id) == order_id)
        .execution_options(synchronize_session=False)
    )


async def of_order(session: AsyncSession, order_id: str) -> list[PortNumber]:
    """The order's numbers by position."""
    return (await of_orders(session, [order_id]))[order_id]


async def of_orders(
    session: AsyncSession, order_ids: Collection[str]
) -> Mapping[str, list[PortNumber]]:
    """The numbers of several orders by position; an order without numbers has an empty list."""
    found: defaultdict[str, list[PortNumber]] = defaultdict(list)
    rows = await session.scalars(
        select(PortNumber)
        .where(col(PortNumber.order_id).in_(list(order_ids)))
        .order_by(col(PortNumber.order_id), col(PortNumber.position))
        .execution_options(populate_existing=True)
    )
    for row in rows:
        found[row.order_id].append(row)
    return found


async def note_raw(session: AsyncSession, order_id: str, words: Mapping[str, str]) -> None:
    """Keep the carrier's own word for each of these numbers."""
    for number, word in sorted(words.items()):
        await session.execute(
            update(PortNumber)
            .where(
                col(PortNumber.order_id) == order_id,
                col(PortNumber.number) == number,
                or_(
                    col(PortNumber.carrier_status_raw).is_(None),
                    col(PortNumber.carrier_status_raw) != word,
                ),
            )
            .values(carrier_status_raw=word)
            .execution_options(synchronize_session=False)
        )


async def note_attached(
    session: AsyncSession, order_id: str, numbers: Collection[str], *, at: datetime
) -> None:
    """Note that these numbers take calls on the order's trunk; those noted before keep their time."""
    await session.execute(
        update(PortNumber)
        .where(
            col(PortNumber.order_id) == order_id,
            col(PortNumber.number).in_(list(numbers)),
            col(PortNumber.attached_at).is_(None),
        )
        .values(attached_at=at)
        .execution_options(synchronize_session=False)
    )


async def note_called(session: AsyncSession, order_id: str, calls: Mapping[str, datetime]) -> None:
    """Note the first call to each of these numbers; those noted before keep their time."""
    for number, at in sorted(calls.items()):
        await session.execute(
            update(PortNumber)
            .where(
                col(PortNumber.order_id) == order_id,
                col(PortNumber.number) == number,
                col(PortNumber.first_inbound_at).is_(None),
            )
            .values(first_inbound_at=at)
            .execution_options(synchronize_session=False)
        )


async def uncalled(session: AsyncSession, *, limit: int) -> list[PortNumber]:
    """Numbers of orders under way that came and that no call was seen to, the longest here first.

    Needs the system scope.
    """
    require_system_scope(session)
    found = await session.scalars(
        select(PortNumber)
        .where(
            col(PortNumber.held),
            col(PortNumber.status) == NumberStatus.PORTED,
            col(PortNumber.first_inbound_at).is_(None),
        )
        .order_by(col(PortNumber.ported_at), col(PortNumber.number))
        .limit(limit)
    )
    return list(found)


async def first_calls(
    session: AsyncSession, org_id: str, numbers: Collection[str], *, since: datetime
) -> dict[str, datetime]:
    """When the first inbound call of real traffic to each number began, at ``since`` or later.

    A number that none came to is left out. Calls are known by the number as it is attached, so one
    that came before it was attached does not count.
    """
    wanted = {each.removeprefix("+"): each for each in numbers}
    first: dict[str, datetime] = {}
    rows = await session.execute(
        select(col(LiveCallRow.number), func.min(col(LiveCallRow.started_at)))
        .where(
            col(LiveCallRow.org_id) == org_id,
            col(LiveCallRow.number).in_([*numbers, *wanted]),
            col(LiveCallRow.direction) == CallDirection.INBOUND,
            col(LiveCallRow.started_at) >= since,
            # Never before the call began; it says which days are looked at.
            col(LiveCallRow.at) >= since,
        )
        .group_by(col(LiveCallRow.number))
    )
    for configured, started_at in rows:
        number = wanted[str(configured).removeprefix("+")]
        first[number] = min(started_at, first.get(number, started_at))
    return first


async def _refuse_taken(session: AsyncSession, numbers: Collection[str]) -> None:
    if not numbers:
        return
    rows = await session.execute(
        select(col(PortNumber.number), col(PortNumber.order_id)).where(
            col(PortNumber.number).in_(list(numbers)), col(PortNumber.held)
        )
    )
    raise NumbersTaken(sorted(numbers), {row.number: row.order_id for row in rows})
