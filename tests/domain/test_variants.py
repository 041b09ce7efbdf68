"""Other settings that are offered after a call, what they change, and what is saved of them."""

from __future__ import annotations

from typing import Any

import pytest

from domain.call_settings import CallerId, CallSettings, IdentityHeader, MediaSecurity, NumberFormat
from domain.codecs import Codec
from domain.variants import VariantId, apply_variant, setting_to_save, variants_for
from sip.call_facts import CallFacts, TargetOutcome
from sip.dialog_state import FailureCause, Said
from sip.transports import Transport
from tests.domain.calls import answered, challenge, dead, refused, settings, target, unanswered

NO_CODEC = Said(warnings=('305 pbx "No common codec"',))
WANTS_SRTP = Said(warnings=('304 pbx "SRTP required"',))


def offered(facts: CallFacts, present: CallSettings | None = None) -> list[str]:
    return [variant.id.value for variant in variants_for(facts, present or settings())]


@pytest.mark.parametrize(
    ("facts", "present", "expected"),
    [
        (answered(), {}, []),
        (refused(486), {}, []),
        (refused(404), {}, ["e164"]),
        (refused(404), {"number_format": NumberFormat.E164}, ["plus_e164"]),
        (refused(404), {"callee": "2001"}, []),
        (refused(484), {}, ["e164"]),
        (
            refused(403),
            {},
            ["from_auth_user", "p_preferred_identity", "p_asserted_identity", "e164", "tcp"],
        ),
        (
            refused(403),
            {
                "caller_id": CallerId.AUTH_USER,
                "identity_header": IdentityHeader.ASSERTED,
                "transport": Transport.TLS,
                "callee": "2001",
            },
            ["from_number", "p_preferred_identity"],
        ),
        (refused(403), {"username": None, "callee": "2001", "transport": Transport.TCP},
         ["p_preferred_identity", "p_asserted_identity"]),
        (refused(488), {}, ["pcmu_only", "srtp_on"]),
        (refused(606), {"media": MediaSecurity.SRTP}, ["srtp_off", "pcmu_only"]),
        (refused(488), {"codecs": (Codec.PCMU,)}, ["srtp_on"]),
        (refused(488, said=NO_CODEC), {}, ["pcmu_only"]),
        (refused(488, said=NO_CODEC), {"codecs": (Codec.PCMU,)}, []),
        (refused(488, said=WANTS_SRTP), {}, ["srtp_on"]),
        (refused(407, challenges=(challenge("refused again"),)), {}, ["from_auth_user"]),
        (refused(407, challenges=(challenge("no credentials"),)), {}, []),
        (refused(433), {}, ["p_asserted_identity", "p_preferred_identity"]),
        (refused(513), {}, ["tcp", "pcmu_only"]),
        (refused(513), {"transport": Transport.TCP}, ["pcmu_only"]),
        (unanswered(FailureCause.NO_REPLY), {}, ["tcp"]),
        (unanswered(FailureCause.NO_REPLY), {"transport": Transport.UDP}, ["tcp"]),
        (dead(target("tcp", TargetOutcome.REFUSED)), {}, []),
        (
            answered(media={"encodable": False, "packets_out": 0, "codec": "OPUS"}),
            {},
            ["pcmu_only"],
        ),
    ],
)  # fmt: skip
def test_what_usually_cures_a_call_is_offered_unless_it_is_set_already(
    facts: CallFacts, present: dict[str, Any], expected: list[str]
) -> None:
    assert offered(facts, settings(**present)) == expected


@pytest.mark.parametrize(
    ("variant", "field", "value", "saved"),
    [
        ("plus_e164", "number_format", NumberFormat.PLUS_E164, {"number_format": "+e164"}),
        ("e164", "number_format", NumberFormat.E164, {"number_format": "e164"}),
        ("from_number", "caller_id", CallerId.NUMBER, {"caller_id": "number"}),
        ("from_auth_user", "caller_id", CallerId.AUTH_USER, {"caller_id": "auth_user"}),
        (
            "p_asserted_identity",
            "identity_header",
            IdentityHeader.ASSERTED,
            {"identity_header": "p_asserted_identity"},
        ),
        (
            "p_preferred_identity",
            "identity_header",
            IdentityHeader.PREFERRED,
            {"identity_header": "p_preferred_identity"},
        ),
        ("pcmu_only", "codecs", (Codec.PCMU,), {"codecs": ["PCMU"]}),
        ("srtp_on", "media", MediaSecurity.SRTP, {"secure_media": True}),
        ("srtp_off", "media", MediaSecurity.PLAIN, {"secure_media": False}),
        ("tcp", "transport", Transport.TCP, {"transport": "tcp"}),
    ],
)
def test_a_variant_changes_one_setting_and_names_the_option_to_save(
    variant: str, field: str, value: object, saved: dict[str, object]
) -> None:
    other = {
        "number_format": NumberFormat.E164 if variant == "plus_e164" else NumberFormat.PLUS_E164,
        "caller_id": CallerId.AUTH_USER if variant == "from_number" else CallerId.NUMBER,
        "media": MediaSecurity.SRTP if variant == "srtp_off" else MediaSecurity.PLAIN,
    }
    before = settings(**other)
    after = apply_variant(before, variant)
    assert getattr(after, field) == value
    assert after.model_copy(update={field: getattr(before, field)}) == before
    assert after != before
    assert setting_to_save(variant) == saved


def test_settings_with_a_variant_survive_storage() -> None:
    for variant in VariantId:
        changed = apply_variant(settings(), variant)
        assert CallSettings.model_validate_json(changed.model_dump_json()) == changed


@pytest.mark.parametrize("name", ["", "udp", "E164"])
def test_an_unknown_variant_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a valid VariantId"):
        apply_variant(settings(), name)
    with pytest.raises(ValueError, match="is not a valid VariantId"):
        setting_to_save(name)
