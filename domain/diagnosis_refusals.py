"""What a refusal means once the peer's own words and the call are looked at.

Each function takes the line of the table for a status and returns the line that fits better.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from domain.diagnosis_challenges import challenge_row
from domain.diagnosis_media_refusal import media_refused
from domain.diagnosis_model import Blame, DiagnosisCode, FailOver, Refusal, Row
from domain.diagnosis_number_refusals import forbidden, incomplete, not_found
from domain.replies import shown

__all__ = ["refined"]

TWILIO_BLOCKED: Final = 32203  # Twilio's error for a call that its fraud protection stops

_CONGESTION: Final = frozenset({34, 42, 44, 47})  # Q.850
_RATE_WORDS: Final = ("cps", "calls per second", "call rate", "rate limit", "too fast")
_CAPACITY_WORDS: Final = (
    "channel limit", "channels", "concurrent", "call limit", "max calls", "maximum calls",
    "maximum number of calls", "too many calls", "limit exceeded", "limit reached", "capacity",
    "no circuit*", "congestion",
)  # fmt: skip

_MALFORMED: Final = (
    (("via",), "It objects to Via: set the transport of its trunk to the one that is used here."),
    (("contact",), "It objects to Contact: it wants a host that it knows there."),
    (("sips",), "It objects to a sips: address: use sip: with transport=tls."),
    (("uri", "ruri", "request line"), "It objects to the address called: check host and user."),
    (("from",), "It objects to From: check the caller number and its domain."),
    (("sdp", "session description", "body"), "It objects to the SDP: offer PCMU only."),
)


def refined(row: Row, refusal: Refusal) -> Row:
    """The line for a refusal, with everything that is known taken into account."""
    status = refusal.status
    if status < 300 or status > 699:
        return row
    if refusal.method == "OPTIONS" and status not in (408, 503):
        return _alive(row)
    if status < 400:
        return _redirected(row, refusal)
    limited = _limited(row, refusal)
    if limited is not None:
        return limited
    refine = _REFINE.get(status)
    return refine(row, refusal) if refine is not None else row


def _alive(row: Row) -> Row:
    unserved = row.code is DiagnosisCode.METHOD_UNSUPPORTED
    return Row(
        DiagnosisCode.ALIVE,
        "It answered {status}: it is up and speaks SIP"
        + (", although it does not serve OPTIONS." if unserved else "."),
        (),
        row.fail_over if row.blame is Blame.UPSTREAM_ERROR else FailOver.NO,
        Blame.SUCCESS,
    )


def _redirected(row: Row, refusal: Refusal) -> Row:
    if not refusal.said.contacts:
        return row
    named = ", ".join(shown(each) for each in refusal.said.contacts[:5])
    return row._replace(
        what=f"It answered {{status}}: it sends the call to another address, {named}. "
        "Test calls do not follow it."
    )


def _limited(row: Row, refusal: Refusal) -> Row | None:
    """A refusal for want of capacity, when the peer's words or its Q.850 cause say so."""
    if refusal.status not in (403, 480, 486, 500, 503, 600, 603):
        return None
    if refusal.clues.mention(*_RATE_WORDS):
        return Row(
            DiagnosisCode.CPS_LIMIT_EXCEEDED,
            "It answered {status}: calls come faster than it allows.",
            (
                "Have the provider raise the number of calls per second, or place them slower.",
                *row.change,
            ),
            row.fail_over,
            Blame.CLIENT_ERROR,
        )
    if refusal.clues.q850 in _CONGESTION or refusal.clues.mention(*_CAPACITY_WORDS):
        return Row(
            DiagnosisCode.CONCURRENT_LIMIT_EXCEEDED,
            "It answered {status}: all channels that the call could use are taken.",
            ("Check how many calls the trunk may carry at once, and have it raised.",),
            row.fail_over,
            Blame.CLIENT_ERROR,
        )
    return None


def _bad_request(row: Row, refusal: Refusal) -> Row:
    hints = [hint for words, hint in _MALFORMED if refusal.clues.mention(*words)]
    banner = (refusal.said.server or "").lower()
    if "cisco" in banner:
        hints.append(
            "Cisco UCM: the transport of the trunk's security profile must be the one used here."
        )
    if "microsoft" in banner or refusal.clues.microsoft_code is not None:
        hints.append(
            "Microsoft Teams: Contact must hold the name of the SBC that its certificate has."
        )
    return row._replace(change=(*hints, *row.change)) if hints else row


def _unavailable(row: Row, refusal: Refusal) -> Row:
    if refusal.clues.q850 not in (18, 19):
        return row
    return row._replace(
        what="It answered {status}: the callee did not answer.",
        change=("Call again when somebody answers.", *row.change),
    )


def _extension(row: Row, refusal: Refusal) -> Row:
    lacking, demanded = refusal.value("Unsupported"), refusal.value("Require")
    if refusal.status == 420 and lacking:
        return row._replace(
            what=f"It answered {{status}}: the call demands {lacking}, which it does not have.",
            change=(f"Switch the demand for {lacking} off for this trunk.",),
        )
    if demanded:
        return row._replace(
            what=f"It answered {{status}}: it demands {demanded}, which the call does not offer.",
            change=(f"Make {demanded} optional for this trunk at the peer.",),
        )
    return row


def _session_interval(row: Row, refusal: Refusal) -> Row:
    least = refusal.value("Min-SE")
    if not least:
        return row
    return row._replace(
        change=(f"Offer a session interval of at least {least} seconds (its Min-SE).",)
    )


def _too_large(row: Row, refusal: Refusal) -> Row:
    size = f" of {refusal.around.invite_size} bytes" if refusal.around.invite_size else ""
    changes = row.change if refusal.around.transport in (None, "udp") else row.change[1:]
    return row._replace(
        what=f"It answered {{status}}: the INVITE{size} is too large for it.",
        change=changes,
        fail_over=row.fail_over if refusal.around.transport in (None, "udp") else FailOver.NO,
    )


def _peer_error(row: Row, refusal: Refusal) -> Row:
    checklist = (
        "A script or a rule of the peer fails on this call.",
        "Some providers say so when too many calls come at once or too fast.",
    )
    return row._replace(checklist=checklist)


def _service_unavailable(row: Row, refusal: Refusal) -> Row:
    if refusal.clues.mention("device handler"):
        return row._replace(
            code=DiagnosisCode.UNKNOWN_TO_PEER,
            what="It answered {status}: a Cisco UCM that has no SIP trunk for our addresses.",
            change=("Add a SIP trunk with our addresses as its destination to the Cisco UCM.",),
            blame=Blame.PEER_CONFIG,
            checklist=(),
        )
    return row


def _declined(row: Row, refusal: Refusal) -> Row:
    if refusal.clues.twilio_error == TWILIO_BLOCKED:
        return row._replace(
            code=DiagnosisCode.CARRIER_BLOCKED,
            what="It answered {status}: Twilio blocks the call for suspected fraud (error 32203).",
            change=("Open the destination for the account in Twilio's console.",),
            checklist=(),
        )
    if refusal.clues.mention("analytics*", "blocked", "fraud*"):
        return row._replace(
            code=DiagnosisCode.CARRIER_BLOCKED,
            what="It answered {status}: a network on the way blocked the call.",
            change=(
                "Contest the block at the address that Reason or Call-Info names.",
                "Have the provider sign the calls of this caller number, and check its reputation.",
            ),
            checklist=(),
        )
    return row


def _method(row: Row, refusal: Refusal) -> Row:
    allowed = refusal.value("Allow")
    return row._replace(what=f"{row.what} It takes {allowed}.") if allowed else row


_Refine = Callable[[Row, Refusal], Row]

_REFINE: Final[dict[int, _Refine]] = {
    400: _bad_request,
    401: challenge_row,
    403: forbidden,
    404: not_found,
    405: _method,
    407: challenge_row,
    413: _too_large,
    420: _extension,
    421: _extension,
    422: _session_interval,
    480: _unavailable,
    484: incomplete,
    488: media_refused,
    500: _peer_error,
    501: _method,
    503: _service_unavailable,
    513: _too_large,
    603: _declined,
    604: not_found,
    606: media_refused,
}
