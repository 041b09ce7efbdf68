"""The audit log as the API shows it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, Field

from storage.tables import AuditEntry

__all__ = ["EXAMPLE_AUDIT", "AuditEntryView", "AuditPage"]

EXAMPLE_AUDIT: dict[str, Any] = {
    "entries": [
        {
            "id": 4711,
            "at": "2026-03-09T12:00:00Z",
            "action": "number.attach",
            "actor": {"kind": "api_key", "id": "key_7hWc2RzKp0nLq4TbXs9VmE"},
            "subject": {"kind": "number", "id": "+14155550100"},
            "request_id": "req_4f1c2a90b7d35e6812ac04de",
            "before": None,
            "after": {"direction": "outbound", "trunk_id": "trk_4fYc3pZk8aQe1LwXo0RtVb"},
        }
    ],
    "next_cursor": None,
}


class Party(BaseModel):
    """Who acted, or on what: a kind and an id."""

    kind: str
    id: str | None


class AuditEntryView(BaseModel):
    """One change; ``before`` and ``after`` are the changed fields without secrets."""

    id: int
    at: AwareDatetime
    action: Annotated[str, Field(description="`subject.verb`.")]
    actor: Party
    subject: Party
    request_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditEntryView:
        """The entry as it was recorded."""
        return cls(
            id=entry.id,
            at=entry.at,
            action=entry.action,
            actor=Party(kind=entry.actor_kind, id=entry.actor_id),
            subject=Party(kind=entry.subject_kind, id=entry.subject_id),
            request_id=entry.request_id,
            before=entry.before,
            after=entry.after,
        )


class AuditPage(BaseModel):
    """Changes, the newest first."""

    entries: list[AuditEntryView]
    next_cursor: str | None
