"""A captured SIP message, and what of it tells the course of a call.

Two steps, because most copies of a message need only the first: `heading_of` finds the call and the
transaction, `sighting_of` the facts. Nothing a peer wrote is kept unbounded or unprintable.

Sources: RFC 3261 12 and 17.1.3 (what a message belongs to), RFC 3325 and 5806 and the Remote-Party-ID
draft (who calls), RFC 3326 (Reason), RFC 7315 5.6 (icid-value); X-CID is what exporters of HEP agree on.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from sys import intern
from typing import Final, NamedTuple

from domain.causes import clues_of
from domain.live_call_media import media_of
from domain.live_call_sighting import (
    Address,
    CauseSeen,
    Correlation,
    Parties,
    SeenMessage,
    Sighting,
    SightingKey,
    microseconds_of,
)
from sip.dialog_state import Said
from sip.loose_address import branch_of, tag_of, user_of, users_of
from sip.loose_message import LooseMessage

__all__ = ["MAX_CALL_ID", "Heading", "correlation_of", "heading_of", "sighting_of"]

MAX_CALL_ID: Final = 256
MAX_TAG: Final = 128
MAX_NUMBER: Final = 64
MAX_NUMBERS: Final = 8
MAX_CAUSE: Final = 160

_CALLER: Final = ("P-Asserted-Identity", "Remote-Party-ID", "P-Preferred-Identity", "Diversion")
_NOBODY: Final = frozenset({"anonymous", "restricted", "unavailable", "unknown", "invalid"})
_ICID = re.compile(r"icid-value[ \t]*+=[ \t]*+(?:\"([^\"]++)\"|([^;,\s\"]++))", re.IGNORECASE)
_VENDORS: Final = ("X-", "P-", "x-", "p-")
_TELLING = re.compile(r"hangup|cause|error|reason|disconnect", re.IGNORECASE)


class Heading(NamedTuple):
    """Which call and transaction a message belongs to; ``digest`` stands for its bytes on its way."""

    call_id: str
    at: int
    digest: int
    method: str
    status: int
    cseq: int
    from_tag: str
    to_tag: str
    message: LooseMessage

    @property
    def opens_call(self) -> bool:
        """Whether it is an INVITE outside of any dialog."""
        return self.method == "INVITE" and not self.status and not self.to_tag

    @property
    def changes_call(self) -> bool:
        """Whether it is an INVITE inside a dialog (RFC 3261 14)."""
        return self.method == "INVITE" and not self.status and bool(self.to_tag)

    @property
    def tells(self) -> bool:
        """Whether the course of a call can be seen in it."""
        match self.method:
            case "INVITE":
                return self.status > 100 or self.opens_call
            case "BYE":
                return not self.status or self.status >= 200
            case "CANCEL":
                return not self.status
            case "ACK":
                return bool(self.message.body.strip())
        return False

    def key_on(self, message: SeenMessage) -> SightingKey:
        """The key that its sighting on this way has."""
        return (
            *(message.source, message.destination, self.method),
            *(self.status, self.cseq, self.from_tag, self.to_tag),
        )


def heading_of(message: SeenMessage) -> Heading | None:
    """Where the message belongs; None for what is no SIP or has no usable Call-ID or CSeq."""
    read = LooseMessage.of(message.data)
    call_id = read.first.get("Call-ID", "")
    if read.cseq is None or not call_id.isprintable() or not 0 < len(call_id) <= MAX_CALL_ID:
        return None
    number, numbered = read.cseq
    if read.status is None and read.method is None:
        return None
    return Heading(
        call_id=call_id,
        at=microseconds_of(message.at),
        digest=_digest(message),
        method=_clean(numbered if read.method is None else read.method, MAX_TAG),
        status=read.status or 0,
        cseq=number,
        from_tag=_clean(tag_of(read.first.get("From", "")), MAX_TAG),
        to_tag=_clean(tag_of(read.first.get("To", "")), MAX_TAG),
        message=read,
    )


def correlation_of(message: SeenMessage, heading: Heading) -> Correlation | None:
    """What the message says of another call that it belongs to.

    The exporter's own word comes first, then the Call-ID of the other side in X-CID, then the
    charging identifier that both sides share.
    """
    own = _clean(message.correlation_id or "", MAX_CALL_ID)
    if own and own != heading.call_id:
        return Correlation(0, heading.at, own)
    if not heading.opens_call:
        return None
    headers = heading.message.headers
    other = _clean(headers.get("X-CID") or "", MAX_CALL_ID)
    if other and other != heading.call_id:
        return Correlation(1, heading.at, other)
    charged = _ICID.search((headers.get("P-Charging-Vector") or "")[:1024])
    if charged is None:
        return None
    return Correlation(2, heading.at, _clean(charged[1] or charged[2], MAX_CALL_ID))


def sighting_of(message: SeenMessage, heading: Heading) -> Sighting:
    """The facts of a message that tells something."""
    read = heading.message
    first = read.first
    agent = _clean(first.get("Server") or first.get("User-Agent") or "", MAX_TAG)
    ends = heading.method in ("BYE", "CANCEL") or heading.status >= 300
    described = heading.method in ("INVITE", "ACK") and heading.status < 300
    return Sighting(
        at=heading.at,
        hops=len(read.headers.get_all("Via")) if heading.opens_call else 0,
        digest=heading.digest,
        source=_shared(message.source),
        destination=_shared(message.destination),
        transport=intern(message.transport),
        method=heading.method,
        status=heading.status,
        cseq=heading.cseq,
        from_tag=heading.from_tag,
        to_tag=heading.to_tag,
        branch=_clean(branch_of(first.get("Via", "")), MAX_TAG),
        reason=_clean(read.reason or "", MAX_TAG),
        agent=agent or None,
        parties=_parties(read) if heading.opens_call else None,
        media=media_of(first.get("Content-Type"), read.body) if described else None,
        cause=_cause(read) if ends else None,
    )


def _digest(message: SeenMessage) -> int:
    (host, port), (to_host, to_port) = message.source, message.destination
    way = f"{host} {port} {to_host} {to_port} {message.node}".encode("utf-8", "replace")
    digest = blake2b(message.data, digest_size=8)
    digest.update(way)
    return int.from_bytes(digest.digest(), "big")


@lru_cache(4096)
def _shared(address: Address) -> Address:
    """One object for all messages of an address."""
    return address


def _clean(text: str, limit: int) -> str:
    text = text[:limit]
    if text.isprintable():
        # Peers repeat themselves: a call in memory takes half the room with its words shared.
        return intern(text)
    return "".join(character if character.isprintable() else "?" for character in text)


def _parties(read: LooseMessage) -> Parties:
    headers = read.headers
    from_user = _first(users_of(read.first.get("From", "")))
    to_user = _first(users_of(read.first.get("To", "")))
    request_user = _first((user_of(read.request_uri or ""),))
    named = [
        _clean(user, MAX_NUMBER)
        for name in _CALLER
        if name in read.first
        for value in headers.get_all(name)[:MAX_NUMBERS]
        for user in users_of(value)
    ]
    return Parties(
        from_user=from_user,
        to_user=to_user,
        request_user=request_user,
        callers=_candidates([from_user, *named]),
        callees=_candidates([request_user, to_user]),
    )


def _first(users: tuple[str | None, ...]) -> str | None:
    return next((_clean(user, MAX_NUMBER) for user in users if user), None)


def _candidates(users: list[str | None]) -> tuple[str, ...]:
    told = dict.fromkeys(user for user in users if user and user.lower() not in _NOBODY)
    return tuple(told)[:MAX_NUMBERS]


def _cause(read: LooseMessage) -> CauseSeen | None:
    reasons = read.headers.get_all("Reason") if "Reason" in read.first else ()
    details = tuple(
        pair
        for pair in read.headers.items()
        if pair[0].startswith(_VENDORS) and _TELLING.search(pair[0])
    )
    if not reasons and not details:
        return None
    clues = clues_of(Said(reasons=reasons, details=details))
    told = next(iter(clues.reasons), clues.q850_text or "")
    if not told and clues.q850 is None:
        return None
    return CauseSeen(clues.q850, told[:MAX_CAUSE])
