"""Numbers that were ported take calls: each is bound as inbound to the order's trunk."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from activities.contracts import AttachedNumbers
from activities.port_desk import PortDesk
from domain.porting.events import Attached
from domain.trunk import MAX_CONFIGURATIONS, Direction
from storage import audit, bindings, port_numbers, port_orders, port_timeline, trunks
from storage.ids import new_id
from storage.port_timeline import NewEntry
from storage.tables import NumberBinding, PortOrder, Trunk
from workflows.names import port_workflow_id

__all__ = ["attach"]


async def attach(desk: PortDesk, attached: AttachedNumbers) -> Attached:
    """Bind those that can be, each once; why one cannot be is in the timeline."""
    async with desk.database.tenant(attached.org_id) as session:
        order = await port_orders.get(session, attached.order_id)
        if order is None:
            return Attached(failed=attached.positions)
        await trunks.lock(session, attached.org_id)
        rows = await port_numbers.of_order(session, attached.order_id)
        wanted = {row.number: row.position for row in rows if row.position in attached.positions}
        trunk, problem = await _trunk_of(session, order)
        refused: dict[str, str] = {}
        if trunk is None:
            refused = dict.fromkeys(wanted, problem)
        else:
            refused = await _bind(session, order, trunk, wanted)
        done = [number for number in wanted if number not in refused]
        await port_numbers.note_attached(session, order.id, done, at=attached.now)
        entries = [
            NewEntry(
                entry_key=f"attach:{wanted[number]}",
                at=attached.now,
                kind="not_attached",
                actor="system",
                text=f"{number} {why}",
            )
            for number, why in refused.items()
        ]
        await port_timeline.add(session, order.id, entries)
    return Attached(
        positions=tuple(sorted(wanted[each] for each in done)),
        failed=tuple(sorted(wanted[each] for each in refused)),
    )


async def _trunk_of(session: AsyncSession, order: PortOrder) -> tuple[Trunk | None, str]:
    if order.trunk_id is None:
        return None, "is here, and the order names no trunk: attach it to the one that it is for."
    trunk = await trunks.get(session, order.org_id, order.trunk_id)
    if trunk is None:
        return None, "is here, and the trunk of the order is gone: attach it to another one."
    if not trunk.direction.serves(Direction.INBOUND):
        return None, "is here, and the trunk of the order takes no calls: attach it to another one."
    return trunk, ""


async def _bind(
    session: AsyncSession, order: PortOrder, trunk: Trunk, numbers: Collection[str]
) -> dict[str, str]:
    """Bind the numbers that the trunk does not have; why the others cannot be."""
    present = await bindings.of_numbers(session, order.org_id, numbers)
    missing = [each for each in numbers if not _has(present.get(each, ()), trunk)]
    full = {each for each in missing if len(present.get(each, ())) >= MAX_CONFIGURATIONS}
    free = [each for each in missing if each not in full]
    mine = await bindings.claim_inbound(session, order.org_id, free)
    new = [
        bindings.NewBinding(
            id=new_id("cfg"),
            org_id=order.org_id,
            phone_number=number,
            direction=Direction.INBOUND,
            trunk_id=trunk.id,
            priority=_next_slot(present.get(number, ())),
        )
        for number in free
        if number in mine
    ]
    await bindings.add(session, new)
    if new:
        await trunks.announce(session, order.org_id, changed={trunk.id})
    await audit.append_each(
        session,
        org_id=order.org_id,
        actor=audit.Actor("workflow", port_workflow_id(order.id)),
        action="number.attach",
        subject_kind="number",
        changes=[
            audit.Change(
                each.phone_number,
                after={
                    "configurations": [
                        {"id": each.id, "direction": each.direction, "trunk_id": trunk.id}
                    ]
                },
            )
            for each in new
        ],
    )
    taken = (
        "is here, and receives calls for somebody else already: its holder must detach it there."
    )
    limit = f"is here, and has {MAX_CONFIGURATIONS} configurations: detach one, then attach it."
    return {each: taken for each in free if each not in mine} | dict.fromkeys(full, limit)


def _has(present: Iterable[NumberBinding], trunk: Trunk) -> bool:
    return any(
        each.trunk_id == trunk.id and each.direction is Direction.INBOUND for each in present
    )


def _next_slot(present: Iterable[NumberBinding]) -> int:
    taken = (each.priority for each in present if each.direction is Direction.INBOUND)
    return max(taken, default=-1) + 1
