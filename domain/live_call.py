"""One call of real traffic, as far as captured messages tell it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["HangupSide", "LiveCall", "LiveCallState"]


class LiveCallState(StrEnum):
    """How far a call is."""

    TRYING = "trying"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    ENDED = "ended"


class HangupSide(StrEnum):
    """Who sent the BYE or the CANCEL that ended a call."""

    CALLER = "caller"
    CALLEE = "callee"
    PROXY = "proxy"
    """A server between the two, on its own account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveCall:
    """What is known of a call; moments are those of capture, aware UTC.

    ``correlation_id`` ties it to the other Call-ID of a back-to-back user agent. ``callers`` and
    ``callees`` are the numbers by which its owner is found, likeliest first. ``source`` sent the first
    INVITE, ``destination`` took the last one or answered.

    ``sip_code`` and ``sip_reason`` are those of the final response on the way of the first INVITE; a
    challenge or redirection that the caller may still follow is shown there before the call has ended.
    ``expired``: nothing was heard any more; ``sip_code`` is then None, or 200 without a
    ``duration_ms``, and ``ended_at`` is when the last message was seen.

    ``ringing_at`` is the first 18x there. ``pdd_ms`` is the Session Request Delay of RFC 6076 4.3: from
    the INVITE that was not challenged to the first 18x, or else to the final response, 2xx included.
    ``duration_ms`` is from the 2xx to the BYE. ``q850`` is said by a peer, or by RFC 3398 what the code
    amounts to. ``branches`` are the ends that answered with a tag of their own, beyond 100 Trying.
    """

    sip_call_id: str
    correlation_id: str | None
    state: LiveCallState
    expired: bool
    from_user: str | None
    to_user: str | None
    request_user: str | None
    callers: tuple[str, ...]
    callees: tuple[str, ...]
    transport: str
    source: tuple[str, int]
    destination: tuple[str, int]
    sip_code: int | None
    sip_reason: str | None
    started_at: datetime
    ringing_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    pdd_ms: int | None
    duration_ms: int | None
    hung_up_by: HangupSide | None
    hangup_cause: str | None
    q850: int | None
    messages: int
    retransmissions: int
    attempts: int
    branches: int
    reinvites: int
    offered_codecs: tuple[str, ...]
    answered_codecs: tuple[str, ...]
    secure_media: bool | None
    caller_agent: str | None
    callee_agent: str | None

    @property
    def codec(self) -> str | None:
        """The agreed codec: the first of the answer's."""
        return self.answered_codecs[0] if self.answered_codecs else None

    @property
    def status(self) -> str:
        """Code and reason as the contract writes them (5.4), such as ``486 Busy Here``.

        Before there is a final response, how far the call is; without one at its end, why.
        """
        if self.sip_code is not None:
            return f"{self.sip_code} {self.sip_reason or ''}".rstrip()
        if self.sip_reason is not None:
            return self.sip_reason
        return "Ringing" if self.state is LiveCallState.RINGING else "Trying"

    @property
    def group(self) -> str:
        """What all Call-IDs of the same call share, as far as an exporter says it."""
        return self.correlation_id or self.sip_call_id
