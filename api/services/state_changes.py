"""A difference carried out: trunks made, changed and taken away, numbers bound anew.

Trunks, slots, revisions and audit entries come out as if every change had been made by its own
request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import Conflict, ErrorItem
from api.services.actor import Actor
from api.services.audit import record
from api.services.state_audit import NumberAudit
from api.services.state_present import Present
from api.services.state_wanted import Wanted
from api.validation import MAX_ENTRIES
from domain.phone_numbers import is_e164
from domain.route_slots import Placement, Slot, placed
from domain.state_diff import Difference, NamedTrunk, RouteChange
from domain.trunk import Direction
from storage import bindings, configuration, trunks
from storage.ids import new_id
from storage.tables import Trunk
from storage.trunk_vault import TrunkVault

__all__ = ["carry_out", "claim"]

BREATH: Final = 200
"""Numbers after which other requests get their turn."""


async def claim(session: AsyncSession, org_id: str, difference: Difference, wanted: Wanted) -> None:
    """Make E.164 numbers that begin to receive calls the organization's.

    Raises ``Conflict`` when one of them is another organization's.
    """
    incoming = {each.number for each in _inbound(difference) if not each.before}
    mine = await bindings.claim_inbound(session, org_id, incoming)
    foreign = sorted(incoming - mine)
    if not foreign:
        return
    refusal = Conflict(code="NUMBER_UNAVAILABLE")
    refusal.items = tuple(
        ErrorItem(
            "NUMBER_UNAVAILABLE",
            f"{wanted.places[number]}: {number} already receives calls for somebody else; its "
            "holder must detach it there.",
            wanted.places[number],
        )
        for number in foreign[:MAX_ENTRIES]
    )
    raise refusal


async def carry_out(
    session: AsyncSession,
    vault: TrunkVault,
    org_id: str,
    present: Present,
    wanted: Wanted,
    difference: Difference,
    *,
    actor: Actor,
) -> None:
    """Make the changes, for which ``claim`` was asked and the configuration is locked."""
    work = _Work(session, vault, org_id, present, wanted, actor)
    await work.make_trunks(difference)
    await work.bind(difference)
    await work.remove_trunks(difference)
    await trunks.announce(
        session, org_id, created=work.created, changed=work.changed, removed=work.removed
    )
    released = {each.number for each in _inbound(difference) if not each.after}
    if released:
        await bindings.release_inbound(session, org_id, released)


def _inbound(difference: Difference) -> list[RouteChange]:
    return [
        each
        for each in difference.routes
        if each.direction is Direction.INBOUND and is_e164(each.number)
    ]


@dataclass(slots=True)
class _Work:
    session: AsyncSession
    vault: TrunkVault
    org_id: str
    present: Present
    wanted: Wanted
    actor: Actor
    created: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    removed: list[Trunk] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)
    """Ids of new trunks by key; a present trunk's key is its id."""

    async def make_trunks(self, difference: Difference) -> None:
        """Named trunks of their own, and unnamed ones that numbers will need."""
        for change in difference.trunks:
            if change.after is None:
                continue
            if change.before is None:
                await self._create(change.key, change.after)
            else:
                await self._replace(change.key, change.before, change.after)
        for key, connection in self.wanted.connections.items():
            made = await trunks.create(
                self.session, self.vault, self.org_id, connection.profile, connection.secrets
            )
            self.ids[key] = made.id
            self.created.add(made.id)

    async def remove_trunks(self, difference: Difference) -> None:
        """Named trunks that are not wanted, and unnamed ones that nothing is bound to any more."""
        for change in difference.trunks:
            if change.after is not None or change.before is None:
                continue
            bound = {each.phone_number for each in self._bound_to(change.key)}
            await trunks.remove(self.session, self.org_id, change.key)
            self.removed.append(self.present.by_id[change.key])
            facts = {**_trunk_facts(change.before), "bound_number_count": len(bound)}
            await self._record("trunk.delete", change.key, before=facts)
        left = self.changed - {each.id for each in self.removed}
        self.removed += await trunks.remove_emptied(self.session, self.org_id, left)

    async def bind(self, difference: Difference) -> None:
        """Configurations taken away, moved and added, each with its audit entry."""
        plans = [
            (each, placed(self.present.slots.get((each.number, each.direction), ()), each.after))
            for each in difference.routes
        ]
        gone = [slot.id for _, plan in plans for slot in plan.removed]
        if gone:
            await bindings.remove(self.session, gone)
        moves = [
            configuration.Move(slot.id, self._id(slot.carrier), slot.priority)
            for _, plan in plans
            for slot in plan.moved
        ]
        await configuration.move_each(self.session, self.org_id, moves)
        new: list[bindings.NewBinding] = []
        for index, (change, plan) in enumerate(plans):
            new += self._added(change, plan)
            if index % BREATH == 0:
                await asyncio.sleep(0)
        await bindings.add(self.session, new)
        for change, plan in plans:
            self._touch(change, plan)
        audit = NumberAudit(self.present, self.wanted, self.ids)
        await audit.record(self.session, self.actor, self.org_id, plans, new)

    def _id(self, key: str) -> str:
        return self.ids.get(key, key)

    def _added(self, change: RouteChange, plan: Placement) -> list[bindings.NewBinding]:
        return [
            bindings.NewBinding(
                id=new_id("cfg"),
                org_id=self.org_id,
                phone_number=change.number,
                direction=change.direction,
                trunk_id=self._id(carrier),
                priority=priority,
            )
            for carrier, priority in plan.added
        ]

    def _touch(self, change: RouteChange, plan: Placement) -> None:
        before = {slot.id: slot for slot in self._slots(change)}
        self.changed |= {slot.carrier for slot in plan.removed}
        self.changed |= {before[slot.id].carrier for slot in plan.moved}
        self.changed |= {self._id(slot.carrier) for slot in plan.moved}
        self.changed |= {self._id(carrier) for carrier, _ in plan.added}

    def _slots(self, change: RouteChange) -> list[Slot]:
        return self.present.slots.get((change.number, change.direction), [])

    def _bound_to(self, trunk_id: str) -> list[configuration.Bound]:
        return [each for each in self.present.configuration.bound if each.trunk_id == trunk_id]

    async def _create(self, key: str, after: NamedTrunk) -> None:
        made = await trunks.create(
            self.session,
            self.vault,
            self.org_id,
            after.profile,
            after.secrets,
            name=after.name,
            provider=after.provider,
        )
        self.ids[key] = made.id
        self.created.add(made.id)
        await self._record("trunk.create", made.id, after=_trunk_facts(after))

    async def _replace(self, key: str, before: NamedTrunk, after: NamedTrunk) -> None:
        await trunks.replace(
            self.session,
            self.vault,
            self.present.by_id[key],
            after.profile,
            after.secrets,
            name=after.name,
            provider=after.provider,
        )
        self.changed.add(key)
        facts = _trunk_facts(after)
        if before.secrets != after.secrets:
            facts["password_changed"] = True
        await self._record("trunk.update", key, before=_trunk_facts(before), after=facts)

    async def _record(
        self,
        action: str,
        trunk_id: str,
        *,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        await record(
            self.session,
            self.actor,
            org_id=self.org_id,
            action=action,
            subject=("trunk", trunk_id),
            before=before,
            after=after,
        )


def _trunk_facts(trunk: NamedTrunk) -> dict[str, Any]:
    """A trunk for the audit log: everything but the passwords."""
    return {
        "name": trunk.name,
        "provider": trunk.provider,
        **trunk.profile.model_dump(mode="json", exclude_none=True),
    }
