"""What a document changed of numbers, in the words of the routes that change one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.services.actor import Actor
from api.services.audit import record_each
from api.services.connections import Connection
from api.services.state_present import Present
from api.services.state_wanted import Wanted
from domain.route_slots import Placement, Slot
from domain.state_diff import RouteChange
from storage import audit, bindings

__all__ = ["NumberAudit"]


@dataclass(frozen=True, slots=True)
class NumberAudit:
    """``ids`` are those of new trunks by key; a present trunk's key is its id."""

    present: Present
    wanted: Wanted
    ids: Mapping[str, str]

    async def record(
        self,
        session: AsyncSession,
        actor: Actor,
        org_id: str,
        plans: Sequence[tuple[RouteChange, Placement]],
        added: Sequence[bindings.NewBinding],
    ) -> None:
        """An entry for each number that lost configurations, for each configuration that changed,
        and for each number that got new ones."""
        gone: dict[str, list[dict[str, Any]]] = {}
        new: dict[str, list[dict[str, Any]]] = {}
        updates: list[audit.Change] = []
        for change, plan in plans:
            for slot in plan.removed:
                told = {"id": slot.id, "direction": change.direction, "trunk_id": slot.carrier}
                gone.setdefault(change.number, []).append(told)
            slots = self.present.slots.get((change.number, change.direction), ())
            before = {slot.id: slot for slot in slots}
            updates += (self._moved(change.number, before[slot.id], slot) for slot in plan.moved)
        for each in added:
            told = {"id": each.id, "direction": each.direction, "trunk_id": each.trunk_id}
            new.setdefault(each.phone_number, []).append(told)
        entries = {
            "number.detach": [_lost(number, found) for number, found in gone.items()],
            "number.update": updates,
            "number.attach": [_got(number, found) for number, found in new.items()],
        }
        for action, changes in entries.items():
            await record_each(
                session,
                actor,
                org_id=org_id,
                action=action,
                subject_kind="number",
                changes=changes,
            )

    def _moved(self, number: str, before: Slot, after: Slot) -> audit.Change:
        """A configuration that got another trunk, or another place alone."""
        old, new = self._told(before), self._told(after)
        if before.carrier == after.carrier:
            return audit.Change(number, before=old, after=new)
        left, joined = self.present.connections[before.carrier], self._joined(after.carrier)
        marks = {"password_changed": True} if left.secrets != joined.secrets else {}
        return audit.Change(
            number, before={**old, **_facts(left)}, after={**new, **_facts(joined), **marks}
        )

    def _told(self, slot: Slot) -> dict[str, Any]:
        trunk_id = self.ids.get(slot.carrier, slot.carrier)
        return {"id": slot.id, "trunk_id": trunk_id, "priority": slot.priority}

    def _joined(self, key: str) -> Connection:
        named = self.wanted.state.trunks.get(key)
        if named is not None:
            return Connection(named.profile, named.secrets)
        return self.wanted.connections.get(key) or self.present.connections[key]


def _lost(number: str, configurations: list[dict[str, Any]]) -> audit.Change:
    return audit.Change(number, before={"configurations": configurations})


def _got(number: str, configurations: list[dict[str, Any]]) -> audit.Change:
    return audit.Change(number, after={"configurations": configurations})


def _facts(connection: Connection) -> dict[str, Any]:
    return connection.profile.model_dump(mode="json", exclude_none=True)
