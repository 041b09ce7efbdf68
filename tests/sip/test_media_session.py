"""A media session against another one over rough networks, and against hostile octets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sip.media_receiver import MAX_ADDRESSES, MAX_STREAMS
from sip.media_sender import MAX_BURST
from sip.media_session import MediaSession
from sip.media_verdict import Heard, MediaFlow, SrtpOutcome
from sip.rtp import RtpPacket
from sip.srtp import SrtpSession, SrtpSuite
from tests.sip.media import (
    KEYS,
    PEER,
    START,
    lossy,
    peer_settings,
    perfect,
    rough,
    run,
    session,
)


class TestNetworks:
    def test_a_good_call_both_ways(self) -> None:
        ours, theirs = session(), MediaSession(peer_settings(), START)
        run(ours, theirs, 4)
        verdict = ours.summary()
        assert (verdict.flow, verdict.one_way) == (MediaFlow.BOTH_WAYS, False)
        assert verdict.packets_out == theirs.summary().packets_in
        assert verdict.packets_lost == verdict.packets_duplicate == verdict.packets_reordered == 0
        assert verdict.first_packet_delay_ms == pytest.approx(30)
        assert verdict.jitter_ms == pytest.approx(0, abs=1e-3)
        assert (verdict.dtmf_sent, verdict.dtmf_received, verdict.dtmf_inband) == ("1", "9", "")
        assert (verdict.source, verdict.source_differs) == (PEER, False)
        assert verdict.srtp is SrtpOutcome.NOT_USED
        # The peer's tone is the same second of 1004 Hz, so it passes for an echo.
        assert verdict.heard is Heard.OUR_TONE
        assert verdict.level_dbov == pytest.approx(-22.2, abs=0.2)

    def test_nothing_comes_back(self) -> None:
        ours, theirs = session(), MediaSession(peer_settings(), START)
        run(ours, theirs, 4, perfect, back=lambda _: [])
        verdict = ours.summary()
        assert (verdict.flow, verdict.one_way, verdict.heard) == (
            MediaFlow.OUT_ONLY,
            True,
            Heard.NOTHING,
        )
        assert theirs.summary().packets_in == verdict.packets_out

    def test_loss_is_seen_by_us_and_told_by_the_peer(self) -> None:
        ours, theirs = session(), MediaSession(peer_settings(), START)
        run(ours, theirs, 20, lossy, seed=5)
        verdict, other = ours.summary(), theirs.summary()
        assert verdict.packets_in + verdict.packets_lost == verdict.packets_expected
        assert abs(verdict.packets_expected - other.packets_out) <= 3
        assert 6 < verdict.loss_percent < 14
        assert verdict.remote_packets_lost is not None
        assert verdict.remote_packets_lost > 20

    @hypothesis_settings(max_examples=15, deadline=None)
    @given(st.integers(0, 10**6))
    def test_a_rough_network_is_accounted_and_its_digit_survives(self, seed: int) -> None:
        ours, theirs = session(), MediaSession(peer_settings(), START)
        run(ours, theirs, 4, rough, seed=seed)
        verdict, other = ours.summary(), theirs.summary()
        unique = verdict.packets_in - verdict.packets_duplicate
        assert unique + verdict.packets_lost == verdict.packets_expected <= other.packets_out
        assert verdict.packets_duplicate > 0
        assert verdict.packets_reordered > 0
        assert verdict.jitter_ms is not None
        assert 5 < verdict.jitter_ms < 40
        assert verdict.dtmf_received == "9"

    @pytest.mark.parametrize("suite", SrtpSuite)
    def test_an_encrypted_call_authenticates(self, suite: SrtpSuite) -> None:
        ours = session(srtp=SrtpSession(suite, local_key=KEYS[0], remote_key=KEYS[1]))
        theirs = MediaSession(
            peer_settings(srtp=SrtpSession(suite, local_key=KEYS[1], remote_key=KEYS[0])), START
        )
        run(ours, theirs, 4, rough)
        verdict = ours.summary()
        assert verdict.srtp is SrtpOutcome.AUTHENTICATED
        assert verdict.srtp_failed == 0
        assert verdict.srtp_replayed > 0
        assert verdict.srtp_authenticated == verdict.packets_in + verdict.rtcp_in
        assert verdict.dtmf_received == "9"

    def test_a_wrong_key_is_failed_authentication_not_silence(self) -> None:
        suite = SrtpSuite.AES_CM_128_HMAC_SHA1_80
        ours = session(srtp=SrtpSession(suite, local_key=KEYS[0], remote_key=bytes(30)))
        theirs = MediaSession(
            peer_settings(srtp=SrtpSession(suite, local_key=KEYS[1], remote_key=KEYS[0])), START
        )
        run(ours, theirs, 4)
        verdict = ours.summary()
        assert (verdict.srtp, verdict.heard) == (SrtpOutcome.FAILED, Heard.NOTHING)
        assert verdict.srtp_failed == theirs.summary().packets_out + theirs.summary().rtcp_out
        assert theirs.summary().srtp is SrtpOutcome.AUTHENTICATED

    def test_stun_on_an_encrypted_port_is_no_failed_authentication(self) -> None:
        ours = session(
            srtp=SrtpSession(
                SrtpSuite.AES_CM_128_HMAC_SHA1_80, local_key=KEYS[0], remote_key=KEYS[1]
            )
        )
        ours.receive_rtp(b"\x00\x01\x00\x00" + bytes(16), PEER, START)
        verdict = ours.summary()
        assert (verdict.stun_packets, verdict.srtp) == (1, SrtpOutcome.UNPROVEN)

    def test_junk_on_an_encrypted_port_is_rejected_without_a_word_on_the_key(self) -> None:
        ours = session(
            srtp=SrtpSession(
                SrtpSuite.AES_CM_128_HMAC_SHA1_80, local_key=KEYS[0], remote_key=KEYS[1]
            )
        )
        ours.receive_rtp(b"\x16\xfe\xff" + bytes(40), PEER, START)
        verdict = ours.summary()
        assert (verdict.packets_rejected, verdict.srtp) == (1, SrtpOutcome.UNPROVEN)


class TestHostility:
    def test_streams_and_addresses_are_limited(self) -> None:
        ours = session()
        for n in range(1000):
            packet = RtpPacket(0, n, 0, n, b"\xff")
            ours.receive_rtp(packet.serialize(), ("198.51.100.1", n), START)
        verdict = ours.summary()
        assert verdict.packets_in == MAX_STREAMS
        assert verdict.packets_rejected == 1000 - MAX_STREAMS
        for n in range(100):
            packet = RtpPacket(0, n + 1, 0, 0, b"\xff")
            ours.receive_rtp(packet.serialize(), ("198.51.100.2", n), START)
        assert len(ours.summary().other_sources) == MAX_ADDRESSES - 1

    @given(
        st.lists(
            st.tuples(
                st.sampled_from([b"", b"\x80\x00", b"\x80\x65", b"\x80\xc8", b"\x00\x01"]),
                st.binary(max_size=60),
                st.booleans(),
            ),
            max_size=20,
        ),
        st.booleans(),
    )
    def test_any_octets_on_either_port_only_change_counters(
        self, datagrams: list[tuple[bytes, bytes, bool]], encrypted: bool
    ) -> None:
        srtp = None
        if encrypted:
            suite = SrtpSuite.AES_CM_128_HMAC_SHA1_32
            srtp = SrtpSession(suite, local_key=KEYS[0], remote_key=KEYS[1])
        ours = session(srtp=srtp, follow_source=True)
        for start, rest, control in datagrams:
            receive = ours.receive_rtcp if control else ours.receive_rtp
            receive(start + rest, PEER, START)
        verdict = ours.summary()
        counted = (
            verdict.packets_in
            + verdict.packets_rejected
            + verdict.stun_packets
            + verdict.rtcp_in
            + verdict.rtcp_rejected
            + verdict.srtp_failed
        )
        assert counted == len(datagrams)
        (first,) = ours.packets_to_send(START)
        assert first.address == verdict.sent_to

    @given(st.floats(START - 10, START + 300), st.floats(START - 10, START + 300))
    def test_any_time_makes_a_bounded_number_of_packets(self, first: float, then: float) -> None:
        ours = session()
        for now in sorted((first, then)):
            assert len(ours.packets_to_send(now)) <= MAX_BURST + 2
        timer = ours.get_timer()
        assert timer is None or timer >= START
