"""The facts of a reply to OPTIONS that are kept, bounded, and how good a reply it is.

Source: RFC 3261 11.2 and 21. Many servers answer OPTIONS with a refusal although calls work, so a
refusal proves that SIP is spoken; only 408 and 503 say that no call would be taken now.
"""

from __future__ import annotations

import re
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from domain.codecs import codecs_in_sdp
from sip.message import Response

__all__ = [
    "HEADERS_OF_INTEREST",
    "ReplyGrade",
    "SipReply",
    "grade_of",
    "read_reply",
    "shown",
]

MAX_VALUE = 256  # characters kept of one header value
MAX_TOKENS = 64
MAX_RETRY_AFTER = 7 * 86_400  # seconds; nobody plans maintenance longer than a week

_REALM = re.compile(r'\brealm *= *"([^"\\]*)"', re.IGNORECASE)

# Headers beside Server, User-Agent, Allow, Supported and Accept that tell systems apart.
HEADERS_OF_INTEREST = (
    "allow-events",
    "call-info",
    "cisco-guid",
    "ms-diagnostics",
    "ms-diagnostics-public",
    "reason",
    "x-fs-support",
    "x-twilio-callsid",
    "x-twilio-error",
)


class ReplyGrade(StrEnum):
    """How good a reply to OPTIONS is, best first."""

    ACCEPTED = "accepted"  # 2xx
    CHALLENGED = "challenged"  # 401, 407
    REACHABLE = "reachable"  # another refusal by a server that works
    DEGRADED = "degraded"  # 5xx: routable if there is nothing better
    UNAVAILABLE = "unavailable"  # 408, 503: would take no call now

    @property
    def usable(self) -> bool:
        return self is not ReplyGrade.UNAVAILABLE


class SipReply(BaseModel):
    """The facts kept of a final reply. Every value was bounded when it was read."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    status: int = Field(ge=200, le=699)
    reason: str = ""
    server: str | None = None
    user_agent: str | None = None
    allow: tuple[str, ...] = Field(default=(), description="Methods, in the peer's order.")
    supported: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    codecs: tuple[str, ...] = Field(default=(), description="Advertised in an SDP body.")
    warning: str | None = None
    retry_after: int | None = Field(default=None, ge=0, description="Seconds.")
    realm: str | None = Field(default=None, description="Realm of the first challenge.")
    to_tag: str | None = None
    headers: dict[str, str] = Field(
        default_factory=dict, description="Vendor headers, names in lower case."
    )

    @property
    def banner(self) -> str | None:
        """What the peer calls itself: Server belongs to replies, User-Agent is seen in them."""
        return self.server or self.user_agent

    @property
    def grade(self) -> ReplyGrade:
        return grade_of(self.status)


def read_reply(response: Response) -> SipReply:
    """The facts of a parsed final response; never raises for what a peer sent in it.

    A provisional response is a ValidationError: it is the caller's to wait for the final one.
    """
    challenge = _first(response, "WWW-Authenticate") or _first(response, "Proxy-Authenticate")
    realm = _REALM.search(challenge) if challenge else None
    is_sdp = response.content_type == "application/sdp"
    return SipReply(
        status=response.status,
        reason=shown(response.reason),
        server=_first(response, "Server"),
        user_agent=_first(response, "User-Agent"),
        allow=tuple(method.upper() for method in _tokens(response, "Allow")),
        supported=_tokens(response, "Supported"),
        accept=_tokens(response, "Accept"),
        codecs=codecs_in_sdp(response.text_body) if is_sdp else (),
        warning=_first(response, "Warning"),
        retry_after=_retry_after(_first(response, "Retry-After")),
        realm=realm[1] or None if realm else None,
        to_tag=shown(response.to.tag) if response.to.tag else None,
        headers={
            name: text
            for name in HEADERS_OF_INTEREST
            if (text := _first(response, name)) is not None
        },
    )


def shown(text: str) -> str:
    """A peer's text as it may be stored and shown: one bounded line of printable characters."""
    line = " ".join(text[: 4 * MAX_VALUE].split())
    return "".join(c if c.isprintable() else "?" for c in line[:MAX_VALUE])


def _first(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return shown(value) or None if value is not None else None


def _tokens(response: Response, name: str) -> tuple[str, ...]:
    """Items of a comma-separated list over all header fields, without parameters, each once."""
    tokens: dict[str, None] = {}
    for value in response.headers.get_all(name):
        for item in value.split(","):
            token = shown(item.partition(";")[0])
            if token:
                tokens.setdefault(token)
            if len(tokens) == MAX_TOKENS:
                return tuple(tokens)
    return tuple(tokens)


def _retry_after(text: str | None) -> int | None:
    """Seconds of a Retry-After, which may carry a comment and parameters (RFC 3261 20.33)."""
    digits = (text or "").partition(";")[0].partition("(")[0].strip()
    if not (digits.isascii() and digits.isdigit()):
        return None
    return min(int(digits[:9]), MAX_RETRY_AFTER)


def grade_of(status: int) -> ReplyGrade:
    """Grade of a final status, 200 to 699."""
    if status < 300:
        return ReplyGrade.ACCEPTED
    if status in (401, 407):
        return ReplyGrade.CHALLENGED
    if status in (408, 503):
        return ReplyGrade.UNAVAILABLE
    if 500 <= status < 600 and status != 501:
        return ReplyGrade.DEGRADED
    return ReplyGrade.REACHABLE
