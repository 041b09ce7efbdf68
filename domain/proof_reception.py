"""The rungs of the proof ladder about what was received: RTP in, and the digit.

Audio is proven by hearing it: packets that carry silence from the first to the last are none.
"""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from domain.call_reading import (
    agreed_media,
    duration_words,
    ended_too_soon,
    endpoint_words,
    is_answered,
)
from domain.proof_steps import ProofStep, Rung, failed, passed, skipped
from domain.replies import shown
from sip.call_facts import CallFacts
from sip.media_verdict import Heard, MediaVerdict

__all__ = ["dtmf_step", "rtp_in_step"]

MAX_LOSS_PERCENT: Final = 5.0
"""Loss beyond this is heard in G.711 even with concealment (ITU-T G.113 appendix I)."""

MIN_LOST: Final = 5
"""Packets: fewer are no pattern in the three seconds that a test call talks."""

_NOT_AGREED: Final = "No media was agreed on."


def rtp_in_step(facts: CallFacts) -> ProofStep:
    agreed, media = agreed_media(facts), facts.media
    if agreed is None or not is_answered(facts):
        return skipped(Rung.RTP_IN, _NOT_AGREED)
    if media is None:
        return skipped(Rung.RTP_IN, "No media session was running.")
    details = _received(media)
    delay = media.first_packet_delay_ms
    if media.heard is Heard.NOTHING:
        return _nothing_in(facts, media, details)
    came = f"{media.packets_in} packets from {_source(media)}, {media.loss_percent:.1f} % lost" + (
        f", jitter {media.jitter_ms:.1f} ms" if media.jitter_ms is not None else ""
    )
    if media.loss_percent >= MAX_LOSS_PERCENT and media.packets_lost >= MIN_LOST:
        return failed(
            Rung.RTP_IN, f"{came}: too many to understand speech.", delay, details=details
        )
    match media.heard:
        case Heard.SILENCE if ended_too_soon(facts):
            return skipped(
                Rung.RTP_IN, f"{came}; too short a call to tell silence.", details=details
            )
        case Heard.SILENCE:
            return failed(
                Rung.RTP_IN, f"{came}, but they carry only silence.", delay, details=details
            )
        case Heard.OUR_TONE:
            heard = "our own tone came back (an echo)"
        case Heard.UNDECODED:
            heard = f"{shown(media.codec)} cannot be listened to here"
        case _:
            heard = f"audio was heard for {duration_words(media.loud_ms)}"
    return passed(Rung.RTP_IN, f"{came}; {heard}.", delay, details=details)


def _nothing_in(facts: CallFacts, media: MediaVerdict, details: dict[str, JsonValue]) -> ProofStep:
    if media.srtp_failed:
        return skipped(
            Rung.RTP_IN,
            "Packets came, but none that authenticates, so none was taken.",
            details=details,
        )
    if ended_too_soon(facts):
        return skipped(Rung.RTP_IN, "The call ended before audio came.", details=details)
    if not media.packets_out and not media.packets_in:
        return skipped(
            Rung.RTP_IN,
            "No audio came; none was sent either, and many peers wait for it.",
            details=details,
        )
    expected = endpoint_words(media.expected_source)
    other = f" {media.packets_in} packets came that carry none." if media.packets_in else ""
    rejected = f" {media.packets_rejected} packets were not RTP." if media.packets_rejected else ""
    return failed(
        Rung.RTP_IN,
        f"No audio came; the SDP promised it from {expected}.{other}{rejected}",
        details=details,
    )


def _received(media: MediaVerdict) -> dict[str, JsonValue]:
    return {
        "packets": media.packets_in,
        "lost": media.packets_lost,
        "loss_percent": media.loss_percent,
        "jitter_ms": media.jitter_ms,
        "heard": media.heard.value,
        "level_dbov": media.level_dbov,
        "loud_ms": media.loud_ms,
        "source": endpoint_words(media.source) if media.source else None,
        "expected_source": endpoint_words(media.expected_source),
        "other_sources": [endpoint_words(each) for each in media.other_sources] or None,
        "reordered": media.packets_reordered,
        "duplicate": media.packets_duplicate,
    }


def _source(media: MediaVerdict) -> str:
    if media.source is None:
        return "the peer"
    if not media.source_differs:
        return endpoint_words(media.source)
    return f"{endpoint_words(media.source)} (the SDP says {endpoint_words(media.expected_source)})"


def dtmf_step(facts: CallFacts) -> ProofStep:
    agreed, media = agreed_media(facts), facts.media
    if agreed is None or media is None or not is_answered(facts):
        return skipped(Rung.DTMF, _NOT_AGREED)
    received = shown(media.dtmf_received)
    details: dict[str, JsonValue] = {
        "sent": media.dtmf_sent,
        "received": received or None,
        "in_band": shown(media.dtmf_inband) or None,
        "payload_type": agreed.dtmf_payload_type,
    }
    if agreed.dtmf_payload_type is None:
        return skipped(
            Rung.DTMF,
            "The answer has no telephone-event, so no digit could be sent (RFC 4733).",
            details=details,
        )
    if media.dtmf_sent is None:
        return skipped(Rung.DTMF, "No digit was sent before the call ended.", details=details)
    sent = (
        f"The digit {media.dtmf_sent} was sent as telephone-event, payload type "
        f"{agreed.dtmf_payload_type}"
    )
    if media.dtmf_sent in received:
        return passed(Rung.DTMF, f"{sent}, and came back.", details=details)
    if received and media.heard is Heard.OUR_TONE:
        return failed(Rung.DTMF, f"{sent}; the echo brought {received} instead.", details=details)
    other = f" The peer sent {received}." if received else ""
    return passed(Rung.DTMF, f"{sent}.{other}", details=details)
