"""The product's own test call against the peers: what each of them makes a user see."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import pytest

from domain.proof import proof_of
from domain.proof_steps import Rung, RungOutcome
from lab import Lab, LabPeer
from lab.call_premises import CallEnd
from lab.catalogue import DEMO_PASSWORD, DEMO_USERNAME
from sip.call_facts import CallFacts
from sip.call_plan import CallPlan
from sip.dialog_state import CallSnapshot
from sip.net.call_agent import place_call
from sip.net.call_observer import CallEvent
from sip.net.guard import AddressGuard
from sip.net.media_process import MediaProcess
from sip.net.resolver import Resolver
from sip.net.wire import WireRecord
from tests.support.labs import new_lab_network
from tests.support.loopback import LoopbackBlock

MEDIA_PORTS = range(33_000, 33_400)
AT_A_TIME = 10


@dataclass(frozen=True)
class Placed:
    """A call to one peer: ``fails`` is the first rung that does, ``status`` the final response."""

    peer: str
    fails: Rung | None
    status: int | None = 200
    user: str = "+15551230000"
    transport: str = "udp"
    secure: bool = False
    account: bool = False


CALLS = (
    Placed("asterisk", None),
    Placed("kamailio", None, transport="tls", secure=True),
    Placed("freeswitch", None, transport="tcp"),
    Placed("shy", None),
    Placed("any-code", None),
    Placed("echo", None),
    Placed("fork", None),
    Placed("early-media", None),
    Placed("session-timers", None),
    Placed("session-interval", None),
    Placed("reinvites", None),
    Placed("private-sdp", None),
    Placed("tls-srtp", None, transport="tls", secure=True),
    Placed("challenge", None, account=True),
    Placed("proxy-challenge", None, account=True),
    Placed("not-found", None, user="15551230000"),
    Placed("not-found", Rung.INVITE, 404),
    Placed("identity-required", Rung.INVITE, 403),
    Placed("bad-extension", Rung.INVITE, 420),
    Placed("requires-extension", Rung.INVITE, 421),
    Placed("moved", Rung.INVITE, 302),
    Placed("any-code", Rung.INVITE, 484, user="484"),
    Placed("no-codec", Rung.INVITE, 488),
    Placed("srtp-required", Rung.INVITE, 488),
    Placed("srtp-refused", Rung.INVITE, 488, secure=True),
    Placed("challenge", Rung.AUTHENTICATION, 401),
    Placed("auth-loop", Rung.AUTHENTICATION, 401, account=True),
    Placed("stale-nonces", Rung.AUTHENTICATION, 401, account=True),
    Placed("busy", Rung.ANSWER, 486),
    Placed("declines", Rung.ANSWER, 603),
    Placed("ring-then-503", Rung.ANSWER, 503),
    Placed("no-answer", Rung.ANSWER, 487),
    Placed("drops-after-100", Rung.RINGING, 487),
    Placed("late-200", Rung.ANSWER, 200),
    Placed("stream-refused", Rung.SDP, secure=True),
    Placed("wrong-srtp-key", Rung.SRTP, secure=True),
    Placed("one-way-audio", Rung.RTP_IN),
    Placed("silence", Rung.RTP_IN),
    Placed("bye-at-once", Rung.BYE),
    Placed("self-signed", Rung.TLS, None, transport="tls"),
    Placed("not-tls", Rung.TLS, None, transport="tls"),
)


class Watcher:
    """An observer that is content with the facts."""

    def wire(self, record: WireRecord) -> None:
        """Look away."""

    async def save(self, snapshot: CallSnapshot) -> None:
        """Keep nothing: no process dies here."""

    def event(self, event: CallEvent) -> None:
        """Look away."""


async def placed(lab: Lab, call: Placed, media_process: MediaProcess) -> CallFacts:
    plan = CallPlan(
        host=lab.peers[call.peer].address,
        transport=call.transport,
        request_user=call.user,
        from_uri_user="+15559990000",
        username=DEMO_USERNAME if call.account else None,
        password=DEMO_PASSWORD if call.account else None,
        secure_media=call.secure,
        ca_file=str(lab.ca_file),
        user_agent="tests",
        # Who is not answered in time is what some are about; the others have time, on a busy machine too.
        ring_seconds=3 if call.fails in (Rung.ANSWER, Rung.RINGING) else 15,
        talk_seconds=3.0,
    )
    return await place_call(
        plan,
        guard=AddressGuard((ip_network("127.0.0.0/8"),)),
        resolver=Resolver([]),
        media_process=media_process,
        media_ports=MEDIA_PORTS,
        new_token=lambda: secrets.token_hex(8),
        observer=Watcher(),
        hang_up=asyncio.Event(),
    )


Results = tuple[Mapping[Placed, CallFacts], Mapping[str, LabPeer]]


@pytest.fixture(scope="module")
async def results(
    loopback: LoopbackBlock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Results]:
    """All calls, some side by side, in a lab of their own."""
    # Both ends of each call talk in this one loop: more of them would be late on a busy machine.
    room = asyncio.Semaphore(AT_A_TIME)

    async def placed_in_turn(lab: Lab, call: Placed, media: MediaProcess) -> CallFacts:
        async with room:
            return await placed(lab, call, media)

    folder: Path = tmp_path_factory.mktemp("placed-calls")
    names = {call.peer for call in CALLS}
    async with Lab(new_lab_network(loopback), folder, names) as lab, MediaProcess() as media:
        facts = await asyncio.gather(*(placed_in_turn(lab, call, media) for call in CALLS))
        async with asyncio.timeout(5):
            await asyncio.gather(*(peer.until_idle() for peer in lab.peers.values()))
        yield dict(zip(CALLS, facts, strict=True)), dict(lab.peers)


def facts_of(results: Results, peer: str) -> CallFacts:
    return next(facts for call, facts in results[0].items() if call.peer == peer)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.peer}-{call.fails}")
def test_a_call_fails_on_the_rung_that_its_peer_is_made_for(results: Results, call: Placed) -> None:
    facts = results[0][call]
    steps = proof_of(facts)
    failed = [step.rung for step in steps if step.outcome is RungOutcome.FAIL]
    assert failed[:1] == ([] if call.fails is None else [call.fails])
    final = (
        None if facts.invite is None or facts.invite.final is None else facts.invite.final.status
    )
    assert final == call.status


def test_no_peer_was_left_with_a_call(results: Results) -> None:
    assert {name: peer.live_calls for name, peer in results[1].items()} == dict.fromkeys(
        results[1], 0
    )


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("asterisk", CallEnd.CALLER),
        ("late-200", CallEnd.CALLER),
        ("no-answer", CallEnd.CANCELLED),
        ("drops-after-100", CallEnd.CANCELLED),
        ("bye-at-once", CallEnd.PEER),
        ("stream-refused", CallEnd.CALLER),
    ],
)
def test_the_peer_saw_how_the_call_ended(results: Results, name: str, end: CallEnd) -> None:
    assert [record.end for record in results[1][name].call_records] == [end]


def test_both_telephones_of_a_fork_were_hung_up(results: Results) -> None:
    assert [record.end for record in results[1]["fork"].call_records] == [CallEnd.CALLER] * 2
    invite = facts_of(results, "fork").invite
    assert invite is not None
    assert invite.forks_ended == 1


def test_a_private_address_is_found_in_sdp_and_contact(results: Results) -> None:
    findings = facts_of(results, "private-sdp").addresses
    assert {(f.place.value, f.address, f.blocked) for f in findings} == {
        ("sdp", "10.20.30.40", True),
        ("contact", "10.20.30.40", True),
    }


def test_the_peers_own_requests_are_answered(results: Results) -> None:
    for name, requests in (
        ("session-timers", ("UPDATE", "INVITE")),
        ("reinvites", ("INVITE", "INVITE")),
        ("bye-at-once", ("BYE",)),
    ):
        invite = facts_of(results, name).invite
        assert invite is not None
        assert invite.peer_requests == requests
