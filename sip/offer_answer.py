"""Offers and answers for one audio stream (RFC 3264), with SDES SRTP (RFC 4568).

SRTP that is optional is offered as RTP/AVP with crypto attributes: RFC 4568 knows them in secure
profiles only, but this is what telephones and PBXs understand, and the ones that do not ignore it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from sip.errors import LocalProtocolError
from sip.grammar import MAX_PORT, shown
from sip.media_agreement import (
    PLAIN_PROFILES,
    SECURE_PROFILES,
    Problem,
    ProblemKind,
    dtmf_format,
    effective_direction,
    usable_crypto,
    voice_formats,
)
from sip.sdes import CryptoAttribute
from sip.sdp import Media, SessionDescription
from sip.sdp_attributes import TELEPHONE_EVENT, AudioCodec, Direction, RtpMap
from sip.sdp_grammar import Attribute, Connection, Origin

__all__ = ["Answer", "MediaCapabilities", "SrtpPolicy", "answer_to", "build_offer"]

# What most peers use, by clock rate in Hz: many expect DTMF at 101 whatever the rtpmap says.
_DTMF_PAYLOAD_TYPES = {8000: 101, 48000: 110}
_DTMF_EVENTS = "0-15"  # digits, star, pound, A to D (RFC 4733 section 3.2)
_DYNAMIC = range(96, 128)


class SrtpPolicy(StrEnum):
    """Whether media is encrypted."""

    OFF = "off"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class MediaCapabilities:
    """What this side can do in one audio stream.

    `codecs` and `crypto` are in order of preference; `crypto` holds one attribute per allowed suite
    with this side's own keys. `rtcp_mux` offers it; a peer's offer of it is always taken up.
    Raises LocalProtocolError when something is missing or out of range.
    """

    codecs: Sequence[AudioCodec]
    address: str
    rtp_port: int
    srtp: SrtpPolicy = SrtpPolicy.OFF
    crypto: Sequence[CryptoAttribute] = ()
    dtmf: bool = True
    packet_time: timedelta = timedelta(milliseconds=20)
    direction: Direction = Direction.SENDRECV
    rtcp_mux: bool = False

    def __post_init__(self) -> None:
        if not self.codecs or len({codec.rtpmap.format for codec in self.codecs}) < len(
            self.codecs
        ):
            raise LocalProtocolError("an offer names at least one codec, and each once")
        if self.rtp_port % 2 or not 0 < self.rtp_port < MAX_PORT:
            raise LocalProtocolError("an RTP port is even, RTCP has the next one (RFC 3550 11)")
        if (self.srtp is SrtpPolicy.OFF) == bool(self.crypto):
            raise LocalProtocolError("SRTP needs crypto attributes, plain RTP has none")
        if len({crypto.tag for crypto in self.crypto}) < len(self.crypto):
            raise LocalProtocolError("each crypto attribute has its own tag")
        Connection.at(self.address)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and what stood against it.

    Without a stream that works every media line of `description` is refused: a server says 488
    instead of sending it, a client that owes an answer in ACK sends it and BYE after.
    """

    description: SessionDescription
    problems: tuple[Problem, ...] = ()

    @property
    def is_acceptable(self) -> bool:
        """Whether the answer has a stream."""
        return not self.problems


def build_offer(
    capabilities: MediaCapabilities,
    *,
    session_id: int,
    session_version: int,
    previous: SessionDescription | None = None,
) -> SessionDescription:
    """An offer, or with this side's `previous` description the next offer in the same session.

    A later offer keeps the number and order of the media lines and what each payload type means
    (RFC 3264 section 8); the caller counts `session_version` up by one.
    """
    slot, before = _audio_slot(previous)
    used = {entry.format: entry.payload_type for entry in before.rtpmaps} if before else {}
    formats = tuple(_numbered(capabilities, used))
    required = capabilities.srtp is SrtpPolicy.REQUIRED
    audio = _audio(
        capabilities,
        "RTP/SAVP" if required else "RTP/AVP",
        formats,
        capabilities.crypto,
        capabilities.direction,
        rtcp_mux=capabilities.rtcp_mux,
    )
    lines = [_refused(media) for media in previous.media] if previous else []
    lines[slot : slot + 1] = [audio]
    return _session(capabilities, session_id, session_version, lines)


def answer_to(
    offer: SessionDescription,
    capabilities: MediaCapabilities,
    *,
    session_id: int,
    session_version: int,
) -> Answer:
    """The answer to an offer: in a re-INVITE, in the ACK of an INVITE without one, or as a server.

    Takes the first audio stream that works, in it the first codec of the offer that is ours, under
    the offer's payload types (RFC 3264 section 6.1), and refuses the other streams.
    """
    problems: list[Problem] = []
    lines: list[Media] = []
    answered = False
    for media in offer.media:
        accepted: Media | Problem | None = None
        if media.kind == "audio" and media.port and not answered:
            accepted = _accept(offer, media, capabilities)
        if isinstance(accepted, Problem):
            problems.append(accepted)
        answered = answered or isinstance(accepted, Media)
        lines.append(accepted if isinstance(accepted, Media) else _refused(media))
    description = replace(
        _session(capabilities, session_id, session_version, lines),
        # RFC 3264 section 6: the answer repeats t=.
        timing=tuple(line for line in offer.timing if line[0] == "t") or (("t", "0 0"),),
    )
    if answered:
        return Answer(description)
    return Answer(
        description,
        tuple(problems) or (Problem(ProblemKind.NO_AUDIO, "the offer has no audio stream"),),
    )


def _accept(
    offer: SessionDescription, media: Media, capabilities: MediaCapabilities
) -> Media | Problem:
    protocol = media.protocol.upper()
    if protocol not in PLAIN_PROFILES | SECURE_PROFILES:
        return Problem(ProblemKind.PROFILE_UNSUPPORTED, f"the stream is {shown(media.protocol)}")
    if offer.connection_of(media) is None:
        return Problem(ProblemKind.NO_ADDRESS, "the audio stream has no c= line")
    crypto: CryptoAttribute | None = None
    if capabilities.srtp is not SrtpPolicy.OFF:
        crypto = _crypto_answer(media, capabilities.crypto)
        if crypto is None and (
            capabilities.srtp is SrtpPolicy.REQUIRED or protocol in SECURE_PROFILES
        ):
            return Problem(ProblemKind.SRTP_MISSING, "no crypto attribute of the offer fits ours")
    elif protocol in SECURE_PROFILES:
        return Problem(ProblemKind.SRTP_REFUSED, "the offer demands SRTP, which is off here")
    ours = {codec.rtpmap.format for codec in capabilities.codecs}
    voice = next((entry for entry in voice_formats(media) if entry.format in ours), None)
    if voice is None:
        names = ", ".join(entry.encoding for entry in voice_formats(media)) or "none"
        return Problem(ProblemKind.NO_COMMON_CODEC, f"the offer's codecs are {shown(names)}")
    dtmf = dtmf_format(media, voice.clock_rate) if capabilities.dtmf else None
    return _audio(
        capabilities,
        media.protocol,
        (voice,) if dtmf is None else (voice, dtmf),
        () if crypto is None else (crypto,),
        capabilities.direction.meeting(effective_direction(offer, media)),
        rtcp_mux=media.rtcp_mux,
    )


def _crypto_answer(media: Media, own: Sequence[CryptoAttribute]) -> CryptoAttribute | None:
    """Our key under the tag of the first offered attribute whose suite is ours."""
    keys = {crypto.suite: crypto for crypto in own}
    for offered in usable_crypto(media):
        if offered.suite in keys:
            return keys[offered.suite].with_tag(offered.tag)
    return None


def _audio_slot(previous: SessionDescription | None) -> tuple[int, Media | None]:
    """Where the audio stream stands: the one in use, else a refused one, else behind all lines."""
    if previous is None:
        return 0, None
    slots = [(i, media) for i, media in enumerate(previous.media) if media.kind == "audio"]
    slots.sort(key=lambda slot: slot[1].port == 0)
    return slots[0] if slots else (len(previous.media), None)


def _numbered(
    capabilities: MediaCapabilities, used: dict[tuple[str, int, int], int]
) -> Iterator[RtpMap]:
    """Our formats under payload types that mean nothing else in this session."""
    wanted = [codec.rtpmap for codec in capabilities.codecs]
    if capabilities.dtmf:
        wanted += [
            RtpMap(_DTMF_PAYLOAD_TYPES.get(rate, 101), TELEPHONE_EVENT, rate)
            for rate in dict.fromkeys(entry.clock_rate for entry in wanted)
        ]
    taken = set(used.values())
    for entry in wanted:
        number = used.get(entry.format)
        if number is None:
            number = entry.payload_type
            if number in taken:
                number = next(free for free in reversed(_DYNAMIC) if free not in taken)
            taken.add(number)
        yield replace(entry, payload_type=number)


def _audio(
    capabilities: MediaCapabilities,
    protocol: str,
    formats: Sequence[RtpMap],
    crypto: Sequence[CryptoAttribute],
    direction: Direction,
    *,
    rtcp_mux: bool,
) -> Media:
    parameters = {codec.rtpmap.format: codec.fmtp for codec in capabilities.codecs}
    attributes = [Attribute("rtpmap", str(entry)) for entry in formats]
    for entry in formats:
        fmtp = _DTMF_EVENTS if entry.is_telephone_event else parameters[entry.format]
        if fmtp is not None:
            attributes.append(Attribute("fmtp", f"{entry.payload_type} {fmtp}"))
    milliseconds = capabilities.packet_time / timedelta(milliseconds=1)
    attributes.append(Attribute("ptime", f"{milliseconds:g}"))
    attributes += [Attribute("crypto", own.wire_value()) for own in crypto]
    if rtcp_mux:
        attributes.append(Attribute("rtcp-mux"))
    attributes.append(Attribute(direction))
    return Media(
        "audio",
        capabilities.rtp_port,
        protocol,
        tuple(str(entry.payload_type) for entry in formats),
        attributes=tuple(attributes),
    )


def _refused(media: Media) -> Media:
    return Media(media.kind, 0, media.protocol, media.formats)


def _session(
    capabilities: MediaCapabilities, session_id: int, session_version: int, media: Sequence[Media]
) -> SessionDescription:
    connection = Connection.at(capabilities.address)
    return SessionDescription(
        Origin(session_id, session_version, connection), connection=connection, media=tuple(media)
    )
