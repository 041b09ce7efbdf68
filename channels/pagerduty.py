"""Alerts to PagerDuty by its Events API v2: one incident per alert."""

from __future__ import annotations

import json
from typing import Final

from channels.base import Delivered, Failed, Receipt, Refused
from channels.http import HttpSender, receipt_of
from domain.alert_messages import AlertDigest, AlertMessage
from domain.alert_services import pagerduty_body

__all__ = ["EVENTS_URL", "PagerDutyChannel"]

EVENTS_URL: Final = "https://events.pagerduty.com/v2/enqueue"


class PagerDutyChannel:
    """Sends events; the recipient is a routing key, 32 characters. ``url`` is the region's."""

    def __init__(self, http: HttpSender, url: str = EVENTS_URL) -> None:
        self._http = http
        self._url = url

    async def send(self, message: AlertMessage, recipient: str) -> Receipt:
        """Send one event. A digest is none: nothing of it is an incident any more."""
        if isinstance(message, AlertDigest):
            return Delivered("not sent: nothing of a digest is open")
        body = json.dumps(pagerduty_body(message, recipient)).encode()
        # A redirect could carry the routing key elsewhere.
        answer = await self._http.post(self._url, body, [("content-type", "application/json")])
        if isinstance(answer, Refused | Failed):
            return answer
        return receipt_of(answer, is_final=True)
