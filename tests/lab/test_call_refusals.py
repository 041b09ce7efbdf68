"""The peers that refuse a call, and what they say about it."""

from __future__ import annotations

import pytest

from lab import Lab
from lab.call_premises import CallEnd
from sip.dialog_state import (
    Answered,
    Failed,
    FailureCause,
    IntervalRaised,
    Ringing,
    Trying,
)
from sip.message import Response
from sip.offer_answer import SrtpPolicy
from sip.sdp_attributes import G729, AudioCodec
from tests.lab.calling import LabCaller, caller, last_record
from tests.lab.client import ask_udp, request

pytestmark = pytest.mark.usefixtures("loop_errors")


async def refused(calling: LabCaller) -> Response:
    """The final response."""
    await calling.sees(Failed)
    last = calling.received[-1]
    assert isinstance(last, Response)
    return last


class TestAfterRinging:
    @pytest.mark.parametrize(
        ("name", "status", "reason"),
        [
            ("busy", 486, 'Q.850;cause=17;text="User busy"'),
            ("declines", 603, 'Q.850;cause=21;text="Call rejected"'),
            ("ring-then-503", 503, 'Q.850;cause=34;text="No circuit/channel available"'),
        ],
    )
    async def test_the_code_comes_with_its_cause(
        self, lab: Lab, name: str, status: int, reason: str
    ) -> None:
        peer = lab.peers[name]
        async with caller() as calling:
            await calling.call(peer)
            final = await refused(calling)
            assert calling.heard == [100, 180, status]
            ringing = await calling.sees(Ringing)
        assert final.headers.get("Reason") == reason
        assert final.to.tag == ringing.remote_tag
        record = await last_record(peer)
        assert (record.end, record.answered) == (CallEnd.REFUSED, False)

    async def test_a_503_says_when_to_come_back(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["ring-then-503"])
            assert (await refused(calling)).headers.get("Retry-After") == "30"


class TestByWhoCallsAndWhom:
    @pytest.mark.parametrize("status", [302, 404, 484, 488, 500, 503, 600, 606, 699])
    async def test_the_code_that_is_dialled_is_the_answer(self, lab: Lab, status: int) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["any-code"], user=str(status))
            assert (await refused(calling)).status == status

    @pytest.mark.parametrize("user", ["100", "299", "4040", "+15551234567", "700"])
    async def test_any_other_number_is_answered(self, lab: Lab, user: str) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["any-code"], user=user)
            await calling.sees(Answered)
            calling.hang_up()
            await calling.is_over()

    async def test_a_number_with_plus_is_not_found_where_it_is_not_known(self, lab: Lab) -> None:
        peer = lab.peers["not-found"]
        async with caller() as calling:
            await calling.call(peer, user="+15551234567")
            assert (await refused(calling)).status == 404
        async with caller() as calling:
            await calling.call(peer, user="15551234567")
            await calling.talk(0.1)

    async def test_a_caller_has_to_assert_its_number(self, lab: Lab) -> None:
        peer = lab.peers["identity-required"]
        async with caller() as calling:
            await calling.call(peer)
            assert (await refused(calling)).status == 403
        identity = ("P-Asserted-Identity", "<sip:+15551234567@example.com>")
        async with caller() as calling:
            await calling.call(peer, headers=(identity,))
            await calling.talk(0.1)

    async def test_a_redirection_names_another_host(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["moved"])
            failed = await calling.sees(Failed)
        assert (failed.cause, failed.status) == (FailureCause.REDIRECTED, 302)
        assert failed.said.contacts == ("sip:elsewhere.lab.trunkline.test",)


class TestExtensions:
    async def test_a_supported_extension_is_taken_for_a_required_one(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["bad-extension"])
            final = await refused(calling)
        assert (final.status, final.tokens("Unsupported")) == (420, ("100rel",))
        async with caller() as calling:
            await calling.call(lab.peers["bad-extension"], supported=())
            await calling.talk(0.1)

    async def test_an_extension_may_be_demanded(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["requires-extension"])
            final = await refused(calling)
        assert (final.status, final.tokens("Require")) == (421, ("precondition",))

    async def test_reliable_responses_need_a_caller_that_acknowledges_them(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["early-media"], supported=())
            final = await refused(calling)
        assert (final.status, final.tokens("Require")) == (421, ("100rel",))

    async def test_a_short_session_interval_is_refused_once(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["session-interval"])
            raised = await calling.sees(IntervalRaised)
            await calling.talk(0.1)
            assert calling.heard[:3] == [422, 100, 180]
        assert raised.min_se == 1800


class TestOffers:
    @pytest.mark.parametrize(
        ("name", "srtp", "codec", "warning"),
        [
            ("no-codec", SrtpPolicy.OFF, None, 305),
            ("asterisk", SrtpPolicy.OFF, G729, 305),
            ("srtp-required", SrtpPolicy.OFF, None, 302),
            ("srtp-refused", SrtpPolicy.REQUIRED, None, 302),
        ],
    )
    async def test_what_does_not_fit_is_488_before_it_rings(
        self, lab: Lab, name: str, srtp: SrtpPolicy, codec: AudioCodec | None, warning: int
    ) -> None:
        codecs = {} if codec is None else {"codecs": (codec,)}
        async with caller(srtp=srtp, **codecs) as calling:
            await calling.call(lab.peers[name])
            final = await refused(calling)
            assert calling.heard == [488]
        assert (final.headers.get("Warning") or "").startswith(
            f"{warning} {lab.peers[name].address}"
        )

    async def test_a_body_that_is_no_sdp_is_488(self, lab: Lab) -> None:
        async with caller() as calling:
            await calling.call(lab.peers["asterisk"], offer=b"hello")
            assert (await refused(calling)).status == 488

    async def test_an_invite_without_contact_is_400(self, lab: Lab) -> None:
        peer = lab.peers["asterisk"]
        assert (await ask_udp(peer.address, request(peer.uri, method="INVITE"))).status == 400


@pytest.mark.parametrize("name", ["drops-after-100", "stuck"])
async def test_nothing_follows_a_100_of_a_peer_that_is_stuck(lab: Lab, name: str) -> None:
    async with caller() as calling:
        await calling.call(lab.peers[name])
        await calling.sees(Trying)
        calling.hang_up()
        failed = await calling.sees(Failed)
        # A CANCEL that is sent twice on a busy machine is answered twice.
        assert list(dict.fromkeys(calling.heard)) == [100, 200, 487]
    assert failed.cause is FailureCause.CANCELLED
