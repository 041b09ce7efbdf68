"""What stands where a SIP URI has its host: a domain name, an IPv4 or an IPv6 address.

Sources: RFC 3261 25.1 (``host``), RFC 1123 2.1 (host names), RFC 5890 and UTS #46 (names in other
scripts), RFC 1918, 3927, 4193 and 6598 (addresses of private networks).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum

import idna

from sip.disguise import decode_disguised_ipv4
from sip.special_addresses import embedded_ipv4

__all__ = [
    "WHAT_TO_ENTER",
    "DestinationProblem",
    "Host",
    "HostKind",
    "InvalidDestination",
    "is_private_address",
    "parse_host",
    "quoted",
]

MAX_NAME = 253  # RFC 1035 2.3.4: 255 octets on the wire, less the length bytes at both ends
MAX_LABEL = 63  # RFC 1035 2.3.4
WHAT_TO_ENTER = "Enter a host name such as sip.example.com, an IP address or a SIP URI."
QUOTE_LENGTH = 60  # an echoed part of the input must not fill the screen

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SRV_NAME = re.compile(r"_(?P<service>sips?)\._(?P<protocol>udp|tcp|tls)\.(?P<domain>.+)")

_PRIVATE_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network: Linux takes it for loopback
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
    )
)
_PRIVATE_V6 = tuple(
    ipaddress.IPv6Network(text) for text in ("::/128", "::1/128", "fc00::/7", "fe80::/10")
)


class HostKind(StrEnum):
    HOSTNAME = "hostname"
    IPV4 = "ipv4"
    IPV6 = "ipv6"


class DestinationProblem(StrEnum):
    """Why a text is no destination; a caller decides by this, never by the message."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    MALFORMED = "malformed"
    SEVERAL = "several"
    PHONE_NUMBER = "phone_number"
    EMAIL_ADDRESS = "email_address"
    NETWORK = "network"
    SRV_NAME = "srv_name"
    ZONE_ID = "zone_id"
    DISGUISED_ADDRESS = "disguised_address"
    PORT = "port"
    UNSUPPORTED_SCHEME = "unsupported_scheme"
    UNSUPPORTED_TRANSPORT = "unsupported_transport"
    TRANSPORT_CONFLICT = "transport_conflict"


class InvalidDestination(ValueError):
    """The text is no destination. ``replacement`` is what was probably meant, fit to be entered."""

    def __init__(
        self,
        problem: DestinationProblem,
        message: str,
        *,
        suggestion: str = WHAT_TO_ENTER,
        replacement: str | None = None,
    ) -> None:
        super().__init__(message)
        self.problem = problem
        self.message = message
        self.suggestion = suggestion
        self.replacement = replacement


@dataclass(frozen=True, slots=True)
class Host:
    """A valid host in one spelling: lower case, A-labels, no trailing dot, no brackets."""

    text: str
    kind: HostKind
    is_private_ip: bool
    notes: tuple[str, ...] = ()

    @property
    def in_uri(self) -> str:
        """As written in a URI: an IPv6 address stands in brackets (RFC 3261 25.1)."""
        return f"[{self.text}]" if self.kind is HostKind.IPV6 else self.text


def is_private_address(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether the address only has a meaning inside somebody's network.

    True for loopback, link-local, RFC 1918, carrier-grade NAT and unique local addresses, and for
    IPv6 forms that carry one of them. Documentation ranges are not private.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return any(address in network for network in _PRIVATE_V4)
    if any(is_private_address(embedded.address) for embedded in embedded_ipv4(address)):
        return True
    return any(address in network for network in _PRIVATE_V6)


def parse_host(text: str) -> Host:
    """The host that ``text`` names.

    Accepts domain names of any script and case with an optional trailing dot, IPv4 in dotted
    form, and IPv6 with or without brackets. Raises InvalidDestination.
    """
    bare = text.removeprefix("[").removesuffix("]") if text.startswith("[") else text
    if ":" in bare:
        return _ipv6(bare)
    if text != bare or "[" in bare or "]" in bare:
        raise InvalidDestination(
            DestinationProblem.MALFORMED, "Only an IPv6 address stands in brackets."
        )
    return _name_or_ipv4(bare)


def quoted(text: str) -> str:
    """A part of the input as it may be shown: bounded, without what a terminal would obey."""
    shown = text if len(text) <= QUOTE_LENGTH else text[:QUOTE_LENGTH] + "..."
    return '"' + "".join(c if c.isprintable() else "?" for c in shown) + '"'


def _ipv6(text: str) -> Host:
    if "%" in text:
        unscoped = text.split("%", 1)[0]
        raise InvalidDestination(
            DestinationProblem.ZONE_ID,
            f"{quoted(text)} has a zone id, which means something on one machine only.",
            suggestion="Enter a global address, or a host name.",
            replacement=f"[{unscoped}]" if _is_global_ipv6(unscoped) else None,
        )
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        raise InvalidDestination(
            DestinationProblem.MALFORMED,
            f"{quoted(text)} is not an IPv6 address.",
            suggestion="With a port, an IPv6 address stands in brackets: [2001:db8::1]:5060.",
        ) from None
    mapped = address.ipv4_mapped
    notes = (f"The address is {mapped}, written as IPv6.",) if mapped is not None else ()
    return Host(address.compressed, HostKind.IPV6, is_private_address(address), notes)


def _is_global_ipv6(text: str) -> bool:
    try:
        return not is_private_address(ipaddress.IPv6Address(text))
    except ValueError:
        return False


def _name_or_ipv4(text: str) -> Host:
    name = text.lower()
    _refuse_srv_name(name)
    notes: tuple[str, ...] = ()
    if not name.isascii() or "xn--" in name:
        name = _a_labels(text)
        if name != text.lower():
            notes = (f"The name is looked up as {name}.",)
    name = name.removesuffix(".")
    if not name:
        raise InvalidDestination(DestinationProblem.EMPTY, "There is no host.")
    address = _ipv4(name)
    if address is not None:
        return Host(str(address), HostKind.IPV4, is_private_address(address), notes)
    _check_name(name)
    return Host(name, HostKind.HOSTNAME, False, notes)


def _a_labels(text: str) -> str:
    try:
        return idna.encode(text, uts46=True, std3_rules=False).decode("ascii").lower()
    except UnicodeError as error:
        raise InvalidDestination(
            DestinationProblem.MALFORMED,
            f"{quoted(text)} is not a valid international domain name.",
            suggestion="Check the name, or enter its form that begins with xn--.",
        ) from error


def _ipv4(name: str) -> ipaddress.IPv4Address | None:
    """The address written by ``name``; None when it is a domain name."""
    try:
        return ipaddress.IPv4Address(name)
    except ValueError:
        pass
    meant = decode_disguised_ipv4(name)
    if meant is not None:
        raise InvalidDestination(
            DestinationProblem.DISGUISED_ADDRESS,
            f"{quoted(name)} is an unusual way to write the address {meant}.",
            suggestion=f"If you mean that address, enter {meant}.",
            replacement=str(meant),
        )
    if _NUMERIC_LABEL.fullmatch(name.rpartition(".")[2]):
        raise InvalidDestination(
            DestinationProblem.MALFORMED,
            f"{quoted(name)} is neither a host name nor an IPv4 address.",
            suggestion="An IPv4 address has four numbers from 0 to 255: 203.0.113.10.",
        )
    return None


def _refuse_srv_name(name: str) -> None:
    srv = _SRV_NAME.fullmatch(name)
    if srv is None:
        return
    domain = parse_host(srv["domain"]).text
    raise InvalidDestination(
        DestinationProblem.SRV_NAME,
        f"{quoted(name)} is the name of an SRV record, not of a host.",
        suggestion=f"Enter {domain}: its SRV records are looked up for you.",
        replacement=domain,
    )


def _check_name(name: str) -> None:
    if len(name) > MAX_NAME:
        raise InvalidDestination(
            DestinationProblem.TOO_LONG,
            f"A host name has at most {MAX_NAME} characters, not {len(name)}.",
        )
    for label in name.split("."):
        if not label:
            raise InvalidDestination(
                DestinationProblem.MALFORMED,
                f"{quoted(name)} has two dots in a row or begins with one.",
            )
        if len(label) > MAX_LABEL:
            raise InvalidDestination(
                DestinationProblem.TOO_LONG,
                f"The part {quoted(label)} of the host name is longer than {MAX_LABEL} characters.",
            )
        if not _LABEL.fullmatch(label):
            raise _strange_label(label)


def _strange_label(label: str) -> InvalidDestination:
    strange = sorted({c for c in label if not (c.isalnum() and c.isascii()) and c != "-"})
    if strange:
        listed = " ".join(strange[:5])
        return InvalidDestination(
            DestinationProblem.MALFORMED,
            f"A host name has letters, digits, hyphens and dots; {quoted(label)} has {listed!r}.",
            suggestion="Enter the name without it, or the server's IP address.",
        )
    return InvalidDestination(
        DestinationProblem.MALFORMED,
        f"A part of a host name does not begin or end with a hyphen: {quoted(label)}.",
    )
