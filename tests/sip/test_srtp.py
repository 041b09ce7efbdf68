"""SRTP against RFC 3711's vectors, through a second implementation that they prove right."""

from __future__ import annotations

import hashlib
import hmac
import struct

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import ERRORS

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.rtcp import ReceiverReport, build_rtcp
from sip.rtp import RtpPacket
from sip.srtp import MAX_SOURCES, SrtpError, SrtpFailure, SrtpSession, SrtpSuite

SUITE_80 = SrtpSuite.AES_CM_128_HMAC_SHA1_80
SUITE_32 = SrtpSuite.AES_CM_128_HMAC_SHA1_32
TAG_BYTES = {SUITE_80: 10, SUITE_32: 4}

# RFC 3711 appendix B.3.
MASTER_KEY = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
MASTER_SALT = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
KEY = MASTER_KEY + MASTER_SALT
OTHER_KEY = bytes(range(30))


def key_stream(key: bytes, initial: int, length: int) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CTR(initial.to_bytes(16, "big"))).encryptor()
    return encryptor.update(bytes(length))


def derive(label: int, length: int) -> bytes:
    """RFC 3711 section 4.3.1 with a key derivation rate of 0."""
    salt = int.from_bytes(MASTER_SALT, "big")
    return key_stream(MASTER_KEY, (salt ^ label << 48) << 16, length)


def xor(data: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(data, other, strict=True))


def crypt(data: bytes, first_label: int, ssrc: int, index: int) -> bytes:
    salt = int.from_bytes(derive(first_label + 2, 14), "big")
    initial = salt << 16 ^ ssrc << 64 ^ index << 16
    return xor(data, key_stream(derive(first_label, 16), initial, len(data)))


def reference_srtp(packet: bytes, tag_bytes: int, roll_over: int = 0) -> bytes:
    """Sections 3.1, 4.1.1 and 4.2 for a packet without CSRC and extension."""
    sequence, _, ssrc = struct.unpack("!HII", packet[2:12])
    encrypted = packet[:12] + crypt(packet[12:], 0, ssrc, roll_over << 16 | sequence)
    signed = encrypted + roll_over.to_bytes(4, "big")
    return encrypted + hmac.new(derive(1, 20), signed, hashlib.sha1).digest()[:tag_bytes]


def reference_srtcp(packet: bytes, index: int) -> bytes:
    """Section 3.4."""
    ssrc = int.from_bytes(packet[4:8], "big")
    signed = packet[:8] + crypt(packet[8:], 3, ssrc, index) + (1 << 31 | index).to_bytes(4, "big")
    return signed + hmac.new(derive(4, 20), signed, hashlib.sha1).digest()[:10]


def pair(suite: SrtpSuite = SUITE_80) -> tuple[SrtpSession, SrtpSession]:
    return (
        SrtpSession(suite, local_key=KEY, remote_key=OTHER_KEY),
        SrtpSession(suite, local_key=OTHER_KEY, remote_key=KEY),
    )


def rtp(sequence_number: int = 1, ssrc: int = 0xCAFEBABE, payload: bytes = b"\xd5" * 160) -> bytes:
    return RtpPacket(8, sequence_number, sequence_number * 160, ssrc, payload).serialize()


RTCP = build_rtcp([ReceiverReport(0xCAFEBABE), ReceiverReport(7)])


def refusal(session: SrtpSession, packet: bytes, *, rtcp: bool = False) -> SrtpFailure:
    with pytest.raises(SrtpError) as caught:
        (session.unprotect_rtcp if rtcp else session.unprotect_rtp)(packet)
    assert isinstance(caught.value, RemoteProtocolError)
    return caught.value.failure


def test_the_reference_agrees_with_the_key_stream_of_rfc_3711_appendix_b2() -> None:
    key = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")
    initial = int("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000", 16)
    assert key_stream(key, initial, 48).hex().upper() == (
        "E03EAD0935C95E80E166B16DD92B4EB4"
        "D23513162B02D0F72A43A2FE4A5F97AB"
        "41E95B3BB0A2E8DD477901E4FCA894C0"
    )


def test_the_reference_agrees_with_the_key_derivation_of_rfc_3711_appendix_b3() -> None:
    assert derive(0, 16).hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    assert derive(2, 14).hex().upper() == "30CBBC08863D8C85D49DB34A9AE1"
    assert derive(1, 20).hex().upper() == "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"


@pytest.mark.parametrize("suite", SrtpSuite)
def test_what_is_sent_is_what_the_rfc_says(suite: SrtpSuite) -> None:
    ours, _ = pair(suite)
    assert ours.protect_rtp(rtp()) == reference_srtp(rtp(), TAG_BYTES[suite])
    # The short tag is for RTP only.
    assert ours.protect_rtcp(RTCP) == reference_srtcp(RTCP, 1)


@pytest.mark.parametrize("suite", SrtpSuite)
def test_what_the_rfc_says_is_accepted(suite: SrtpSuite) -> None:
    _, theirs = pair(suite)
    assert theirs.unprotect_rtp(reference_srtp(rtp(), TAG_BYTES[suite])) == rtp()
    assert theirs.unprotect_rtcp(reference_srtcp(RTCP, 1)) == RTCP
    assert (theirs.authenticated, theirs.failures) == (2, {})


@pytest.mark.parametrize("suite", SrtpSuite)
@given(payload=st.binary(max_size=300), body=st.binary(max_size=40))
def test_both_directions_carry_anything(suite: SrtpSuite, payload: bytes, body: bytes) -> None:
    ours, theirs = pair(suite)
    packet = rtp(payload=payload)
    control = build_rtcp([ReceiverReport(int.from_bytes(body[:4], "big"))])
    for sender, receiver in ((ours, theirs), (theirs, ours)):
        assert receiver.unprotect_rtp(sender.protect_rtp(packet)) == packet
        assert receiver.unprotect_rtcp(sender.protect_rtcp(control)) == control


def test_the_roll_over_of_the_sequence_number_is_followed() -> None:
    ours, theirs = pair()
    for number in (65534, 65535):
        theirs.unprotect_rtp(ours.protect_rtp(rtp(number)))
    wrapped = ours.protect_rtp(rtp(0))
    assert wrapped == reference_srtp(rtp(0), 10, roll_over=1)
    assert theirs.unprotect_rtp(wrapped) == rtp(0)


def test_another_key_fails_authentication() -> None:
    ours, _ = pair()
    stranger = SrtpSession(SUITE_80, local_key=OTHER_KEY, remote_key=bytes(30))
    assert refusal(stranger, ours.protect_rtp(rtp())) is SrtpFailure.AUTHENTICATION
    assert refusal(stranger, ours.protect_rtcp(RTCP), rtcp=True) is SrtpFailure.AUTHENTICATION
    assert (stranger.authenticated, stranger.failures) == (0, {SrtpFailure.AUTHENTICATION: 2})


def test_the_other_suite_fails_authentication() -> None:
    ours, _ = pair(SUITE_32)
    _, theirs = pair(SUITE_80)
    assert refusal(theirs, ours.protect_rtp(rtp())) is SrtpFailure.AUTHENTICATION


def test_plain_rtp_fails_authentication() -> None:
    _, theirs = pair()
    assert refusal(theirs, rtp()) is SrtpFailure.AUTHENTICATION


def test_a_replay_is_told_from_a_forgery() -> None:
    ours, theirs = pair()
    packet, control = ours.protect_rtp(rtp()), ours.protect_rtcp(RTCP)
    theirs.unprotect_rtp(packet)
    theirs.unprotect_rtcp(control)
    assert refusal(theirs, packet) is SrtpFailure.REPLAY
    assert refusal(theirs, control, rtcp=True) is SrtpFailure.REPLAY
    for number in range(2, 400):
        theirs.unprotect_rtp(ours.protect_rtp(rtp(number)))
    assert refusal(theirs, packet) is SrtpFailure.REPLAY
    assert theirs.failures == {SrtpFailure.REPLAY: 3}


def test_a_packet_too_short_or_too_long_is_malformed() -> None:
    _, theirs = pair()
    for packet in (b"", rtp(payload=b""), b"\x80" + bytes(1500)):
        assert refusal(theirs, packet) is SrtpFailure.MALFORMED
        assert refusal(theirs, packet, rtcp=True) is SrtpFailure.MALFORMED


def test_a_packet_of_another_version_is_malformed() -> None:
    _, theirs = pair()
    assert refusal(theirs, bytes(40)) is SrtpFailure.MALFORMED


def test_a_peer_has_a_limited_number_of_sources() -> None:
    ours = [
        SrtpSession(SUITE_80, local_key=KEY, remote_key=OTHER_KEY) for _ in range(MAX_SOURCES + 1)
    ]
    _, theirs = pair()
    for ssrc in range(MAX_SOURCES):
        theirs.unprotect_rtp(ours[ssrc].protect_rtp(rtp(ssrc=ssrc)))
    over = ours[MAX_SOURCES].protect_rtp(rtp(ssrc=MAX_SOURCES))
    assert refusal(theirs, over) is SrtpFailure.TOO_MANY_SOURCES
    assert theirs.unprotect_rtp(ours[0].protect_rtp(rtp(2, ssrc=0))) == rtp(2, ssrc=0)


def test_forgeries_use_up_no_source() -> None:
    ours, theirs = pair()
    for ssrc in range(2 * MAX_SOURCES):
        assert refusal(theirs, rtp(ssrc=ssrc)) is SrtpFailure.AUTHENTICATION
    assert theirs.unprotect_rtp(ours.protect_rtp(rtp())) == rtp()


@given(st.binary(max_size=120), st.booleans())
def test_any_octets_are_refused_with_a_type(data: bytes, versioned: bool) -> None:
    _, theirs = pair()
    data = b"\x80" + data if versioned else data
    assert refusal(theirs, data) in SrtpFailure
    assert refusal(theirs, data, rtcp=True) in SrtpFailure
    assert sum(theirs.failures.values()) == 2


@given(st.integers(0, 8 * 182 - 1))
def test_a_changed_bit_is_refused(bit: int) -> None:
    ours, theirs = pair()
    packet = bytearray(ours.protect_rtp(rtp()))
    packet[bit // 8] ^= 1 << bit % 8
    assert refusal(theirs, bytes(packet)) in (SrtpFailure.AUTHENTICATION, SrtpFailure.MALFORMED)


def test_what_cannot_be_protected_is_not_sent() -> None:
    ours, _ = pair()
    for packet in (b"", bytes(1400)):
        with pytest.raises(LocalProtocolError):
            ours.protect_rtp(packet)
        with pytest.raises(LocalProtocolError):
            ours.protect_rtcp(packet)


@pytest.mark.parametrize("length", [0, 29, 31])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(LocalProtocolError):
        SrtpSession(SUITE_80, local_key=KEY, remote_key=bytes(length))


def test_no_key_is_in_the_representation() -> None:
    ours, _ = pair()
    assert repr(ours) == "<SrtpSession AES_CM_128_HMAC_SHA1_80>"


def test_the_library_still_names_its_failures_as_they_are_told_apart_here() -> None:
    assert {ERRORS[7], ERRORS[9], ERRORS[10], ERRORS[26]} == {
        "authentication failure",
        "replay check failed (bad index)",
        "replay check failed (index too old)",
        "packet index is too old to consider",
    }
