"""Calls straight to a phone: SDES SRTP over TLS, and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from sip.call_facts import CallFacts, InviteFacts, TargetOutcome
from sip.dialog_state import FailureCause
from sip.media_verdict import Heard, MediaFlow, SrtpOutcome
from tests.strangers.calls import Watcher, called, plan_for
from tests.support.baresip import PHONE_USER, Phone, PhoneMedia, run_baresip
from tests.support.loopback import LoopbackBlock

pytestmark = pytest.mark.peer


@dataclass(frozen=True, slots=True)
class Phones:
    """One for each opinion about media."""

    plain: Phone
    secure: Phone


@pytest.fixture(scope="module")
async def phones(
    loopback: LoopbackBlock, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Phones]:
    """A phone that knows no SRTP, and one that demands it."""
    async with AsyncExitStack() as stack:

        async def start(name: str, media: PhoneMedia) -> Phone:
            folder = tmp_path_factory.mktemp(f"phone-{name}")
            running = run_baresip(loopback.address(), folder, media=media)
            return await stack.enter_async_context(running)

        yield Phones(
            *await asyncio.gather(
                start("plain", PhoneMedia.PLAIN), start("secure", PhoneMedia.SRTP_ONLY)
            )
        )


async def call(
    phone: Phone, transport: str, watcher: Watcher | None = None, **changes: Any
) -> CallFacts:
    plan = plan_for(
        phone.address,
        port=phone.port(transport),
        transport=transport,
        request_user=PHONE_USER,
        **{"ca_file": str(phone.ca_file), **changes},
    )
    return await called(plan, watcher)


def invite_of(facts: CallFacts) -> InviteFacts:
    assert facts.invite is not None, facts
    return facts.invite


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
async def test_the_phones_tone_is_heard(phones: Phones, transport: str, codec: str) -> None:
    payload_type = {"PCMU": 0, "PCMA": 8}[codec]
    facts = await call(phones.plain, transport, codecs=((codec, 8000, payload_type),))
    invite = invite_of(facts)
    assert invite.failure is None
    assert invite.bye_status == 200
    media = facts.media
    assert media is not None
    assert (media.codec.upper(), media.flow) == (codec, MediaFlow.BOTH_WAYS)
    assert media.heard is Heard.AUDIO
    assert media.packets_lost == 0
    assert media.srtp is SrtpOutcome.NOT_USED


async def test_over_tls_with_sdes_keys_every_packet_authenticates(phones: Phones) -> None:
    facts = await call(phones.secure, "tls", secure_media=True)
    invite = invite_of(facts)
    assert invite.failure is None
    assert invite.agreed is not None
    assert invite.agreed.suite == "AES_CM_128_HMAC_SHA1_80"
    media = facts.media
    assert media is not None
    assert media.srtp is SrtpOutcome.AUTHENTICATED
    assert media.srtp_failed == 0
    assert media.srtp_authenticated >= media.packets_in > 10
    # A wrong key of ours would leave the phone deaf, a wrong key of its would sound like noise.
    assert media.heard is Heard.AUDIO
    assert media.flow is MediaFlow.BOTH_WAYS
    await phones.secure.says("incoming rtp for 'audio' established")
    assert media.expected_source[0] == phones.secure.address
    (target,) = facts.targets
    assert target.tls is not None
    assert target.tls.verifies


async def test_the_digit_arrives_once(phones: Phones) -> None:
    await call(phones.plain, "udp", digit="7", talk_seconds=1.5)
    await phones.plain.says(r"received event: '7' \(end=1\)")
    assert phones.plain.said().count("received event: '7' (end=1)") == 1


async def test_an_offer_without_keys_is_refused_by_a_phone_that_wants_them(
    phones: Phones,
) -> None:
    invite = invite_of(await call(phones.secure, "udp"))
    assert invite.failure is FailureCause.REFUSED
    assert invite.final is not None
    assert invite.final.status == 488
    assert (invite.final.said.server or "").startswith("baresip ")


async def test_an_offer_with_keys_alone_is_refused_by_a_phone_that_knows_none(
    phones: Phones,
) -> None:
    invite = invite_of(await call(phones.plain, "tls", secure_media=True))
    assert invite.failure is FailureCause.REFUSED
    assert invite.final is not None
    assert invite.final.status == 488


async def test_codecs_that_the_phone_has_not_are_refused(phones: Phones) -> None:
    invite = invite_of(await call(phones.plain, "udp", codecs=(("G729", 8000, 18),)))
    assert invite.failure is FailureCause.REFUSED
    assert invite.final is not None
    assert invite.final.status == 488


async def test_a_certificate_of_an_unknown_authority_gets_no_invite(phones: Phones) -> None:
    watcher = Watcher()
    facts = await call(phones.secure, "tls", watcher, ca_file=None)
    assert facts.invite is None
    (target,) = facts.targets
    assert target.outcome is TargetOutcome.TLS_UNTRUSTED
    assert watcher.records == []
