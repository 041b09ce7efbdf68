"""Which IP addresses are not ordinary public ones, and which IPv4 address an IPv6 address carries.

The table follows IANA's special-purpose address registries (RFC 6890), IPv4 multicast (RFC 5771) and
the addresses under which clouds serve machine credentials. Words are for a person who reads why an
address was refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

__all__ = [
    "METADATA_SERVICES",
    "Embedded",
    "IPAddress",
    "IPNetwork",
    "embedded_ipv4",
    "special_use",
]

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

# Link-local ones are listed too, so that the reason names what is really there.
METADATA_SERVICES: frozenset[IPAddress] = frozenset(
    [
        *map(
            IPv4Address,
            (
                "169.254.169.254",  # AWS, Azure, Google Cloud, OpenStack, Oracle, DigitalOcean ...
                "169.254.170.2",  # AWS ECS task credentials
                "169.254.170.23",  # AWS EKS pod identity
                "169.254.42.42",  # Scaleway
                "169.254.0.23",  # Tencent Cloud
                "100.100.100.200",  # Alibaba Cloud
                "192.0.0.192",  # Oracle Cloud, first generation
                "168.63.129.16",  # Azure host agent, in public address space
            ),
        ),
        *map(
            IPv6Address,
            (
                "fd00:ec2::254",  # AWS
                "fd00:ec2::23",  # AWS EKS pod identity
                "fd20:ce::254",  # Google Cloud
                "fd00:42::42",  # Scaleway
                "fd00:c1::a9fe:a9fe",  # Oracle Cloud
                "fe80::a9fe:a9fe",  # OpenStack
            ),
        ),
    ]
)

# First match wins: a narrow network stands before the wide one that contains it.
_SPECIAL_NETWORKS: tuple[tuple[IPNetwork, str], ...] = tuple(
    (ip_network(network), words)
    for network, words in (
        ("0.0.0.0/32", "the unspecified address (RFC 1122)"),
        ("0.0.0.0/8", "an address of 'this network' (RFC 1122)"),
        ("10.0.0.0/8", "a private address (RFC 1918)"),
        ("100.64.0.0/10", "a shared address behind carrier-grade NAT (RFC 6598)"),
        ("127.0.0.0/8", "a loopback address (RFC 1122)"),
        ("169.254.0.0/16", "a link-local address (RFC 3927)"),
        ("172.16.0.0/12", "a private address (RFC 1918)"),
        ("192.0.0.0/24", "an address for protocol assignments (RFC 6890)"),
        ("192.0.2.0/24", "a documentation address (RFC 5737)"),
        ("192.88.99.0/24", "an address of the retired 6to4 relays (RFC 7526)"),
        ("192.168.0.0/16", "a private address (RFC 1918)"),
        ("198.18.0.0/15", "a benchmarking address (RFC 2544)"),
        ("198.51.100.0/24", "a documentation address (RFC 5737)"),
        ("203.0.113.0/24", "a documentation address (RFC 5737)"),
        ("224.0.0.0/4", "a multicast address (RFC 5771)"),
        ("255.255.255.255/32", "the broadcast address (RFC 919)"),
        ("240.0.0.0/4", "a reserved address (RFC 1112)"),
        ("::/128", "the unspecified address (RFC 4291)"),
        ("::1/128", "the loopback address (RFC 4291)"),
        ("100::/64", "a discard-only address (RFC 6666)"),
        ("2001:2::/48", "a benchmarking address (RFC 5180)"),
        ("2001:10::/28", "a retired ORCHID, not an address to connect to (RFC 4843)"),
        ("2001:20::/28", "an ORCHID, not an address to connect to (RFC 7343)"),
        ("2001:db8::/32", "a documentation address (RFC 3849)"),
        ("2001::/23", "an address for protocol assignments (RFC 2928)"),
        ("3fff::/20", "a documentation address (RFC 9637)"),
        ("5f00::/16", "a segment routing identifier (RFC 9602)"),
        ("fc00::/7", "a private address (unique local, RFC 4193)"),
        ("fe80::/10", "a link-local address (RFC 4291)"),
        ("fec0::/10", "a private address (retired site-local, RFC 3879)"),
        ("ff00::/8", "a multicast address (RFC 4291)"),
    )
)

_GLOBAL_UNICAST = IPv6Network("2000::/3")

_COMPATIBLE = IPv6Network("::/96")
_MAPPED = IPv6Network("::ffff:0:0/96")
_SIIT = IPv6Network("::ffff:0:0:0/96")
_NAT64 = IPv6Network("64:ff9b::/96")
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")
_TEREDO = IPv6Network("2001::/32")
_SIX_TO_FOUR = IPv6Network("2002::/16")

# Interface identifiers of ISATAP (RFC 5214 6.1): the universal/local bit may be set.
_ISATAP = frozenset({0x00005EFE, 0x02005EFE})

# RFC 6052 2.2: where the IPv4 address lies for each prefix length that fits into a /48, as shifts of
# its upper and lower part; bits 64 to 71 and all bits behind the address are zero.
_RFC6052_SUFFIX = {48: 40, 56: 32, 64: 24}


@dataclass(frozen=True, slots=True)
class Embedded:
    """An IPv4 address that a translator or tunnel would reach for an IPv6 address.

    `form` completes "<address> is ..." before the IPv4 address: "an IPv4-mapped form of".
    """

    form: str
    address: IPv4Address


# A monitor asks about the same addresses for ever.
@lru_cache(maxsize=8192)
def special_use(address: IPAddress) -> str | None:
    """What an address is, completing "<address> is ..."; `None` for an ordinary public address.

    A scope (`fe80::1%eth0`) is ignored, and an address inside an IPv6 form is not looked at.
    """
    plain = _unscoped(address)
    if plain in METADATA_SERVICES:
        return "a cloud metadata service"
    for network, words in _SPECIAL_NETWORKS:
        if plain.version == network.version and plain in network:
            return words
    if isinstance(plain, IPv6Address) and plain not in _GLOBAL_UNICAST:
        return "a reserved address (outside global unicast 2000::/3, RFC 4291)"
    return None


def embedded_ipv4(address: IPAddress) -> tuple[Embedded, ...]:
    """Every IPv4 address that an IPv6 address carries; several for Teredo and for NAT64 layouts."""
    if isinstance(address, IPv4Address):
        return ()
    return tuple(Embedded(form, IPv4Address(value)) for form, value in _embedded(address))


def _embedded(address: IPv6Address) -> Iterator[tuple[str, int]]:
    plain = IPv6Address(int(address))
    bits = int(plain)
    low = bits & 0xFFFFFFFF
    if plain in _MAPPED:
        yield "an IPv4-mapped form of", low
    elif plain in _SIIT:
        yield "an IPv4-translated form (RFC 2765) of", low
    elif plain in _COMPATIBLE and bits > 1:
        yield "an IPv4-compatible form of", low
    elif plain in _NAT64:
        yield "a NAT64 form (RFC 6052) of", low
    elif plain in _NAT64_LOCAL:
        for value in _local_nat64(bits):
            yield "a NAT64 form (RFC 8215) of", value
    elif plain in _SIX_TO_FOUR:
        yield "a 6to4 form (RFC 3056) of", bits >> 80 & 0xFFFFFFFF
    elif plain in _TEREDO:
        yield "a Teredo form (RFC 4380) of", ~low & 0xFFFFFFFF
        yield "a Teredo form (RFC 4380) through", bits >> 64 & 0xFFFFFFFF
    if bits >> 32 & 0xFFFFFFFF in _ISATAP:
        yield "an ISATAP form (RFC 5214) of", low


def _local_nat64(bits: int) -> Iterator[int]:
    """All readings: the prefix length is the operator's choice and cannot be seen."""
    yield bits & 0xFFFFFFFF
    for prefix, suffix in _RFC6052_SUFFIX.items():
        if bits >> 56 & 0xFF == 0 and bits & (1 << suffix) - 1 == 0:
            upper_bits = 64 - prefix
            upper = bits >> 64 & (1 << upper_bits) - 1
            lower = bits >> suffix & (1 << 32 - upper_bits) - 1
            yield upper << 32 - upper_bits | lower


def _unscoped(address: IPAddress) -> IPAddress:
    return IPv6Address(int(address)) if isinstance(address, IPv6Address) else address
