"""The media of a call as a band of a ladder: what ran, in which directions, and how well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from domain.proof_reception import MAX_LOSS_PERCENT, MIN_LOST
from domain.replies import shown
from sip.call_facts import AgreedMedia
from sip.grammar import bracketed
from sip.media_settings import Address
from sip.media_verdict import Heard, MediaFlow, MediaVerdict, SrtpOutcome

__all__ = ["MediaBand", "MediaState", "media_band"]


class MediaState(StrEnum):
    """How the media of a call did."""

    GOOD = "good"
    POOR = "poor"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaBand:
    """``title`` names what was spoken, ``words`` how it went, ``outgoing`` and ``incoming`` each
    direction with its numbers, ``other`` is for RTCP, DTMF and what is odd."""

    state: MediaState
    title: str
    words: str
    outgoing: str
    incoming: str
    other: tuple[str, ...] = ()


_HEARD = {
    Heard.NOTHING: "no audio",
    Heard.UNDECODED: "audio that is not decoded here",
    Heard.SILENCE: "silence",
    Heard.AUDIO: "audio",
    Heard.OUR_TONE: "our tone, an echo",
}


def media_band(media: MediaVerdict, agreed: AgreedMedia | None) -> MediaBand:
    """The band of one media session; ``agreed`` adds the SRTP suite and the packet time."""
    state, words = _judged(media)
    suite = agreed.suite if agreed is not None else None
    title = ["SRTP" if media.srtp is not SrtpOutcome.NOT_USED else "RTP", shown(media.codec)]
    if agreed is not None:
        title.append(f"{agreed.packet_time_ms:g} ms")
    if suite is not None:
        title.append(shown(suite))
    return MediaBand(
        state=state,
        title=" ".join(title),
        words=words,
        outgoing=", ".join(_outgoing(media)),
        incoming=", ".join(_incoming(media)),
        other=tuple(_other(media)),
    )


def _judged(media: MediaVerdict) -> tuple[MediaState, str]:
    if media.srtp is SrtpOutcome.FAILED:
        return MediaState.BAD, "unusable: no packet authenticates"
    if media.flow is MediaFlow.NONE:
        return MediaState.BAD, "neither way"
    if media.flow is MediaFlow.OUT_ONLY:
        return MediaState.BAD, "one way: nothing came back"
    if media.flow is MediaFlow.IN_ONLY:
        state = MediaState.BAD if media.one_way else MediaState.POOR
        return state, "one way: nothing was sent"
    if media.heard not in (Heard.AUDIO, Heard.OUR_TONE):
        return MediaState.POOR, f"both ways, but {_HEARD[media.heard]} came back"
    if media.srtp is SrtpOutcome.PARTLY:
        return MediaState.POOR, "both ways, some packets do not authenticate"
    if media.loss_percent >= MAX_LOSS_PERCENT and media.packets_lost >= MIN_LOST:
        return MediaState.POOR, "both ways, with loss"
    return MediaState.GOOD, "both ways"


def _outgoing(media: MediaVerdict) -> Iterator[str]:
    yield f"{_packets(media.packets_out)} to {_place(media.sent_to)}"
    if media.remote_loss_percent is not None:
        yield f"peer reports {media.remote_loss_percent:.1f} % loss"


def _incoming(media: MediaVerdict) -> Iterator[str]:
    if media.source is None:
        yield "no packets"
        return
    yield f"{_packets(media.packets_in)} from {_place(media.source)}"
    yield f"{media.loss_percent:.1f} % loss"
    if media.jitter_ms is not None:
        yield f"jitter {media.jitter_ms:.1f} ms"
    yield _HEARD[media.heard]


def _other(media: MediaVerdict) -> Iterator[str]:
    if media.round_trip_ms is not None:
        yield f"round trip {media.round_trip_ms:.0f} ms"
    if media.dtmf_sent:
        yield f"DTMF {media.dtmf_sent} sent"
    if received := media.dtmf_received or media.dtmf_inband:
        yield f"DTMF {shown(received)} received"
    if media.source_differs:
        yield f"the SDP said {_place(media.expected_source)}"
    if media.srtp_failed:
        yield f"{_packets(media.srtp_failed)} failed authentication"


def _packets(count: int) -> str:
    return f"{count} packet" if count == 1 else f"{count} packets"


def _place(address: Address) -> str:
    return f"{bracketed(address[0])}:{address[1]}"
