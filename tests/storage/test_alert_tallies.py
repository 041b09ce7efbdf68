"""Calls of real traffic as the failure rate counts them, and recipients that cannot be reached."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.alert_notices import webhook_key
from domain.alert_picture import CallTally, ChannelKind, FailingRecipient
from domain.live_call_story import ANSWER_NOT_SEEN, CANCELLED_UNANSWERED, NO_ANSWER_SEEN
from storage import alert_deliveries
from storage.alert_pictures import picture_of_organization
from storage.engine import Database
from storage.tables import LiveCallRow
from tests.storage.alert_rows import (
    MAIL,
    PHONE,
    a_delivery,
    add_alerting_trunk,
    ended,
    name_recipients,
)
from tests.storage.factories import NOON
from tests.storage.health_rows import rows
from tests.storage.live_rows import a_live_call, write_live

pytestmark = pytest.mark.postgres

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HOOK = "https://hook.example/secret"


async def tallies(database: Database, org_id: str) -> dict[str, CallTally | None]:
    async with database.system() as session:
        found = await picture_of_organization(session, org_id, now=NOON)
    return {each.trunk_id: each.calls for each in found.trunks}


async def failing(database: Database, org_id: str) -> list[FailingRecipient]:
    async with database.tenant(org_id) as session:
        found = await picture_of_organization(session, org_id, now=NOON)
    return list(found.failing)


def over(
    org_id: str, trunk_id: str, code: int | None, minutes: float = 1, **fields: Any
) -> LiveCallRow:
    """A call without an answer that ended so many minutes ago."""
    at = NOON - minutes * MINUTE
    return a_live_call(
        org_id,
        **{
            "at": at,
            "trunk_id": trunk_id,
            "answered_at": None,
            "ended_at": at,
            "sip_code": code,
            "sip_reason": None,
            **fields,
        },
    )


async def test_each_trunk_counts_the_calls_of_its_own_window(
    database: Database, org_id: str
) -> None:
    short = await add_alerting_trunk(
        database, org_id, failure_rate_percent=20, failure_rate_window_minutes=5
    )
    usual = await add_alerting_trunk(database, org_id, failure_rate_percent=20)
    asks_not = await add_alerting_trunk(database, org_id, unreachable_minutes=5)
    quiet = await add_alerting_trunk(database, org_id, failure_rate_percent=1)
    calls = [
        over(org_id, each, code, minutes)
        for each in (short, usual, asks_not)
        for minutes, code in ((1, 503), (4, 486), (6, 503), (29, 500), (31, 500))
    ]
    await write_live(database, calls)
    assert await tallies(database, org_id) == {
        short: CallTally(calls=2, failed=1, top_status=503),
        usual: CallTally(calls=4, failed=3, top_status=503),
        asks_not: None,
        quiet: None,
    }


async def test_only_calls_that_are_over_count_and_answered_ones_never_as_failed(
    database: Database, org_id: str, other_org_id: str
) -> None:
    trunk_id = await add_alerting_trunk(database, org_id, failure_rate_percent=20)
    going_on: dict[str, Any] = {"ended": False, "ended_at": None}
    long = over(org_id, trunk_id, 200, 11 * 60, answered_at=NOON - 11 * HOUR, ended_at=NOON)
    await write_live(
        database,
        [
            long,
            over(org_id, trunk_id, None, answered_at=NOON - MINUTE),
            over(org_id, trunk_id, 500, **going_on),
            over(org_id, trunk_id, 404),
            over(other_org_id, "trk_other", 500),
        ],
    )
    assert await tallies(database, org_id) == {trunk_id: CallTally(calls=3, failed=0)}


@pytest.mark.parametrize(
    ("reason", "counted"),
    [(None, 1), (NO_ANSWER_SEEN, 1), (CANCELLED_UNANSWERED, 0), (ANSWER_NOT_SEEN, 0)],
)
async def test_silence_is_a_failure_unless_the_caller_ended_it_or_the_answer_was_missed(
    database: Database, org_id: str, reason: str | None, counted: int
) -> None:
    trunk_id = await add_alerting_trunk(database, org_id, failure_rate_percent=20)
    calls = [over(org_id, trunk_id, 486), over(org_id, trunk_id, None, sip_reason=reason)]
    await write_live(database, calls)
    assert await tallies(database, org_id) == {
        trunk_id: CallTally(calls=1 + counted, failed=counted)
    }


async def test_who_did_not_get_the_last_message_is_failing_and_named_no_further_than_needed(
    database: Database, org_id: str
) -> None:
    await name_recipients(
        database,
        org_id,
        emails=[MAIL, "other@customer.example"],
        phones=[PHONE],
        webhooks=[{"id": "whk_1", "url": HOOK}],
    )
    lost = [
        a_delivery(org_id),
        a_delivery(org_id, channel="sms", route_key="sms", recipient=PHONE),
        a_delivery(org_id, channel="webhook", route_key="webhook", recipient="whk_1"),
    ]
    for each in lost:
        await ended(database, each, delivered=False, detail="550 no")
    await ended(database, a_delivery(org_id, recipient="other@customer.example"), delivered=True)
    found = await failing(database, org_id)
    assert [(each.channel, each.key, each.label) for each in found] == [
        (ChannelKind.EMAIL, MAIL, "o***@customer.example"),
        (ChannelKind.SMS, PHONE, "the number ending in 0100"),
        (ChannelKind.WEBHOOK, "whk_1", "the webhook whk_1"),
    ]
    assert {(each.since, each.error) for each in found} == {(NOON + timedelta(seconds=1), "550 no")}


async def test_a_message_that_arrives_later_heals_and_one_still_on_its_way_says_nothing(
    database: Database, org_id: str
) -> None:
    await name_recipients(database, org_id, emails=[MAIL])
    await ended(database, a_delivery(org_id), delivered=False)
    async with database.tenant(org_id) as session:
        await alert_deliveries.add(session, [a_delivery(org_id, at=NOON + HOUR)])
    assert len(await failing(database, org_id)) == 1
    await ended(database, a_delivery(org_id, at=NOON + MINUTE), delivered=True)
    assert await failing(database, org_id) == []


async def test_who_is_no_recipient_any_more_is_not_missed(database: Database, org_id: str) -> None:
    others: list[dict[str, Any]] = [
        {},
        {"channel": "sms", "route_key": "sms", "recipient": PHONE},
        {"channel": "webhook", "route_key": "webhook", "recipient": "whk_1"},
    ]
    for fields in others:
        await ended(database, a_delivery(org_id, **fields), delivered=False)
    assert await failing(database, org_id) == []
    await name_recipients(database, org_id, webhooks=[{"id": "whk_2", "url": HOOK}])
    assert await failing(database, org_id) == []


async def test_a_webhook_of_trunks_is_known_by_its_url_and_missed_while_a_trunk_names_it(
    database: Database, org_id: str
) -> None:
    first = await add_alerting_trunk(database, org_id, {"webhook": HOOK})
    second = await add_alerting_trunk(database, org_id, {"webhook": HOOK})
    key = webhook_key(HOOK)
    for trunk_id in (first, second):
        lost = a_delivery(org_id, channel="webhook", route_key=key, recipient=trunk_id)
        await ended(database, lost, delivered=False)
    [found] = await failing(database, org_id)
    assert f"webhook:{found.key}" == key
    assert found.label.startswith("the webhook of the trunk trk_")
    assert HOOK not in found.model_dump_json()
    await rows(
        database,
        """UPDATE trunks SET alerts = jsonb_set(alerts, '{channels,webhook}',
           '"https://hook.example/corrected"') RETURNING 1""",
    )
    assert await failing(database, org_id) == []


async def test_another_organizations_losses_are_not_ours(
    database: Database, org_id: str, other_org_id: str
) -> None:
    for each in (org_id, other_org_id):
        await name_recipients(database, each, emails=[MAIL])
    await ended(database, a_delivery(other_org_id), delivered=False)
    assert await failing(database, org_id) == []
