"""Refusals of the media offered: 488 and 606, or an answer whose SDP cannot be used (RFC 3264)."""

from __future__ import annotations

from typing import Final

from domain.diagnosis_model import Blame, Circumstances, DiagnosisCode, FailOver, Refusal, Row
from domain.replies import shown
from sip.call_facts import AgreedMedia
from sip.media_agreement import ProblemKind

__all__ = ["media_refused", "unusable_answer"]

# Warn codes of RFC 3261 20.43: the transport of SDP's m= line is RTP/AVP or RTP/SAVP.
_WRONG_PROFILE: Final = 302
_WRONG_FORMAT: Final = 305
_CODEC_WORDS: Final = ("codec*", "media format*", "no common", "payload*")
_SECURITY_WORDS: Final = ("srtp", "savp", "crypto*", "encrypt*", "secure", "sdes", "dtls")

_PLAIN = "Call with plain RTP (secure media off)."
_SECURE = "Call with SRTP (secure media on)."
_PCMU_ONLY = "Offer PCMU only."
_ENABLE_G711 = "Switch PCMU or PCMA on for this trunk at the peer."
_ENABLE_SRTP = "Or switch SRTP with SDES keys on for this trunk at the peer."


def media_refused(row: Row, refusal: Refusal) -> Row:
    """The line for a 488 or 606, by the offer and the peer's words."""
    around, clues = refusal.around, refusal.clues
    offered = _offered(around)
    if _WRONG_PROFILE in clues.warn_codes or clues.mention(*_SECURITY_WORDS):
        return _encryption(around, f"It answered {{status}}{offered}")
    if _WRONG_FORMAT in clues.warn_codes or clues.q850 == 58 or clues.mention(*_CODEC_WORDS):
        return Row(
            DiagnosisCode.NO_COMMON_CODEC,
            f"It answered {{status}}{offered}: it has none of these codecs.",
            (_PCMU_ONLY, _ENABLE_G711),
            FailOver.NO,
            Blame.CLIENT_ERROR,
        )
    if around.secure:
        change = (_PLAIN, _PCMU_ONLY, _ENABLE_SRTP)
        checklist = (
            "SRTP was offered and is not switched on at the peer.",
            "No codec is common to both sides.",
            "It wants another packet time, or a T.38 fax.",
        )
    else:
        change = (_PCMU_ONLY, _SECURE, _ENABLE_G711)
        checklist = (
            "No codec is common to both sides.",
            "The peer demands SRTP, and plain RTP was offered.",
            "It wants another packet time, or a T.38 fax.",
        )
    return row._replace(
        what=f"It answered {{status}}{offered}: it accepts nothing of that.",
        change=change,
        checklist=checklist,
    )


def _offered(around: Circumstances) -> str:
    if not around.codecs:
        return ""
    secured = " with SRTP" if around.secure else " as plain RTP" if around.secure is False else ""
    return f" to an offer of {', '.join(shown(each) for each in around.codecs)}{secured}"


def _encryption(around: Circumstances, head: str) -> Row:
    if around.secure:
        return Row(
            DiagnosisCode.ENCRYPTION_REFUSED,
            f"{head}: it does not take encrypted media.",
            (_PLAIN, _ENABLE_SRTP),
            FailOver.NO,
            Blame.CLIENT_ERROR,
        )
    return Row(
        DiagnosisCode.ENCRYPTION_REQUIRED,
        f"{head}: it demands encrypted media.",
        (_SECURE, "Use TLS too, because the keys of SRTP travel in the signalling."),
        FailOver.NO,
        Blame.CLIENT_ERROR,
    )


_NOT_READABLE: Final = "The call was answered without a session description (SDP) that can be read."
_KEY_PROBLEMS: Final = frozenset(
    {
        ProblemKind.SRTP_MISSING,
        ProblemKind.CRYPTO_UNUSABLE,
        ProblemKind.CRYPTO_TAG_MISMATCH,
        ProblemKind.CRYPTO_SUITE_MISMATCH,
    }
)
_BROKEN: Final = frozenset(
    {
        ProblemKind.NO_AUDIO,
        ProblemKind.MEDIA_CHANGED,
        ProblemKind.NO_ADDRESS,
        ProblemKind.PROFILE_UNSUPPORTED,
    }
)


def unusable_answer(agreed: AgreedMedia | None, secure: bool) -> Row:
    """The line for a call that was answered with SDP on which no media can run.

    ``secure`` says whether SRTP was offered.
    """
    if agreed is None or not (agreed.codecs or agreed.address):
        return Row(
            DiagnosisCode.NO_SDP,
            _NOT_READABLE,
            ("Look in the peer's log: a 200 to an INVITE with an offer must bring an answer.",),
            FailOver.NOT_APPLICABLE,
            Blame.PEER_CONFIG,
        )
    kinds = frozenset(agreed.problem_kinds)
    code, change, blame = _unusable(kinds, secure)
    said = " ".join(_sentence(each) for each in agreed.problems)
    what = f"The call was answered, but no media can run on the answer's SDP. {said}".strip()
    return Row(code, what, change, FailOver.NOT_APPLICABLE, blame)


def _unusable(
    kinds: frozenset[ProblemKind], secure: bool
) -> tuple[DiagnosisCode, tuple[str, ...], Blame]:
    if ProblemKind.SRTP_NOT_OFFERED in kinds:
        return DiagnosisCode.ENCRYPTION_REQUIRED, (_SECURE,), Blame.CLIENT_ERROR
    if ProblemKind.SRTP_REFUSED in kinds:
        return DiagnosisCode.ENCRYPTION_REFUSED, (_PLAIN, _ENABLE_SRTP), Blame.CLIENT_ERROR
    if kinds & _KEY_PROBLEMS:
        change = ("Switch SRTP with SDES keys and AES_CM_128_HMAC_SHA1_80 on at the peer.", _PLAIN)
        return DiagnosisCode.ENCRYPTION_REFUSED, change, Blame.PEER_CONFIG
    if ProblemKind.NO_COMMON_CODEC in kinds:
        return DiagnosisCode.NO_COMMON_CODEC, (_PCMU_ONLY, _ENABLE_G711), Blame.CLIENT_ERROR
    if kinds & _BROKEN:
        broken = ("Show the trace to the peer's vendor: its answer does not fit the offer.",)
        return DiagnosisCode.BAD_SDP, broken, Blame.PEER_CONFIG
    change = (_PLAIN, _PCMU_ONLY) if secure else (_PCMU_ONLY, _SECURE)
    return DiagnosisCode.MEDIA_NOT_ACCEPTABLE, change, Blame.CLIENT_ERROR


def _sentence(text: str) -> str:
    line = shown(text)
    return line if line.endswith((".", "!", "?")) else f"{line[:1].upper()}{line[1:]}."
