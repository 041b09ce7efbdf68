"""Webhooks reach real receivers, or their rows say why they did not and when they are tried again."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.contracts import DueDelivery
from domain.alert_messages import ALERT_MESSAGE
from domain.alert_retry import GIVEN_UP_AFTER, QUICK, SLOW
from settings import Settings
from sip.net.guard import AddressGuard
from storage.engine import Database
from storage.secret_box import SecretBox, generate_key
from storage.tables import DeliveryState
from tests.activities.alert_desk import NOW, SECRET, AlertDesk
from tests.channels.receivers import Receiver, answering
from tests.storage.alert_rows import name_recipients
from tests.storage.health_rows import rows

pytestmark = pytest.mark.postgres


def verified(request_headers: dict[str, str], body: bytes, secret: str = SECRET) -> bool:
    """As a receiver does it who knows Standard Webhooks and the contract's own header."""
    signed = f"{request_headers['webhook-id']}.{request_headers['webhook-timestamp']}.".encode()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed + body, hashlib.sha256)).decode()
    plain = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    return (
        request_headers["webhook-signature"] == f"v1,{expected}"
        and request_headers["x-webhook-signature"] == plain
    )


async def test_a_webhook_that_takes_it_is_delivered_and_can_verify_it(
    hooked: AlertDesk, hook: Receiver
) -> None:
    message = await hooked.told(await hooked.alert())
    assert (message.state, message.attempts) == (DeliveryState.DELIVERED, 1)
    assert (message.next_at, message.last_error) == (None, None)
    [request] = hook.requests
    assert verified(request.headers, request.body)
    assert ALERT_MESSAGE.validate_json(request.body).model_dump(mode="json") == message.event
    [attempt] = await hooked.attempts(message)
    assert (attempt.delivered, attempt.detail) == (True, "HTTP 200")
    assert attempt.ms >= 0
    # Whoever is told to send it once more leaves it alone.
    again = await hooked.deliver(message.id)
    assert (again.attempts, len(hook.requests)) == (1, 1)


async def test_a_receiver_that_fails_is_tried_in_two_gears_and_given_up_after_a_day(
    hooked: AlertDesk, hook: Receiver
) -> None:
    hook.answer = answering(500)
    message = await hooked.told(await hooked.alert())
    at, pauses = NOW, list[timedelta]()
    while message.next_at is not None and len(pauses) < 8:
        pauses.append(message.next_at - at)
        at = message.next_at
        message = await hooked.deliver(message.id, at=at)
        assert (message.state, message.last_error) == (DeliveryState.PENDING, "HTTP 500")
    assert pauses == [*QUICK, SLOW, SLOW, SLOW]
    late = message.created_at + GIVEN_UP_AFTER - SLOW + timedelta(seconds=1)
    last = await hooked.deliver(message.id, at=late)
    assert (last.state, last.next_at, last.ended_at) == (DeliveryState.GIVEN_UP, None, late)
    log = await hooked.attempts(last)
    assert len(log) == last.attempts == 10
    # Each attempt is signed anew, and says the same with the same id.
    assert len({each.headers["webhook-id"] for each in hook.requests}) == 1
    assert len({each.body for each in hook.requests}) == 1
    assert all(verified(each.headers, each.body) for each in hook.requests)


async def test_a_receiver_that_recovers_gets_it(hooked: AlertDesk, hook: Receiver) -> None:
    hook.answer = answering(503, "Retry-After: 600")
    message = await hooked.told(await hooked.alert())
    # It asked for more than the first gear's five seconds.
    assert message.next_at == NOW + timedelta(seconds=600)
    hook.answer = answering(204)
    message = await hooked.deliver(message.id, at=message.next_at)
    assert (message.state, message.attempts) == (DeliveryState.DELIVERED, 2)
    assert message.last_error is None


async def test_a_receiver_that_wants_nothing_more_gets_nothing_more(
    hooked: AlertDesk, hook: Receiver
) -> None:
    hook.answer = answering(410)
    message = await hooked.told(await hooked.alert())
    assert (message.state, message.attempts) == (DeliveryState.GIVEN_UP, 1)
    assert message.last_error == "HTTP 410: the receiver wants nothing more"


@pytest.mark.parametrize("where", ["http://10.0.0.1/hook", "https://10.0.0.1/hook"])
async def test_the_address_guard_stands_before_webhooks(
    hooked: AlertDesk, database: Database, where: str
) -> None:
    await name_recipients(database, hooked.org_id, webhooks=[{"id": "whk_1", "url": where}])
    message = await hooked.told(await hooked.alert())
    assert message.state is DeliveryState.GIVEN_UP
    assert message.last_error is not None
    assert "not permitted" in message.last_error


async def test_a_webhook_that_was_removed_meanwhile_gets_nothing(
    hooked: AlertDesk, hook: Receiver, database: Database
) -> None:
    [due] = (await hooked.look(await hooked.alert())).due
    await name_recipients(database, hooked.org_id)
    message = await hooked.deliver(due)
    assert (message.state, hook.requests) == (DeliveryState.GIVEN_UP, [])
    assert message.last_error == "the webhook is configured no longer"


async def test_a_trunks_own_webhook_is_where_the_trunk_says_it_is_now(
    database: Database, settings: Settings, guard: AddressGuard, box: SecretBox, hook: Receiver
) -> None:
    desk = await AlertDesk.of(database, settings, guard, box, {"webhook": "https://192.0.2.1/x"})
    await desk.sign()
    [due] = (await desk.look(await desk.alert())).due
    await rows(
        database,
        "UPDATE trunks SET alerts = jsonb_set(alerts, '{channels,webhook}', to_jsonb(CAST(:url AS text))) "
        "RETURNING 1",
        url=hook.url(),
    )
    assert (await desk.deliver(due)).state is DeliveryState.DELIVERED
    [other] = (await desk.look(await desk.alert(resolved_at=None))).due
    await rows(database, "DELETE FROM trunks RETURNING 1")
    message = await desk.deliver(other)
    assert message.last_error == "the webhook is configured no longer"


async def test_without_a_signing_secret_nothing_is_posted_and_the_row_says_so(
    database: Database, settings: Settings, guard: AddressGuard, box: SecretBox, hook: Receiver
) -> None:
    desk = await AlertDesk.of(database, settings, guard, box, {"webhook": True})
    await name_recipients(database, desk.org_id, webhooks=[{"id": "whk_1", "url": hook.url()}])
    unsigned = await desk.told(await desk.alert())
    assert unsigned.last_error == (
        "there is no signing secret: create one, webhooks are signed with it"
    )
    await desk.sign(box=SecretBox.from_key_ring(generate_key("another")))
    unreadable = await desk.told(await desk.alert())
    assert unreadable.last_error == "the signing secret cannot be read: rotate it"
    assert hook.requests == []


async def test_a_message_of_nobody_is_no_fault(hooked: AlertDesk, database: Database) -> None:
    [due] = (await hooked.look(await hooked.alert())).due
    await rows(database, "DELETE FROM alert_deliveries RETURNING 1")
    gone = DueDelivery(org_id=hooked.org_id, delivery_id=due, now=NOW)
    await ActivityEnvironment().run(hooked.activities.deliver, gone)
    assert await hooked.messages() == []
