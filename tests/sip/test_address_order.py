from __future__ import annotations

from ipaddress import ip_address

from hypothesis import given
from hypothesis import strategies as st

from sip.address_order import order_addresses

# The cases of RFC 6724 section 10.2, each reduced to the source chosen for a destination.
CASES = [
    # Prefer matching scope.
    ({"2001:db8:1::1": "2001:db8:1::2", "198.51.100.121": "169.254.13.78"}, 0),
    ({"2001:db8:1::1": "fe80::1", "198.51.100.121": "198.51.100.117"}, 1),
    # Prefer higher precedence.
    ({"10.1.2.3": "10.1.2.4", "2001:db8:1::1": "2001:db8:1::2"}, 1),
    # Prefer smaller scope.
    ({"2001:db8:1::1": "2001:db8:1::2", "fe80::1": "fe80::2"}, 1),
    # Prefer matching label: a 6to4 destination from a 6to4 source, a native one from none.
    ({"2002:c633:6401::1": "2002:c633:6401::2", "2001:db8:1::1": "2002:c633:6401::2"}, 0),
    # Prefer higher precedence among matching labels.
    ({"2002:c633:6401::1": "2002:c633:6401::2", "2001:db8:1::1": "2001:db8:1::2"}, 1),
    # A unique local source does not match a global destination, so IPv4 goes first.
    ({"2001:db8::1": "fd00::2", "192.0.2.1": "10.0.0.2"}, 1),
]


def test_the_cases_of_rfc_6724_come_out_in_its_order() -> None:
    for sources, first in CASES:
        for addresses in (list(sources), list(reversed(sources))):
            assert order_addresses(addresses, sources.get)[0] == list(sources)[first], sources


def test_an_address_without_a_route_goes_last() -> None:
    sources = {"2001:db8::1": None, "192.0.2.1": "192.0.2.9", "192.0.2.2": None}
    assert order_addresses(sources, sources.get)[0] == "192.0.2.1"


def test_equal_addresses_keep_the_order_of_the_name_server() -> None:
    addresses = ("192.0.2.9", "192.0.2.1", "192.0.2.5")
    assert order_addresses(addresses, lambda _: "192.0.2.100") == addresses


@given(st.lists(st.ip_addresses().map(lambda one: str(ip_address(int(one)))), unique=True))
def test_ordering_keeps_every_address(addresses: list[str]) -> None:
    assert sorted(order_addresses(addresses, lambda address: address)) == sorted(addresses)
