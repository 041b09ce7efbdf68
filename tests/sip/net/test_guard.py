from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sip.net.guard import AddressGuard, TargetNotAllowed
from sip.special_addresses import METADATA_SERVICES, embedded_ipv4, special_use

PUBLIC_ONLY = AddressGuard()


def guard(*networks: str) -> AddressGuard:
    return AddressGuard(tuple(ip_network(network) for network in networks))


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "192.0.1.1", "223.255.255.255"),
        *("2606:4700:4700::1111", "2a00:1450:4001:81b::200e", "2003::1", "2400::1"),
    ],
)
def test_an_ordinary_public_address_is_permitted(address: str) -> None:
    PUBLIC_ONLY.check(address)
    PUBLIC_ONLY.check(ip_address(address))
    assert PUBLIC_ONLY.permits(address)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("0.0.0.0", "the unspecified address"),
        ("0.1.2.3", "'this network'"),
        ("10.0.0.5", "a private address (RFC 1918)"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("100.100.100.200", "a cloud metadata service"),
        ("127.0.0.1", "a loopback address"),
        ("127.255.255.254", "a loopback address"),
        ("168.63.129.16", "a cloud metadata service"),
        ("169.254.1.1", "a link-local address"),
        ("169.254.169.254", "a cloud metadata service"),
        ("172.16.0.1", "a private address"),
        ("172.31.255.255", "a private address"),
        ("192.0.0.8", "protocol assignments"),
        ("192.0.0.192", "a cloud metadata service"),
        ("192.0.2.1", "a documentation address"),
        ("192.88.99.1", "6to4 relays"),
        ("192.168.1.1", "a private address"),
        ("198.18.0.1", "a benchmarking address"),
        ("198.19.255.255", "a benchmarking address"),
        ("198.51.100.1", "a documentation address"),
        ("203.0.113.1", "a documentation address"),
        ("224.0.1.75", "a multicast address"),
        ("239.255.255.255", "a multicast address"),
        ("240.0.0.1", "a reserved address"),
        ("255.255.255.255", "the broadcast address"),
        ("::", "the unspecified address"),
        ("::1", "the loopback address"),
        ("::2", "IPv4-compatible"),
        ("::8.8.8.8", "an IPv4-compatible form of 8.8.8.8"),
        ("::ffff:8.8.8.8", "an IPv4-mapped form of 8.8.8.8"),
        ("::ffff:127.0.0.1", "an IPv4-mapped form of 127.0.0.1, which is a loopback address"),
        ("::ffff:0:10.0.0.1", "an IPv4-translated form (RFC 2765) of 10.0.0.1, which is a private"),
        ("64:ff9b::10.0.0.5", "a NAT64 form (RFC 6052) of 10.0.0.5, which is a private address"),
        ("64:ff9b::8.8.8.8", "a NAT64 form (RFC 6052) of 8.8.8.8"),
        ("64:ff9b:1::a9fe:a9fe", "169.254.169.254, which is a cloud metadata service"),
        ("2002:7f00:1::1", "a 6to4 form (RFC 3056) of 127.0.0.1, which is a loopback address"),
        ("2002:808:808::", "a 6to4 form (RFC 3056) of 8.8.8.8"),
        ("2001:0:808:808::f5ff:fffa", "a Teredo form (RFC 4380) of 10.0.0.5, which is a private"),
        ("2001:0:a00:5:0:0:f7f7:f7f7", "Teredo form (RFC 4380) through 10.0.0.5, which is a priv"),
        ("2a00::5efe:10.0.0.5", "an ISATAP form (RFC 5214) of 10.0.0.5, which is a private"),
        ("2a00::200:5efe:8.8.8.8", "an ISATAP form (RFC 5214) of 8.8.8.8"),
        ("100::1", "a discard-only address"),
        ("2001:2::1", "a benchmarking address"),
        ("2001:10::1", "a retired ORCHID"),
        ("2001:20::1", "an ORCHID"),
        ("2001:db8::1", "a documentation address"),
        ("2001:100::1", "protocol assignments"),
        ("3fff::1", "a documentation address"),
        ("4000::1", "outside global unicast"),
        ("5f00::1", "a segment routing identifier"),
        ("fc00::1", "a private address (unique local"),
        ("fd00:ec2::254", "a cloud metadata service"),
        ("fd20:ce::254", "a cloud metadata service"),
        ("fe80::1", "a link-local address"),
        ("fe80::1%eth0", "a link-local address"),
        ("fe80::a9fe:a9fe%eth0", "a cloud metadata service"),
        ("2a00:1450::1%eth0", "an address with a scope"),
        ("fec0::1", "site-local"),
        ("ff02::1", "a multicast address"),
        ("sip.example.com", "is not an IP address"),
        ("127.1", "is not an IP address"),
        ("0177.0.0.1", "is not an IP address"),
        ("", "is not an IP address"),
    ],
)
def test_an_address_that_is_not_public_is_refused_with_the_reason(address: str, words: str) -> None:
    with pytest.raises(TargetNotAllowed) as refusal:
        PUBLIC_ONLY.check(address)
    assert refusal.value.address == address
    assert words in refusal.value.reason
    assert str(refusal.value) == refusal.value.reason
    assert not PUBLIC_ONLY.permits(address)


def test_the_reason_is_a_sentence_about_the_address() -> None:
    assert PUBLIC_ONLY.objection("10.0.0.5") == "10.0.0.5 is a private address (RFC 1918)"


def test_an_allowed_network_opens_exactly_itself() -> None:
    local = guard("127.0.0.0/8", "::1/128", "10.1.0.0/16")
    assert local.permits("127.0.60.1")
    assert local.permits("::1")
    assert local.permits("10.1.255.255")
    assert not local.permits("10.2.0.0")
    assert not local.permits("192.168.0.1")
    assert local.permits("8.8.8.8")


def test_allowing_an_ipv4_network_does_not_allow_its_translated_forms() -> None:
    assert not guard("127.0.0.0/8").permits("::ffff:127.0.0.1")


def test_allowing_a_translated_form_does_not_allow_the_address_inside() -> None:
    nat64 = guard("64:ff9b::/96")
    assert nat64.permits("64:ff9b::8.8.8.8")
    assert not nat64.permits("64:ff9b::10.0.0.5")
    assert guard("64:ff9b::/96", "10.0.0.0/8").permits("64:ff9b::10.0.0.5")
    assert not guard("::/0").permits("::ffff:192.168.0.1")


def test_a_local_nat64_prefix_is_read_in_every_layout() -> None:
    local = guard("64:ff9b:1::/48")
    assert local.permits("64:ff9b:1:ffff::8.8.8.8")
    for layout in ("64:ff9b:1:a00:0:500::", "64:ff9b:1:ff0a:0:5::", "64:ff9b:1:ffff:a:0:500:0"):
        inside = {str(embedded.address) for embedded in embedded_ipv4(IPv6Address(layout))}
        assert "10.0.0.5" in inside
        assert not local.permits(layout)


@pytest.mark.parametrize("address", sorted(map(str, METADATA_SERVICES)))
def test_a_metadata_service_is_opened_only_by_its_own_address(address: str) -> None:
    assert not guard("0.0.0.0/0", "::/0").permits(address)
    assert guard(address).permits(address)


def test_a_scoped_address_is_permitted_only_inside_an_allowed_network() -> None:
    assert guard("fe80::/10").permits("fe80::1%eth0")
    assert not guard("fc00::/7").permits("fe80::1%eth0")


def six_to_four(address: IPv4Address) -> IPv6Address:
    return IPv6Address(0x2002 << 112 | int(address) << 80 | 1)


def teredo_client(address: IPv4Address) -> IPv6Address:
    return IPv6Address(0x20010000 << 96 | 0x08080808 << 64 | int(address) ^ 0xFFFFFFFF)


def teredo_server(address: IPv4Address) -> IPv6Address:
    return IPv6Address(0x20010000 << 96 | int(address) << 64 | 0x08080808 ^ 0xFFFFFFFF)


def in_low_bits(prefix: str) -> Callable[[IPv4Address], IPv6Address]:
    return lambda address: IPv6Address(int(IPv6Address(prefix)) | int(address))


def rfc6052(prefix_length: int) -> Callable[[IPv4Address], IPv6Address]:
    def form(address: IPv4Address) -> IPv6Address:
        upper_bits = 64 - prefix_length
        lower_bits = 32 - upper_bits
        upper, lower = int(address) >> lower_bits, int(address) & (1 << lower_bits) - 1
        prefix = int(IPv6Address("64:ff9b:1::"))
        return IPv6Address(prefix | upper << 64 | lower << 56 - lower_bits)

    return form


FORMS: dict[str, Callable[[IPv4Address], IPv6Address]] = {
    "mapped": in_low_bits("::ffff:0:0"),
    "siit": in_low_bits("::ffff:0:0:0"),
    "compatible": in_low_bits("::"),
    "nat64": in_low_bits("64:ff9b::"),
    "nat64 local /96": in_low_bits("64:ff9b:1::"),
    "nat64 local /48": rfc6052(48),
    "nat64 local /56": rfc6052(56),
    "nat64 local /64": rfc6052(64),
    "6to4": six_to_four,
    "teredo client": teredo_client,
    "teredo server": teredo_server,
    "isatap": in_low_bits("2a00::5efe:0:0"),
    "isatap universal": in_low_bits("2a00::200:5efe:0:0"),
    "isatap link-local": in_low_bits("fe80::5efe:0:0"),
}

ipv4_addresses = st.ip_addresses(v=4).map(lambda address: IPv4Address(int(address)))
ALLOWANCES = st.sets(
    st.sampled_from(
        [
            *("127.0.0.0/8", "10.0.0.0/8", "0.0.0.0/0", "::/0", "::ffff:0:0/96", "64:ff9b::/96"),
            *("64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "::ffff:0:0:0/96", "2a00::/16"),
        ]
    )
)


@given(address=ipv4_addresses, allowances=ALLOWANCES)
@example(address=IPv4Address("10.0.0.5"), allowances={"::/0"})
@example(address=IPv4Address("169.254.169.254"), allowances={"0.0.0.0/0", "::/0"})
@example(address=IPv4Address("0.0.0.1"), allowances={"::/0"})
def test_no_translated_form_is_judged_more_laxly_than_the_address_inside(
    address: IPv4Address, allowances: set[str]
) -> None:
    judge = guard(*allowances)
    for name, form in FORMS.items():
        translated = form(address)
        if translated in (IPv6Address("::"), IPv6Address("::1")):
            continue
        if judge.permits(translated):
            assert judge.permits(address), (name, translated)
        assert not PUBLIC_ONLY.permits(translated), (name, translated)


@given(st.ip_addresses())
def test_without_allowances_nothing_the_standard_library_calls_not_global_is_permitted(
    address: IPv4Address | IPv6Address,
) -> None:
    if PUBLIC_ONLY.permits(address):
        assert address.is_global
        assert not address.is_multicast
        assert special_use(address) is None


@given(st.ip_addresses())
def test_allowing_more_never_refuses_what_was_permitted(
    address: IPv4Address | IPv6Address,
) -> None:
    networks = (IPv4Network("0.0.0.0/1"), IPv6Network("2000::/4"))
    if AddressGuard(networks[:1]).permits(address):
        assert AddressGuard(networks).permits(address)
