"""PagerDuty, Slack and text messages: what is asked of them, and how their answers are read."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest

from channels.base import Channel, Delivered, Failed, Receipt, Refused
from channels.http import HttpSender
from channels.pagerduty import PagerDutyChannel
from channels.slack import SlackChannel
from channels.sms import SmsChannel, SmsGateway, TwilioAccount, TwilioMessages
from tests.channels.messages import DIGEST, OPENED, RESOLVED
from tests.channels.receivers import Request, answering, hanging, receiver

Make = Callable[..., HttpSender]

ACCOUNT = TwilioAccount("AC" + "a" * 32, "SK" + "b" * 32, "s3cret", "+15005550006")
TO = "+14155552345"


def described(request: Request) -> dict[str, str]:
    """The form of a request that obeys the published description of Messages.json."""
    method, path, _ = request.line.split()
    assert method == "POST"
    assert re.fullmatch(r"/2010-04-01/Accounts/AC[0-9a-fA-F]{32}/Messages\.json", path)
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    form = {name: value for name, [value] in parse_qs(request.body.decode(), True).items()}
    assert set(form) in ({"To", "From", "Body"}, {"To", "MessagingServiceSid", "Body"})
    assert re.fullmatch(r"\+[1-9][0-9]{1,14}", form["To"])
    assert re.fullmatch(r"MG[0-9a-fA-F]{32}", form.get("MessagingServiceSid", "MG" + "0" * 32))
    assert 0 < len(form["Body"]) <= 1600
    scheme, credentials = request.headers["authorization"].split()
    assert scheme == "Basic"
    assert ":" in b64decode(credentials).decode()
    return form


def twilio(http: HttpSender, url: str, account: TwilioAccount = ACCOUNT) -> Channel[str]:
    gateway: SmsGateway = TwilioMessages(http, account, url.removesuffix("/hook"))
    return SmsChannel(gateway)


async def test_a_text_message_is_ordered_as_twilio_describes(address: str, sender: Make) -> None:
    accepted = json.dumps({"sid": "SM" + "c" * 32, "status": "queued"}).encode()
    service = TwilioAccount(ACCOUNT.account_sid, "u", "p", "MG" + "d" * 32)
    async with receiver(address, answering(201, body=accepted)) as api:
        receipt = await twilio(sender(address), api.url()).send(OPENED, TO)
        await twilio(sender(address), api.url(), service).send(RESOLVED, TO)
    assert receipt == Delivered("accepted", "SM" + "c" * 32)
    first, second = (described(each) for each in api.requests)
    assert (first["To"], first["From"]) == (TO, "+15005550006")
    assert first["Body"].startswith("ALERT critical: ")
    assert second["MessagingServiceSid"] == "MG" + "d" * 32
    assert "s3cret" not in repr(ACCOUNT)


@pytest.mark.parametrize(
    ("status", "said", "receipt"),
    [
        (400, {"code": 21211}, Refused("Twilio error 21211: it is not a valid phone number")),
        (
            400,
            {"code": 21610, "message": f"unsubscribed {TO}"},
            Refused(
                "Twilio error 21610: its owner has unsubscribed: START to our number subscribes again"
            ),
        ),
        (429, {"code": 20429, "message": "Too Many"}, Failed("Twilio error 20429: Too Many")),
        (401, {"code": 20003, "message": f"no {TO}"}, Failed("Twilio error 20003: no ***")),
        (500, {"message": 7}, Failed("HTTP 500")),
        (400, ["code"], Failed("HTTP 400")),
        (503, None, Failed("HTTP 503")),
        (201, {"sid": 5}, Delivered("accepted", None)),
    ],
)
async def test_twilios_errors_tell_whether_to_try_again(
    status: int, said: object, receipt: Receipt, address: str, sender: Make
) -> None:
    body = b"[" * 4000 if said is None else json.dumps(said).encode()
    async with receiver(address, answering(status, body=body)) as api:
        assert await twilio(sender(address), api.url()).send(OPENED, TO) == receipt


async def test_a_gateway_that_hangs_is_a_failure(address: str, sender: Make) -> None:
    async with receiver(address, hanging) as api:
        http = sender(address, deadline=0.2)
        assert isinstance(await twilio(http, api.url()).send(OPENED, TO), Failed)
        assert isinstance(await SlackChannel(http).send(OPENED, api.url()), Failed)
        assert isinstance(await PagerDutyChannel(http, api.url()).send(OPENED, "R"), Failed)


async def test_credentials_follow_no_redirect(address: str, sender: Make) -> None:
    async with receiver(address, answering(307, "Location: https://x.example/")) as api:
        assert isinstance(await twilio(sender(address), api.url()).send(OPENED, TO), Failed)
        key = await PagerDutyChannel(sender(address), api.url()).send(OPENED, "R" * 32)
        assert isinstance(key, Refused)
    assert len(api.requests) == 2


async def test_pagerduty_gets_one_event_per_message_and_no_digest(
    address: str, sender: Make
) -> None:
    async with receiver(address, answering(202, body=b"{}")) as api:
        channel: Channel[str] = PagerDutyChannel(sender(address), api.url(path="/v2/enqueue"))
        for message in (OPENED, RESOLVED, DIGEST):
            assert isinstance(await channel.send(message, "R" * 32), Delivered)
    events = [json.loads(each.body) for each in api.requests]
    assert [each["event_action"] for each in events] == ["trigger", "resolve"]
    assert len({each["dedup_key"] for each in events}) == 1


async def test_slack_says_why_it_refuses(address: str, sender: Make) -> None:
    channel: Channel[str] = SlackChannel(sender(address))
    async with receiver(address, answering(200, body=b"ok")) as api:
        assert await channel.send(OPENED, api.url()) == Delivered("HTTP 200")
        assert "blocks" in json.loads(api.requests[0].body)
        api.answer = answering(403, body=b"invalid_token")
        assert await channel.send(DIGEST, api.url()) == Refused("HTTP 403: invalid_token")
        api.answer = answering(400)
        assert await channel.send(OPENED, api.url()) == Refused("HTTP 400")
        api.answer = answering(429)
        assert isinstance(await channel.send(OPENED, api.url()), Failed)
