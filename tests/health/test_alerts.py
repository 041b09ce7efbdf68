"""Two endpoints under eighty trunks die and come back: one mail and one webhook each time.

The product as processes, a mail server, a webhook's receiver, and the public API.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.activities.health_stage import Peer
from tests.channels.receivers import Receiver, answering, receiver
from tests.health.conftest import INTERVAL
from tests.support.customer import Customer
from tests.support.loopback import LoopbackBlock
from tests.support.mail_server import MailServer, run_mail_server
from tests.support.postgres import TestDatabase
from tests.support.product import Product, open_product
from tests.support.temporal import run_temporal

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.temporal,
    pytest.mark.system,
    # Three good replies ten seconds apart, and a minute in which nothing speaks for the alert.
    pytest.mark.timeout(400),
]

TRUNKS = 80
MAIL = "ops@customer.example"
PATIENCE = 180.0
"""Seconds that a test waits for what takes a minute and a half; a busy machine may need more."""


@dataclass(frozen=True, slots=True)
class Stage:
    """An organization with two carriers, and whoever hears of its alerts."""

    product: Product
    customer: Customer
    carriers: tuple[Peer, Peer]
    mails: MailServer
    hook: Receiver
    secret: str

    def events(self, kind: str) -> list[dict[str, Any]]:
        """What the webhook was told of this type; each request has to verify."""
        webhook = Webhook(self.secret)
        found: list[dict[str, Any]] = []
        for request in self.hook.requests:
            plain = hmac.digest(self.secret.encode(), request.body, hashlib.sha256).hex()
            assert request.headers["x-webhook-signature"] == plain
            event = webhook.verify(request.body, request.headers)
            found += [event] if event["type"] == f"sip.alert.{kind}" else []
        return found


@pytest.fixture
async def stage(
    database_urls: TestDatabase, loopback: LoopbackBlock, tmp_path: Path
) -> AsyncIterator[Stage]:
    """The product has a Temporal of its own: workers of another one would take its tasks."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        first, second = [await enter(Peer(loopback.address())) for _ in range(2)]
        mails = await enter(run_mail_server(loopback.address()))
        hook = await enter(receiver(loopback.address(), answering(200)))
        temporal = await enter(run_temporal(tmp_path / "temporal"))
        product = await enter(
            open_product(
                tmp_path / "product",
                database_urls,
                temporal,
                TRUNKLINE_ALLOWED_NETWORKS=str(loopback.network),
                TRUNKLINE_HEALTH_INTERVAL_SECONDS=str(INTERVAL),
                TRUNKLINE_SMTP_HOST=mails.address,
                TRUNKLINE_SMTP_PORT=str(mails.port),
                TRUNKLINE_SMTP_SECURITY="none",
                TRUNKLINE_SMTP_SENDER="alerts@trunkline.example",
            )
        )
        api, *_ = await asyncio.gather(
            product.start_api(), product.start_worker(), product.start_worker()
        )
        customer = await product.customer(api)
        where = f"/v1/organizations/{customer.org_id}"
        await customer.told(
            "PATCH", where, alert_emails=[MAIL], webhook_endpoints=[{"url": hook.url()}]
        )
        secret = (await customer.told("POST", f"{where}/signing-secret"))["signing_secret"]
        yield Stage(product, customer, (first, second), mails, hook, secret)


async def make_trunks(stage: Stage) -> list[str]:
    """Trunks that call by the first carrier, and by the second one when that fails; their ids."""
    first, second = stage.carriers
    made = [
        await stage.customer.told(
            "POST",
            "/v1/sip/trunks",
            name=f"Trunk {number}",
            direction="outbound",
            sip_endpoint=f"sip:{first.address};transport=udp",
            options={"health_check": {"source": "options"}},
            failover_config={"endpoints": [{"host": second.address, "transport": "udp"}]},
            alert_config={
                "thresholds": {"unreachable_minutes": 0.1},
                "channels": {"email": True, "webhook": True},
            },
        )
        for number in range(TRUNKS)
    ]
    return [each["trunk_id"] for each in made]


async def until(stage: Stage, holds: Callable[[], bool]) -> None:
    """Wait for what a receiver hears. Raises ``TimeoutError``."""
    give_up = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > give_up:
            error = TimeoutError(
                f"{len(stage.mails.taken)} mails, {len(stage.hook.requests)} posts"
            )
            error.add_note(stage.product.logs())
            raise error
        await asyncio.sleep(0.1)


async def healthy(stage: Stage) -> bool:
    """Whether every trunk was seen to work."""
    listed = await stage.customer.told("GET", "/v1/sip/trunks")
    return {each["health_status"] for each in listed["trunks"]} == {"healthy"}


@asynccontextmanager
async def dead(*carriers: Peer) -> AsyncIterator[None]:
    """Nobody listens on the ports of these for as long as the block lasts."""
    for each in carriers:
        each.stop()
    try:
        yield
    finally:
        for each in carriers:
            await each.start()


async def test_an_outage_under_eighty_trunks_is_one_mail_and_one_webhook_and_so_is_its_end(
    stage: Stage,
) -> None:
    trunk_ids = await make_trunks(stage)
    await until_healthy(stage)
    async with dead(*stage.carriers):
        await until(stage, lambda: bool(stage.mails.taken and stage.events("opened")))
        [alert] = (await stage.customer.told("GET", "/v1/sip/alerts?open=true"))["alerts"]
        [opened] = stage.events("opened")
        assert opened["data"]["trunks_total"] == TRUNKS
        assert {each["trunk_id"] for each in opened["data"]["trunks"]} == set(trunk_ids)
        assert all(each["no_route"] for each in opened["data"]["trunks"])
        assert (opened["data"]["kind"], opened["data"]["severity"]) == ("unreachable", "critical")
        assert opened["data"]["alert_id"] == alert["alert_id"]
    await until(stage, lambda: bool(stage.events("resolved") and len(stage.mails.taken) > 1))
    [resolved] = stage.events("resolved")
    assert resolved["data"]["alert_id"] == alert["alert_id"]
    assert resolved["data"]["trunks_total"] == TRUNKS
    # Whatever else were to be told would have been told by now: the workflow ended with its alert.
    subjects = [str(mail["Subject"]).strip() for to, mail in stage.mails.taken if to == MAIL]
    assert [each.startswith("[critical] ") for each in subjects] == [True, True]
    assert ["Resolved: " in each for each in subjects] == [False, True]
    assert len(stage.hook.requests) == 2
    shown = await stage.customer.told("GET", f"/v1/sip/alerts/{alert['alert_id']}")
    assert shown["resolved_at"] is not None
    assert "customer.example" in str(shown)
    assert MAIL not in str(shown)


async def until_healthy(stage: Stage) -> None:
    """Wait until every trunk was seen to work. Raises ``TimeoutError``."""
    give_up = time.monotonic() + PATIENCE
    while not await healthy(stage):
        if time.monotonic() > give_up:
            raise TimeoutError(stage.product.logs())
        await asyncio.sleep(0.5)
