"""Messages made here: responses to a request, the OPTIONS probe, ACK and CANCEL.

Random parts (tags, branches, Call-IDs) come in as arguments, so that the same input gives the same
bytes. A value with a line break in it is caught by `serialize`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from sip.errors import LocalProtocolError, RemoteProtocolError
from sip.grammar import is_token, shown
from sip.headers import CSeq, NameAddr, Via
from sip.message import Headers, Request, Response
from sip.uri import SipUri

DEFAULT_MAX_FORWARDS: Final = 70  # RFC 3261 section 8.1.1.6

# RFC 3261 section 21 and the IANA registry of SIP response codes.
REASON_PHRASES: Final[dict[int, str]] = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    199: "Early Dialog Terminated",
    200: "OK",
    202: "Accepted",
    204: "No Notification",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    412: "Conditional Request Failed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    417: "Unknown Resource-Priority",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    424: "Bad Location Information",
    425: "Bad Alert Message",
    428: "Use Identity Header",
    429: "Provide Referrer Identity",
    430: "Flow Failed",
    433: "Anonymity Disallowed",
    436: "Bad Identity Info",
    437: "Unsupported Credential",
    438: "Invalid Identity Header",
    439: "First Hop Lacks Outbound Support",
    440: "Max-Breadth Exceeded",
    469: "Bad Info Package",
    470: "Consent Needed",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    494: "Security Agreement Required",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    555: "Push Notification Service Not Supported",
    580: "Precondition Failure",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
    607: "Unwanted",
    608: "Rejected",
}

# Their 1xx and 2xx responses may make a dialog, whose route set is Record-Route (section 12.1.1).
_DIALOG_MAKERS = frozenset({"INVITE", "REFER", "SUBSCRIBE"})
_STAMPED = frozenset({"received", "rport"})
_COPIED = ("Via", "From", "To", "Call-ID", "CSeq")


def reason_phrase(status: int) -> str:
    """Return the registered phrase, for an unregistered code that of its class's x00."""
    return REASON_PHRASES.get(status) or REASON_PHRASES.get(status // 100 * 100, "Unknown")


def response_to(
    request: Request,
    status: int,
    reason: str | None = None,
    *,
    to_tag: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Response:
    """Return the response to `request` (RFC 3261 section 8.2.6), `headers` behind what is copied.

    `to_tag` is added to To unless the request has a tag there or the status is 100. A dialog-making
    1xx or 2xx also copies Record-Route, a 100 copies Timestamp. Fields that the request lacks are
    left out, so it also answers what `parse_refusable` saved.
    Raises LocalProtocolError when `to_tag` is not a token.
    """
    items: list[tuple[str, str]] = []
    for name in _COPIED:
        for value in request.headers.get_all(name):
            if name == "To" and to_tag is not None and status > 100:
                value = _tagged(request, value, to_tag)
            items.append((name, value))
    if 100 < status < 300 and request.method in _DIALOG_MAKERS:
        items += (("Record-Route", value) for value in request.headers.get_all("Record-Route"))
    if status == 100:
        items += (("Timestamp", value) for value in request.headers.get_all("Timestamp"))
    items += headers
    return Response(
        status, reason_phrase(status) if reason is None else reason, Headers(items), body
    )


def _tagged(request: Request, value: str, to_tag: str) -> str:
    if not is_token(to_tag):
        raise LocalProtocolError(f"tag {shown(to_tag)} is not a token")
    try:
        has_tag = request.to.tag is not None
    except RemoteProtocolError:
        has_tag = False
    return value if has_tag else f"{value};tag={to_tag}"


def options_request(
    *,
    target_uri: SipUri,
    from_uri: SipUri,
    from_tag: str,
    call_id: str,
    branch: str,
    cseq: int,
    via_transport: str,
    via_host: str,
    via_port: int | None,
    contact: SipUri,
    user_agent: str,
    to_uri: SipUri | None = None,
    max_forwards: int = DEFAULT_MAX_FORWARDS,
    accept: tuple[str, ...] = ("application/sdp",),
    headers: Iterable[tuple[str, str]] = (),
) -> Request:
    """Return an OPTIONS outside a dialog (RFC 3261 section 11.1), `headers` behind the usual ones.

    The Via asks for `rport` (RFC 3581). `to_uri` defaults to the target without port and
    parameters, which To must not carry (section 19.1.1).
    Raises LocalProtocolError when `from_tag` or `branch` is not a token.
    """
    for token in (from_tag, branch):
        if not is_token(token):
            raise LocalProtocolError(f"{shown(token)} is not a token")
    if to_uri is None:
        to_uri = SipUri(target_uri.scheme, target_uri.host, target_uri.user)
    via = Via(via_transport, via_host, via_port, (("branch", branch), ("rport", None)))
    items = [
        ("Via", str(via)),
        ("Max-Forwards", str(max_forwards)),
        ("From", str(NameAddr(from_uri, None, (("tag", from_tag),)))),
        ("To", f"<{to_uri}>"),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} OPTIONS"),
        ("Contact", f"<{contact}>"),
        ("Accept", ", ".join(accept)),
        ("User-Agent", user_agent),
        *headers,
    ]
    return Request("OPTIONS", target_uri, Headers(items))


def ack_for_non_2xx(invite: Request, response: Response) -> Request:
    """Return the ACK that the client transaction sends for a 300-699 (RFC 3261 section 17.1.1.3)."""
    return _within_transaction(invite, "ACK", response.headers.get("To"))


def cancel_for(invite: Request) -> Request:
    """Return the CANCEL of an INVITE that was answered provisionally (RFC 3261 section 9.1)."""
    return _within_transaction(invite, "CANCEL", invite.headers.get("To"))


def _within_transaction(invite: Request, method: str, to: str | None) -> Request:
    headers = invite.headers
    items = [
        ("Via", str(invite.via)),
        ("Max-Forwards", str(DEFAULT_MAX_FORWARDS)),
        ("From", headers.get("From") or str(invite.from_)),
        ("To", to or str(invite.to)),
        ("Call-ID", invite.call_id),
        ("CSeq", str(CSeq(invite.cseq.number, method))),
    ]
    items += (("Route", value) for value in headers.get_all("Route"))
    return Request(method, invite.uri, Headers(items))


def with_received(request: Request, address: str, port: int) -> Request:
    """Return the request as its receiving transport passes it on (RFC 3261 section 18.2.1).

    The top Via gets `received` when the source address is not its sent-by host or when it asks for
    `rport`, which is then filled in (RFC 3581 section 4).
    """
    via = request.via
    asks = via.param("rport") is not None
    if via.host == address.lower() and not asks:
        return request
    params = [(name, value) for name, value in via.params if name.lower() not in _STAMPED]
    params.append(("received", address))
    if asks:
        params.append(("rport", str(port)))
    stamped = replace(via, params=tuple(params))
    rest = request.headers.without("Via")
    for below in reversed(request.vias[1:]):
        rest = rest.with_added("Via", str(below), front=True)
    return replace(request, headers=rest.with_added("Via", str(stamped), front=True))
