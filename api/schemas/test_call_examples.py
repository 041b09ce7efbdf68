"""What the OpenAPI document shows of test calls."""

from __future__ import annotations

from typing import Any

__all__ = ["ACCEPTED_EXAMPLE", "HANG_UP_EXAMPLE", "STREAM_EXAMPLE", "TEST_CALL_EXAMPLE"]

_CALL_ID = "tc_5sVd9YfMhQ2cUo7NkBz3Tw"

ACCEPTED_EXAMPLE: dict[str, Any] = {"call_id": _CALL_ID, "message": "Test call initiated"}
HANG_UP_EXAMPLE: dict[str, Any] = {"call_id": _CALL_ID, "message": "Hanging up"}


def _line(event: str, second: int, detail: str) -> dict[str, Any]:
    return {"event": event, "at": f"2026-03-09T12:00:0{second}Z", "detail": detail, "data": {}}


def _rung(rung: str, outcome: str, evidence: str, ms: float | None = None) -> dict[str, Any]:
    return {"rung": rung, "outcome": outcome, "evidence": evidence, "ms": ms, "details": {}}


TEST_CALL_EXAMPLE: dict[str, Any] = {
    "call_id": _CALL_ID,
    "phone_number": "+14155550100",
    "trunk_id": "trk_8bKm2QwEr5TyUi0PaSdFgH",
    "status": "completed",
    "result": "connected",
    "duration_seconds": 8,
    "timeline": [
        _line("initiated", 0, "Call initiated"),
        _line("ringing", 1, "Endpoint ringing"),
        _line("answered", 3, "Call answered"),
        _line("completed", 8, "Call ended"),
    ],
    "started_at": "2026-03-09T12:00:00Z",
    "answered_at": "2026-03-09T12:00:03Z",
    "ended_at": "2026-03-09T12:00:08Z",
    "hang_up_requested_at": None,
    "sip_call_id": "b9c1f0e27d5a4e63",
    "sip_code": 200,
    "sip_reason": "OK",
    "failure_reason": None,
    "proof": [
        _rung("dns", "pass", "sip.example.com leads to 1 target.", 12.4),
        _rung("tcp", "skip", "The call went over UDP."),
        _rung("invite", "pass", "The INVITE was answered with 100 Trying.", 21.0),
    ],
    "diagnosis": None,
    "variants": [],
    "retry_of": None,
    "variant": None,
    "setting_to_save": None,
}

STREAM_EXAMPLE = """\
retry: 1000

event: timeline
data: {"event":"initiated","at":"2026-03-09T12:00:00Z","detail":"Call initiated","data":{}}
id: 0-17

"""
