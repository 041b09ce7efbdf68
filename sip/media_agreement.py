"""The words of a media agreement: problems, endpoints, formats, keys, and what one stream says.

`sip.negotiation` fills them in, `sip.offer_answer` makes descriptions that can be agreed on.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address

from sip.sdes import CryptoAttribute, CryptoSuite
from sip.sdp import Media, SessionDescription
from sip.sdp_attributes import Direction, RtpMap
from sip.special_addresses import IPNetwork, embedded_ipv4, special_use

__all__ = [
    "PLAIN_PROFILES",
    "SECURE_PROFILES",
    "AgreedFormat",
    "Endpoint",
    "Negotiation",
    "Problem",
    "ProblemKind",
    "Side",
    "SrtpKeys",
    "address_problem",
    "dtmf_format",
    "effective_direction",
    "usable_crypto",
    "voice_formats",
]

PLAIN_PROFILES = frozenset({"RTP/AVP", "RTP/AVPF"})
SECURE_PROFILES = frozenset({"RTP/SAVP", "RTP/SAVPF"})

DEFAULT_PACKET_TIME = timedelta(milliseconds=20)  # RFC 3551 section 4.2

# Payload formats that carry no voice of their own: comfort noise, redundancy, retransmission ...
_NOT_VOICE = frozenset({"telephone-event", "tone", "cn", "red", "rtx", "ulpfec", "parityfec"})


class Side(StrEnum):
    """Whose description is ours."""

    OFFERER = "offerer"
    ANSWERER = "answerer"


class ProblemKind(StrEnum):
    """What can be wrong with an answer; see `Problem.is_fatal`."""

    NO_AUDIO = "no_audio"
    STREAM_REJECTED = "stream_rejected"
    MORE_MEDIA_LINES = "more_media_lines"
    FEWER_MEDIA_LINES = "fewer_media_lines"
    MEDIA_CHANGED = "media_changed"
    PROFILE_UNSUPPORTED = "profile_unsupported"
    PROFILE_CHANGED = "profile_changed"
    NO_COMMON_CODEC = "no_common_codec"
    CODEC_NOT_OFFERED = "codec_not_offered"
    SRTP_REFUSED = "srtp_refused"
    SRTP_MISSING = "srtp_missing"
    SRTP_NOT_OFFERED = "srtp_not_offered"
    CRYPTO_TAG_MISMATCH = "crypto_tag_mismatch"
    CRYPTO_SUITE_MISMATCH = "crypto_suite_mismatch"
    CRYPTO_UNUSABLE = "crypto_unusable"
    NO_ADDRESS = "no_address"
    ADDRESS_NOT_PUBLIC = "address_not_public"
    ADDRESS_FAMILY_CHANGED = "address_family_changed"
    DIRECTION_CONFLICT = "direction_conflict"
    RTCP_MUX_NOT_OFFERED = "rtcp_mux_not_offered"


# With these the call can go on; the peer should be told all the same.
_BEARABLE = frozenset(
    {
        ProblemKind.MORE_MEDIA_LINES,
        ProblemKind.FEWER_MEDIA_LINES,
        ProblemKind.PROFILE_CHANGED,
        ProblemKind.CODEC_NOT_OFFERED,
        ProblemKind.ADDRESS_NOT_PUBLIC,
        ProblemKind.ADDRESS_FAMILY_CHANGED,
        ProblemKind.DIRECTION_CONFLICT,
        ProblemKind.RTCP_MUX_NOT_OFFERED,
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong; `detail` is for people and quotes the descriptions, never a key."""

    kind: ProblemKind
    detail: str

    @property
    def is_fatal(self) -> bool:
        """Whether no media can flow because of it."""
        return self.kind not in _BEARABLE


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the peer receives: an IP address or a host name that is still to be resolved, and a port."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class AgreedFormat:
    """A payload format that both sides named; each sends under the other's number.

    `remote_fmtp` are the peer's format parameters.
    """

    encoding: str
    clock_rate: int
    channels: int
    send_payload_type: int
    receive_payload_type: int
    remote_fmtp: str | None = None


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """The keys of both directions; `local` protects what we send, `remote` what we receive."""

    local: CryptoAttribute
    remote: CryptoAttribute

    @property
    def suite(self) -> CryptoSuite:
        """The one suite of both directions (RFC 4568 section 5.1.2)."""
        return self.remote.suite


@dataclass(frozen=True, slots=True)
class Negotiation:
    """What is agreed, seen from our side.

    `formats` are voice formats in the answer's order: the first is the codec to send. `packet_time`
    is the audio in each packet that we send. `remote_rtp` and `remote_rtcp` are `None` while the peer
    has no address for media (on hold by `0.0.0.0`), with `rtcp_mux` they are the same.
    """

    formats: tuple[AgreedFormat, ...] = ()
    dtmf: AgreedFormat | None = None
    packet_time: timedelta = DEFAULT_PACKET_TIME
    direction: Direction = Direction.INACTIVE
    remote_rtp: Endpoint | None = None
    remote_rtcp: Endpoint | None = None
    rtcp_mux: bool = False
    srtp: SrtpKeys | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def codec(self) -> AgreedFormat | None:
        """The agreed codec."""
        return self.formats[0] if self.formats else None

    @property
    def is_usable(self) -> bool:
        """Whether media can flow."""
        return bool(self.formats) and not any(problem.is_fatal for problem in self.problems)


def voice_formats(media: Media) -> tuple[RtpMap, ...]:
    """The formats of a stream that are voice codecs, in order of preference."""
    return tuple(entry for entry in media.rtpmaps if entry.encoding.lower() not in _NOT_VOICE)


def dtmf_format(media: Media, clock_rate: int) -> RtpMap | None:
    """The telephone-event format beside a codec: same clock (RFC 4733 section 2.1), else any."""
    events = [entry for entry in media.rtpmaps if entry.is_telephone_event]
    events.sort(key=lambda entry: entry.clock_rate != clock_rate)
    return events[0] if events else None


def usable_crypto(media: Media) -> tuple[CryptoAttribute, ...]:
    """The crypto attributes of a stream that can be used, in order of preference."""
    return tuple(entry for entry in media.crypto if isinstance(entry, CryptoAttribute))


def effective_direction(description: SessionDescription, media: Media) -> Direction:
    """A side's direction; the unspecified address means that it does not receive."""
    direction = description.direction_of(media)
    connection = description.connection_of(media)
    if connection is not None and connection.is_unspecified:
        return Direction.of(sends=direction.sends, receives=False)
    return direction


def address_problem(address: str, *, allowed: Collection[IPNetwork] = ()) -> Problem | None:
    """Why media sent to an address will not arrive from the public Internet; `None` when it may.

    Networks in `allowed` are fine. A host name has no answer before it is resolved.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return None
    if any(ip in network for network in allowed):
        return None
    words = special_use(ip)
    for inner in embedded_ipv4(ip) if words is None else ():
        if (use := special_use(inner.address)) is not None:
            words = f"{inner.form} {inner.address}, {use}"
    if words is None:
        return None
    return Problem(ProblemKind.ADDRESS_NOT_PUBLIC, f"{address} is {words}")
