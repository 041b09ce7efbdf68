"""Alerts to a Slack channel by an incoming webhook."""

from __future__ import annotations

import json

from channels.base import Failed, Receipt, Refused, reason
from channels.http import HttpSender, receipt_of
from domain.alert_messages import AlertMessage
from domain.alert_services import slack_body

__all__ = ["SlackChannel"]


class SlackChannel:
    """Posts blocks; the recipient is the webhook's URL, which is a secret."""

    def __init__(self, http: HttpSender) -> None:
        self._http = http

    async def send(self, message: AlertMessage, recipient: str) -> Receipt:
        """Post one message. Slack's word for a refusal, like ``invalid_payload``, is kept."""
        body = json.dumps(slack_body(message)).encode()
        answer = await self._http.post(recipient, body, [("content-type", "application/json")])
        if isinstance(answer, Refused | Failed):
            return answer
        receipt = receipt_of(answer, is_final=True)
        if isinstance(receipt, Refused):
            said = reason(answer.body.decode("utf-8", "replace"))
            return Refused(f"{receipt.reason}: {said}" if said else receipt.reason, receipt.gone)
        return receipt
