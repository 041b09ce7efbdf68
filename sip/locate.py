"""Choosing where a request goes (RFC 3263 section 4): the decisions, without asking anybody.

`plan_call` says which questions to ask, `select_naptr` and `order_srv` what their answers mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from sip.disguise import decode_disguised_ipv4
from sip.resolution import NaptrRecord, SrvRecord
from sip.transports import Transport

__all__ = [
    "PREFERENCE",
    "NaptrChoice",
    "Plan",
    "PlanError",
    "address_literal",
    "check_host",
    "check_port",
    "order_srv",
    "plan_call",
    "select_naptr",
    "srv_objection",
]

# Without NAPTR records the client's own preference decides (RFC 3263 4.1): the safest first.
PREFERENCE = (Transport.TLS, Transport.TCP, Transport.UDP)

_NAPTR_SERVICES = {
    "SIPS+D2T": Transport.TLS,
    "SIP+D2T": Transport.TCP,
    "SIP+D2U": Transport.UDP,
}

# RFC 1123 2.1 and RFC 1035 2.3.4; the underscore is no host name character, but is found in the wild.
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_MAX_HOST = 253
# RFC 1123 2.1: a host name never ends like a number, so that it cannot be mistaken for an address.
_NUMERIC_LABEL = re.compile(r"(?:[0-9]+|0x[0-9a-f]*)\Z")


class PlanError(Exception):
    """A destination that cannot be resolved whatever the DNS says; its text is for a person."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which questions RFC 3263 wants asked for one destination.

    `transports` are those whose SRV names are asked, in order of preference; none when the answer is
    fixed by an address or a port. `fallback` is the transport of address records when there is no
    SRV record. `port` is set when the destination fixed it. `reason` is a sentence.
    """

    host: str
    literal: bool
    port: int | None
    ask_naptr: bool
    transports: tuple[Transport, ...]
    fallback: Transport
    secure: bool
    reason: str


@dataclass(frozen=True, slots=True)
class NaptrChoice:
    """The NAPTR records to follow, best first, and a sentence for each one that is not."""

    followed: tuple[tuple[NaptrRecord, Transport], ...]
    passed_over: tuple[str, ...]


def address_literal(host: str) -> str | None:
    """The canonical text of an IP address, with or without brackets; `None` for a name."""
    inner = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ip_address(inner)
    except ValueError:
        return None
    if inner is not host and not isinstance(address, IPv6Address):
        return None
    return str(address)


def check_host(host: str) -> str:
    """The host name as it is asked for: lower case, without the trailing dot.

    Raises `PlanError` for what is no host name in ASCII form, an address in disguise included.
    """
    name = host.removesuffix(".").lower()
    disguised = decode_disguised_ipv4(name)
    if disguised is not None:
        raise PlanError(f"{host[:80]} is {disguised} written in another form")
    if not name.isascii():
        raise PlanError(f"{host[:80]!r} is not in ASCII form (A-labels, RFC 5890)")
    labels = name.split(".")
    if len(name) > _MAX_HOST or not all(_LABEL.match(label) for label in labels):
        raise PlanError(f"{host[:80]!r} is not a host name (RFC 1123)")
    if _NUMERIC_LABEL.match(labels[-1]):
        raise PlanError(f"{host[:80]} is neither an IP address nor a host name (RFC 1123 2.1)")
    return name


def check_port(port: int | None) -> None:
    """Raises `PlanError` for a number that is no port; `None` is fine."""
    if port is not None and not 0 < port < 65536:
        raise PlanError(f"{port} is not a port")


def plan_call(
    host: str, *, port: int | None = None, transport: str | None = None, secure: bool = False
) -> Plan:
    """Decide what to ask for a destination (RFC 3263 4.1 and 4.2).

    `secure` is a sips URI, which is served by TLS only. Raises `PlanError`.
    """
    literal = address_literal(host)
    name = literal or check_host(host)
    check_port(port)
    given = _given_transport(transport, secure)
    fallback = given or (Transport.TLS if secure else Transport.UDP)
    asked: tuple[Transport, ...] = ()
    ask_naptr = False
    if literal is not None:
        reason = f"{name} is an IP address: no DNS look-up"
    elif port is not None:
        reason = f"explicit port {port}: no NAPTR or SRV look-up"
    elif given is not None:
        asked = (given,)
        reason = f"transport {given} is given: only {given.srv_prefix}.{name} is asked"
    else:
        asked = (Transport.TLS,) if secure else PREFERENCE
        ask_naptr = True
        reason = "no port and no transport are given: NAPTR, then SRV, then address records"
        if secure:
            reason += ", TLS only because the URI is a sips URI"
    return Plan(name, literal is not None, port, ask_naptr, asked, fallback, secure, reason)


def _given_transport(transport: str | None, secure: bool) -> Transport | None:
    if transport is None:
        return None
    try:
        given = Transport(transport.lower())
    except ValueError:
        raise PlanError(f"transport {transport[:20]!r} is not supported") from None
    if secure and given is Transport.UDP:
        raise PlanError("a sips URI cannot be reached over UDP (RFC 3261 26.2.2)")
    # RFC 3261 26.2.2: in a sips URI transport=tcp means TLS over TCP.
    return Transport.TLS if secure else given


def select_naptr(
    records: Iterable[NaptrRecord], *, secure: bool = False, every_order: bool = False
) -> NaptrChoice:
    """Choose the NAPTR records that lead to a SIP service (RFC 3263 4.1, RFC 3403 4.1).

    Of the usable records only those with the lowest order are followed, by preference; with
    `every_order`, all of them.
    """
    followed: list[tuple[NaptrRecord, Transport]] = []
    passed_over: list[str] = []
    for record in sorted(records, key=lambda record: (record.order, record.preference)):
        transport = _NAPTR_SERVICES.get(record.service.upper())
        objection = _naptr_objection(record, transport, secure)
        if objection is None and followed and record.order > followed[0][0].order:
            objection = None if every_order else f"order {followed[0][0].order} comes first"
        if objection is not None:
            passed_over.append(f"NAPTR {record.service[:40]!r} is passed over: {objection}")
        elif transport is not None:
            followed.append((record, transport))
    return NaptrChoice(tuple(followed), tuple(passed_over))


def _naptr_objection(record: NaptrRecord, transport: Transport | None, secure: bool) -> str | None:
    if transport is None:
        return "it is no SIP service over UDP, TCP or TLS"
    if secure and transport is not Transport.TLS:
        return "a sips URI needs TLS"
    if record.flags.lower() != "s":
        return f"its flag is {record.flags[:10]!r}, not 's'"
    if record.regexp:
        return "it has a regular expression instead of a replacement"
    if record.replacement == ".":
        return "its replacement is empty"
    return None


def srv_objection(record: SrvRecord) -> str | None:
    """Why an SRV record leads nowhere, as a sentence; `None` for a usable one."""
    if record.target == ".":
        return f"{record.service} is declared not available: its SRV target is '.' (RFC 2782)"
    where = f"SRV {record.service} names {record.target[:80]} port {record.port}"
    if record.port == 0:
        return f"{where}: 0 is not a port"
    try:
        check_host(record.target)
    except PlanError:
        if address_literal(record.target) is not None:
            return f"{where}: an address in place of a name, which RFC 2782 does not allow"
        return f"{where}, which is not a host name"
    return None


def order_srv(records: Sequence[SrvRecord], draw: Callable[[int], int]) -> tuple[SrvRecord, ...]:
    """Order SRV records by priority and, within one priority, by weighted lot (RFC 2782).

    `draw(n)` returns a random whole number from 0 to n, both included.
    """
    ordered: list[SrvRecord] = []
    # Records of weight 0 stand first in the running sum, so that only a draw of 0 picks them early.
    pool = sorted(records, key=lambda record: (record.priority, record.weight != 0))
    while pool:
        peers = [record for record in pool if record.priority == pool[0].priority]
        lot = draw(sum(record.weight for record in peers))
        for record in peers:
            lot -= record.weight
            if lot <= 0:
                break
        pool.remove(record)
        ordered.append(record)
    return tuple(ordered)
