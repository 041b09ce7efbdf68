"""Webhooks: what is signed, how it is verified, and what becomes of it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.base import Delivered, Failed, Refused
from channels.http import HttpSender
from channels.webhook import (
    InvalidSecret,
    WebhookChannel,
    WebhookRecipient,
    key_of,
    signed_headers,
)
from domain.alert_messages import ALERT_MESSAGE
from tests.channels.messages import OPENED
from tests.channels.receivers import answering, hanging, receiver

Make = Callable[..., HttpSender]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_signature_is_that_of_the_published_example() -> None:
    body = b'{"test": 2432232314}'
    headers = dict(signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", body, (SECRET,), 1614265330))
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["webhook-timestamp"] == "1614265330"


async def test_a_receiver_can_verify_what_it_gets(address: str, sender: Make) -> None:
    now = time.time()
    channel = WebhookChannel(sender(address), clock=lambda: now)
    async with receiver(address, answering(200)) as hook:
        receipt = await channel.send(OPENED, WebhookRecipient(hook.url(), (SECRET,)))
    assert receipt == Delivered("HTTP 200")
    [request] = hook.requests
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-timestamp"] == str(int(now))
    assert ALERT_MESSAGE.validate_json(request.body) == OPENED
    assert request.headers["webhook-id"] == OPENED.id
    signed = f"{OPENED.id}.{int(now)}.".encode() + request.body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    plain = hmac.digest(SECRET.encode(), request.body, hashlib.sha256).hex()
    assert request.headers["x-webhook-signature"] == plain


async def test_after_a_rotation_both_secrets_sign(address: str, sender: Make) -> None:
    newer = "whsec_" + base64.b64encode(b"n" * 32).decode()
    async with receiver(address, answering(200)) as hook:
        recipient = WebhookRecipient(hook.url(), (newer, SECRET))
        await WebhookChannel(sender(address)).send(OPENED, recipient)
    assert len(hook.requests[0].headers["webhook-signature"].split(" ")) == 2


@pytest.mark.parametrize(
    ("answer", "receipt"),
    [
        (answering(410), Refused("HTTP 410: the receiver wants nothing more", gone=True)),
        (answering(500), Failed("HTTP 500")),
        (answering(404), Failed("HTTP 404")),
        (
            answering(302, "Location: https://x.example/"),
            Failed("HTTP 302: a redirect that is not followed; enter the final URL"),
        ),
        (hanging, Failed("no answer within 0.3 s")),
    ],
)
async def test_what_becomes_of_it_is_a_receipt(
    answer: Callable[..., object], receipt: object, address: str, sender: Make
) -> None:
    async with receiver(address, answer) as hook:  # type: ignore[arg-type]
        channel = WebhookChannel(sender(address, deadline=0.3))
        assert await channel.send(OPENED, WebhookRecipient(hook.url(), (SECRET,))) == receipt


@pytest.mark.parametrize("secret_list", [(), ("whsec_",), ("whsec_***",), ("whsec_a",)])
async def test_a_secret_that_cannot_be_read_is_told(
    secret_list: tuple[str, ...], sender: Make
) -> None:
    recipient = WebhookRecipient("https://x.example/", secret_list)
    receipt = await WebhookChannel(sender()).send(OPENED, recipient)
    assert receipt == Refused("the signing secret cannot be read: rotate it")
    assert "***" not in repr(recipient)


@given(st.binary(min_size=1, max_size=64))
def test_both_alphabets_of_base64_are_one_key(key: bytes) -> None:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(key).decode()
        assert key_of(f"whsec_{text}") == key_of(f"whsec_{text.rstrip('=')}") == key


@given(st.text())
def test_any_text_is_a_key_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidSecret):
        assert key_of(text)


def test_the_libraries_of_standard_webhooks_agree() -> None:
    library = pytest.importorskip("standardwebhooks")
    body, now = OPENED.model_dump_json().encode(), int(time.time())
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    headers = dict(signed_headers(OPENED.id, body, (secret,), now))
    said = library.Webhook(secret).verify(body, headers)
    assert said["id"] == OPENED.id
    with pytest.raises(library.WebhookVerificationError):
        library.Webhook(secret).verify(body + b" ", headers)
