"""The verdict on the media of a test call: numbers, and the one word that each of them means."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sip.media_settings import Address

# Shorter sound is a click of the line, not audio.
MIN_AUDIO_MS = 100.0
MIN_TONE_MS = 100.0

# An echo cannot outlast what was sent by more than the edges of its blocks and a concealed loss.
_ECHO_MARGIN_MS = 200.0


class MediaFlow(StrEnum):
    """In which directions packets went."""

    BOTH_WAYS = "both_ways"
    OUT_ONLY = "out_only"  # sent, but nothing came back: one-way as the caller hears it
    IN_ONLY = "in_only"  # nothing could be sent, e.g. a codec that cannot be encoded here
    NONE = "none"


class Heard(StrEnum):
    """What the incoming packets were."""

    NOTHING = "nothing"  # no audio packet
    UNDECODED = "undecoded"  # audio in a codec that cannot be decoded here
    SILENCE = "silence"
    AUDIO = "audio"
    OUR_TONE = "our_tone"  # the test tone and nothing longer: an echo or a loop


class SrtpOutcome(StrEnum):
    """Whether the peer's packets are the peer's."""

    NOT_USED = "not_used"
    AUTHENTICATED = "authenticated"
    PARTLY = "partly"  # some packets failed beside others that passed
    FAILED = "failed"  # packets came and none authenticated
    UNPROVEN = "unproven"  # no packet came


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaVerdict:
    """What one media session proved.

    Times are milliseconds, levels dBov, `loss_percent` 0 to 100. None means not measured. Counts of
    lost, duplicate and reordered packets cover all streams of the peer; `jitter_ms` is the jitter
    of the stream with the most packets. `remote_*` and `round_trip_ms` are what the peer reported
    of our stream. `source` is where the first packet came from, `expected_source` the peer's SDP,
    `sent_to` where media went last. `packets_rejected` were no RTP or
    a stream too many, `srtp_failed` did not authenticate.
    """

    codec: str
    encodable: bool
    may_send: bool
    flow: MediaFlow
    heard: Heard
    srtp: SrtpOutcome
    packets_out: int
    packets_in: int
    frames_skipped: int
    packets_expected: int
    packets_lost: int
    loss_percent: float
    packets_duplicate: int
    packets_reordered: int
    packets_reflected: int
    packets_rejected: int
    stun_packets: int
    jitter_ms: float | None
    first_packet_delay_ms: float | None
    expected_source: Address
    source: Address | None
    other_sources: tuple[Address, ...]
    sent_to: Address
    ssrc_changes: int
    stream_restarts: int
    unexpected_payload_types: tuple[int, ...]
    comfort_noise_packets: int
    level_dbov: float | None
    loud_ms: float
    tone_ms: float
    dtmf_sent: str | None
    dtmf_received: str
    dtmf_inband: str
    srtp_authenticated: int
    srtp_failed: int
    srtp_replayed: int
    rtcp_out: int
    rtcp_in: int
    rtcp_rejected: int
    rtcp_bye_received: bool
    remote_loss_percent: float | None
    remote_packets_lost: int | None
    remote_jitter_ms: float | None
    round_trip_ms: float | None

    @property
    def one_way(self) -> bool:
        """Whether packets went in one direction only although both were possible."""
        return self.flow is MediaFlow.OUT_ONLY or (
            self.flow is MediaFlow.IN_ONLY and self.encodable and self.may_send
        )

    @property
    def source_differs(self) -> bool:
        """Whether media came from elsewhere than the SDP said: NAT, or a private address in SDP."""
        return self.source is not None and self.source != self.expected_source


def flow_of(packets_out: int, packets_in: int) -> MediaFlow:
    """The directions in which packets went."""
    if packets_out:
        return MediaFlow.BOTH_WAYS if packets_in else MediaFlow.OUT_ONLY
    return MediaFlow.IN_ONLY if packets_in else MediaFlow.NONE


def heard_of(
    *,
    audio_packets: int,
    comfort_noise: int,
    decoded_ms: float,
    loud_ms: float,
    tone_ms: float,
    sent_tone_ms: float,
) -> Heard:
    """What the sound was. The test tone is an echo only when it fits what was sent."""
    if not audio_packets:
        return Heard.SILENCE if comfort_noise else Heard.NOTHING
    if not decoded_ms:
        return Heard.UNDECODED
    if loud_ms < MIN_AUDIO_MS:
        return Heard.SILENCE
    echo = MIN_TONE_MS <= tone_ms <= sent_tone_ms + _ECHO_MARGIN_MS
    return Heard.OUR_TONE if echo and tone_ms >= loud_ms / 2 else Heard.AUDIO


def srtp_outcome(*, used: bool, authenticated: int, failed: int) -> SrtpOutcome:
    """Whether the peer's packets authenticated; replays are not failures of a key."""
    if not used:
        return SrtpOutcome.NOT_USED
    if authenticated:
        return SrtpOutcome.PARTLY if failed else SrtpOutcome.AUTHENTICATED
    return SrtpOutcome.FAILED if failed else SrtpOutcome.UNPROVEN
