"""What a user agent checks before it acts on a message: refusals (RFC 3261 section 8.2), stray responses."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from sip.build import response_to
from sip.errors import RemoteProtocolError
from sip.headers import split_commas
from sip.message import Request, Response
from sip.salvage import parse_refusable
from sip.uri import SipUri

# Methods in the IANA registry: one of these that is not allowed here is 405, any other 501.
KNOWN_METHODS = frozenset(
    {
        "ACK",
        "BYE",
        "CANCEL",
        "INFO",
        "INVITE",
        "MESSAGE",
        "NOTIFY",
        "OPTIONS",
        "PRACK",
        "PUBLISH",
        "REFER",
        "REGISTER",
        "SUBSCRIBE",
        "UPDATE",
    }
)

_HANDLING_OPTIONAL = re.compile(r";[ \t]*+handling[ \t]*+=[ \t]*+optional\b", re.IGNORECASE)
_ZERO_QVALUE = re.compile(r";[ \t]*+q[ \t]*+=[ \t]*+0(?:\.0*+)?[ \t]*+(?:;|$)", re.IGNORECASE)


def refusal_of(
    request: Request,
    *,
    allowed_methods: Collection[str],
    supported: Collection[str] = (),
    accept: Sequence[str] = ("application/sdp",),
    to_tag: str | None = None,
    merged: bool = False,
) -> Response | None:
    """Return the response that refuses a parsed request, None when it may be acted upon.

    `allowed_methods` are exact, `supported` are option tags, `accept` are the media types of bodies
    that are understood here and, for INVITE, that can be answered with. `merged` says that a
    request with the same `merge_key` is in progress under another branch. `to_tag` goes into To.

    The order is that of RFC 3261 section 8.2: method (405, 501), Request-URI scheme (416), merged
    request (482), Require (420), body (400, 415), and what the peer accepts (406). An ACK is never
    refused. Max-Forwards 0 is no reason: the request has arrived.
    """
    if request.method == "ACK":
        return None

    def refuse(status: int, *headers: tuple[str, str]) -> Response:
        return response_to(request, status, to_tag=to_tag, headers=headers)

    if request.method not in allowed_methods:
        status = 405 if request.method in KNOWN_METHODS else 501
        return refuse(status, ("Allow", ", ".join(allowed_methods)))
    if not isinstance(request.uri, SipUri):
        return refuse(416)
    if request.method == "REGISTER" and not isinstance(request.to.uri, SipUri):
        return refuse(416)
    if merged:
        return refuse(482)
    unsupported = _unsupported(request, supported)
    if unsupported:
        return refuse(420, ("Unsupported", ", ".join(unsupported)))
    if request.body and not _handling_is_optional(request):
        if request.content_type is None:
            return refuse(400)
        if _is_encoded(request):
            return refuse(415, ("Accept-Encoding", "identity"))
        if request.content_type not in accept:
            return refuse(415, ("Accept", ", ".join(accept)))
    if request.method == "INVITE":
        try:
            acceptable = _peer_accepts(request, accept)
        except RemoteProtocolError:
            return refuse(400)
        if not acceptable:
            return refuse(406)
    return None


def _unsupported(request: Request, supported: Collection[str]) -> list[str]:
    # Section 9.1 forbids Require in a CANCEL; refusing it would leave the INVITE ringing.
    if request.method == "CANCEL":
        return []
    known = {tag.lower() for tag in supported}
    return [tag for tag in request.tokens("Require") if tag.lower() not in known]


def _handling_is_optional(request: Request) -> bool:
    disposition = request.headers.get("Content-Disposition")
    return disposition is not None and _HANDLING_OPTIONAL.search(disposition) is not None


def _is_encoded(request: Request) -> bool:
    encodings = request.headers.get_all("Content-Encoding")
    return any(encoding.lower() not in ("", "identity") for encoding in encodings)


def _peer_accepts(request: Request, offered: Sequence[str]) -> bool:
    """Whether the Accept of a request admits any of our media types; without one it is SDP."""
    values = request.headers.get_all("Accept")
    if not values:
        return True
    for media_range in (part for value in values for part in split_commas(value)):
        name = media_range.partition(";")[0].strip(" \t").lower()
        if _ZERO_QVALUE.search(media_range):
            continue
        if name == "*/*" or any(
            name == media_type or name == f"{media_type.partition('/')[0]}/*"
            for media_type in offered
        ):
            return True
    return False


def refusal_of_malformed(
    data: bytes, error: RemoteProtocolError, *, to_tag: str | None = None
) -> Response | None:
    """Return the response to a request that `parse_message` refused with `error`.

    None when nothing can or may be answered: a response, an ACK, or no Via to answer to. The
    reason phrase names the header field at fault.
    """
    request = parse_refusable(data)
    if request is None:
        return None
    reason = f"Bad {error.header}" if error.header and error.status_hint == 400 else None
    return response_to(request, error.status_hint, reason, to_tag=to_tag)


def merge_key(request: Request) -> tuple[str | None, str, int, str] | None:
    """Return what two copies of one request share that came by different paths (section 8.2.2.2).

    None for a request within a dialog, which cannot be merged.
    """
    if request.to.tag is not None:
        return None
    return request.from_.tag, request.call_id, request.cseq.number, request.method


def is_ours(response: Response, sent_by: Collection[tuple[str, int]]) -> bool:
    """Whether a response belongs to a request sent from here (sections 8.1.3.3 and 18.1.2).

    Its only Via must carry one of `sent_by`: host without brackets and port as we put them into
    our Vias, the transport's default port included. Any other response is dropped, never forwarded.
    """
    if len(response.vias) != 1:
        return False
    via = response.via
    port = via.port or (5061 if via.transport == "TLS" else 5060)
    return (via.host, port) in {(host.lower(), number) for host, number in sent_by}
