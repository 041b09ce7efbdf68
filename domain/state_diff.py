"""What it takes to bring an organization's whole configuration from one state to another.

A state says which named trunks there are and which trunks carry each number in each direction.
Trunks are told apart by keys: whoever builds two states gives the same trunk the same key in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from domain.trunk import Direction, TrunkProfile, TrunkSecrets

__all__ = [
    "Difference",
    "FieldChange",
    "Hidden",
    "NamedTrunk",
    "Route",
    "RouteChange",
    "State",
    "TrunkChange",
    "applied",
    "difference",
    "field_changes",
]

Route = tuple[str, Direction]
"""A stored number, DID or extension, and a direction of its calls."""


@dataclass(frozen=True, slots=True)
class NamedTrunk:
    """A trunk under its own name; ``secrets`` are its passwords."""

    name: str
    provider: str
    profile: TrunkProfile
    secrets: TrunkSecrets


@dataclass(frozen=True, slots=True)
class State:
    """Named trunks by key, and the keys of the trunks that carry a route, the first to try first.

    ``routes`` name implicit trunks too, by keys of theirs. A route that nothing carries is the same
    as one that is not there.
    """

    trunks: Mapping[str, NamedTrunk] = field(default_factory=dict)
    routes: Mapping[Route, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrunkChange:
    """A named trunk made (no ``before``), changed, or taken away (no ``after``)."""

    key: str
    before: NamedTrunk | None
    after: NamedTrunk | None


@dataclass(frozen=True, slots=True)
class RouteChange:
    """What carried the calls of a number, and what shall."""

    number: str
    direction: Direction
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """All changes, trunks by key and routes by number and direction; empty when nothing differs."""

    trunks: tuple[TrunkChange, ...] = ()
    routes: tuple[RouteChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.trunks or self.routes)


def difference(present: State, wanted: State) -> Difference:
    """The changes after which ``present`` is ``wanted``; none when it is already."""
    trunks = (
        TrunkChange(key, present.trunks.get(key), wanted.trunks.get(key))
        for key in sorted({*present.trunks, *wanted.trunks})
    )
    routes = (
        RouteChange(*route, present.routes.get(route, ()), wanted.routes.get(route, ()))
        for route in sorted({*present.routes, *wanted.routes})
    )
    return Difference(
        tuple(each for each in trunks if each.before != each.after),
        tuple(each for each in routes if each.before != each.after),
    )


def applied(present: State, changes: Difference) -> State:
    """The state after these changes.

    Raises ``ValueError`` when they were not made from ``present``.
    """
    trunks = dict(present.trunks)
    for trunk in changes.trunks:
        if trunks.get(trunk.key) != trunk.before:
            raise ValueError(f"{trunk.key} is not what the change starts from")
        if trunk.after is None:
            del trunks[trunk.key]
        else:
            trunks[trunk.key] = trunk.after
    routes = {route: carriers for route, carriers in present.routes.items() if carriers}
    for change in changes.routes:
        route = change.number, change.direction
        if routes.pop(route, ()) != change.before:
            raise ValueError(f"{change.number} is not what the change starts from")
        if change.after:
            routes[route] = change.after
    return State(trunks, routes)


_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class Hidden:
    """A secret among facts: it can be compared and not be read."""

    _secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field by its path, such as ``options.port``; ``None`` where it is not there."""

    field: str
    before: Any
    after: Any


def field_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[FieldChange]:
    """Which fields differ between two JSON objects, in their order; lists are compared whole."""
    old, new = dict(_leaves(before)), dict(_leaves(after))
    return [
        FieldChange(path, old.get(path), new.get(path))
        for path in dict.fromkeys((*old, *new))
        if old.get(path, _ABSENT) != new.get(path, _ABSENT)
    ]


def _leaves(facts: Mapping[str, Any], path: Sequence[str] = ()) -> Iterator[tuple[str, Any]]:
    for name, value in facts.items():
        here = (*path, name)
        if isinstance(value, Mapping):
            yield from _leaves(value, here)
        elif value is not None:
            yield ".".join(here), value
