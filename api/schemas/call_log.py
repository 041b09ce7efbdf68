"""Calls of the log: in the contract's words (5.4), and what else is known of them."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.call_outcome import CallOutcome, outcome_of
from storage.call_pages import LoggedCall
from storage.tables import LiveCallRow

__all__ = [
    "CALLS_EXAMPLE",
    "CALL_EXAMPLE",
    "CallPage",
    "LoggedCallView",
    "WholeCallView",
]

_LISTED: dict[str, Any] = {
    "call_id": "abc123@sip.example.com",
    "id": "lc_5sVd9YfMhQ2cUo7NkBz3Tw",
    "kind": "live",
    "direction": "outbound",
    "from": "+14150000000",
    "to": "+15105551234",
    "status": "200 OK",
    "sip_code": 200,
    "outcome": "answered",
    "duration_seconds": 45,
    "duration_ms": 45210,
    "post_dial_delay_ms": 1830,
    "started_at": "2026-03-09T11:00:00Z",
    "answered_at": "2026-03-09T11:00:04.120Z",
    "ended_at": "2026-03-09T11:00:49.330Z",
    "source_ip": "192.0.2.20",
    "trunk_id": "trk_9mWc2RzKp0nLq4TbXs7VhE",
    "phone_number": "+14150000000",
    "codecs": ["PCMU"],
    "retransmissions": 0,
    "match": "matched",
}

CALLS_EXAMPLE: dict[str, Any] = {"calls": [_LISTED]}

CALL_EXAMPLE: dict[str, Any] = {
    **_LISTED,
    "details": {
        "state": "ended",
        "status": "200 OK",
        "expired": False,
        "request_user": "+15105551234",
        "transport": "UDP",
        "source": ["192.0.2.20", 5060],
        "destination": ["203.0.113.5", 5060],
        "ringing_at": "2026-03-09T11:00:01.830Z",
        "hung_up_by": "callee",
        "hangup_cause": "Q.850;cause=16",
        "q850": 16,
        "attempts": 1,
        "branches": 1,
        "reinvites": 0,
        "offered_codecs": ["PCMU", "PCMA"],
        "answered_codecs": ["PCMU"],
        "secure_media": False,
        "caller_agent": "Acme PBX 4.2",
        "callee_agent": "Carrier SBC",
    },
    "messages": 14,
    "related": [],
}
"""Shown in OpenAPI; documentation addresses only."""


class LoggedCallView(BaseModel):
    """A call in a list. ``call_id`` is the Call-ID header, ``id`` is unique here."""

    model_config = ConfigDict(populate_by_name=True)

    call_id: str | None = Field(
        description="The Call-ID; null until a test call's INVITE was sent."
    )
    id: str
    kind: Literal["live", "test"] = Field(description="Real traffic, or a test call of ours.")
    direction: str | None = Field(description="Null when nobody's number takes part.")
    from_: str | None = Field(alias="from")
    to: str | None
    status: str = Field(description="Code and reason of the final answer, or how far the call is.")
    sip_code: int | None
    outcome: CallOutcome
    duration_seconds: int = Field(description="From the answer to the end; 0 without an answer.")
    duration_ms: int | None
    post_dial_delay_ms: int | None = Field(description="From the INVITE to the first 18x.")
    started_at: AwareDatetime
    answered_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    source_ip: str | None = Field(description="Who sent the INVITE.")
    trunk_id: str | None
    phone_number: str | None = Field(description="Your number, as it is configured.")
    codecs: list[str] = Field(description="Those of the answer, or of the offer without one.")
    retransmissions: int | None
    match: str = Field(description="`matched`; operators also see `ambiguous` and `unmatched`.")

    @classmethod
    def of(cls, call: LoggedCall) -> Self:
        return cls.model_validate(shown(call))


class CallPage(BaseModel):
    """A page of the log, the newest first; the next one is ``before`` the last ``call_id``."""

    model_config = ConfigDict(json_schema_extra={"example": CALLS_EXAMPLE})

    calls: list[LoggedCallView]


class WholeCallView(LoggedCallView):
    """A call with everything that is known of it beside its messages."""

    details: dict[str, Any] | None = Field(description="Null for a test call: see its own routes.")
    messages: int | None = Field(description="Captured messages, retransmissions among them.")
    related: list[str] = Field(description="Ids of other calls that the exporter ties to this one.")

    @classmethod
    def whole(cls, call: LoggedCall, row: LiveCallRow | None, related: list[LiveCallRow]) -> Self:
        return cls.model_validate(
            {
                **shown(call),
                "details": None if row is None else row.details,
                "messages": None if row is None else row.messages,
                "related": [each.id for each in related],
            }
        )


def shown(call: LoggedCall) -> dict[str, Any]:
    """The fields of a list entry."""
    answered = call.answered_at is not None
    return {
        "call_id": call.sip_call_id,
        "id": call.id,
        "kind": "live" if call.live else "test",
        "direction": call.direction,
        "from": call.from_user,
        "to": call.to_user,
        "status": _status(call),
        "sip_code": call.sip_code,
        "outcome": outcome_of(ended=call.ended, answered=answered, code=call.sip_code),
        "duration_seconds": round((call.duration_ms or 0) / 1000),
        "duration_ms": call.duration_ms,
        "post_dial_delay_ms": call.pdd_ms,
        "started_at": call.started_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "source_ip": call.source_ip,
        "trunk_id": call.trunk_id,
        "phone_number": call.number,
        "codecs": list(call.codecs),
        "retransmissions": call.retransmissions,
        "match": call.match,
    }


def _status(call: LoggedCall) -> str:
    if call.sip_code is not None:
        return f"{call.sip_code} {call.sip_reason or ''}".rstrip()
    if not call.ended:
        return "In progress"
    return call.sip_reason or "No final reply"
