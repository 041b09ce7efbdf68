"""Webhooks of the simulated carrier: which are due, how they are signed, whether one is genuine.

A webhook says only which order has news: ``{"carrier_order_id", "sequence", "event"}``. Whoever gets one
asks the carrier. It is signed as Standard Webhooks has it: HMAC-SHA256 over id, timestamp and body, with
a secret in base64 behind ``whsec_``.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from carriers.simulator_script import CLOSED, course
from carriers.simulator_state import Scenario, SimulatedOrder, scenario_of
from channels.webhook import signed_headers
from domain.porting.snapshot import CarrierSnapshot
from domain.webhook_signatures import is_genuine, key_of

__all__ = [
    "CarrierNotice",
    "SimulatedWebhook",
    "WebhookRefused",
    "due_webhooks",
    "headers_of",
    "next_webhook_at",
    "verified",
    "webhooks",
]

MAX_BYTES: Final = 4096
"""Of a body; real ones have a hundred."""

_FORGER: Final = "whsec_" + base64.b64encode(b"somebody who is not the carrier").decode()


class WebhookRefused(Exception):
    """The webhook is not the carrier's, too old, or not understood; ``str`` says which."""


class CarrierNotice(BaseModel):
    """What a webhook says: there is news of this order. ``event`` is a ``CarrierStatus``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    carrier_order_id: str = Field(min_length=1, max_length=100)
    sequence: int = Field(ge=0)
    event: str = Field(max_length=40)


@dataclass(frozen=True, slots=True)
class SimulatedWebhook:
    """One to send at ``at``. Repetitions have the same ``id``; one that is not ``genuine`` is signed by
    somebody else."""

    at: datetime
    id: str
    notice: CarrierNotice
    genuine: bool = True

    @property
    def body(self) -> bytes:
        """What is posted."""
        return json.dumps(self.notice.model_dump(), separators=(",", ":")).encode()


def webhooks(order: SimulatedOrder) -> list[SimulatedWebhook]:
    """All of the order's webhooks in the order in which they are sent, the coming ones as planned now.

    Those that are due stay the same whatever the carrier is told later, so that to count them is
    enough to know which were sent.
    """
    return sorted(_all(order), key=lambda each: each.at)


def due_webhooks(order: SimulatedOrder, now: datetime) -> list[SimulatedWebhook]:
    """Those that are to be sent now and were not yet."""
    return [each for each in webhooks(order)[order.told :] if each.at <= now]


def next_webhook_at(order: SimulatedOrder) -> datetime | None:
    """When the next one is to be sent; ``None`` when none will be."""
    return next((each.at for each in webhooks(order)[order.told :]), None)


def _all(order: SimulatedOrder) -> Iterator[SimulatedWebhook]:
    pictures, scenario = course(order), scenario_of(order)
    if scenario is Scenario.WEBHOOK_LOST:
        return
    if scenario is Scenario.WEBHOOK_REORDERED:
        yield from _reordered(pictures)
        return
    for each in pictures:
        if scenario is Scenario.WEBHOOK_FORGED:
            yield _webhook(each, each.at, genuine=False)
        yield _webhook(each, each.at)
        if scenario is Scenario.WEBHOOK_DUPLICATED:
            yield _webhook(each, each.at)


def _reordered(pictures: Sequence[CarrierSnapshot]) -> Iterator[SimulatedWebhook]:
    waiting: list[CarrierSnapshot] = []
    for each in pictures:
        waiting.append(each)
        # Nothing may follow the end of an order, so it waits for nothing.
        if len(waiting) == 2 or each.status in CLOSED:
            for late in reversed(waiting):
                yield _webhook(late, each.at)
            waiting.clear()


def _webhook(picture: CarrierSnapshot, at: datetime, *, genuine: bool = True) -> SimulatedWebhook:
    notice = CarrierNotice(
        carrier_order_id=picture.carrier_order_id,
        sequence=picture.sequence,
        event=picture.status.value,
    )
    return SimulatedWebhook(
        at, f"msg_{picture.carrier_order_id}_{picture.sequence}", notice, genuine
    )


def headers_of(webhook: SimulatedWebhook, secret: str, now: datetime) -> list[tuple[str, str]]:
    """The headers of one attempt to send it. Raises ``channels.errors.InvalidSecret``."""
    signer = secret if webhook.genuine else _FORGER
    return signed_headers(webhook.id, webhook.body, (signer,), int(now.timestamp()))


def verified(
    headers: Mapping[str, str], body: bytes, secret: str, *, now: datetime
) -> CarrierNotice:
    """What the webhook says, once it is sure that the carrier sent it. Header names in lower case.

    Raises ``WebhookRefused``, and ``InvalidSecret`` when the secret is none.
    """
    if len(body) > MAX_BYTES:
        raise WebhookRefused("the body is too large")
    genuine = is_genuine(
        key_of(secret),
        message_id=headers.get("webhook-id", ""),
        timestamp=headers.get("webhook-timestamp", ""),
        signatures=headers.get("webhook-signature", ""),
        body=body,
        now=now,
    )
    if not genuine:
        raise WebhookRefused("the signature is not the carrier's, or older than five minutes")
    try:
        return CarrierNotice.model_validate_json(body)
    except ValidationError:
        raise WebhookRefused("the body is not a notice of this carrier") from None
