"""The trace of a call: its messages, its hosts, its media."""

from __future__ import annotations

from typing import Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.schemas.trace_entries import TraceEntryView
from domain.ladder import Band, Ladder, Remark
from domain.ladder_media import MediaBand, MediaState
from domain.trace import TraceEntry

__all__ = ["TRACE_EXAMPLE", "HostView", "MediaView", "TraceView"]


class HostView(BaseModel):
    """A lifeline of the ladder; the first one is this installation."""

    name: str
    address: str | None = Field(description="Null for this installation.")
    ports: list[int]
    software: str | None = Field(description="Server or User-Agent.")


class MediaView(BaseModel):
    """The media of the call in words."""

    state: MediaState
    title: str
    words: str
    outgoing: str
    incoming: str
    other: list[str]

    @classmethod
    def of(cls, media: MediaBand) -> Self:
        return cls(
            state=media.state,
            title=media.title,
            words=media.words,
            outgoing=media.outgoing,
            incoming=media.incoming,
            other=list(media.other),
        )


TRACE_EXAMPLE: dict[str, Any] = {
    "call_id": "tc_5sVd9YfMhQ2cUo7NkBz3Tw",
    "ended": True,
    "truncated": False,
    "started_at": "2026-03-09T12:00:00.250Z",
    "post_dial_delay_ms": 902.1,
    "setup_ms": 4210.7,
    "hosts": [
        {"name": "Trunkline", "address": None, "ports": [40404], "software": None},
        {
            "name": "sip.example.com",
            "address": "203.0.113.5",
            "ports": [5060],
            "software": "Asterisk PBX 20.9.2",
        },
    ],
    "messages": [
        {
            "index": 0,
            "at": "2026-03-09T12:00:00.250Z",
            "delta_ms": 0.0,
            "elapsed_ms": 0.0,
            "direction": "in",
            "transport": "udp",
            "source": "203.0.113.5:5060",
            "destination": "192.0.2.10:40404",
            "kind": "failure",
            "method": "INVITE",
            "request_uri": None,
            "status": 486,
            "reason": "Busy Here",
            "cseq": 1,
            "call_id": "7f3a@192.0.2.10",
            "summary": '486 Busy Here, Reason: Q.850;cause=17;text="User busy"',
            "sdp": None,
            "note": 'Reason: Q.850;cause=17;text="User busy"',
            "problem": None,
            "headers": [["CSeq", "1 INVITE"], ["Reason", 'Q.850;cause=17;text="User busy"']],
            "body": "",
            "raw": 'SIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\nReason: Q.850;cause=17;text="User busy"\r\n\r\n',
            "retransmission": False,
            "repeats": None,
        }
    ],
    "media": None,
    "remarks": [],
}
"""Shown in OpenAPI; documentation addresses only."""


class TraceView(BaseModel):
    """Every SIP message of a call as it was on the wire, its credentials and keys covered by ``*``."""

    model_config = ConfigDict(json_schema_extra={"example": TRACE_EXAMPLE})

    call_id: str
    ended: bool = Field(description="Whether the call is over, so that nothing will be added.")
    truncated: bool = Field(description="Whether messages beyond the first ones are left out.")
    started_at: AwareDatetime | None = Field(description="When the first message went.")
    post_dial_delay_ms: float | None = Field(description="From the INVITE to the first 18x.")
    setup_ms: float | None = Field(description="From the INVITE to the answer.")
    hosts: list[HostView]
    messages: list[TraceEntryView]
    media: MediaView | None = Field(description="Known when the call has ended.")
    remarks: list[str] = Field(description="What no message shows: targets that were given up.")

    @classmethod
    def of(
        cls,
        call_id: str,
        entries: tuple[TraceEntry, ...],
        ladder: Ladder,
        *,
        ended: bool,
        truncated: bool,
    ) -> Self:
        """The view of a trace and its ladder."""
        band = next((row.media for row in ladder.rows if isinstance(row, Band)), None)
        return cls(
            call_id=call_id,
            ended=ended,
            truncated=truncated,
            started_at=ladder.started_at,
            post_dial_delay_ms=ladder.post_dial_delay_ms,
            setup_ms=ladder.setup_ms,
            hosts=[
                HostView(
                    name=each.name,
                    address=each.address or None,
                    ports=list(each.ports),
                    software=each.software,
                )
                for each in ladder.lifelines
            ],
            messages=[TraceEntryView.of(entry) for entry in entries],
            media=None if band is None else MediaView.of(band),
            remarks=[row.text for row in ladder.rows if isinstance(row, Remark)],
        )
