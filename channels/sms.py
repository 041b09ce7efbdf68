"""Alerts as text messages, through one gateway or another."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode

from channels.base import Delivered, Failed, Receipt, Refused, reason
from channels.http import HttpAnswer, HttpSender, receipt_of
from domain.alert_messages import AlertMessage
from domain.alert_sms import sms_of

__all__ = ["TWILIO_URL", "SmsChannel", "SmsGateway", "TwilioAccount", "TwilioMessages"]

TWILIO_URL: Final = "https://api.twilio.com"

_NOT_THIS_NUMBER: Final = {
    21211: "it is not a valid phone number",
    21214: "the number cannot be reached",
    21217: "it is not a valid phone number",
    21266: "it is the number that the messages come from",
    21408: "the account may not send to this country",
    21610: "its owner has unsubscribed: START to our number subscribes again",
    21612: "the sender cannot reach this number",
    21614: "it is not a mobile number",
}
"""Twilio's error codes for what another attempt would not change, in the words of its error
dictionary's causes. Everything else is worth another attempt: mostly the operator's to correct."""


class SmsGateway(Protocol):
    """Whoever takes text messages to telephones."""

    async def send_text(self, text: str, to: str) -> Receipt:
        """Send a text to an E.164 number."""
        ...


class SmsChannel:
    """Messages shortened to one text; the recipient is an E.164 number."""

    def __init__(self, gateway: SmsGateway) -> None:
        self._gateway = gateway

    async def send(self, message: AlertMessage, recipient: str) -> Receipt:
        return await self._gateway.send_text(sms_of(message), recipient)


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """Where messages are billed. ``user`` and ``password`` are an API key and its secret, or the
    account's SID and its token; ``sender`` is a number in E.164, or a messaging service (``MG...``).
    """

    account_sid: str
    user: str
    password: str = field(repr=False)
    sender: str


class TwilioMessages:
    """Twilio's Messages resource, version 2010-04-01."""

    def __init__(self, http: HttpSender, account: TwilioAccount, url: str = TWILIO_URL) -> None:
        self._http = http
        self._account = account
        self._url = f"{url}/2010-04-01/Accounts/{quote(account.account_sid)}/Messages.json"

    async def send_text(self, text: str, to: str) -> Receipt:
        account = self._account
        is_service = account.sender.startswith("MG")
        sender = "MessagingServiceSid" if is_service else "From"
        body = urlencode({"To": to, sender: account.sender, "Body": text}).encode()
        headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("authorization", _basic(account.user, account.password)),
        ]
        answer = await self._http.post(self._url, body, headers)
        if isinstance(answer, Refused | Failed):
            return answer
        return _receipt(answer, to)


def _receipt(answer: HttpAnswer, to: str) -> Receipt:
    said = _read(answer.body)
    receipt = receipt_of(answer, is_final=False)
    if isinstance(receipt, Delivered):
        sid = said.get("sid")
        return Delivered("accepted", sid[:64] if isinstance(sid, str) else None)
    code = said.get("code")
    if isinstance(code, int) and code in _NOT_THIS_NUMBER:
        return Refused(f"Twilio error {code}: {_NOT_THIS_NUMBER[code]}")
    words = said.get("message")
    text = reason(words, to, to.removeprefix("+")) if isinstance(words, str) else ""
    name = f"Twilio error {code}" if isinstance(code, int) else f"HTTP {answer.status}"
    return Failed(f"{name}: {text}" if text else name, answer.retry_after)


def _read(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _basic(user: str, password: str) -> str:
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"
