"""What a message tells beside its method or status: what it asks for, why it refuses."""

from __future__ import annotations

from collections.abc import Iterator

from domain.replies import shown
from sip.digest_fields import Challenge, parse_challenges
from sip.errors import RemoteProtocolError
from sip.header_map import Headers

__all__ = ["note_of"]

# What a refusal is about, by status (RFC 3261 section 21, RFC 3329, 4028, 6086).
_NAMING = {
    405: "Allow",
    415: "Accept",
    420: "Unsupported",
    421: "Require",
    422: "Min-SE",
    423: "Min-Expires",
    494: "Security-Server",
}
_MOST_CONTACTS = 3


def note_of(method: str | None, status: int | None, headers: Headers) -> str | None:
    """A line of bounded, printable text; ``None`` when the message says nothing of the kind."""
    said = _response(status, headers) if status is not None else _request(method, headers)
    return shown(" · ".join(text for each in said if (text := shown(each)))) or None


def _request(method: str | None, headers: Headers) -> Iterator[str]:
    if method == "PRACK" and (acknowledged := headers.get("RAck")):
        yield f"RAck {acknowledged}"
    if method == "REFER" and (target := headers.get("Refer-To")):
        yield f"to {target}"
    yield from headers.get_all("Reason")


def _response(status: int, headers: Headers) -> Iterator[str]:
    if status < 200 and (number := headers.get("RSeq")):
        yield f"reliable, RSeq {number}"
    if status in (401, 407):
        yield from _challenges(
            headers, "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
        )
    if 300 <= status < 400:
        yield from headers.get_all("Contact")[:_MOST_CONTACTS]
    naming = _NAMING.get(status)
    if naming is not None and (value := headers.get(naming)):
        yield f"{naming}: {value}"
    if status >= 300:
        yield from (f"Warning: {value}" for value in headers.get_all("Warning"))
        if (delay := headers.get("Retry-After")) is not None:
            yield f"Retry-After: {delay}"
    yield from (f"Reason: {value}" for value in headers.get_all("Reason"))


def _challenges(headers: Headers, name: str) -> Iterator[str]:
    for value in headers.get_all(name):
        try:
            challenges = parse_challenges(value)
        except RemoteProtocolError:
            yield f"{name} unreadable"
            continue
        yield from map(_challenge, challenges)


def _challenge(challenge: Challenge) -> str:
    stale = ", stale nonce" if challenge.stale else ""
    return f'{challenge.offer} for realm "{challenge.realm}"{stale}'
