"""Digest credentials that Kamailio itself checks."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from sip.build import options_request
from sip.digest import Algorithm, ChallengeTooWeak, authorization_headers, challenges_of
from sip.message import Request, Response
from sip.net.stack import SipStack
from sip.transaction import Flow
from sip.uri import SipUri
from tests.strangers.conftest import GUARD, Kamailios
from tests.support.kamailio import PASSWORD, REALM, Kamailio

pytestmark = pytest.mark.peer

ALGORITHMS = {"md5": Algorithm.MD5, "sha256": Algorithm.SHA_256, "proxy": Algorithm.MD5}

every_challenge = pytest.mark.parametrize("which", ALGORITHMS)


def request_of(method: str, kamailio: Kamailio, flow: Flow, cseq: int) -> Request:
    own = SipUri(scheme="sip", host=flow.local[0], port=flow.local[1])
    options = options_request(
        target_uri=SipUri(scheme="sip", host=kamailio.address),
        from_uri=SipUri(scheme="sip", user="alice", host=REALM),
        to_uri=SipUri(scheme="sip", user="alice", host=REALM),
        from_tag="digest",
        call_id=f"digest-{cseq}-{secrets.token_hex(8)}",
        branch=f"z9hG4bK{secrets.token_hex(16)}",
        cseq=cseq,
        via_transport=flow.transport,
        via_host=flow.local[0],
        via_port=flow.local[1],
        contact=own,
        user_agent="Trunkline/tests",
    )
    headers = options.headers.with_set("CSeq", f"{cseq} {method}")
    return replace(options, method=method, headers=headers)


async def challenged_then_answered(
    method: str, kamailio: Kamailio, password: str
) -> tuple[Response, Response]:
    """The first response, and the one to the same request with credentials for it."""
    async with SipStack(guard=GUARD) as stack:
        flow = stack.transport.udp_flow((kamailio.address, kamailio.port("udp")))
        first = request_of(method, kamailio, flow, 1)
        challenge = (await stack.request(first, flow, seconds=2)).response
        second = request_of(method, kamailio, flow, 2)
        headers = second.headers.with_set("Call-ID", first.call_id)
        for name, value in authorization_headers(
            challenge,
            second,
            username="alice",
            password=password,
            cnonce=secrets.token_hex(8),
        ):
            headers = headers.with_added(name, value)
        answer = (await stack.request(replace(second, headers=headers), flow, seconds=2)).response
    return challenge, answer


@every_challenge
@pytest.mark.parametrize("method", ["OPTIONS", "REGISTER"])
async def test_credentials_for_its_challenge_are_accepted(
    kamailios: Kamailios, which: str, method: str
) -> None:
    challenge, answer = await challenged_then_answered(method, getattr(kamailios, which), PASSWORD)
    assert challenge.status == (407 if which == "proxy" else 401)
    ((offered,),) = challenges_of(challenge).values()
    assert offered.algorithm is ALGORITHMS[which]
    assert offered.realm == REALM
    assert offered.qop == ("auth",)
    assert answer.status == 200


@every_challenge
async def test_a_wrong_password_is_challenged_again(kamailios: Kamailios, which: str) -> None:
    challenge, answer = await challenged_then_answered(
        "REGISTER", getattr(kamailios, which), "open barley"
    )
    assert answer.status == challenge.status


async def test_a_minimum_leaves_a_weak_challenge_unanswered(kamailios: Kamailios) -> None:
    async with SipStack(guard=GUARD) as stack:
        flow = stack.transport.udp_flow((kamailios.md5.address, 5060))
        request = request_of("REGISTER", kamailios.md5, flow, 1)
        challenge = (await stack.request(request, flow, seconds=2)).response
    with pytest.raises(ChallengeTooWeak):
        authorization_headers(
            challenge,
            request,
            username="alice",
            password=PASSWORD,
            cnonce="c",
            minimum=Algorithm.SHA_256,
        )
