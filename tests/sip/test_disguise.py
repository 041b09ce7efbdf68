from __future__ import annotations

import socket
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.disguise import decode_disguised_ipv4


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("0X7F.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("017700000001", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("127.0.1", "127.0.0.1"),
        ("1.2.772", "1.2.3.4"),
        ("0", "0.0.0.0"),
        ("127.000.000.001", "127.0.0.1"),
        ("\uff11\uff12\uff17.\uff10.\uff10.\uff11", "127.0.0.1"),
        ("\uff11\uff12\uff17\uff0e\uff10\uff0e\uff10\uff0e\uff11", "127.0.0.1"),
        ("127\u30020\u30020\uff611", "127.0.0.1"),
        ("\u2460\u2461\u2466.1", "127.0.0.1"),
        ("127\u00ad.0\u200b.0.1\ufe0f", "127.0.0.1"),
        ("\u0661\u0662\u0667.\u0661", "127.0.0.1"),
    ],
)
def test_an_address_in_disguise_is_decoded(text: str, address: str) -> None:
    assert decode_disguised_ipv4(text) == IPv4Address(address)


@pytest.mark.parametrize(
    "text",
    [
        *("", "127.0.0.1", "8.8.8.8", "sip.example.com", "1.2.3.4.5", "256.0.0.1", "1.256.0.1"),
        *("4294967296", "0x100000000", "1.16777216", "0x", "0x.1", "1..2", ".1", "1.", "-1", "+1"),
        *("08.1", "1e3", "1_0", "::1", " 127.1", "127.1 ", "a.1", "1" * 300),
    ],
)
def test_what_is_no_disguise_is_not_decoded(text: str) -> None:
    assert decode_disguised_ipv4(text) is None


PARTS = st.one_of(
    st.integers(0, 300).map(str),
    st.integers(0, 2**33).map(str),
    st.integers(0, 2**33).map(hex),
    st.integers(0, 2**33).map(lambda value: f"0{value:o}"),
    st.text("0123456789abxX", max_size=4),
)


@given(st.lists(PARTS, min_size=1, max_size=5).map(".".join))
def test_decoding_agrees_with_inet_aton(text: str) -> None:
    try:
        expected = IPv4Address(socket.inet_aton(text))
    except OSError:
        assert decode_disguised_ipv4(text) is None
        return
    assert decode_disguised_ipv4(text) == (None if text == str(expected) else expected)
