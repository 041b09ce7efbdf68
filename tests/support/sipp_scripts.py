"""What a SIPp that is called does, step by step, written as a scenario of SIPp's.

Replies to the INVITE are made from what the INVITE said, so that they stay right after other requests
came in between; other replies are made from the last request.
"""

from __future__ import annotations

from enum import StrEnum
from xml.sax.saxutils import quoteattr

__all__ = [
    "DIGEST_PASSWORD",
    "DIGEST_REALM",
    "DIGEST_USER",
    "SERVER",
    "Sdp",
    "answers",
    "asks",
    "challenges",
    "hears",
    "hears_response",
    "invited",
    "jumps_unless_authorized",
    "label",
    "replies",
    "scenario",
    "waits",
]

SERVER = "SIPp/3.6 Trunkline tests"
"""Server of all responses."""

DIGEST_USER = "alice"
DIGEST_PASSWORD = "open sesame"
DIGEST_REALM = "sipp.test"

PHRASES = {
    100: "Trying",
    180: "Ringing",
    183: "Session Progress",
    200: "OK",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    408: "Request Timeout",
    422: "Session Interval Too Small",
    480: "Temporarily Unavailable",
    484: "Address Incomplete",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    500: "Server Internal Error",
    503: "Service Unavailable",
    603: "Decline",
}

_INVITE_FIELDS = {"via": "Via:", "from": "From:", "to": "To:", "cseq": "CSeq:"}
"""Variable and the header field of the INVITE that it keeps."""
_OPTIONAL = ("target", "seen", "authorized")


class Sdp(StrEnum):
    """Session descriptions; media goes to the port where SIPp echoes it."""

    PLAIN = """v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=ptime:20
"""
    ALAW = """v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
"""
    PRIVATE = """v=0
o=- 1 1 IN IP4 10.0.0.5
s=-
c=IN IP4 10.0.0.5
t=0 0
m=audio 6000 RTP/AVP 0
a=rtpmap:0 PCMU/8000
"""


def scenario(name: str, *steps: str) -> str:
    """The file of a scenario."""
    # SIPp refuses a variable that is set and never read, and one that is read and never set.
    kept = [
        *_INVITE_FIELDS,
        *(each for each in _OPTIONAL if f'assign_to="{each}"' in "".join(steps)),
    ]
    return "\n".join(
        [
            '<?xml version="1.0" encoding="ISO-8859-1" ?>',
            f"<scenario name={quoteattr(name)}>",
            *steps,
            f'<Reference variables="{",".join(kept)}"/>',
            "</scenario>",
            "",
        ]
    )


def invited(*, verify: bool = False, header: str | None = None) -> str:
    """Waits for an INVITE, with this header field if one is named, and keeps what replies need.

    With ``verify`` its digest credentials are judged; ``jumps_unless_authorized`` reads the verdict.
    """
    actions = [_keeps(name, field) for name, field in _INVITE_FIELDS.items()]
    actions.append(_keeps("target", "Contact:", "sips?:[^&gt;]+"))
    if header is not None:
        actions.append(_keeps("seen", f"{header}:"))
    if verify:
        actions.append(
            f'<verifyauth assign_to="authorized" username="{DIGEST_USER}" '
            f'password="{DIGEST_PASSWORD}"/>'
        )
    return f'<recv request="INVITE"><action>{"".join(actions)}</action></recv>'


def jumps_unless_authorized(target: str) -> str:
    """Goes on at the label when the credentials of the last INVITE were wrong."""
    return (
        f'<nop next="authorized" test="authorized"/><nop next="{target}"/><label id="authorized"/>'
    )


def label(name: str) -> str:
    """A place to jump to."""
    return f'<label id="{name}"/>'


def hears(method: str) -> str:
    """Waits for this request; any other is unexpected and ends the call as failed."""
    return f'<recv request="{method}"/>'


def hears_response(status: int) -> str:
    """Waits for this response to a request of ``asks``."""
    return f'<recv response="{status}"/>'


def waits(milliseconds: int) -> str:
    """Does nothing; what comes meanwhile is unexpected."""
    return f'<pause milliseconds="{milliseconds}"/>'


def answers(
    status: int, *headers: str, sdp: Sdp | None = None, tag: str = "a", once: bool = False
) -> str:
    """A response to the INVITE; final ones are repeated until the ACK, unless ``once``."""
    lines = (
        f"SIP/2.0 {status} {PHRASES[status]}",
        "Via:[$via]",
        "From:[$from]",
        "To:[$to]" + (f";tag=[call_number]{tag}" if status > 100 else ""),
        "Call-ID: [call_id]",
        "CSeq:[$cseq]",
        *headers,
    )
    return _send(lines, sdp, repeated=status >= 200 and not once)


def challenges(
    status: int = 401, *, nonce: str = "47364c23432d2e131a5fb210812c", extra: str = ""
) -> str:
    """A digest challenge by MD5, and its ACK; ``extra`` are further parameters."""
    field = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    value = f'{field}: Digest realm="{DIGEST_REALM}", nonce="{nonce}", algorithm=MD5, qop="auth"'
    return answers(status, value + extra, tag="challenge") + hears("ACK")


def replies(status: int, *headers: str) -> str:
    """A response to the last request, which is not the INVITE."""
    fields = ("Via", "From", "To", "Call-ID", "CSeq")
    lines = (f"SIP/2.0 {status} {PHRASES[status]}", *(f"[last_{field}:]" for field in fields))
    return _send((*lines, *headers), None, repeated=False)


def asks(method: str, number: int, *headers: str, sdp: Sdp | None = None, tag: str = "a") -> str:
    """A request within the call, numbered ``number``."""
    lines = (
        f"{method} [$target] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "Max-Forwards: 70",
        f"From:[$to];tag=[call_number]{tag}",
        "To:[$from]",
        "Call-ID: [call_id]",
        f"CSeq: {number} {method}",
        *headers,
    )
    return _send(lines, sdp, repeated=method != "ACK")


def _keeps(variable: str, field: str, what: str = ".+") -> str:
    return (
        f'<ereg regexp="{what}" search_in="hdr" header="{field}" check_it="true" '
        f'assign_to="{variable}"/>'
    )


def _send(lines: tuple[str, ...], sdp: Sdp | None, *, repeated: bool) -> str:
    own = (
        f"Server: {SERVER}",
        "Contact: <sip:callee@[local_ip]:[local_port];transport=[transport]>",
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE",
    )
    content = ("Content-Type: application/sdp",) if sdp else ()
    head = "\n".join((*lines, *own, *content, "Content-Length: [len]"))
    retrans = ' retrans="500"' if repeated else ""
    return f"<send{retrans}><![CDATA[\n{head}\n\n{sdp.value if sdp else ''}]]></send>"
