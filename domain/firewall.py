"""Firewall rules from a region's addresses, in the form that a customer's firewall reads.

What is let in: SIP from the signalling addresses to the customer's SIP port, RTP and RTCP from the
media addresses to the customer's media ports.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from domain.regions import RegionFacts
from sip.transports import Transport

__all__ = ["FirewallFormat", "OpenPorts", "firewall_rules"]


class FirewallFormat(StrEnum):
    """How the rules are written."""

    JSON = "json"
    TEXT = "text"
    IPTABLES = "iptables"
    NFTABLES = "nftables"
    UFW = "ufw"
    AWS = "aws"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPorts:
    """The customer's own ports: of SIP over ``transport``, and the first and last of RTP."""

    sip_port: int
    transport: Transport
    rtp_ports: tuple[int, int]

    @property
    def sip_protocol(self) -> str:
        """The protocol that a packet filter sees."""
        return "udp" if self.transport is Transport.UDP else "tcp"


@dataclass(frozen=True, slots=True)
class _Rule:
    network: str
    protocol: str
    first: int
    last: int
    what: str

    @property
    def version(self) -> int:
        return 6 if ":" in self.network else 4

    def ports(self, between: str) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}{between}{self.last}"


def firewall_rules(region: RegionFacts, ports: OpenPorts, form: FirewallFormat) -> str:
    """The rules as text that can be pasted; ``FirewallFormat.JSON`` has no such text.

    Raises ``KeyError`` for it.
    """
    return _WRITERS[form](region, tuple(_rules(region, ports)))


def _rules(region: RegionFacts, ports: OpenPorts) -> Iterator[_Rule]:
    for network in region.signaling:
        yield _Rule(
            network, ports.sip_protocol, ports.sip_port, ports.sip_port, f"{region.name} SIP"
        )
    first, last = ports.rtp_ports
    for network in region.media_addresses:
        yield _Rule(network, "udp", first, last, f"{region.name} RTP")


def _headline(region: RegionFacts) -> str:
    return f"{region.name}, addresses as of {region.changed_on.isoformat()}"


def _text(region: RegionFacts, rules: tuple[_Rule, ...]) -> str:
    return "".join(f"{network}\n" for network in region.addresses)


def _iptables(region: RegionFacts, rules: tuple[_Rule, ...]) -> str:
    lines = [f"# {_headline(region)}"]
    for rule in rules:
        program = "ip6tables" if rule.version == 6 else "iptables"
        lines.append(
            f"{program} -A INPUT -s {rule.network} -p {rule.protocol} --dport {rule.ports(':')} "
            f'-m comment --comment "{rule.what}" -j ACCEPT'
        )
    return _joined(lines)


def _nftables(region: RegionFacts, rules: tuple[_Rule, ...]) -> str:
    lines = [
        f"# {_headline(region)}",
        # An accept of another table would not keep this one's policy from dropping.
        "# For the chain `input` of the table `inet filter`, as distributions name them.",
    ]
    groups: dict[tuple[int, str, str, str], list[str]] = {}
    for rule in rules:
        key = (rule.version, rule.protocol, rule.ports("-"), rule.what)
        groups.setdefault(key, []).append(rule.network)
    for (version, protocol, ports, what), networks in groups.items():
        family = "ip6" if version == 6 else "ip"
        lines.append(
            f"insert rule inet filter input {family} saddr {{ {', '.join(networks)} }} "
            f'{protocol} dport {ports} accept comment "{what}"'
        )
    return _joined(lines)


def _ufw(region: RegionFacts, rules: tuple[_Rule, ...]) -> str:
    lines = [f"# {_headline(region)}"]
    for rule in rules:
        lines.append(
            f"ufw allow proto {rule.protocol} from {rule.network} to any port {rule.ports(':')} "
            f"comment '{rule.what}'"
        )
    return _joined(lines)


def _aws(region: RegionFacts, rules: tuple[_Rule, ...]) -> str:
    """``IpPermissions`` as ``aws ec2 authorize-security-group-ingress`` takes it."""
    groups: dict[tuple[str, int, int], dict[str, Any]] = {}
    for rule in rules:
        permission = groups.setdefault(
            (rule.protocol, rule.first, rule.last),
            {"IpProtocol": rule.protocol, "FromPort": rule.first, "ToPort": rule.last},
        )
        cidr = rule.network if "/" in rule.network else f"{rule.network}/{_FULL[rule.version]}"
        kind, field = ("Ipv6Ranges", "CidrIpv6") if rule.version == 6 else ("IpRanges", "CidrIp")
        permission.setdefault(kind, []).append({field: cidr, "Description": rule.what})
    return json.dumps({"IpPermissions": list(groups.values())}, indent=2) + "\n"


def _joined(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


_FULL: Final = {4: 32, 6: 128}
_WRITERS: Final[Mapping[FirewallFormat, Callable[[RegionFacts, tuple[_Rule, ...]], str]]] = {
    FirewallFormat.TEXT: _text,
    FirewallFormat.IPTABLES: _iptables,
    FirewallFormat.NFTABLES: _nftables,
    FirewallFormat.UFW: _ufw,
    FirewallFormat.AWS: _aws,
}
