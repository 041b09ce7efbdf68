"""The named trunks of a document: which present ones they are, and how numbers refer to them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from api.schemas.state import TrunkInput
from api.services.state_connections import ConnectionReader
from api.services.state_present import Present
from api.services.state_problems import Problems
from domain.state_diff import NamedTrunk
from domain.trunk import Direction

__all__ = ["WantedTrunks"]


@dataclass(slots=True)
class WantedTrunks:
    """Named trunks by key: the id of a present one, or a new key."""

    by_key: dict[str, NamedTrunk] = field(default_factory=dict)
    _by_name: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _refused: set[str] = field(default_factory=set)

    @classmethod
    async def read(
        cls,
        given: Sequence[TrunkInput],
        present: Present,
        reader: ConnectionReader,
        problems: Problems,
    ) -> WantedTrunks:
        """Read the trunks; what is wrong is told to ``problems``."""
        found = cls()
        for index, (draft, key) in enumerate(
            zip(given, _keys(given, present, problems), strict=True)
        ):
            # A number that names a refused trunk is not wrong for that.
            found._refused |= {draft.name, draft.trunk_id or draft.name}
            with problems.inside(f"trunks.{index}"):
                connection, kept = await reader.read(draft, draft.direction)
                whole = kept.put_in(connection, present.connections.get(key))
                found.by_key[key] = NamedTrunk(
                    draft.name, draft.provider, whole.profile, whole.secrets
                )
                found._by_name[draft.name].append(key)
                found._refused -= {draft.name, draft.trunk_id}
        return found

    def key_of(
        self, reference: str, direction: Direction, place: str, problems: Problems
    ) -> str | None:
        """The trunk that a number refers to, when it can carry the direction."""
        where = f"{place}.trunk"
        keys = [reference] if reference in self.by_key else self._by_name.get(reference, [])
        if len(keys) != 1:
            if keys:
                problems.add(where, "several trunks have this name; give the trunk_id")
            elif reference not in self._refused:
                problems.add(where, "no trunk of this document has this name or trunk_id")
            return None
        profile = self.by_key[keys[0]].profile
        if not profile.direction.serves(direction):
            problems.add(where, f"the trunk carries {profile.direction.value} calls only")
        elif direction is Direction.OUTBOUND and profile.sip_endpoint is None:
            problems.add(where, "the trunk has no sip_endpoint to send calls to")
        return keys[0]


def _keys(given: Sequence[TrunkInput], present: Present, problems: Problems) -> list[str]:
    """Which trunk each one is: by its id, else by its name, else a new one."""
    by_name: dict[str, list[str]] = defaultdict(list)
    claimed = Counter(each.trunk_id for each in given if each.trunk_id is not None)
    for trunk in present.named.values():
        if trunk.id not in claimed:
            by_name[trunk.name or ""].append(trunk.id)
    unclaimed = Counter(each.name for each in given if each.trunk_id is None)
    keys = []
    for index, draft in enumerate(given):
        key = f"new {index}"
        if draft.trunk_id is not None:
            key = draft.trunk_id
            if key not in present.named:
                problems.add(f"trunks.{index}.trunk_id", "no such trunk")
            elif claimed[key] > 1:
                problems.add(f"trunks.{index}.trunk_id", "is there twice")
        elif unclaimed[draft.name] > 1:
            problems.add(f"trunks.{index}.name", "is there twice; give each its trunk_id")
        elif len(by_name[draft.name]) > 1:
            problems.add(f"trunks.{index}.name", "several trunks have this name; give the trunk_id")
        elif by_name[draft.name]:
            key = by_name[draft.name][0]
        keys.append(key)
    return keys
