"""A SIP message as traces and live views show it: secrets covered."""

from __future__ import annotations

from typing import Self

from pydantic import AwareDatetime, BaseModel, Field

from domain.trace import EntryKind, TraceEntry

__all__ = ["TraceEntryView"]


class TraceEntryView(BaseModel):
    """One message; see ``domain.trace.TraceEntry``."""

    index: int
    at: AwareDatetime
    delta_ms: float
    elapsed_ms: float
    direction: str
    transport: str
    source: str
    destination: str
    kind: EntryKind
    method: str | None = Field(description="Of the request, or of the one that is answered.")
    request_uri: str | None
    status: int | None
    reason: str | None
    cseq: int | None
    call_id: str | None
    summary: str
    sdp: str | None = Field(description="Codecs and security of a session description.")
    note: str | None = Field(description="What else it tells: realm, Reason, Warning, ...")
    problem: str | None = Field(description="What breaks the grammar of SIP.")
    headers: list[tuple[str, str]]
    body: str
    raw: str
    retransmission: bool
    repeats: int | None = Field(description="Index of the message that it repeats.")

    @classmethod
    def of(cls, entry: TraceEntry) -> Self:
        return cls(
            index=entry.index,
            at=entry.at,
            delta_ms=entry.delta_ms,
            elapsed_ms=entry.elapsed_ms,
            direction=entry.direction.value,
            transport=entry.transport.lower(),
            source=entry.source_text,
            destination=entry.destination_text,
            kind=entry.kind,
            method=entry.method,
            request_uri=entry.request_uri,
            status=entry.status,
            reason=entry.reason,
            cseq=entry.cseq,
            call_id=entry.call_id,
            summary=entry.summary,
            sdp=entry.sdp,
            note=entry.note,
            problem=entry.problem,
            headers=list(entry.header_fields),
            body=entry.body,
            raw=entry.raw,
            retransmission=entry.retransmission,
            repeats=entry.repeats,
        )
