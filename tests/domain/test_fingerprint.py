"""Fingerprints: signs beside the banner, disagreement, phones, and honest ignorance."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fingerprint import UNKNOWN_SYSTEM, Fingerprint, identify
from domain.fingerprint_systems import System
from domain.observation import Observation, observation_of
from domain.replies import SipReply
from sip.transports import Transport
from tests.domain.builders import answered, tls_facts

PJSIP_ALLOW = (
    *("OPTIONS", "REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "INVITE", "ACK", "BYE"),
    *("CANCEL", "UPDATE", "PRACK", "MESSAGE", "REFER"),
)
PJSIP_SUPPORTED = ("100rel", "timer", "replaces", "norefersub")


def test_a_phone_and_the_pbx_of_the_same_maker_are_told_apart() -> None:
    pbx = identify(Observation(user_agent="3CXPhoneSystem 18.0"))
    phone = identify(Observation(user_agent="3CXPhone 6.0"))

    assert (pbx.system, phone.system) == ("3CX", "3CX softphone")


@pytest.mark.parametrize(
    "phone",
    [
        "PolycomVVX-VVX_411-UA/5.9.0.9373",
        "Polycom/5.9.0.9373",
        "Yealink SIP-T46S 66.84.0.15",
        "snom320/8.7.3.19",
        "OBIHAI/OBi202-3.1.2.5926",
        "Cisco-CP7960G/8.0",
        "Grandstream GXP2170 1.0.11.64",
    ],
)
def test_a_phones_banner_that_a_proxy_lets_through_does_not_lead(phone: str) -> None:
    alone = identify(Observation(user_agent=phone))
    behind = identify(Observation(server="kamailio (5.7.2 (x86_64/linux))", user_agent=phone))
    at_provider = identify(Observation(user_agent=phone, host="acme.pstn.twilio.com"))

    assert alone.system.endswith(("phone", "ATA"))
    assert behind.system == "Kamailio"
    assert behind.others == (f"Kamailio in front of {alone.system}",)
    assert at_provider.system == "Twilio"


def test_server_is_read_before_user_agent() -> None:
    found = identify(
        Observation(server="OpenSIPS (3.2.14 (x86_64/linux))", user_agent="Asterisk PBX 20.9.2")
    )

    assert found.system == "OpenSIPS"
    assert found.others == ("OpenSIPS in front of Asterisk",)


def test_an_sbc_in_front_of_a_pbx_is_reported_as_both() -> None:
    found = identify(Observation(server="Mediant 2600/v.7.20A", user_agent="FPBX-16.0.33(18.13.0)"))

    assert found.system == "AudioCodes"
    assert found.others == ("AudioCodes (SBC) in front of Asterisk",)


def test_witnesses_of_different_kinds_add_up() -> None:
    banner = identify(Observation(server="Asterisk PBX 20.9.2"))
    more = identify(
        Observation(
            server="Asterisk PBX 20.9.2",
            user_agent="Asterisk PBX 20.9.2",
            allow=PJSIP_ALLOW,
            supported=PJSIP_SUPPORTED,
        )
    )

    assert (banner.confidence, more.confidence) == (0.9, 0.95)
    assert more.others == ()


def test_a_renamed_asterisk_is_known_by_the_orders_of_its_headers() -> None:
    found = identify(
        Observation(
            server="omnileads",
            allow=PJSIP_ALLOW,
            supported=PJSIP_SUPPORTED,
            accept=(
                *("application/cpim-pidf+xml", "application/dialog-info+xml"),
                *("application/simple-message-summary", "application/pidf+xml"),
                *("application/sdp", "message/sipfrag"),
            ),
        )
    )

    assert found.system == "Asterisk"
    assert found.product is None
    assert 0.5 < found.confidence < 0.9


def test_one_weak_sign_names_no_system() -> None:
    found = identify(Observation(allow=PJSIP_ALLOW))

    assert found.system == UNKNOWN_SYSTEM
    assert found.others == ("Possibly Asterisk",)
    assert len(found.evidence) == 1


@pytest.mark.parametrize(
    ("observation", "system"),
    [
        (Observation(headers={"x-twilio-error": "32203"}), "Twilio"),
        (Observation(headers={"ms-diagnostics": "1000"}), "Microsoft Skype for Business"),
        (Observation(headers={"x-fs-support": "update_display"}), "FreeSWITCH"),
        (Observation(headers={"cisco-guid": "1-2-3-4"}), "Cisco CUBE"),
        (
            Observation(warning='399 ccm "Unable to find a device handler for the request"'),
            "Cisco UCM",
        ),
        (Observation(supported=("replaces", "X-cisco-srtp-fallback")), "Cisco UCM or Cisco CUBE"),
        (Observation(host="acme.pstn.twilio.com"), "Twilio"),
        (Observation(host="acme.pstn.dublin.twilio.com"), "Twilio"),
        (Observation(host="sip.telnyx.eu"), "Telnyx"),
        (Observation(host="acme.sip-us.vonage.com"), "Vonage"),
        (Observation(host="sip10.ringcentral.com"), "RingCentral"),
        (Observation(host="sip.pstnhub.microsoft.com"), "Microsoft Teams"),
        (Observation(host="acme.3cx.us"), "3CX"),
        (Observation(address="54.172.60.2"), "Twilio"),
        (Observation(address="192.76.120.10"), "Telnyx"),
        (Observation(tls_names=("*.pstn.twilio.com",)), "Twilio"),
        (Observation(tls_subject="CN=sip.telnyx.com,O=Telnyx"), "Telnyx"),
    ],
)
def test_signs_beside_the_banner_name_a_system(observation: Observation, system: str) -> None:
    assert identify(observation).system == system


@pytest.mark.parametrize(
    "observation",
    [
        Observation(host="pstn.twilio.com.evil.example"),
        Observation(host="notelnyx.com"),
        Observation(host="www.twilio.com"),
        Observation(address="54.172.61.2"),
        Observation(tls_names=("nottelnyx.com",)),
        Observation(to_tag="as1234567"),
        Observation(),
    ],
)
def test_what_only_resembles_a_sign_is_unknown(observation: Observation) -> None:
    assert identify(observation) == Fingerprint(system=UNKNOWN_SYSTEM, confidence=0)


@pytest.mark.parametrize(
    ("observation", "system"),
    [
        (Observation(to_tag="as5f3c2b1a"), System.ASTERISK),
        (Observation(to_tag="a6a1c5f60faecf035a1ae5b6e96e979a-26ca"), System.KAMAILIO),
        (Observation(to_tag="a6a1c5f60faecf035a1ae5b6e96e979a.ba3726bc"), System.OPENSIPS),
        (Observation(to_tag="Mitel-3300-1"), System.MITEL),
        (Observation(to_tag="7B9DD228-940"), System.CISCO_CUBE),
        (
            Observation(to_tag="16789~d0cc3b5c-3f4e-4f43-8a0a-0123456789ab-2345678"),
            System.CISCO_UCM,
        ),
        (Observation(to_tag="0a1b2c3d-4e5f6a7b", status=404), System.CISCO_UCM),
        (Observation(to_tag="0123456789abcdEF", status=403), System.AVAYA_SBCE),
    ],
)
def test_the_shape_of_a_tag_is_evidence_but_no_verdict(
    observation: Observation, system: System
) -> None:
    found = identify(observation)

    assert found.system == UNKNOWN_SYSTEM
    assert system in found.evidence[0]


def test_a_tag_that_needs_a_hidden_banner_is_ignored_beside_one() -> None:
    tag = "0123456789abcdEF"

    assert identify(Observation(to_tag=tag, status=403, server="X")).evidence == ()
    assert identify(Observation(to_tag=tag, status=404)).evidence == ()


def test_an_attempt_is_observed_with_its_certificate() -> None:
    reply = SipReply(status=401, user_agent="Asterisk PBX 18.0.0", allow=("INVITE",))
    attempt = answered(Transport.TLS, reply=reply, tls=tls_facts(names="sip.telnyx.com"))

    observed = observation_of(attempt)

    assert observed.user_agent == "Asterisk PBX 18.0.0"
    assert observed.tls_names == ("sip.telnyx.com",)
    assert observed.status == 401
    assert identify(observed).others == ("Telnyx in front of Asterisk",)


@settings(max_examples=100, deadline=None)
@given(
    server=st.none() | st.text(max_size=300),
    tag=st.none() | st.text(alphabet="0123456789abcdefAF-~.Mitel", max_size=60),
    allow=st.lists(st.text(max_size=20), max_size=20),
    host=st.text(max_size=60),
    names=st.lists(st.text(max_size=60), max_size=5),
)
def test_nothing_a_peer_sends_breaks_the_judgement(
    server: str | None, tag: str | None, allow: list[str], host: str, names: list[str]
) -> None:
    found = identify(
        Observation(
            server=server,
            to_tag=tag,
            allow=tuple(allow),
            host=host,
            address=host,
            tls_subject=host,
            tls_names=tuple(names),
        )
    )

    assert 0 <= found.confidence <= 1
    assert found.known == (found.confidence > 0)
    assert Fingerprint.model_validate_json(found.model_dump_json()) == found
