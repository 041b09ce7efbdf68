"""What a customer's settings make the calling user agent say."""

from __future__ import annotations

from typing import Any

import pytest

from activities.call_plans import plan_of
from domain.call_settings import CallerId, CallSettings, IdentityHeader, MediaSecurity, NumberFormat
from domain.codecs import Codec
from sip.call_plan import CallPlan
from sip.digest import Algorithm
from sip.transports import Transport


def planned(password: str | None = None, *, call_id: str | None = None, **fields: Any) -> CallPlan:
    """The plan of a call from +14155550100 to +12025550123 with these settings."""
    settings = CallSettings.model_validate(
        {
            "host": "trunk.example.com",
            "callee": "+12025550123",
            "caller_number": "+14155550100",
            **fields,
        }
    )
    return plan_of(
        settings,
        password,
        user_agent="Trunkline/test",
        public_address=None,
        ca_file=None,
        call_id=call_id,
    )


def test_without_more_the_numbers_go_out_with_a_plus_and_rfc_3263_selects() -> None:
    plan = planned()
    assert (plan.host, plan.port, plan.transport) == ("trunk.example.com", None, None)
    assert (plan.request_user, plan.from_uri_user) == ("+12025550123", "+14155550100")
    assert (plan.asserted, plan.credentials, plan.secure_media) == (None, None, False)
    assert plan.codecs == (("PCMU", 8000, 0), ("PCMA", 8000, 8), ("opus", 48000, None))


def test_bare_e164_loses_the_plus_everywhere() -> None:
    plan = planned(number_format=NumberFormat.E164, identity_header=IdentityHeader.ASSERTED)
    assert (plan.request_user, plan.from_uri_user) == ("12025550123", "14155550100")
    assert plan.asserted == ("P-Asserted-Identity", "14155550100")


@pytest.mark.parametrize("callee", ["100", "bland-001", "+100", "echo+test"])
def test_what_is_no_e164_number_goes_verbatim_in_either_format(callee: str) -> None:
    for number_format in NumberFormat:
        assert planned(callee=callee, number_format=number_format).request_user == callee


def test_a_trunk_that_knows_us_by_user_gets_it_in_from_and_the_number_in_the_identity() -> None:
    plan = planned(
        username="acme",
        caller_id=CallerId.AUTH_USER,
        identity_header=IdentityHeader.PREFERRED,
        from_domain="acme.example",
    )
    assert (plan.from_uri_user, plan.from_domain) == ("acme", "acme.example")
    assert plan.asserted == ("P-Preferred-Identity", "+14155550100")


@pytest.mark.parametrize("username", [None, ""])
def test_without_a_user_the_number_calls(username: str | None) -> None:
    plan = planned(username=username, caller_id=CallerId.AUTH_USER)
    assert plan.from_uri_user == "+14155550100"


def test_the_digest_is_answered_as_the_trunk_says_and_its_password_never_shows() -> None:
    plan = planned(
        "s3cret", username="acme", realm="carrier.example", minimum_digest=Algorithm.SHA_256
    )
    assert (plan.password, plan.realm, plan.minimum) == (
        "s3cret",
        "carrier.example",
        Algorithm.SHA_256,
    )
    assert "s3cret" not in repr(plan)


def test_an_unknown_digest_is_refused() -> None:
    with pytest.raises(ValueError, match="MD6"):
        planned(minimum_digest="MD6")


def test_media_codecs_and_trust_follow_the_settings() -> None:
    plan = planned(
        transport=Transport.TLS,
        port=5071,
        media=MediaSecurity.SRTP,
        codecs=(Codec.G722, Codec.PCMA),
        exact_tls_names=True,
        ca_pem="-----BEGIN CERTIFICATE-----",
    )
    assert (plan.transport, plan.port, plan.secure_media) == ("tls", 5071, True)
    assert plan.codecs == (("G722", 8000, 9), ("PCMA", 8000, 8))
    assert (plan.exact_tls_names, plan.ca_pem) == (True, "-----BEGIN CERTIFICATE-----")


OUTBOUND_MAPPINGS = {
    "direction": "outbound",
    "headers": [
        {"type": "custom", "key": "call_id", "value": "X-Call"},
        {"type": "custom", "key": "phone_number", "value": "X-To"},
        {"type": "custom", "key": "destination_number", "value": "X-Dialled"},
        {"type": "custom", "key": "from_number", "value": "X-From"},
        {"type": "custom", "key": "caller_id", "value": "X-Caller"},
        {"type": "custom", "key": "call_status", "value": "X-Status"},
        {"type": "custom", "key": "customer", "value": "X-Customer"},
        {"type": "custom", "key": "X-Account", "value": "acme", "passthrough": True},
        {
            "type": "uui",
            "target": "phone_number",
            "purpose": "bland",
            "encoding": "ascii",
            "content": "to",
        },
    ],
}


def test_outbound_mappings_become_headers_and_variables_without_a_value_are_left_out() -> None:
    said = (
        ("X-To", "+12025550123"),
        ("X-Dialled", "+12025550123"),
        ("X-From", "+14155550100"),
        ("X-Caller", "+14155550100"),
        ("X-Account", "acme"),
        ("User-to-User", "+12025550123;encoding=ascii;purpose=bland;content=to"),
    )
    assert planned(headers=OUTBOUND_MAPPINGS).headers == said
    assert planned(headers=OUTBOUND_MAPPINGS, call_id="tc_1").headers == (
        ("X-Call", "tc_1"),
        *said,
    )


def test_fixed_headers_of_a_trunk_go_out_and_what_is_written_by_us_never_does() -> None:
    stored = {"X-Account": "acme", "Contact": "<sip:mallory@evil.example>", "v": "x"}
    assert planned(headers=stored).headers == (("X-Account", "acme"),)


@pytest.mark.parametrize("headers", [None, {}, {**OUTBOUND_MAPPINGS, "direction": "inbound"}])
def test_without_outbound_mappings_no_header_is_added(headers: dict[str, Any] | None) -> None:
    assert planned(headers=headers).headers == ()
