"""Settings that usually cure a refused call, offered one by one (field experience behind 403, 404,
484, 488, 606 and their neighbours).

A variant changes one setting. None is offered that the call had already, or that changes nothing on
the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, JsonValue

from domain.call_settings import CallerId, CallSettings, IdentityHeader, MediaSecurity, NumberFormat
from domain.codecs import Codec
from domain.diagnosis import DiagnosisCode, diagnose
from sip.call_facts import CallFacts
from sip.transports import Transport

__all__ = ["Variant", "VariantId", "apply_variant", "setting_to_save", "variants_for"]


class VariantId(StrEnum):
    """The settings that are tried. Stored with the call that tried one."""

    PLUS_E164 = "plus_e164"
    E164 = "e164"
    FROM_NUMBER = "from_number"
    FROM_AUTH_USER = "from_auth_user"
    ASSERTED_IDENTITY = "p_asserted_identity"
    PREFERRED_IDENTITY = "p_preferred_identity"
    PCMU_ONLY = "pcmu_only"
    SRTP_ON = "srtp_on"
    SRTP_OFF = "srtp_off"
    TCP = "tcp"


class Variant(BaseModel):
    """One other setting to try: ``title`` names it, ``why`` says when it helps."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: VariantId
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class _Change:
    """What a variant changes: fields of CallSettings, and the trunk's API options to save."""

    title: str
    why: str
    fields: Mapping[str, Any]
    options: Mapping[str, JsonValue]


_CHANGES: Final[dict[VariantId, _Change]] = {
    VariantId.PLUS_E164: _Change(
        "Numbers with +",
        "Many carriers know numbers only in E.164 with + and country code.",
        {"number_format": NumberFormat.PLUS_E164},
        {"number_format": NumberFormat.PLUS_E164.value},
    ),
    VariantId.E164: _Change(
        "Numbers without +",
        "Many PBXs and some carriers know numbers only without the +.",
        {"number_format": NumberFormat.E164},
        {"number_format": NumberFormat.E164.value},
    ),
    VariantId.FROM_NUMBER: _Change(
        "From is the number",
        "Some carriers refuse calls whose From does not show a number of the account.",
        {"caller_id": CallerId.NUMBER},
        {"caller_id": CallerId.NUMBER.value},
    ),
    VariantId.FROM_AUTH_USER: _Change(
        "From is the account's user name",
        "Some PBXs and carriers take a call only when From names the account that signs in.",
        {"caller_id": CallerId.AUTH_USER},
        {"caller_id": CallerId.AUTH_USER.value},
    ),
    VariantId.ASSERTED_IDENTITY: _Change(
        "The number in P-Asserted-Identity",
        "Some carriers take the caller number from P-Asserted-Identity and refuse calls without.",
        {"identity_header": IdentityHeader.ASSERTED},
        {"identity_header": IdentityHeader.ASSERTED.value},
    ),
    VariantId.PREFERRED_IDENTITY: _Change(
        "The number in P-Preferred-Identity",
        "Some carriers want the caller number proposed in P-Preferred-Identity.",
        {"identity_header": IdentityHeader.PREFERRED},
        {"identity_header": IdentityHeader.PREFERRED.value},
    ),
    VariantId.PCMU_ONLY: _Change(
        "PCMU only",
        "A short offer with the codec that nearly every system has avoids codecs it trips over.",
        {"codecs": (Codec.PCMU,)},
        {"codecs": [Codec.PCMU.value]},
    ),
    VariantId.SRTP_ON: _Change(
        "Encrypted media (SRTP)",
        "The peer may refuse calls whose media is not encrypted.",
        {"media": MediaSecurity.SRTP},
        {"secure_media": True},
    ),
    VariantId.SRTP_OFF: _Change(
        "Plain media (RTP)",
        "The peer may have SRTP switched off. Audio is then readable on the path.",
        {"media": MediaSecurity.PLAIN},
        {"secure_media": False},
    ),
    VariantId.TCP: _Change(
        "TCP instead of UDP",
        "Large messages and some firewalls do not get along with UDP.",
        {"transport": Transport.TCP},
        {"transport": Transport.TCP.value},
    ),
}

_Id = VariantId
_FORMATS = (_Id.E164, _Id.PLUS_E164)
_CALLERS = (_Id.FROM_AUTH_USER, _Id.FROM_NUMBER, _Id.PREFERRED_IDENTITY, _Id.ASSERTED_IDENTITY)
_MEDIA = (_Id.SRTP_OFF, _Id.PCMU_ONLY, _Id.SRTP_ON)

# What usually helps, most promising first.
_HELPS: Final[dict[DiagnosisCode, tuple[VariantId, ...]]] = {
    DiagnosisCode.BAD_REQUEST: (_Id.TCP, *_FORMATS, _Id.PCMU_ONLY),
    DiagnosisCode.AUTH_FAILED: (_Id.FROM_AUTH_USER, _Id.FROM_NUMBER),
    DiagnosisCode.FORBIDDEN: (*_CALLERS, *_FORMATS, _Id.TCP),
    DiagnosisCode.NOT_FOUND: _FORMATS,
    DiagnosisCode.ADDRESS_INCOMPLETE: _FORMATS,
    DiagnosisCode.ANONYMOUS_REFUSED: (
        _Id.FROM_NUMBER,
        _Id.ASSERTED_IDENTITY,
        _Id.PREFERRED_IDENTITY,
    ),
    DiagnosisCode.DECLINED: _CALLERS,
    DiagnosisCode.NO_COMMON_CODEC: (_Id.PCMU_ONLY,),
    DiagnosisCode.ENCRYPTION_REFUSED: (_Id.SRTP_OFF,),
    DiagnosisCode.ENCRYPTION_REQUIRED: (_Id.SRTP_ON,),
    DiagnosisCode.MEDIA_NOT_ACCEPTABLE: _MEDIA,
    DiagnosisCode.BAD_SDP: _MEDIA,
    DiagnosisCode.SRTP_KEY_MISMATCH: (_Id.SRTP_OFF,),
    DiagnosisCode.CODEC_UNTESTABLE: (_Id.PCMU_ONLY,),
    DiagnosisCode.EARLY_BYE: (_Id.PCMU_ONLY,),
    DiagnosisCode.TOO_LARGE: (_Id.TCP, _Id.PCMU_ONLY),
    DiagnosisCode.NO_REPLY: (_Id.TCP,),
    DiagnosisCode.CONNECTION_REFUSED: (_Id.TCP,),
    DiagnosisCode.NO_RTP_IN: (_Id.SRTP_OFF,),
}


def variants_for(facts: CallFacts, settings: CallSettings) -> tuple[Variant, ...]:
    """What to try after this call, most promising first; nothing for a call that works."""
    found = diagnose(facts)
    helps = _HELPS.get(found.code, ()) if found is not None else ()
    return tuple(
        Variant(id=each, title=_CHANGES[each].title, why=_CHANGES[each].why)
        for each in helps
        if _changes_something(each, facts, settings)
    )


def apply_variant(settings: CallSettings, variant_id: str) -> CallSettings:
    """The settings with one variant's change. Raises ValueError for an id that does not exist."""
    return settings.model_copy(update=dict(_CHANGES[VariantId(variant_id)].fields))


def setting_to_save(variant_id: str) -> dict[str, JsonValue]:
    """What to save in the trunk's options when the variant worked: names and values of the API.

    Raises ValueError for an id that does not exist.
    """
    return dict(_CHANGES[VariantId(variant_id)].options)


def _changes_something(variant: VariantId, facts: CallFacts, settings: CallSettings) -> bool:
    if apply_variant(settings, variant) == settings:
        return False
    applies = _APPLIES.get(variant)
    return applies is None or applies(facts, settings)


def _has_e164(facts: CallFacts, settings: CallSettings) -> bool:
    """Only numbers that were entered in E.164 are written in one format or the other."""
    return settings.callee.startswith("+")


def _has_user(facts: CallFacts, settings: CallSettings) -> bool:
    return bool(settings.username) and settings.username != settings.caller_number


def _went_over_udp(facts: CallFacts, settings: CallSettings) -> bool:
    if settings.transport is not None:
        return settings.transport is Transport.UDP
    return any(target.transport == Transport.UDP for target in facts.targets)


_APPLIES: Final[dict[VariantId, Callable[[CallFacts, CallSettings], bool]]] = {
    VariantId.PLUS_E164: _has_e164,
    VariantId.E164: _has_e164,
    VariantId.FROM_AUTH_USER: _has_user,
    VariantId.FROM_NUMBER: _has_user,
    VariantId.TCP: _went_over_udp,
}
