"""The rungs of the proof ladder about media: SDP, SRTP, RTP out; with them RTP in and DTMF."""

from __future__ import annotations

from pydantic import JsonValue

from domain.address_findings import findings_of
from domain.call_reading import agreed_media, ended_too_soon, endpoint_words, is_answered
from domain.proof_reception import dtmf_step, rtp_in_step
from domain.proof_steps import ProofStep, Rung, failed, passed, skipped
from domain.replies import shown
from sip.call_facts import AddressPlace, CallFacts
from sip.media_verdict import MediaVerdict, SrtpOutcome

__all__ = ["media_steps"]

_NOT_ANSWERED = "The call was not answered."
_NO_MEDIA = "No media session was running."


def media_steps(facts: CallFacts) -> tuple[ProofStep, ProofStep, ProofStep, ProofStep, ProofStep]:
    """The rungs sdp, srtp, rtp_out, rtp_in and dtmf."""
    return (
        _sdp(facts),
        _srtp(facts),
        _rtp_out(facts),
        rtp_in_step(facts),
        dtmf_step(facts),
    )


def _sdp(facts: CallFacts) -> ProofStep:
    invite = facts.invite
    if invite is None or not is_answered(facts):
        return skipped(Rung.SDP, _NOT_ANSWERED)
    agreed = invite.agreed
    if agreed is None:
        return failed(Rung.SDP, "The answer brought no session description (SDP).")
    problems = [_sentence(each) for each in agreed.problems]
    details: dict[str, JsonValue] = {
        "codec": shown(agreed.codec) if agreed.codec else None,
        "codecs": [shown(each) for each in agreed.codecs],
        "offered": [shown(each) for each in invite.offer.codecs],
        "packet_time_ms": agreed.packet_time_ms,
        "direction": agreed.direction,
        "suite": agreed.suite,
        "address": shown(agreed.address) if agreed.address else None,
        "port": agreed.port,
        "rtcp_mux": agreed.rtcp_mux,
        "problems": [*problems] or None,
    }
    if agreed_media(facts) is None:
        said = " ".join(problems) or "Offer and answer have no codec in common."
        return failed(Rung.SDP, f"The answer's SDP allows no media. {said}", details=details)
    media = f"{shown(agreed.codec or '')}, {agreed.packet_time_ms:g} ms packets"
    secured = f", SRTP {shown(agreed.suite)}" if agreed.suite else ""
    if agreed.direction != "sendrecv":
        return failed(
            Rung.SDP,
            f"{media}{secured}, but {_direction_words(agreed.direction)}.",
            details=details,
        )
    place = f", to {shown(agreed.address)} port {agreed.port}" if agreed.address else ""
    said = "".join(f" {each}" for each in (*problems, *findings_of(facts, (AddressPlace.SDP,))))
    return passed(Rung.SDP, f"Agreed on {media}{secured}{place}.{said}", details=details)


def _direction_words(direction: str) -> str:
    """Our side's direction as what the peer wants of the call."""
    match direction:
        case "sendonly":
            return "the peer only listens and sends nothing (recvonly)"
        case "recvonly":
            return "the peer only sends and takes nothing (sendonly or on hold)"
        case _:
            return "the peer wants no media in either direction (inactive)"


def _srtp(facts: CallFacts) -> ProofStep:
    agreed, media = agreed_media(facts), facts.media
    if agreed is None or not is_answered(facts):
        return skipped(Rung.SRTP, "No media was agreed on.")
    if agreed.suite is None and (media is None or media.srtp is SrtpOutcome.NOT_USED):
        return skipped(Rung.SRTP, "Media is not encrypted; the call did not ask for it.")
    if media is None:
        return skipped(Rung.SRTP, _NO_MEDIA)
    good, bad = media.srtp_authenticated, media.srtp_failed
    details: dict[str, JsonValue] = {
        "suite": agreed.suite,
        "authenticated": good,
        "failed": bad,
        "replayed": media.srtp_replayed,
    }
    match media.srtp:
        case SrtpOutcome.AUTHENTICATED:
            return passed(Rung.SRTP, f"All {good} packets authenticate.", details=details)
        case SrtpOutcome.PARTLY if bad < good:
            return passed(
                Rung.SRTP, f"{good} packets authenticate; {bad} others do not.", details=details
            )
        case SrtpOutcome.PARTLY | SrtpOutcome.FAILED:
            return failed(
                Rung.SRTP,
                f"{'None' if not good else f'Only {good}'} of the {good + bad} packets that came "
                "authenticate with the key in the peer's SDP.",
                details=details,
            )
        case SrtpOutcome.NOT_USED:
            return skipped(Rung.SRTP, "SRTP was agreed on, but no media ran.", details=details)
        case SrtpOutcome.UNPROVEN:
            return skipped(Rung.SRTP, "No packet came that could be checked.", details=details)


def _rtp_out(facts: CallFacts) -> ProofStep:
    agreed, media = agreed_media(facts), facts.media
    if agreed is None or not is_answered(facts):
        return skipped(Rung.RTP_OUT, "No media was agreed on.")
    if media is None:
        if ended_too_soon(facts):
            return skipped(Rung.RTP_OUT, "The call ended before media could run.")
        return failed(Rung.RTP_OUT, f"{_NO_MEDIA}{_blocked_words(facts)}")
    details: dict[str, JsonValue] = {
        "packets": media.packets_out,
        "codec": media.codec,
        "to": endpoint_words(media.sent_to),
        "remote_loss_percent": media.remote_loss_percent,
        "remote_jitter_ms": media.remote_jitter_ms,
        "round_trip_ms": media.round_trip_ms,
    }
    if media.packets_out:
        return passed(
            Rung.RTP_OUT,
            f"{media.packets_out} packets of {shown(media.codec)} were sent to "
            f"{endpoint_words(media.sent_to)}.{_peer_report(media)}",
            details=details,
        )
    if not media.encodable:
        return failed(
            Rung.RTP_OUT,
            f"The peer chose {shown(media.codec)}, which this test can agree on but not speak: "
            "nothing could be sent.",
            details=details,
        )
    if not media.may_send:
        return skipped(Rung.RTP_OUT, "The peer asked for no audio.", details=details)
    if ended_too_soon(facts):
        return skipped(Rung.RTP_OUT, "The call ended before audio was sent.", details=details)
    return failed(Rung.RTP_OUT, f"No audio was sent.{_blocked_words(facts)}", details=details)


def _blocked_words(facts: CallFacts) -> str:
    for finding in facts.addresses:
        if finding.place is AddressPlace.SDP and finding.blocked:
            return f" The SDP wants it at {shown(finding.address)}, which may not be contacted."
    return ""


def _peer_report(media: MediaVerdict) -> str:
    if media.remote_loss_percent is None:
        return " The peer did not report how they arrived (RTCP)."
    return f" The peer reports {media.remote_loss_percent:.1f} % of them lost."


def _sentence(text: str) -> str:
    line = shown(text)
    return line if line.endswith((".", "!", "?")) else f"{line[:1].upper()}{line[1:]}."
