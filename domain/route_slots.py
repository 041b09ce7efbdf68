"""The slots in which a number's configurations are tried, moved into a wanted order.

A slot of a route is a priority that no other configuration of it has; a trunk carries a route once.
Both hold after every single step, whatever the order in which the steps are carried out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Placement", "Slot", "placed"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A configuration (``id``), the key of the trunk that carries it, and its priority."""

    id: str
    carrier: str
    priority: int


@dataclass(frozen=True, slots=True)
class Placement:
    """What to take away first, then what gets another trunk or priority, and what is new.

    ``added`` holds the keys of trunks with priorities; their configurations have no id yet.
    """

    removed: tuple[Slot, ...] = ()
    moved: tuple[Slot, ...] = ()
    added: tuple[tuple[str, int], ...] = ()


def placed(present: Sequence[Slot], wanted: Sequence[str]) -> Placement:
    """How the configurations of one route come to be carried by ``wanted``, each trunk once.

    ``present`` is in route order. A configuration stays with its trunk; one whose trunk is not
    wanted any more goes on with a new trunk rather than being taken away, the first with the first.
    """
    free = [slot for slot in present if slot.carrier not in wanted]
    by_carrier = {slot.carrier: slot for slot in present}
    highest = max((slot.priority for slot in present), default=-1)
    last = -1
    moved: list[Slot] = []
    added: list[tuple[str, int]] = []
    for carrier in wanted:
        slot = by_carrier.get(carrier) or (free.pop(0) if free else None)
        if slot is not None and slot.priority > last:
            last = slot.priority
        else:
            # Above every slot that is taken now, so that no step meets another one's slot.
            last = max(highest, last) + 1
        if slot is None:
            added.append((carrier, last))
        elif (slot.carrier, slot.priority) != (carrier, last):
            moved.append(Slot(slot.id, carrier, last))
    return Placement(tuple(free), tuple(moved), tuple(added))
