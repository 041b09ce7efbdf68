"""Alerts to webhooks, signed.

Standard Webhooks: ``webhook-id`` (the message's, the same for each attempt), ``webhook-timestamp`` (of
the attempt, Unix seconds) and ``webhook-signature``, a list of ``v1,`` and the base64 of HMAC-SHA256
over ``id.timestamp.body``. Beside it the contract's ``X-Webhook-Signature`` (public contract 8.3): the
hex HMAC-SHA256 of the body alone, with the text of the current secret as its key. Clients compute it
over ``JSON.stringify`` of the parsed body, so the body is written the way that function writes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from channels.base import Failed, Receipt, Refused
from channels.http import MAX_REDIRECTS, HttpSender, receipt_of
from domain.alert_messages import AlertMessage
from domain.webhook_signatures import InvalidSecret, key_of

__all__ = ["InvalidSecret", "WebhookChannel", "WebhookRecipient", "key_of", "signed_headers"]


@dataclass(frozen=True, slots=True)
class WebhookRecipient:
    """A URL, and the secrets that sign what goes there: the current one first, after a rotation the
    one before as well."""

    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


class WebhookChannel:
    """Posts messages as JSON."""

    def __init__(self, http: HttpSender, clock: Callable[[], float] = time.time) -> None:
        self._http = http
        self._clock = clock

    async def send(self, message: AlertMessage, recipient: WebhookRecipient) -> Receipt:
        """Post the message; redirects that keep the method are followed, behind the guard."""
        body = message.model_dump_json().encode()
        try:
            headers = signed_headers(message.id, body, recipient.secrets, int(self._clock()))
        except InvalidSecret:
            return Refused("the signing secret cannot be read: rotate it")
        answer = await self._http.post(recipient.url, body, headers, redirects=MAX_REDIRECTS)
        if isinstance(answer, Refused | Failed):
            return answer
        return receipt_of(answer, is_final=False)


def signed_headers(
    message_id: str, body: bytes, secrets: tuple[str, ...], timestamp: int
) -> list[tuple[str, str]]:
    """The headers of one attempt; ``timestamp`` in Unix seconds. Raises ``InvalidSecret``."""
    if not secrets:
        raise InvalidSecret("there is no signing secret")
    keys = [key_of(each) for each in secrets]
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    signatures = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    return [
        ("content-type", "application/json"),
        ("webhook-id", message_id),
        ("webhook-timestamp", str(timestamp)),
        ("webhook-signature", " ".join(f"v1,{each.decode()}" for each in signatures)),
        ("x-webhook-signature", hmac.digest(secrets[0].encode(), body, hashlib.sha256).hex()),
    ]
