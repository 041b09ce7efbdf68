"""From the plan of a test call to its INVITE and its offer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.call_plan import CallPlan, capabilities_of, invite_plan_of, our_host, request_uri_of
from sip.digest import Algorithm
from sip.errors import LocalProtocolError
from sip.message import parse_message
from sip.offer_answer import SrtpPolicy, build_offer
from sip.sdes import CryptoSuite
from sip.session_requests import invite_request
from sip.transaction import Flow
from sip.uri import parse_uri

FLOW = Flow("UDP", ("192.0.2.1", 40000), ("192.0.2.9", 5060))
PLAN = CallPlan(
    host="PBX.example.com", request_user="100", from_uri_user="+1555", user_agent="test"
)


def invite_of(plan: CallPlan, flow: Flow = FLOW) -> str:
    made = invite_plan_of(plan, flow, call_id="c", from_tag="f", first_cseq=1, offer=b"v=0\r\n")
    data = invite_request(made, flow.transport, "z9hG4bKb").serialize()
    parse_message(data)
    return data.decode()


@pytest.mark.parametrize(
    ("changes", "uri"),
    [
        ({}, "sip:100@pbx.example.com"),
        ({"port": 5080, "transport": "udp"}, "sip:100@pbx.example.com:5080"),
        ({"transport": "tls"}, "sip:100@pbx.example.com;transport=tls"),
        ({"host": "2001:db8::1", "transport": "TCP"}, "sip:100@[2001:db8::1];transport=tcp"),
        ({"request_user": None}, "sip:pbx.example.com"),
        ({"request_user": "*98#1@x y%2B%"}, "sip:*98%231%40x%20y%2B%25@pbx.example.com"),
    ],
)
def test_the_request_uri_is_written_as_the_plan_says(changes: dict[str, Any], uri: str) -> None:
    assert str(request_uri_of(replace(PLAN, **changes))) == uri


def test_from_stands_for_our_address_unless_a_domain_is_given() -> None:
    assert "From: <sip:+1555@192.0.2.1>;tag=f\r\n" in invite_of(PLAN)
    assert "From: <sip:+1555@192.0.2.7>;tag=f\r\n" in invite_of(
        replace(PLAN, public_address="192.0.2.7")
    )
    assert "From: <sip:+1555@x.example>;tag=f\r\n" in invite_of(
        replace(PLAN, from_domain="x.example")
    )


def test_the_contact_names_the_transport_of_a_connection() -> None:
    assert "Contact: <sip:+1555@192.0.2.1:40000>\r\n" in invite_of(PLAN)
    flow = replace(FLOW, transport="TLS", connection=1)
    assert "Contact: <sip:+1555@192.0.2.1:40000;transport=tls>\r\n" in invite_of(PLAN, flow)


def test_an_asserted_identity_has_the_domain_of_from() -> None:
    plan = replace(PLAN, from_domain="x.example", asserted=("P-Preferred-Identity", "+1999"))
    assert "P-Preferred-Identity: <sip:+1999@x.example>\r\n" in invite_of(plan)


def test_an_ipv6_address_is_bracketed_everywhere() -> None:
    flow = Flow("UDP", ("2001:db8::2", 40000), ("2001:db8::9", 5060))
    text = invite_of(PLAN, flow)
    assert "Via: SIP/2.0/UDP [2001:db8::2]:40000;" in text
    assert "<sip:+1555@[2001:db8::2]:40000>" in text
    assert our_host(PLAN, flow) == "2001:db8::2"


def test_credentials_need_both_user_and_password_and_never_show() -> None:
    assert replace(PLAN, username="a").credentials is None
    assert replace(PLAN, password="p").credentials is None
    plan = replace(PLAN, username="a", password="hush", realm="r", minimum=Algorithm.SHA_256)
    assert plan.credentials is not None
    assert (plan.credentials.realm, plan.credentials.minimum) == ("r", Algorithm.SHA_256)
    assert "hush" not in repr(plan) + repr(plan.credentials)


def test_codecs_keep_their_order_and_unknown_ones_get_a_free_number() -> None:
    plan = replace(PLAN, codecs=(("opus", 48000, None), ("iLBC", 8000, None), ("PCMA", 8000, 8)))
    made = capabilities_of(plan, address="192.0.2.1", rtp_port=10000, new_key=bytes)
    offer = build_offer(made, session_id=1, session_version=1).serialize()
    assert b"m=audio 10000 RTP/AVP 111 96 8 110 101\r\n" in offer
    assert b"a=rtpmap:111 opus/48000/2\r\n" in offer
    assert b"a=rtpmap:96 iLBC/8000\r\n" in offer


def test_a_plan_without_codecs_is_refused() -> None:
    with pytest.raises(LocalProtocolError):
        capabilities_of(replace(PLAN, codecs=()), address="::1", rtp_port=10000, new_key=bytes)


@pytest.mark.parametrize("short", [False, True])
def test_secure_media_offers_one_key_for_each_suite(short: bool) -> None:
    plan = replace(PLAN, secure_media=True, allow_sha1_32=short)
    keys = iter([b"a" * 30, b"b" * 30])
    made = capabilities_of(plan, address="192.0.2.1", rtp_port=10000, new_key=lambda _: next(keys))
    suites = [CryptoSuite.AES_CM_128_HMAC_SHA1_80, CryptoSuite.AES_CM_128_HMAC_SHA1_32]
    assert made.srtp is SrtpPolicy.REQUIRED
    assert [crypto.suite for crypto in made.crypto] == suites[: 1 + short]
    assert len({crypto.key for crypto in made.crypto}) == 1 + short


@settings(max_examples=100)
@given(st.text(max_size=20))
def test_any_user_part_makes_a_uri_that_can_be_read_again(user: str) -> None:
    uri = request_uri_of(replace(PLAN, request_user=user))
    assert parse_uri(str(uri)) == uri
