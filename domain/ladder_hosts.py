"""The hosts of a call: the lifelines of its ladder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from domain.replies import shown
from domain.trace import TraceEntry
from sip.capture import WireDirection

__all__ = ["OURS", "Hosts", "Lifeline", "OurHosts", "SeenHosts"]

OURS = 0
"""The lifeline of this host, where it has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifeline:
    """A host. ``name`` is what it was called by, ``software`` what it says it is.

    ``address`` is empty for this host, which may have several.
    """

    address: str
    name: str
    software: str | None = None
    ports: tuple[int, ...] = ()


class Hosts(ABC):
    """The lifelines as they come up; ``names`` are names by address."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.lifelines: list[Lifeline] = []
        self._names = names
        self._places: dict[str, int] = {}

    def place(self, address: str) -> int:
        """The lifeline of a host, a new one when there is none."""
        if address not in self._places:
            self._places[address] = len(self.lifelines)
            name = shown(self._names.get(address, ""))
            self.lifelines.append(Lifeline(address=shown(address), name=name or shown(address)))
        return self._places[address]

    @abstractmethod
    def ends_of(self, entry: TraceEntry) -> tuple[int, int]:
        """The lifelines of who sent the message and of whom it was sent to, with what it tells of
        them."""

    def _learn(self, place: int, *, port: int, software: str | None) -> None:
        known = self.lifelines[place]
        ports = known.ports if port in known.ports else (*known.ports, port)
        self.lifelines[place] = replace(known, ports=ports, software=known.software or software)


class OurHosts(Hosts):
    """This host, which has the first lifeline, and its peers."""

    def __init__(self, names: Mapping[str, str], our_name: str) -> None:
        super().__init__(names)
        self.lifelines.append(Lifeline(address="", name=shown(our_name)))

    def ends_of(self, entry: TraceEntry) -> tuple[int, int]:
        if entry.direction is WireDirection.OUT:
            peer = self.place(entry.destination[0])
            self._learn(OURS, port=entry.source[1], software=None)
            self._learn(peer, port=entry.destination[1], software=None)
            return OURS, peer
        peer = self.place(entry.source[0])
        self._learn(OURS, port=entry.destination[1], software=None)
        self._learn(peer, port=entry.source[1], software=entry.software)
        return peer, OURS


class SeenHosts(Hosts):
    """Hosts between which somebody else saw the call.

    Programs of one address that talk to each other are apart by their ports. What a proxy passes on
    says who wrote it, not who it is: a request is its writer's while it has one Via, a response is
    its writer's while it has all of them (RFC 3261 section 16.7).
    """

    def __init__(self, names: Mapping[str, str], entries: Sequence[TraceEntry]) -> None:
        super().__init__(names)
        self._shared = {
            entry.source[0] for entry in entries if entry.source[0] == entry.destination[0]
        }
        self._most_vias = max((_vias(entry) for entry in entries), default=0)

    def ends_of(self, entry: TraceEntry) -> tuple[int, int]:
        source = self._place_of(entry.source, entry.source_text)
        target = self._place_of(entry.destination, entry.destination_text)
        own = _vias(entry) == (1 if entry.status is None else self._most_vias)
        self._learn(source, port=entry.source[1], software=entry.software if own else None)
        self._learn(target, port=entry.destination[1], software=None)
        return source, target

    def _place_of(self, address: tuple[str, int], text: str) -> int:
        return self.place(text if address[0] in self._shared else address[0])


def _vias(entry: TraceEntry) -> int:
    return sum(value.count(",") + 1 for name, value in entry.header_fields if name == "Via")
