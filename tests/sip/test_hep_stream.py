"""HEP over a stream: packets cut out however they arrive, and where it has to end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sip.hep import encode_hep
from sip.hep_packet import HepError, HepPacket, HepWrongKey
from sip.hep_stream import HepStream
from tests.sip.hep import USUAL, any_packets, fixed_chunks, framed


def test_octet_by_octet() -> None:
    stream = HepStream()
    data = encode_hep(USUAL)
    got = [stream.receive_data(data[at : at + 1]) for at in range(len(data))]
    assert got[:-1] == [[]] * (len(data) - 1)
    assert got[-1] == [USUAL]
    assert stream.pending == 0


@given(st.lists(any_packets(), max_size=6), st.integers(1, 400))
def test_any_packets_in_any_pieces(packets: list[HepPacket], size: int) -> None:
    stream = HepStream()
    data = b"".join(map(encode_hep, packets))
    got = [
        item
        for at in range(0, len(data), size)
        for item in stream.receive_data(data[at : at + size])
    ]
    assert got == packets


def test_a_bad_packet_costs_itself_only() -> None:
    bad = framed(b"".join(fixed_chunks(leaving_out=(3,)).values()))
    before, error, after = HepStream().receive_data(encode_hep(USUAL) + bad + encode_hep(USUAL))
    assert before == after == USUAL
    assert isinstance(error, HepError)
    assert "no source address" in str(error)


def test_the_key_is_asked_of_every_packet() -> None:
    data = encode_hep(USUAL) + encode_hep(replace(USUAL, auth_key="another"))
    right, wrong = HepStream(key="open sesame").receive_data(data)
    assert right == replace(USUAL, auth_key=None)
    assert isinstance(wrong, HepWrongKey)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"G", "begins with HEP3"),
        (b"HEP2", "begins with HEP3"),
        (b"HEP4\0\x06", "begins with HEP3"),
        (framed(b"", length=5), "less than its header"),
        (b"\x02\x10\x02\x11" + bytes(40), "HEP version 2"),
    ],
)
def test_without_a_header_the_stream_has_ended(data: bytes, said: str) -> None:
    stream = HepStream()
    with pytest.raises(HepError, match=said):
        stream.receive_data(data)
    assert stream.error is not None
    assert stream.pending == 0
    with pytest.raises(HepError, match=said):
        stream.receive_data(encode_hep(USUAL))


def test_what_came_before_the_end_is_not_lost() -> None:
    stream = HepStream()
    assert stream.receive_data(encode_hep(USUAL) + b"GET / HTTP/1.1\r\n") == [USUAL]
    assert stream.error is not None
    with pytest.raises(HepError, match="begins with HEP3"):
        stream.receive_data(b"")


@given(st.lists(st.binary(max_size=80), max_size=20))
def test_garbage_is_an_error_and_never_kept(pieces: list[bytes]) -> None:
    stream = HepStream()
    for piece in pieces:
        try:
            stream.receive_data(piece)
        except HepError:
            break
        assert stream.pending < 65_536
