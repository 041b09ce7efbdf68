"""What the peers say, and to whom, once a call is up."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import Lab
from sip.dialog_state import Answered, EarlyMedia, Progress
from sip.media_agreement import ProblemKind
from sip.media_verdict import Heard, MediaFlow, MediaVerdict, SrtpOutcome
from sip.net.tls import TlsProfile
from sip.offer_answer import SrtpPolicy
from sip.sdp_attributes import PCMA
from tests.lab.calling import caller, last_record

pytestmark = pytest.mark.usefixtures("loop_errors")


async def verdict_on(
    lab: Lab, name: str, *, srtp: SrtpPolicy = SrtpPolicy.OFF, seconds: float = 0.6
) -> MediaVerdict:
    async with caller(srtp=srtp) as calling:
        await calling.call(lab.peers[name])
        return await calling.talk(seconds)


class TestSound:
    async def test_one_way_audio_is_no_packet_at_all(self, lab: Lab) -> None:
        verdict = await verdict_on(lab, "one-way-audio")
        assert (verdict.flow, verdict.packets_in) == (MediaFlow.OUT_ONLY, 0)
        heard = (await last_record(lab.peers["one-way-audio"])).heard
        assert heard is not None
        assert (heard.flow, heard.heard) == (MediaFlow.IN_ONLY, Heard.AUDIO)
        assert heard.tone_ms == pytest.approx(300, abs=60)

    async def test_silence_is_packets_without_sound(self, lab: Lab) -> None:
        verdict = await verdict_on(lab, "silence")
        assert (verdict.flow, verdict.heard) == (MediaFlow.BOTH_WAYS, Heard.SILENCE)
        assert verdict.dtmf_received == ""

    @pytest.mark.parametrize("srtp", [SrtpPolicy.OFF, SrtpPolicy.REQUIRED])
    async def test_an_echo_is_the_callers_own_tone_and_digit(
        self, lab: Lab, srtp: SrtpPolicy
    ) -> None:
        verdict = await verdict_on(lab, "echo", srtp=srtp, seconds=1.0)
        assert (verdict.heard, verdict.dtmf_received) == (Heard.OUR_TONE, "1")
        assert verdict.packets_reflected == 0
        assert verdict.packets_in == pytest.approx(verdict.packets_out, abs=2)

    async def test_a_peer_without_telephone_event_gets_no_digit(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["no-dtmf"])
            verdict = await calling.talk(0.6)
            assert calling.media.agreed is not None
            assert calling.media.agreed.dtmf is None
        assert (verdict.dtmf_sent, verdict.heard) == (None, Heard.AUDIO)

    async def test_the_callers_codec_is_spoken(self, lab: Lab) -> None:
        async with caller(codecs=(PCMA,)) as calling:
            await calling.call(lab.peers["asterisk"])
            verdict = await calling.talk(0.3)
        assert (verdict.codec, verdict.heard) == ("PCMA", Heard.AUDIO)


class TestAddresses:
    async def test_a_private_address_stands_in_sdp_and_contact(self, lab: Lab) -> None:
        peer = lab.peers["private-sdp"]
        async with caller() as calling:
            await calling.call(peer)
            answered = await calling.sees(Answered)
            verdict = await calling.talk(0.4)
        assert answered.dialog.remote_target == "sip:lab@10.20.30.40:5060"
        assert b"c=IN IP4 10.20.30.40\r\n" in (answered.sdp or b"")
        assert (verdict.expected_source or ("", 0))[0] == "10.20.30.40"
        assert (verdict.source or ("", 0))[0] == peer.address


class TestEncryption:
    @pytest.mark.parametrize("name", ["srtp-required", "asterisk"])
    async def test_its_packets_authenticate(self, lab: Lab, name: str) -> None:
        verdict = await verdict_on(lab, name, srtp=SrtpPolicy.REQUIRED)
        assert (verdict.srtp, verdict.heard) == (SrtpOutcome.AUTHENTICATED, Heard.AUDIO)
        heard = (await last_record(lab.peers[name])).heard
        assert heard is not None
        assert heard.srtp is SrtpOutcome.AUTHENTICATED

    async def test_optional_encryption_is_taken_up(self, lab: Lab) -> None:
        verdict = await verdict_on(lab, "srtp-required", srtp=SrtpPolicy.OPTIONAL)
        assert verdict.srtp is SrtpOutcome.AUTHENTICATED

    async def test_another_key_than_the_one_in_sdp_opens_nothing(self, lab: Lab) -> None:
        verdict = await verdict_on(lab, "wrong-srtp-key", srtp=SrtpPolicy.REQUIRED)
        assert (verdict.srtp, verdict.srtp_authenticated) == (SrtpOutcome.FAILED, 0)
        assert verdict.srtp_failed > 5

    async def test_a_stream_may_be_refused_by_a_200(self, lab: Lab) -> None:
        async with caller(srtp=SrtpPolicy.REQUIRED) as calling:
            await calling.call(lab.peers["stream-refused"])
            await calling.sees(Answered)
            assert calling.media.agreed is not None
            kinds = [problem.kind for problem in calling.media.agreed.problems]
            calling.hang_up()
            await calling.is_over()
        assert kinds == [ProblemKind.STREAM_REJECTED]

    async def test_tls_and_srtp_go_together(self, lab: Lab) -> None:
        peer = lab.peers["tls-srtp"]
        profile = TlsProfile(peer.address, ca_file=str(lab.ca_file))
        async with caller(srtp=SrtpPolicy.REQUIRED) as calling:
            await calling.call(peer, transport="TLS", tls=profile)
            verdict = await calling.talk(0.4)
        assert verdict.srtp is SrtpOutcome.AUTHENTICATED


class TestEarlyMedia:
    async def test_it_comes_with_a_reliable_183_and_the_200_has_no_sdp(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["early-media"])
            early = await calling.sees(EarlyMedia)
            calling.media.begin(early.sdp)
            answered = await calling.sees(Answered)
            verdict = await calling.talk(0.3)
            progress = await calling.sees(Progress)
            assert calling.heard[:4] == [100, 183, 200, 200]
        assert (progress.status, progress.reliable, answered.sdp) == (183, True, None)
        assert verdict.heard is Heard.AUDIO


def test_the_guide_names_the_tone() -> None:
    text = (Path(__file__).parents[2] / "docs" / "lab.md").read_text(encoding="utf-8")
    assert "425 Hz" in text
