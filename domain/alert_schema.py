"""The JSON Schema of what webhooks receive, with an example of each event."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.alert_kinds import AlertKind, Severity
from domain.alert_messages import (
    ALERT_MESSAGE,
    AlertEventType,
    AlertLinks,
    AlertMessage,
    digest_of,
    event_of,
    trial_event,
)
from domain.alert_state import Alert, AlertMember

__all__ = ["example_alert", "examples", "schema_document"]

_OPENED = datetime(2026, 3, 9, 12, 5, 10, tzinfo=UTC)
_LINKS = AlertLinks(
    alert="https://trunkline.example.com/v1/sip/alerts/alt_5f2c8d0e9b1a4c3d7e6f8a90",
    dashboard="https://trunkline.example.com/alerts/alt_5f2c8d0e9b1a4c3d7e6f8a90",
)


def example_alert() -> Alert:
    """An outage of a carrier under two trunks."""
    members = tuple(
        AlertMember(
            trunk_id=f"trk_{name.lower()}",
            name=name,
            numbers=numbers,
            since=_OPENED - timedelta(minutes=5, seconds=10),
            endpoints=("sip1.carrier.example",),
            no_route=True,
        )
        for name, numbers in (("Sales", 12), ("Support", 3))
    )
    return Alert(
        alert_id="alt_5f2c8d0e9b1a4c3d7e6f8a90",
        org_id="org_example",
        kind=AlertKind.UNREACHABLE,
        cause="sip1.carrier.example",
        causes=("host:sip1.carrier.example",),
        severity=Severity.CRITICAL,
        opened_at=_OPENED,
        changed_at=_OPENED,
        title="No answer from sip1.carrier.example",
        happened="sip1.carrier.example is down since 2026-03-09 12:00:00 UTC: no answer within 4 s."
        " Concerned: 2 trunks with 15 numbers; no other endpoint works, so calls fail.",
        to_change="Ask the operator of sip1.carrier.example whether it is in service.",
        members=members,
    )


def examples() -> tuple[AlertMessage, ...]:
    """One message of each type."""
    alert = example_alert()
    acknowledged = alert.model_copy(update={"acknowledged_at": _OPENED + timedelta(minutes=3)})
    resolved = acknowledged.model_copy(update={"resolved_at": _OPENED + timedelta(hours=1)})
    return (
        event_of(alert, AlertEventType.OPENED, _OPENED, _LINKS),
        event_of(acknowledged, AlertEventType.UPDATED, _OPENED + timedelta(minutes=3), _LINKS),
        event_of(alert, AlertEventType.REMINDER, _OPENED + timedelta(days=1), _LINKS),
        event_of(resolved, AlertEventType.RESOLVED, _OPENED + timedelta(hours=1), _LINKS),
        trial_event(alert.org_id, _OPENED),
        digest_of([resolved], _OPENED + timedelta(hours=9)),
    )


def schema_document() -> str:
    """``docs/alerts/alert-event.schema.json``, JSON Schema 2020-12, with a newline at its end."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Alert message",
        "description": "The body of an alert webhook. Fields may be added: ignore unknown ones.",
        **ALERT_MESSAGE.json_schema(mode="serialization"),
        "examples": [each.model_dump(mode="json") for each in examples()],
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
