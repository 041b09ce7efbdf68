"""What an offer and its answer agree on (RFC 3264 sections 6 to 8), problems as values.

The audio stream is the first one that neither side refuses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sip.grammar import MAX_PORT, shown
from sip.media_agreement import (
    DEFAULT_PACKET_TIME,
    PLAIN_PROFILES,
    SECURE_PROFILES,
    AgreedFormat,
    Endpoint,
    Negotiation,
    Problem,
    ProblemKind,
    Side,
    SrtpKeys,
    address_problem,
    effective_direction,
    usable_crypto,
    voice_formats,
)
from sip.sdes import CryptoRefusal
from sip.sdp import Media, SessionDescription
from sip.sdp_attributes import Direction, RtpMap

__all__ = [
    "AgreedFormat",
    "Endpoint",
    "Negotiation",
    "Problem",
    "ProblemKind",
    "Side",
    "SrtpKeys",
    "address_problem",
    "negotiated",
]

_SHORTEST_PACKET = timedelta(milliseconds=10)
# 960 octets of G.711: fits every MTU, with SRTP and IPv6 around it.
_LONGEST_PACKET = timedelta(milliseconds=120)


@dataclass(slots=True)
class _Problems:
    found: list[Problem] = field(default_factory=list)

    def add(self, kind: ProblemKind, detail: str) -> None:
        self.found.append(Problem(kind, detail))


def negotiated(
    offer: SessionDescription, answer: SessionDescription, *, local: Side = Side.OFFERER
) -> Negotiation:
    """What an offer and its answer agree on; `local` says which of the two is ours.

    Never raises for descriptions that came from `parse_sdp` or `sip.offer_answer`.
    """
    problems = _Problems()
    _compare_lines(offer, answer, problems)
    stream = _stream(offer, answer, problems)
    if stream is None:
        return Negotiation(problems=tuple(problems.found))
    offered, answered = stream
    if local is Side.OFFERER:
        ours, theirs, here, there = offer, answer, offered, answered
    else:
        ours, theirs, here, there = answer, offer, answered, offered
    srtp = _srtp(offered, answered, local, problems)
    formats = _formats(offered, answered, local, problems)
    _compare_directions(offer.direction_of(offered), answer.direction_of(answered), problems)
    if answered.rtcp_mux and not offered.rtcp_mux:
        problems.add(ProblemKind.RTCP_MUX_NOT_OFFERED, "the answer has rtcp-mux, the offer has not")
    mux = offered.rtcp_mux and answered.rtcp_mux
    rtp, rtcp = _endpoints(theirs, there, mux, problems)
    _compare_families(ours, here, theirs, there, problems)
    return Negotiation(
        formats=formats,
        dtmf=_dtmf(here, there, formats),
        packet_time=_packet_time(there),
        direction=ours.direction_of(here).meeting(effective_direction(theirs, there)),
        remote_rtp=rtp,
        remote_rtcp=rtcp,
        rtcp_mux=mux,
        srtp=srtp,
        problems=tuple(problems.found),
    )


def _compare_lines(
    offer: SessionDescription, answer: SessionDescription, problems: _Problems
) -> None:
    offered, answered = len(offer.media), len(answer.media)
    detail = f"{offered} media lines offered, {answered} answered"
    if answered > offered:
        problems.add(ProblemKind.MORE_MEDIA_LINES, detail)
    elif answered < offered:
        problems.add(ProblemKind.FEWER_MEDIA_LINES, detail)


def _stream(
    offer: SessionDescription, answer: SessionDescription, problems: _Problems
) -> tuple[Media, Media] | None:
    rejected = False
    for offered, answered in zip(offer.media, answer.media, strict=False):
        if offered.kind != "audio" or not offered.port:
            continue
        if answered.kind != "audio":
            problems.add(ProblemKind.MEDIA_CHANGED, f"audio was answered with {answered.kind}")
        elif answered.port:
            return offered, answered
        rejected = True
    if rejected:
        problems.add(ProblemKind.STREAM_REJECTED, "the answer refuses the audio stream (port 0)")
    else:
        problems.add(ProblemKind.NO_AUDIO, "offer and answer have no audio stream in common")
    return None


def _srtp(offered: Media, answered: Media, local: Side, problems: _Problems) -> SrtpKeys | None:
    protocols = offered.protocol.upper(), answered.protocol.upper()
    for protocol in protocols:
        if protocol not in PLAIN_PROFILES | SECURE_PROFILES:
            problems.add(ProblemKind.PROFILE_UNSUPPORTED, f"the stream is {shown(protocol)}")
            return None
    secure_offer, secure_answer = (protocol in SECURE_PROFILES for protocol in protocols)
    if secure_offer and not secure_answer and not answered.crypto:
        problems.add(ProblemKind.SRTP_REFUSED, f"{protocols[0]} was answered with {protocols[1]}")
        return None
    if protocols[0] != protocols[1]:
        problems.add(
            ProblemKind.PROFILE_CHANGED, f"{protocols[0]} was answered with {protocols[1]}"
        )
    if not secure_offer and not offered.crypto:
        if secure_answer:
            problems.add(ProblemKind.SRTP_NOT_OFFERED, "plain RTP was answered with SRTP")
        return None
    if not answered.crypto or not offered.crypto:
        if secure_offer or secure_answer:
            problems.add(ProblemKind.SRTP_MISSING, "a secure stream has no crypto attribute")
        return None
    return _matching_keys(offered, answered, local, problems)


def _matching_keys(
    offered: Media, answered: Media, local: Side, problems: _Problems
) -> SrtpKeys | None:
    """The two attributes with one tag and one suite (RFC 4568 section 5.1.3)."""
    for media in (offered, answered):
        if not usable_crypto(media):
            reasons = [
                f"{entry.suite_name}: {entry.reason}"
                for entry in media.crypto
                if isinstance(entry, CryptoRefusal)
            ]
            problems.add(ProblemKind.CRYPTO_UNUSABLE, ", ".join(reasons))
            return None
    by_tag = {entry.tag: entry for entry in usable_crypto(offered)}
    for entry in usable_crypto(answered):
        match = by_tag.get(entry.tag)
        if match is not None and match.suite is entry.suite:
            return SrtpKeys(match, entry) if local is Side.OFFERER else SrtpKeys(entry, match)
    first = usable_crypto(answered)[0]
    if first.tag in by_tag:
        detail = f"tag {first.tag} was offered as {by_tag[first.tag].suite}, answered {first.suite}"
        problems.add(ProblemKind.CRYPTO_SUITE_MISMATCH, detail)
    else:
        problems.add(ProblemKind.CRYPTO_TAG_MISMATCH, f"tag {first.tag} was not offered")
    return None


def _formats(
    offered: Media, answered: Media, local: Side, problems: _Problems
) -> tuple[AgreedFormat, ...]:
    agreed: list[AgreedFormat] = []
    for answer in voice_formats(answered):
        offer = _same_format(answer, offered.rtpmaps)
        if offer is None:
            problems.add(ProblemKind.CODEC_NOT_OFFERED, f"the answer adds {shown(str(answer))}")
        elif local is Side.OFFERER:
            agreed.append(_agreed(offer, answer, answered))
        else:
            agreed.append(_agreed(answer, offer, offered))
    if not agreed:
        names = [", ".join(media.formats) for media in (offered, answered)]
        detail = f"payload types {names[0]} offered, {names[1]} answered"
        problems.add(ProblemKind.NO_COMMON_CODEC, detail)
    return tuple(agreed)


def _same_format(entry: RtpMap, others: tuple[RtpMap, ...]) -> RtpMap | None:
    """The same format in another list, under the same number when it is there twice."""
    found = [other for other in others if other.format == entry.format]
    found.sort(key=lambda other: other.payload_type != entry.payload_type)
    return found[0] if found else None


def _agreed(own: RtpMap, remote: RtpMap, there: Media) -> AgreedFormat:
    return AgreedFormat(
        own.encoding,
        own.clock_rate,
        own.channels,
        send_payload_type=remote.payload_type,
        receive_payload_type=own.payload_type,
        remote_fmtp=there.fmtp(remote.payload_type),
    )


def _dtmf(here: Media, there: Media, formats: tuple[AgreedFormat, ...]) -> AgreedFormat | None:
    """The DTMF format that both named, on the agreed codec's clock (RFC 4733 section 2.1) or any."""
    clock_rate = formats[0].clock_rate if formats else 0
    common = [
        _agreed(own, remote, there)
        for remote in there.rtpmaps
        if remote.is_telephone_event and (own := _same_format(remote, here.rtpmaps)) is not None
    ]
    common.sort(key=lambda entry: entry.clock_rate != clock_rate)
    return common[0] if common else None


def _compare_directions(offer: Direction, answer: Direction, problems: _Problems) -> None:
    if answer.meeting(offer) is not answer:
        problems.add(ProblemKind.DIRECTION_CONFLICT, f"{offer} was answered with {answer}")


def _endpoints(
    theirs: SessionDescription, there: Media, mux: bool, problems: _Problems
) -> tuple[Endpoint | None, Endpoint | None]:
    connection = theirs.connection_of(there)
    if connection is None:
        problems.add(ProblemKind.NO_ADDRESS, "the peer's audio stream has no c= line")
        return None, None
    if connection.is_unspecified:
        return None, None
    rtp = Endpoint(connection.address, there.port)
    if mux:
        return rtp, rtp
    if there.rtcp is not None:
        at = there.rtcp.connection or connection
        return rtp, Endpoint(at.address, there.rtcp.port) if there.rtcp.port else None
    return rtp, Endpoint(connection.address, there.port + 1) if there.port < MAX_PORT else None


def _compare_families(
    ours: SessionDescription,
    here: Media,
    theirs: SessionDescription,
    there: Media,
    problems: _Problems,
) -> None:
    own, remote = ours.connection_of(here), theirs.connection_of(there)
    if own is None or remote is None or remote.is_unspecified or own.version == remote.version:
        return
    detail = f"we are on IPv{own.version}, the peer on IPv{remote.version}"
    problems.add(ProblemKind.ADDRESS_FAMILY_CHANGED, detail)


def _packet_time(there: Media) -> timedelta:
    """What the peer asks for, within what one packet can hold."""
    wanted = min(max(there.ptime or DEFAULT_PACKET_TIME, _SHORTEST_PACKET), _LONGEST_PACKET)
    return min(wanted, max(there.maxptime or wanted, _SHORTEST_PACKET))
