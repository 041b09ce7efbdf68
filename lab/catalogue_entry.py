"""What an entry of the catalogue is, and what several of them share."""

from __future__ import annotations

from dataclasses import dataclass

from lab.behaviour import Behaviour, Port, Transport

__all__ = [
    "DEMO_PASSWORD",
    "DEMO_REALM",
    "DEMO_USERNAME",
    "TCP",
    "TLS",
    "UDP",
    "CataloguePeer",
]

DEMO_REALM = "lab.trunkline.test"
DEMO_USERNAME = "lab"
DEMO_PASSWORD = "lab-password"
"""The account of the peers that challenge: public demo data, good for nothing but the lab."""

UDP = Port(Transport.UDP, 5060)
TCP = Port(Transport.TCP, 5060)
TLS = Port(Transport.TLS, 5061)


@dataclass(frozen=True, slots=True)
class CataloguePeer:
    """One entry: ``summary`` says in a sentence what a client meets.

    ``host`` is the peer's place in the lab's network: fixed, so that neither a new peer nor a lab of
    a few moves an address. A peer that answers from its neighbour takes the next place too.
    """

    name: str
    host: int
    summary: str
    behaviour: Behaviour

    @property
    def last_host(self) -> int:
        """The highest place in the network that the peer takes."""
        return self.host + 1 if self.behaviour.answers_from_neighbour else self.host
