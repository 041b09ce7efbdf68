"""Messages about alerts: found by their workflow, tried until they end, each attempt kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage import alert_deliveries
from storage.alert_deliveries import Attempt
from storage.engine import Database
from storage.tables import AlertDelivery, DeliveryState
from tests.storage.alert_rows import a_delivery, ended
from tests.storage.factories import NOON

pytestmark = pytest.mark.postgres

MINUTE = timedelta(minutes=1)


async def found(database: Database, org_id: str, delivery_id: str) -> AlertDelivery:
    async with database.tenant(org_id) as session:
        delivery = await alert_deliveries.get(session, delivery_id)
    assert delivery is not None
    return delivery


async def test_a_workflow_finds_what_it_has_to_send_the_next_first(
    database: Database, org_id: str
) -> None:
    later = a_delivery(org_id, next_at=NOON + MINUTE)
    sooner = a_delivery(org_id)
    async with database.tenant(org_id) as session:
        await alert_deliveries.add(session, [])
        await alert_deliveries.add(
            session, [later, sooner, a_delivery(org_id, workflow_id="alert:alt_2")]
        )
    await ended(database, a_delivery(org_id), delivered=True)
    async with database.tenant(org_id) as session:
        pending = await alert_deliveries.pending(session, "alert:alt_1")
    assert [each.id for each in pending] == [sooner.id, later.id]


@pytest.mark.parametrize(
    ("delivered", "again", "state", "error"),
    [
        (True, False, DeliveryState.DELIVERED, None),
        (False, True, DeliveryState.PENDING, "HTTP 500"),
        (False, False, DeliveryState.GIVEN_UP, "HTTP 500"),
    ],
)
async def test_an_attempt_says_how_far_the_message_is(
    database: Database,
    org_id: str,
    delivered: bool,
    again: bool,
    state: DeliveryState,
    error: str | None,
) -> None:
    new = a_delivery(org_id)
    next_at = NOON + 2 * MINUTE if again else None
    async with database.tenant(org_id) as session:
        await alert_deliveries.add(session, [new])
    attempt = Attempt(
        at=NOON + MINUTE, delivered=delivered, ms=31, detail="HTTP 500", next_at=next_at
    )
    before = await found(database, org_id, new.id)
    async with database.tenant(org_id) as session:
        assert await alert_deliveries.attempted(session, before, attempt)
    after = await found(database, org_id, new.id)
    assert (after.state, after.attempts, after.next_at) == (state, 1, next_at)
    assert after.last_error == error
    assert after.ended_at == (None if again else NOON + MINUTE)
    async with database.tenant(org_id) as session:
        log = await alert_deliveries.attempts_of(session, [new.id, "dlv_none"], latest=9)
    [row] = log[new.id]
    assert (row.at, row.delivered, row.ms, row.detail) == (
        NOON + MINUTE,
        delivered,
        31,
        "HTTP 500",
    )
    assert log["dlv_none"] == []


async def test_a_message_that_is_over_takes_no_further_attempt(
    database: Database, org_id: str
) -> None:
    new = a_delivery(org_id)
    await ended(database, new, delivered=True)
    row = await found(database, org_id, new.id)
    async with database.tenant(org_id) as session:
        late = Attempt(at=NOON + MINUTE, delivered=False, ms=1, detail="late")
        assert not await alert_deliveries.attempted(session, row, late)
        assert len((await alert_deliveries.attempts_of(session, [new.id], latest=9))[new.id]) == 1
    assert (await found(database, org_id, new.id)).state is DeliveryState.DELIVERED


async def test_what_others_said_can_be_stored(database: Database, org_id: str) -> None:
    new = a_delivery(org_id)
    await ended(database, new, delivered=False, detail="a\x00b\udcff")
    assert (await found(database, org_id, new.id)).last_error == "a\ufffdb\ufffd"
