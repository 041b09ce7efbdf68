"""Which addresses, ports and transports a discovery tries, and in which order.

Source: RFC 3263 4 (what a domain announces comes first), public contract 4.2 (usual ports, an
explicit port or transport restricts), RFC 5922 4 (a certificate is checked against the domain that
was entered, whatever the SRV record points to).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import zip_longest

from pydantic import BaseModel, ConfigDict, Field

from domain.attempts import CandidateSource
from sip.transports import Transport

__all__ = [
    "MAX_ADDRESSES",
    "MAX_CANDIDATES",
    "USUAL_PORTS",
    "Candidate",
    "DiscoveryPlan",
    "ResolutionFacts",
    "ResolvedTarget",
    "plan_discovery",
]

MAX_ADDRESSES = 16  # carriers publish up to about ten
MAX_CANDIDATES = 96  # probes a run sends at most: discovery must not become a port scanner

USUAL_PORTS = (5060, 5061, 5080)

# The likely ones first, so that the limits cut the unlikely ones.
_USUAL = (
    (5061, Transport.TLS),
    (5060, Transport.TCP),
    (5060, Transport.UDP),
    (5080, Transport.TLS),
    (5080, Transport.TCP),
    (5080, Transport.UDP),
    (5060, Transport.TLS),
    (5061, Transport.TCP),
    (5061, Transport.UDP),
)
_OF_THE_HOST = frozenset({"literal", "a", "aaaa"})  # sources that need no SRV record
_BY_PREFERENCE = (Transport.TLS, Transport.TCP, Transport.UDP)


class ResolvedTarget(BaseModel):
    """One address that look-ups led to. ``name`` is the domain or SRV target it belongs to.

    ``port`` and ``transport`` are set when an SRV record announced them.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True)

    address: str
    port: int | None = Field(default=None, ge=1, le=65535)
    transport: Transport | None = None
    name: str = ""
    source: str = Field(description="literal, naptr, srv, a or aaaa.")
    priority: int | None = None
    weight: int | None = None


class ResolutionFacts(BaseModel):
    """What the look-ups of a destination found: targets in order of preference (RFC 3263)."""

    model_config = ConfigDict(frozen=True, extra="ignore", from_attributes=True)

    host: str
    targets: tuple[ResolvedTarget, ...] = ()


class Candidate(BaseModel):
    """One probe to send. ``host`` goes into Request-URI and SNI and is what a certificate names."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    address: str
    port: int = Field(ge=1, le=65535)
    transport: Transport
    host: str
    name: str = Field(description="Name that the address belongs to: the host or an SRV target.")
    source: CandidateSource
    priority: int | None = None
    weight: int | None = None

    @property
    def key(self) -> tuple[str, int, Transport]:
        """What makes two candidates the same probe."""
        return self.address, self.port, self.transport


class DiscoveryPlan(BaseModel):
    """Candidates in the order to start them, and how much the limits left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    candidates: tuple[Candidate, ...]
    omitted_addresses: int = 0
    omitted_candidates: int = 0


def plan_discovery(
    resolution: ResolutionFacts, *, port: int | None = None, transport: Transport | None = None
) -> DiscoveryPlan:
    """The probes of a discovery, most promising first, each once, within the limits.

    What SRV records announce comes first, on its own addresses; then the usual ports on every
    address, all addresses of a port and transport before the next. An explicit ``port`` is the only
    one tried, and SRV records do not count beside it (RFC 3263 4.2); an explicit ``transport`` is
    the only one tried. ``omitted_candidates`` counts the candidates of kept addresses only.
    """
    announced = [] if port is not None else list(_announced(resolution))
    names = _names(resolution, announced)
    kept = _kept(list(names))
    candidates: dict[tuple[str, int, Transport], Candidate] = {}
    for candidate in (*announced, *_assumed(resolution.host, names, port)):
        if candidate.address in kept and transport in (None, candidate.transport):
            candidates.setdefault(candidate.key, candidate)
    chosen = tuple(candidates.values())[:MAX_CANDIDATES]
    return DiscoveryPlan(
        candidates=chosen,
        omitted_addresses=len(names) - len(kept),
        omitted_candidates=len(candidates) - len(chosen),
    )


def _announced(resolution: ResolutionFacts) -> Iterator[Candidate]:
    """What SRV records name, in their order."""
    for target in resolution.targets:
        address = _canonical(target.address)
        if target.source not in (CandidateSource.SRV, CandidateSource.NAPTR) or address is None:
            continue
        if target.port is not None and target.transport is not None:
            yield Candidate(
                address=address,
                port=target.port,
                transport=target.transport,
                host=resolution.host,
                name=target.name or resolution.host,
                source=CandidateSource(target.source),
                priority=target.priority,
                weight=target.weight,
            )


def _names(resolution: ResolutionFacts, announced: list[Candidate]) -> dict[str, str]:
    """Every address once with the name it belongs to; announced addresses first."""
    names: dict[str, str] = {}
    for candidate in announced:
        names.setdefault(candidate.address, candidate.name)
    for target in resolution.targets:
        address = _canonical(target.address)
        if target.source in _OF_THE_HOST and address is not None:
            names.setdefault(address, resolution.host)
    return names


def _kept(addresses: list[str]) -> frozenset[str]:
    """The addresses within the limit, of both families by turns, so that none crowds out the other."""
    v4 = [address for address in addresses if ":" not in address]
    v6 = [address for address in addresses if ":" in address]
    by_turns = [address for pair in zip_longest(v4, v6) for address in pair if address is not None]
    return frozenset(by_turns[:MAX_ADDRESSES])


def _assumed(host: str, names: dict[str, str], port: int | None) -> Iterator[Candidate]:
    """The usual ports, or the given one, on every address."""
    pairs = _USUAL if port is None else tuple((port, each) for each in _BY_PREFERENCE)
    source = CandidateSource.DEFAULT if port is None else CandidateSource.GIVEN
    for number, transport in pairs:
        for address, name in names.items():
            yield Candidate(
                address=address,
                port=number,
                transport=transport,
                host=host,
                name=name,
                source=source,
            )


def _canonical(address: str) -> str | None:
    """One spelling per address; None for what is none, or means something on one machine only."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.scope_id is not None:
        return None
    return parsed.compressed
