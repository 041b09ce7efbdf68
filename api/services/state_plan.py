"""The difference between two states, told field by field; passwords are compared and not shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.schemas.state_views import ChangeAction, ChangedField, StateChange
from api.schemas.trunk_fields import REDACTED
from api.services.connections import Connection
from api.services.state_present import Present, facts_of
from api.services.state_wanted import Wanted
from domain.state_diff import (
    Difference,
    FieldChange,
    Hidden,
    NamedTrunk,
    TrunkChange,
    field_changes,
)
from domain.trunk import Direction

__all__ = ["changes_of"]


def changes_of(difference: Difference, present: Present, wanted: Wanted) -> list[StateChange]:
    """Trunks first; numbers that change alike stand together, in the order of the first of them."""
    return [
        *(_trunk(each, present) for each in difference.trunks),
        *_numbers(difference, present, wanted),
    ]


def _trunk(change: TrunkChange, present: Present) -> StateChange:
    shown = change.before or change.after
    if shown is None:
        raise RuntimeError("a change of nothing")
    action = ChangeAction.TRUNK_UPDATE
    if change.before is None:
        action = ChangeAction.TRUNK_CREATE
    elif change.after is None:
        action = ChangeAction.TRUNK_DELETE
    return StateChange(
        action=action,
        trunk=shown.name,
        trunk_id=change.key if change.key in present.named else None,
        fields=_fields(_facts(change.before), _facts(change.after)),
    )


def _facts(trunk: NamedTrunk | None) -> dict[str, Any]:
    if trunk is None:
        return {}
    return {
        "name": trunk.name,
        "provider": trunk.provider,
        "direction": trunk.profile.direction.value,
        **facts_of(trunk.profile, trunk.secrets, None, Hidden),
    }


@dataclass(frozen=True, slots=True)
class _Alike:
    """What changes of several numbers have in common."""

    direction: Direction
    before: tuple[str, ...]
    after: tuple[str, ...]


def _numbers(difference: Difference, present: Present, wanted: Wanted) -> Iterator[StateChange]:
    groups: dict[_Alike, list[str]] = {}
    for change in difference.routes:
        alike = _Alike(change.direction, change.before, change.after)
        groups.setdefault(alike, []).append(change.number)
    for alike, numbers in groups.items():
        action = ChangeAction.NUMBER_UPDATE
        if not alike.before:
            action = ChangeAction.NUMBER_ATTACH
        elif not alike.after:
            action = ChangeAction.NUMBER_DETACH
        yield StateChange(
            action=action,
            phone_numbers=numbers,
            direction=alike.direction,
            fields=_fields(
                _route(alike.before, alike.direction, present.state.trunks, present.connections),
                _route(
                    alike.after,
                    alike.direction,
                    wanted.state.trunks,
                    {**present.connections, **wanted.connections},
                ),
            ),
        )


def _route(
    carriers: tuple[str, ...],
    direction: Direction,
    named: Mapping[str, NamedTrunk],
    connections: Mapping[str, Connection],
) -> dict[str, Any]:
    """What carries a route, by place."""
    return {
        str(place): {"trunk": named[key].name}
        if key in named
        else _settings(connections[key], direction)
        for place, key in enumerate(carriers)
    }


def _settings(connection: Connection, direction: Direction) -> dict[str, Any]:
    return facts_of(connection.profile, connection.secrets, direction, Hidden)


def _fields(before: dict[str, Any], after: dict[str, Any]) -> list[ChangedField]:
    return [_field(each) for each in field_changes(before, after)]


def _field(change: FieldChange) -> ChangedField:
    return ChangedField(
        field=change.field, before=_shown(change.before), after=_shown(change.after)
    )


def _shown(value: Any) -> Any:
    return REDACTED if isinstance(value, Hidden) else value
