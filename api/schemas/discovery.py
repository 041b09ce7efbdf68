"""Bodies and answers of discovery (contract 4.2 and 4.3)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.validation import RequestModel
from domain.attempt_explanations import explain_beside
from domain.attempts import AttemptOutcome, TlsFacts
from domain.recommendation import Recommendation
from domain.reply_explanations import Explanation
from sip.transports import Transport
from storage.tables import Discovery, DiscoveryAttempt, DiscoveryStatus

__all__ = ["DISCOVERY_EXAMPLE", "AttemptView", "DiscoverRequest", "DiscoveryView"]

MAX_HOST = 1024


class DiscoverRequest(RequestModel):
    """What to discover. ``host`` may be everything that parse-destination reads."""

    model_config = ConfigDict(json_schema_extra={"example": {"host": "sip.example.com"}})

    host: Annotated[
        str, Field(min_length=1, max_length=MAX_HOST, description="Host, address or SIP URI.")
    ]
    port: Annotated[
        int | None,
        Field(ge=1, le=65535, strict=True, description="Default: 5060, 5061 and 5080."),
    ] = None
    transport: Annotated[Transport | None, Field(description="Default: UDP, TCP and TLS.")] = None


class AttemptView(BaseModel):
    """One address, port and transport that was tried.

    Without an answer ``response_code`` and ``response_time_ms`` are null and ``error`` says why;
    ``explanation`` says for every attempt what it means and what to change.
    """

    address: str
    port: int
    transport: Transport
    source: str = Field(description="Why it was tried: naptr, srv, given or default.")
    outcome: str = Field(description="answered, refused, silent, tls_failed, ...")
    response_code: int | None
    response_reason: str | None
    response_time_ms: float | None
    user_agent: str | None = Field(description="Server, or User-Agent without one.")
    error: str | None
    explanation: str
    replied_from: str | None = Field(description="Set when the answer came from elsewhere.")
    codecs: tuple[str, ...] = Field(description="Advertised by the peer, not yet proven.")
    methods: tuple[str, ...]
    tls: TlsFacts | None
    ended_at: AwareDatetime

    @classmethod
    def of(cls, row: DiscoveryAttempt, attempt: AttemptOutcome, words: Explanation) -> Self:
        """The attempt behind a row, with its explanation."""
        reply = attempt.reply
        return cls(
            address=row.address,
            port=row.port,
            transport=attempt.transport,
            source=attempt.source.value,
            outcome=row.outcome,
            response_code=row.response_code,
            response_reason=row.response_reason,
            response_time_ms=row.response_time_ms,
            user_agent=row.user_agent,
            error=None if attempt.answered else words.what,
            explanation=str(words),
            replied_from=attempt.replied_from,
            codecs=reply.codecs if reply is not None else (),
            methods=reply.allow if reply is not None else (),
            tls=attempt.tls,
            ended_at=row.ended_at,
        )


def attempt_views(rows: list[DiscoveryAttempt]) -> list[AttemptView]:
    """All attempts of a discovery, each explained beside the others."""
    attempts = [AttemptOutcome.model_validate(row.details) for row in rows]
    return [
        AttemptView.of(row, attempt, explain_beside(attempt, attempts))
        for row, attempt in zip(rows, attempts, strict=True)
    ]


class DiscoveryFailure(BaseModel):
    """Why a discovery ended without a result."""

    error: str
    message: str


class DiscoveryView(BaseModel):
    """A discovery as it stands. ``recommended`` is provisional while ``running``."""

    discovery_id: str
    status: DiscoveryStatus
    host: str
    port: int | None
    transport: Transport | None
    resolved_addresses: list[str]
    srv_records: list[dict[str, Any]]
    trail: list[dict[str, Any]] = Field(description="Every DNS question with its outcome.")
    attempts: list[AttemptView]
    recommended: Recommendation | None
    failure: DiscoveryFailure | None
    started_at: AwareDatetime
    completed_at: AwareDatetime | None

    @classmethod
    def of(
        cls,
        row: Discovery,
        attempts: list[DiscoveryAttempt],
        recommended: Recommendation | None,
    ) -> Self:
        """The view of a row, its attempts in the order they ended, and a recommendation."""
        failure = None
        if row.error_code is not None:
            failure = DiscoveryFailure(error=row.error_code, message=row.error_message or "")
        return cls(
            discovery_id=row.id,
            status=row.status,
            host=row.host,
            port=row.port,
            transport=Transport(row.transport) if row.transport is not None else None,
            resolved_addresses=row.addresses,
            srv_records=row.srv_records or [],
            trail=row.trail or [],
            attempts=attempt_views(attempts),
            recommended=recommended,
            failure=failure,
            started_at=row.started_at,
            completed_at=row.completed_at,
        )


DISCOVERY_EXAMPLE: dict[str, Any] = {
    "discovery_id": "disc_4fYc3pZk8aQe1LwXo0RtVb",
    "status": "completed",
    "host": "sip.example.com",
    "port": None,
    "transport": "udp",
    "resolved_addresses": ["203.0.113.10"],
    "srv_records": [],
    "trail": [],
    "attempts": [
        {
            "address": "203.0.113.10",
            "port": 5060,
            "transport": "udp",
            "source": "default",
            "outcome": "answered",
            "response_code": 200,
            "response_reason": "OK",
            "response_time_ms": 45.2,
            "user_agent": "Asterisk PBX 20.9.2",
            "error": None,
            "explanation": "OPTIONS was answered with 200 OK.",
            "replied_from": None,
            "codecs": ["PCMU", "PCMA", "G.722"],
            "methods": ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"],
            "tls": None,
            "ended_at": "2026-03-09T12:00:01Z",
        }
    ],
    "recommended": {
        "host": "sip.example.com",
        "address": "203.0.113.10",
        "port": 5060,
        "transport": "udp",
        "announced": False,
        "detected_system": "Asterisk",
        "user_agent": "Asterisk PBX 20.9.2",
        "codecs": ["PCMU", "PCMA", "G.722"],
        "codecs_evidence": "advertised",
        "methods": ["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"],
        "response_code": 200,
        "response_time_ms": 45.2,
        "usable": True,
        "fingerprint": {
            "system": "Asterisk",
            "product": "Asterisk",
            "version": "20.9.2",
            "confidence": 0.9,
            "evidence": ['Server is "Asterisk PBX 20.9.2".'],
            "others": [],
        },
        "tls": None,
        "reason": "UDP port 5060 answers 200 OK. No TLS or TCP port answers.",
        "warnings": ["Signalling over UDP is readable and can be changed on the way."],
    },
    "failure": None,
    "started_at": "2026-03-09T12:00:00Z",
    "completed_at": "2026-03-09T12:00:05Z",
}
"""Shown in OpenAPI; documentation addresses only."""
