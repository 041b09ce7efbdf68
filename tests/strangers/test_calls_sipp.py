"""Calls to a SIPp, which judges every message that it gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from sip.call_facts import CallFacts, InviteFacts, StopCause
from sip.dialog_state import CallSnapshot, EndedBy, FailureCause, Ringing
from sip.media_verdict import Heard, MediaFlow
from sip.message import parse_message
from sip.net.wire import Direction
from tests.strangers.calls import Watcher, called, plan_for
from tests.support.loopback import LoopbackBlock
from tests.support.sipp_calls import MEDIA_PORT, CallScript, SippCallee, run_sipp_callee
from tests.support.sipp_scripts import DIGEST_PASSWORD, DIGEST_REALM, DIGEST_USER, SERVER

pytestmark = pytest.mark.peer

over_udp_and_tcp = pytest.mark.parametrize("transport", ["udp", "tcp"])

CREDENTIALS = {"username": DIGEST_USER, "password": DIGEST_PASSWORD}

RunCallee = Callable[..., AbstractAsyncContextManager[SippCallee]]


@pytest.fixture
def callee(loopback: LoopbackBlock, tmp_path: Path) -> RunCallee:
    """``callee(script, transport="udp")`` is a SIPp that has found its script kept at the end."""

    @asynccontextmanager
    async def running(script: CallScript, transport: str = "udp") -> AsyncIterator[SippCallee]:
        async with run_sipp_callee(script, transport, loopback.address(), tmp_path) as sipp:
            yield sipp
            await sipp.finished()

    return running


def invite_of(facts: CallFacts) -> InviteFacts:
    assert facts.invite is not None, facts
    return facts.invite


@over_udp_and_tcp
async def test_a_call_is_answered_and_its_media_comes_back(
    callee: RunCallee, transport: str
) -> None:
    watcher = Watcher()
    async with callee(CallScript.ANSWERS, transport) as sipp:
        facts = await called(plan_for(sipp.address, transport=transport), watcher)
    invite = invite_of(facts)
    assert invite.failure is None
    assert [each.status for each in invite.provisionals] == [100, 180]
    assert invite.final is not None
    assert (invite.final.status, invite.final.said.server) == (200, SERVER)
    assert invite.ended_by is EndedBy.US
    assert invite.bye_status == 200
    assert facts.stopped is StopCause.FINISHED
    assert invite.agreed is not None
    assert invite.agreed.codec == "PCMU"
    assert (invite.agreed.address, invite.agreed.port) == (sipp.address, MEDIA_PORT)
    media = facts.media
    assert media is not None
    assert media.flow is MediaFlow.BOTH_WAYS
    # SIPp sends each packet back where it came from.
    assert media.heard is Heard.OUR_TONE
    assert media.source == (sipp.address, MEDIA_PORT)
    assert media.packets_in == media.packets_out
    assert media.packets_lost == 0
    assert media.dtmf_sent == "1"
    assert [len(watcher.requests(each)) for each in ("INVITE", "ACK", "BYE")] == [1, 1, 1]


async def test_a_snapshot_is_stored_before_the_message_that_it_is_for(callee: RunCallee) -> None:
    watcher = Watcher(save_seconds=0.05)
    async with callee(CallScript.CHALLENGES) as sipp:
        await called(plan_for(sipp.address, **CREDENTIALS), watcher)
    stored: set[str] = set()
    invites = 0
    for each in watcher.order:
        if isinstance(each, CallSnapshot):
            stored.add(each.invite_request().via.branch or "")
        elif each.direction is Direction.OUT and each.data.startswith(b"INVITE "):
            invites += 1
            assert parse_message(each.data).via.branch in stored
    assert invites == 2


@over_udp_and_tcp
async def test_a_challenge_is_answered_with_credentials_that_sipp_accepts(
    callee: RunCallee, transport: str
) -> None:
    async with callee(CallScript.CHALLENGES, transport) as sipp:
        facts = await called(plan_for(sipp.address, transport=transport, **CREDENTIALS))
    invite = invite_of(facts)
    assert invite.failure is None
    assert invite.attempts == 2
    (challenge,) = invite.challenges
    assert (challenge.status, challenge.realm) == (401, DIGEST_REALM)
    assert challenge.answered == "MD5"
    assert challenge.why_not is None


async def test_a_stale_nonce_is_answered_a_second_time(callee: RunCallee) -> None:
    async with callee(CallScript.NONCE_TURNS_STALE) as sipp:
        facts = await called(plan_for(sipp.address, **CREDENTIALS))
    invite = invite_of(facts)
    assert invite.failure is None
    assert [(each.stale, each.answered) for each in invite.challenges] == [
        (False, "MD5"),
        (True, "MD5"),
    ]


async def test_a_second_challenge_without_stale_ends_the_call(callee: RunCallee) -> None:
    async with callee(CallScript.ALWAYS_CHALLENGES) as sipp:
        facts = await called(plan_for(sipp.address, **CREDENTIALS))
    invite = invite_of(facts)
    assert invite.failure is FailureCause.UNAUTHORIZED
    assert [each.why_not for each in invite.challenges] == [None, "refused again"]


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (CallScript.BUSY, 486),
        (CallScript.DECLINES, 603),
        (CallScript.NOT_FOUND, 404),
        (CallScript.NO_COMMON_CODEC, 488),
        (CallScript.UNAVAILABLE, 503),
    ],
    ids=lambda value: value.name.lower() if isinstance(value, CallScript) else str(value),
)
@over_udp_and_tcp
async def test_a_refusal_is_acknowledged_and_told_as_it_came(
    callee: RunCallee, transport: str, script: CallScript, status: int
) -> None:
    async with callee(script, transport) as sipp:
        facts = await called(plan_for(sipp.address, transport=transport))
    invite = invite_of(facts)
    assert invite.failure is FailureCause.REFUSED
    assert invite.final is not None
    assert invite.final.status == status
    said = invite.final.said
    assert said.server == SERVER
    if status == 486:
        assert said.reasons == ('Q.850;cause=17;text="User busy"',)
    if status == 488:
        assert said.warnings == ('304 sipp.test "Media type not available"',)
    if status == 503:
        assert said.retry_after == "7"


@over_udp_and_tcp
async def test_a_phone_that_rings_too_long_is_cancelled(callee: RunCallee, transport: str) -> None:
    watcher = Watcher()
    async with callee(CallScript.RINGS, transport) as sipp:
        facts = await called(plan_for(sipp.address, transport=transport, ring_seconds=1.0), watcher)
    invite = invite_of(facts)
    assert invite.failure is FailureCause.NO_ANSWER
    assert len(watcher.requests("CANCEL")) == 1
    assert invite.final is not None
    assert invite.final.status == 487


async def test_a_hang_up_while_it_rings_cancels(callee: RunCallee) -> None:
    hang_up = asyncio.Event()

    def on_event(event: object) -> None:
        if isinstance(event, Ringing):
            hang_up.set()

    watcher = Watcher(on_event=on_event)
    async with callee(CallScript.RINGS) as sipp:
        facts = await called(plan_for(sipp.address), watcher, hang_up=hang_up)
    assert invite_of(facts).failure is FailureCause.CANCELLED
    assert facts.stopped is StopCause.HANG_UP
    assert len(watcher.requests("CANCEL")) == 1


async def test_a_peer_that_says_no_more_than_trying_is_cancelled(callee: RunCallee) -> None:
    async with callee(CallScript.DROPS_AFTER_TRYING) as sipp:
        facts = await called(plan_for(sipp.address, ring_seconds=1.0))
    invite = invite_of(facts)
    assert invite.failure is FailureCause.NO_ANSWER
    assert [each.status for each in invite.provisionals] == [100]


@over_udp_and_tcp
async def test_an_answer_that_crosses_the_cancel_is_acknowledged_and_ended(
    callee: RunCallee, transport: str
) -> None:
    watcher = Watcher()
    async with callee(CallScript.ANSWERS_IN_SPITE_OF_CANCEL, transport) as sipp:
        await called(plan_for(sipp.address, transport=transport, ring_seconds=0.5), watcher)
    assert [len(watcher.requests(each)) for each in ("CANCEL", "ACK", "BYE")] == [1, 1, 1]


async def test_each_copy_of_an_answer_is_acknowledged(callee: RunCallee) -> None:
    # Over UDP SIPp takes an ACK like the one before for a retransmission, and answers it again.
    async with callee(CallScript.REPEATS_ITS_ANSWER, "tcp") as sipp:
        facts = await called(plan_for(sipp.address, transport="tcp"))
    invite = invite_of(facts)
    assert invite.failure is None
    assert invite.peer_retransmissions == 2


async def test_a_second_fork_is_acknowledged_and_ended(callee: RunCallee) -> None:
    watcher = Watcher()
    async with callee(CallScript.FORKS) as sipp:
        facts = await called(plan_for(sipp.address), watcher)
    invite = invite_of(facts)
    assert invite.failure is None
    assert invite.forks_ended == 1
    tags = [bye.to.tag for bye in watcher.requests("BYE")]
    assert len(set(tags)) == 2


async def test_a_reliable_provisional_response_gets_its_prack(callee: RunCallee) -> None:
    watcher = Watcher()
    async with callee(CallScript.RELIABLE_RINGING) as sipp:
        facts = await called(plan_for(sipp.address), watcher)
    invite = invite_of(facts)
    assert invite.failure is None
    (progress,) = (each for each in invite.provisionals if each.status == 183)
    assert progress.reliable
    assert progress.early_media
    (prack,) = watcher.requests("PRACK")
    assert prack.headers.get("RAck") == "1 1 INVITE"
    assert facts.media is not None
    assert facts.media.flow is MediaFlow.BOTH_WAYS


async def test_a_longer_session_is_granted_at_the_second_try(callee: RunCallee) -> None:
    async with callee(CallScript.WANTS_A_LONGER_SESSION) as sipp:
        facts = await called(plan_for(sipp.address))
    invite = invite_of(facts)
    assert invite.failure is None
    assert invite.min_se == 1800
    assert invite.attempts == 2


@over_udp_and_tcp
async def test_a_peer_that_hangs_up_is_answered(callee: RunCallee, transport: str) -> None:
    async with callee(CallScript.HANGS_UP_AT_ONCE, transport) as sipp:
        facts = await called(plan_for(sipp.address, transport=transport))
    invite = invite_of(facts)
    assert invite.failure is None
    assert invite.ended_by is EndedBy.PEER
    assert invite.bye_status is None


@over_udp_and_tcp
async def test_a_new_offer_of_the_peer_is_answered_and_the_call_goes_on(
    callee: RunCallee, transport: str
) -> None:
    async with callee(CallScript.REINVITES, transport) as sipp:
        facts = await called(plan_for(sipp.address, transport=transport))
    invite = invite_of(facts)
    assert invite.ended_by is EndedBy.US
    assert any("INVITE" in each for each in invite.peer_requests)


async def test_options_within_the_call_are_answered(callee: RunCallee) -> None:
    async with callee(CallScript.ASKS_OPTIONS) as sipp:
        facts = await called(plan_for(sipp.address))
    assert any("OPTIONS" in each for each in invite_of(facts).peer_requests)


async def test_the_peers_choice_of_codec_is_followed(callee: RunCallee) -> None:
    async with callee(CallScript.ANSWERS_ALAW) as sipp:
        facts = await called(plan_for(sipp.address))
    agreed = invite_of(facts).agreed
    assert agreed is not None
    assert agreed.codec == "PCMA"
    assert agreed.dtmf_payload_type is None
    assert facts.media is not None
    assert facts.media.heard is Heard.OUR_TONE


async def test_a_private_address_in_the_answer_gets_no_packet_and_is_pointed_out(
    callee: RunCallee,
) -> None:
    async with callee(CallScript.ANSWERS_PRIVATE) as sipp:
        facts = await called(plan_for(sipp.address))
    assert [(each.address, each.blocked) for each in facts.addresses] == [("10.0.0.5", True)]
    assert facts.media is None or facts.media.packets_out == 0
