"""Calls through a Kamailio that challenges and stays in the way, to a phone that registered there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from sip.call_facts import CallFacts, InviteFacts, StopCause, TargetOutcome
from sip.dialog_state import Answered, EndedBy, FailureCause
from sip.media_verdict import Heard, MediaFlow
from tests.strangers.calls import Watcher, called, plan_for
from tests.support.baresip import PHONE_USER, Phone, run_baresip
from tests.support.kamailio import PROXY_PASSWORD, REALM, Kamailio, run_proxy
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.peer

CREDENTIALS: dict[str, Any] = {"username": "alice", "password": PROXY_PASSWORD}


@dataclass(frozen=True, slots=True)
class Way:
    """A proxy and the phone behind it."""

    proxy: Kamailio
    phone: Phone


@dataclass(frozen=True, slots=True)
class Ways:
    """Proxies by how they challenge an INVITE; the phone behind ``open`` rings, others answer."""

    md5_as_proxy: Way
    sha256_as_server: Way
    open: Way


@pytest.fixture(scope="module")
async def ways(
    loopback: LoopbackBlock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ways]:
    """Three proxies with a registered phone each."""
    async with AsyncExitStack() as stack:

        async def start(name: str, challenge: int | None, algorithm: str) -> Way:
            proxy = await stack.enter_async_context(
                run_proxy(
                    loopback.address(),
                    tmp_path_factory.mktemp(f"proxy-{name}"),
                    challenge=challenge,
                    algorithm=algorithm,
                )
            )
            phone = await stack.enter_async_context(
                run_baresip(
                    loopback.address(),
                    tmp_path_factory.mktemp(f"phone-{name}"),
                    registrar=proxy,
                    answers=challenge is not None,
                )
            )
            return Way(proxy, phone)

        yield Ways(
            *await asyncio.gather(
                start("md5", 407, "MD5"),
                start("sha256", 401, "SHA-256"),
                start("open", None, "MD5"),
            )
        )


async def call(
    way: Way, transport: str = "udp", watcher: Watcher | None = None, **changes: Any
) -> CallFacts:
    return await called(
        plan_for(
            way.proxy.address,
            port=way.proxy.port(transport),
            transport=transport,
            ca_file=str(way.proxy.ca_file),
            **{"request_user": PHONE_USER, **changes},
        ),
        watcher,
    )


def invite_of(facts: CallFacts) -> InviteFacts:
    assert facts.invite is not None, facts
    return facts.invite


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("which", ["md5_as_proxy", "sha256_as_server"])
async def test_a_registered_phone_is_reached_through_a_challenge_and_its_tone_is_heard(
    ways: Ways, which: str, transport: str
) -> None:
    way: Way = getattr(ways, which)
    watcher = Watcher()
    facts = await call(way, transport, watcher, **CREDENTIALS)
    invite = invite_of(facts)
    assert invite.failure is None
    (challenge,) = invite.challenges
    expected = (407, "MD5") if which == "md5_as_proxy" else (401, "SHA-256")
    assert (challenge.status, challenge.answered) == expected
    assert challenge.realm == REALM
    assert invite.final is not None
    assert (invite.final.said.server or "").startswith("baresip ")
    assert invite.bye_status == 200
    # The proxy sees ACK and BYE: each takes the way that Record-Route asked for (RFC 3261 12.2.1.1).
    recorded = next(each for each in watcher.responses() if each.status == 200)
    route = [*reversed(recorded.headers.get_all("Record-Route"))]
    assert route
    for method in ("ACK", "BYE"):
        sent = watcher.requests(method)[-1]
        assert [*sent.headers.get_all("Route")] == route
        assert sent.uri == recorded.contacts[0].uri
    media = facts.media
    assert media is not None
    assert media.flow is MediaFlow.BOTH_WAYS
    assert media.heard is Heard.AUDIO
    # Media goes past the proxy.
    assert media.expected_source[0] == way.phone.address
    (target,) = facts.targets
    assert target.outcome is TargetOutcome.CALLED
    if transport == "tls":
        assert target.tls is not None
        assert target.tls.verifies


async def test_the_invite_reaches_the_phone_without_the_credentials_for_the_proxy(
    ways: Ways,
) -> None:
    watcher = Watcher()
    await call(ways.md5_as_proxy, watcher=watcher, **CREDENTIALS)
    assert any("Proxy-Authorization" in each.headers for each in watcher.requests("INVITE"))
    (call_id,) = {each.call_id for each in watcher.requests("INVITE")}
    heard = await ways.md5_as_proxy.phone.says(rf"INVITE sip:[^#]*Call-ID: {call_id}[^#]*\n\n")
    assert "Authorization" not in heard[0]


async def test_a_wrong_password_is_challenged_again_and_named(ways: Ways) -> None:
    facts = await call(ways.md5_as_proxy, username="alice", password="open barley")
    invite = invite_of(facts)
    assert invite.failure is FailureCause.UNAUTHORIZED
    assert [each.why_not for each in invite.challenges] == [None, "refused again"]


async def test_without_credentials_the_challenge_is_told(ways: Ways) -> None:
    invite = invite_of(await call(ways.sha256_as_server))
    assert invite.failure is FailureCause.UNAUTHORIZED
    (challenge,) = invite.challenges
    assert challenge.why_not == "no credentials"
    assert challenge.realm == REALM


async def test_a_realm_that_is_not_ours_is_left_unanswered(ways: Ways) -> None:
    invite = invite_of(await call(ways.md5_as_proxy, realm="elsewhere.test", **CREDENTIALS))
    assert invite.failure is FailureCause.UNAUTHORIZED
    assert [each.why_not for each in invite.challenges] == ["realm"]


async def test_a_number_that_nobody_registered_is_not_found(ways: Ways) -> None:
    invite = invite_of(await call(ways.open, request_user="nobody"))
    assert invite.final is not None
    assert (invite.final.status, invite.final.reason) == (404, "Nobody Of This Name")


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_cancel_reaches_the_phone_behind_the_proxy(ways: Ways, transport: str) -> None:
    watcher = Watcher()
    facts = await call(ways.open, transport, watcher, ring_seconds=0.7)
    invite = invite_of(facts)
    assert invite.failure is FailureCause.NO_ANSWER
    assert invite.final is not None
    assert invite.final.status == 487
    assert 180 in [each.status for each in invite.provisionals]
    (call_id,) = {each.call_id for each in watcher.requests("CANCEL")}
    await ways.open.phone.says(rf"CANCEL sip:[^#]*Call-ID: {call_id}")


async def test_a_hang_up_in_the_middle_of_the_call_ends_it_at_the_phone(ways: Ways) -> None:
    way, hang_up = ways.md5_as_proxy, asyncio.Event()

    def on_event(event: object) -> None:
        if isinstance(event, Answered):
            asyncio.get_running_loop().call_later(0.5, hang_up.set)

    facts = await called(
        plan_for(way.proxy.address, request_user=PHONE_USER, talk_seconds=20.0, **CREDENTIALS),
        Watcher(on_event=on_event),
        hang_up=hang_up,
    )
    invite = invite_of(facts)
    assert facts.stopped is StopCause.HANG_UP
    assert (invite.ended_by, invite.bye_status) == (EndedBy.US, 200)
    assert invite.talk_ms is not None
    assert 450 < invite.talk_ms < 2000
    await way.phone.says(rf"BYE sip:[^#]*Call-ID: {invite.sip_call_id}")
