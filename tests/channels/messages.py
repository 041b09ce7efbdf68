"""An alert to send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from domain.alert_messages import AlertDigest, AlertEvent, AlertEventType, digest_of, event_of
from domain.alert_schema import example_alert

__all__ = ["AT", "DIGEST", "OPENED", "RESOLVED"]

AT = datetime(2026, 3, 9, 12, 5, 10, tzinfo=UTC)

OPENED: AlertEvent = event_of(example_alert(), AlertEventType.OPENED, AT)

_OVER = example_alert().model_copy(update={"resolved_at": AT + timedelta(hours=1)})

RESOLVED: AlertEvent = event_of(_OVER, AlertEventType.RESOLVED, AT + timedelta(hours=1))

DIGEST: AlertDigest = digest_of([_OVER], AT + timedelta(hours=9))
