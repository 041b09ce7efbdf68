"""The peers as telephones: they ring, answer, talk and hang up as their systems would."""

from __future__ import annotations

import pytest

from lab import Lab
from lab.call_premises import CallEnd
from sip.dialog_state import Answered, Challenged, Ended, EndedBy, Failed, FailureCause, Ringing
from sip.media_verdict import Heard, MediaFlow
from sip.message import Request
from sip.offer_answer import SrtpPolicy
from sip.session_requests import Credentials
from tests.lab.calling import DEMO, caller, last_record
from tests.lab.client import ask_udp, request

pytestmark = pytest.mark.usefixtures("loop_errors")

SYSTEMS = ("asterisk", "freeswitch", "kamailio", "opensips", "3cx", "cisco", "twilio", "shy")


class TestSystems:
    @pytest.mark.parametrize("name", SYSTEMS)
    async def test_it_rings_answers_and_talks(self, lab: Lab, name: str) -> None:
        peer = lab.peers[name]
        async with caller() as calling:
            await calling.call(peer)
            verdict = await calling.talk(0.5)
            assert calling.heard[:3] == [100, 180, 200]
        assert (verdict.flow, verdict.heard) == (MediaFlow.BOTH_WAYS, Heard.AUDIO)
        assert verdict.source == verdict.expected_source
        assert verdict.packets_lost == 0
        record = await last_record(peer)
        assert (record.end, record.answered, record.user) == (CallEnd.CALLER, True, "100")

    async def test_it_hears_the_caller(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["asterisk"])
            await calling.talk(0.8)
        heard = (await last_record(lab.peers["asterisk"])).heard
        assert heard is not None
        assert (heard.heard, heard.dtmf_received) == (Heard.OUR_TONE, "1")
        assert heard.rtcp_out == 1

    async def test_it_presses_a_digit_behind_its_tone(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["asterisk"])
            verdict = await calling.talk(1.6)
        assert verdict.dtmf_received == "5"
        assert verdict.loud_ms == pytest.approx(1000, abs=60)
        assert verdict.tone_ms == 0

    async def test_it_answers_over_tcp_with_a_contact_that_says_so(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["kamailio"], transport="TCP")
            answered = await calling.sees(Answered)
            calling.hang_up()
            await calling.is_over()
        assert answered.dialog.remote_target == (
            f"sip:lab@{lab.peers['kamailio'].address}:5060;transport=tcp"
        )

    async def test_an_invite_without_offer_gets_one_and_its_answer_is_taken(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["asterisk"], offer=None)
            answered = await calling.sees(Answered)
            assert answered.sdp is not None
            calling.media.begin(answered.sdp)
            verdict = await calling.talk(0.4)
        assert verdict.packets_in > 5

    async def test_a_slow_peer_rings_late(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["slow"])
            ringing = await calling.sees(Ringing)
            assert ringing.at - calling.events[0].at >= 1.5
            calling.hang_up()
            await calling.is_over()


class TestCredentials:
    async def test_the_demo_account_may_call(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["challenge"], credentials=DEMO)
            await calling.talk(0.1)
            assert calling.heard[:3] == [401, 100, 180]

    async def test_a_proxy_asks_by_407_and_again_for_the_bye(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["proxy-challenge"], credentials=DEMO)
            await calling.talk(0.1)
            challenges = await calling.sees_all(Challenged, 2)
        assert [(c.status, c.method) for c in challenges] == [(407, "INVITE"), (407, "BYE")]
        assert (await last_record(lab.peers["proxy-challenge"])).end is CallEnd.CALLER

    @pytest.mark.parametrize(
        ("name", "credentials", "asked"),
        [
            ("challenge", None, 1),
            ("challenge", Credentials("lab", "wrong"), 2),
            ("auth-loop", DEMO, 2),
            ("stale-nonces", DEMO, 3),
        ],
    )
    async def test_nobody_else_gets_in(
        self, lab: Lab, name: str, credentials: Credentials | None, asked: int
    ) -> None:
        async with caller() as calling:
            await calling.call(lab.peers[name], credentials=credentials)
            failed = await calling.sees(Failed)
            assert calling.heard == [401] * asked
        assert failed.cause is FailureCause.UNAUTHORIZED


class TestEnds:
    async def test_a_cancel_ends_the_ringing(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["no-answer"])
            await calling.sees(Ringing)
            calling.hang_up()
            failed = await calling.sees(Failed)
            assert calling.heard == [100, 180, 200, 487]
        assert (failed.cause, failed.status) == (FailureCause.CANCELLED, 487)
        assert (await last_record(lab.peers["no-answer"])).end is CallEnd.CANCELLED

    async def test_a_bye_before_the_answer_ends_it_too(self, lab: Lab) -> None:
        peer = lab.peers["no-answer"]
        async with caller() as calling:
            await calling.call(peer)
            ringing = await calling.sees(Ringing)
            answer = await ask_udp(peer.address, calling.in_dialog("BYE", ringing.remote_tag))
            failed = await calling.sees(Failed)
        assert answer.status == 200
        assert failed.status == 487

    async def test_a_peer_may_hang_up_itself(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["bye-at-once"])
            ended = await calling.sees(Ended)
            answered = await calling.sees(Answered)
            assert isinstance(calling.received[-1], Request)
        assert ended.by is EndedBy.PEER
        assert ended.at - answered.at < 1
        assert ended.said.reasons == ('Q.850;cause=16;text="Normal call clearing"',)

    async def test_a_peer_may_ignore_a_bye(self, lab: Lab) -> None:
        peer = lab.peers["ignores-bye"]
        async with caller() as calling:
            await calling.call(peer)
            await calling.sees(Answered)
            calling.hang_up()
            ended = await calling.sees(Ended, seconds=10)
        assert (ended.by, ended.status) == (EndedBy.US, None)
        assert peer.live_calls == 1

    @pytest.mark.parametrize("method", ["BYE", "UPDATE", "PRACK", "INVITE"])
    async def test_a_request_of_no_call_is_481(self, lab: Lab, method: str) -> None:
        peer = lab.peers["asterisk"]
        data = request(peer.uri, "Contact: <sip:c@127.0.0.1>", "RAck: 1 1 INVITE", method=method)
        answer = await ask_udp(
            peer.address, data.replace(b"<sip:lab.test>", b"<sip:lab.test>;tag=unknown")
        )
        assert answer.status == 481

    async def test_an_options_in_a_call_is_answered(self, lab: Lab) -> None:
        peer = lab.peers["asterisk"]
        async with caller() as calling:
            await calling.call(peer)
            answered = await calling.sees(Answered)
            tag = answered.dialog.remote_tag
            answer = await ask_udp(peer.address, calling.in_dialog("OPTIONS", tag, cseq=7))
            assert answer.status == 200
            late = await ask_udp(peer.address, calling.in_dialog("OPTIONS", tag, cseq=6))
            assert late.status == 500
            bye = await ask_udp(peer.address, calling.in_dialog("BYE", tag, cseq=8))
            assert bye.status == 200
            again = await ask_udp(peer.address, calling.in_dialog("BYE", tag, cseq=9))
            assert again.status == 481


async def test_srtp_is_taken_when_it_is_offered(lab: Lab) -> None:
    async with caller(srtp=SrtpPolicy.REQUIRED) as calling:
        await calling.call(lab.peers["asterisk"])
        verdict = await calling.talk(0.4)
    assert (verdict.srtp_failed, verdict.srtp_authenticated > 5) == (0, True)
