"""What is wrong with a call that was answered: its ACK, its media, its end."""

from __future__ import annotations

from typing import Final

from domain.call_reading import agreed_media, duration_words, endpoint_words
from domain.diagnosis_media_refusal import unusable_answer
from domain.diagnosis_model import Blame, DiagnosisCode, FailOver, Row
from domain.proof_end import EndKind, end_of
from domain.replies import shown
from sip.call_facts import AddressPlace, CallFacts
from sip.media_verdict import Heard, MediaVerdict

__all__ = ["ack_row", "bye_row", "dtmf_row", "rtp_in_row", "rtp_out_row", "sdp_row", "srtp_row"]

_Code = DiagnosisCode
_NA = FailOver.NOT_APPLICABLE
_PATH, _PEER = Blame.NETWORK_PATH, Blame.PEER_CONFIG

_REAL_ADDRESS: Final = (
    "Set the public address (external IP) of the peer, so that its Contact and SDP carry it.",
    "Switch the SIP helper (ALG) of the router off.",
)
_MEDIA_PORTS: Final = "Open the peer's UDP ports for media in both directions."


def ack_row(facts: CallFacts) -> Row:
    """The peer repeats its 200: it would hang up after 32 s."""
    times = facts.invite.peer_retransmissions if facts.invite else 0
    return Row(
        _Code.ACK_LOST,
        f"The call was answered, but our ACK does not reach the peer: it repeated its answer "
        f"{times} times. Such a call drops after 32 seconds.",
        (
            *_REAL_ADDRESS,
            "Check that each proxy on the way stands in Record-Route with an address that can be "
            "reached.",
        ),
        _NA,
        _PEER,
        (
            "Contact or Record-Route of the answer holds a private or wrong address.",
            "A NAT or a SIP helper (ALG) changed the addresses in the messages.",
        ),
    )


def sdp_row(facts: CallFacts) -> Row:
    """No media can run on the answer's SDP, or only in one direction."""
    invite = facts.invite
    agreed = agreed_media(facts)
    if invite is None or agreed is None:
        return unusable_answer(
            invite.agreed if invite else None, invite.offer.secure if invite else False
        )
    return Row(
        _Code.ONE_WAY_AGREED,
        f"The call was answered on hold: {_DIRECTIONS.get(agreed.direction, 'no media runs')}.",
        ("Look at the peer why it answers on hold: a queue, a parked call, a rule for media.",),
        _NA,
        _PEER,
    )


_DIRECTIONS: Final = {
    "sendonly": "the peer takes audio and sends none (recvonly)",
    "recvonly": "the peer sends audio and takes none (sendonly)",
    "inactive": "the peer wants audio in no direction (inactive)",
}


def srtp_row(facts: CallFacts) -> Row:
    """The peer's packets do not authenticate."""
    media = facts.media
    good = media.srtp_authenticated if media else 0
    count = (media.srtp_failed if media else 0) + good
    return Row(
        _Code.SRTP_KEY_MISMATCH,
        f"{'None' if not good else f'Only {good}'} of the {count} packets that came authenticate "
        "with the key in the peer's SDP: it encrypts with another one.",
        (
            "Check that a proxy or SBC on the way does not exchange the SDP's crypto lines.",
            "Update the peer; or call with plain RTP (secure media off) until it is mended.",
        ),
        _NA,
        _PEER,
        (
            "An SBC passes media on without encrypting it anew.",
            "The peer kept the key of an earlier offer, or of another branch of a forked call.",
        ),
    )


def rtp_out_row(facts: CallFacts) -> Row:
    """No audio could be sent."""
    media = facts.media
    for finding in facts.addresses:
        if finding.place is AddressPlace.SDP and finding.blocked:
            return Row(
                _Code.NO_RTP_OUT,
                f"The peer's SDP wants audio at {shown(finding.address)}, where it cannot be sent: "
                f"{_ended(finding.problem)}",
                _REAL_ADDRESS,
                _NA,
                _PEER,
            )
    if media is not None and not media.encodable:
        return Row(
            _Code.CODEC_UNTESTABLE,
            f"The peer chose {shown(media.codec)}, which a test call can agree on but not speak, so "
            "audio is not proven.",
            ("Offer PCMU only, or put PCMU or PCMA first.",),
            _NA,
            Blame.SERVER_ERROR,
        )
    return Row(
        _Code.NO_RTP_OUT,
        "The call was answered, but no audio was sent, for a reason of our own.",
        ("Run the test call again; if it stays, tell the operator of this system.",),
        _NA,
        Blame.SERVER_ERROR,
    )


def rtp_in_row(facts: CallFacts) -> Row:
    """No audio came, or none that can be understood."""
    media = facts.media
    if media is None or media.heard is Heard.NOTHING:
        return _no_audio(facts, media)
    if media.heard is Heard.SILENCE:
        return Row(
            _Code.ONLY_SILENCE,
            f"The call was answered and {media.packets_in} packets came, but from the first to the "
            "last they carry silence.",
            (
                "Call a number that plays something, an echo test or an announcement, and compare.",
                "Check that the peer passes the callee's audio on.",
            ),
            _NA,
            Blame.INDETERMINATE,
            (
                "Nobody spoke at the other end.",
                "The peer fills in silence because no audio reaches it from behind.",
                "The peer was muted, or waits for our audio at another address.",
            ),
        )
    return Row(
        _Code.PACKET_LOSS,
        f"Audio came, but {media.loss_percent:.0f} % of it was lost on the way "
        f"({media.packets_lost} of {media.packets_expected} packets).",
        (
            "Look for an overloaded line or link between the peer and us, and give voice priority.",
            "Repeat the call at another time to see whether it stays.",
        ),
        _NA,
        _PATH,
    )


def _no_audio(facts: CallFacts, media: MediaVerdict | None) -> Row:
    private = [each for each in facts.addresses if each.place is AddressPlace.SDP]
    agreed = agreed_media(facts)
    secure = agreed is not None and agreed.suite is not None
    where = endpoint_words(media.expected_source) if media else "there"
    talk_ms = facts.invite.talk_ms if facts.invite else None
    during = f" in {duration_words(talk_ms)}" if talk_ms is not None else ""
    told = f" {_ended(private[0].problem)}" if private else ""
    change = [*(_REAL_ADDRESS[:1] if private else ()), _MEDIA_PORTS]
    change.append("Switch symmetric RTP (NAT support) on for this trunk at the peer.")
    checklist = [
        "The SDP of the answer holds an address that cannot be reached from here.",
        "A firewall drops RTP; the signalling goes another way.",
        "The peer waits for our audio before it sends, and does not get it.",
    ]
    if secure:
        checklist.append("The peer cannot decrypt our audio, and sends none.")
    return Row(
        _Code.NO_RTP_IN,
        f"The call was answered, but no audio came{during}; the SDP promised it from {where}.{told}",
        tuple(change),
        _NA,
        _PEER if private else _PATH,
        tuple(checklist),
    )


def dtmf_row(facts: CallFacts) -> Row:
    """An echo returned another digit than was sent."""
    media = facts.media
    sent = media.dtmf_sent if media else None
    received = shown(media.dtmf_received) if media else ""
    return Row(
        _Code.DTMF_CHANGED,
        f"Audio is echoed, but the digit {sent} came back as {received}.",
        ("Set DTMF to RFC 4733 (RFC 2833, telephone-event) on all legs of the peer.",),
        _NA,
        _PEER,
    )


def bye_row(facts: CallFacts) -> Row:
    """The call did not end as a call should."""
    talk_ms = facts.invite.talk_ms if facts.invite else None
    talked = duration_words(talk_ms) if talk_ms is not None else "some time"
    match end_of(facts):
        case EndKind.EARLY_BYE:
            return Row(
                _Code.EARLY_BYE,
                f"The peer answered and hung up {talked} later.",
                ("Look in its log why it hung up.", *_REAL_ADDRESS),
                _NA,
                _PEER,
                (
                    "Our ACK did not reach it: wrong Contact, NAT.",
                    "It could not use the codec that was agreed on.",
                    "The provider's billing or fraud protection ended the call.",
                ),
            )
        case EndKind.LOST_ACK:
            return ack_row(facts)._replace(
                what=f"The peer hung up after {talked}: it waited 32 seconds for an ACK that did "
                "not reach it."
            )
        case EndKind.SESSION_TIMER:
            return Row(
                _Code.SESSION_TIMER,
                f"The peer hung up after {talked}: it wanted the session to be refreshed, and that "
                "did not happen or was refused.",
                (
                    "Have the peer refresh the session itself (session timers, RFC 4028), by "
                    "UPDATE or re-INVITE.",
                    "Or switch session timers off for this trunk.",
                ),
                _NA,
                _PEER,
            )
        case EndKind.BYE_REFUSED:
            return Row(
                _Code.BYE_REFUSED,
                f"Our BYE was refused with {facts.invite.bye_status if facts.invite else 0}: the "
                "peer does not take the end of the call.",
                ("Have all requests of a call go to the same proxy: check Record-Route.",),
                _NA,
                _PEER,
                (
                    "The peer forgot the call, or a proxy failed over.",
                    "It asks for credentials in the middle of the call.",
                ),
            )
        case _:
            return Row(
                _Code.BYE_UNANSWERED,
                "Our BYE was not answered: the peer may believe that the call goes on, and bill it.",
                _REAL_ADDRESS,
                _NA,
                _PATH,
                (
                    "Contact or Record-Route of the answer holds an address that cannot be reached.",
                    "A firewall forgot the flow in the middle of the call.",
                ),
            )


def _ended(text: str) -> str:
    line = shown(text)
    return line if line.endswith((".", "!", "?")) else f"{line}."
