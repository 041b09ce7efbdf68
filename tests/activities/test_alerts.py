"""What is to be told of an alert becomes messages, each once, however often somebody looks."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from activities.contracts import AlertWork
from domain.alert_kinds import AlertKind, Severity
from domain.alert_messages import ALERT_MESSAGE, AlertDigest, AlertEvent
from domain.alert_state import Alert
from settings import Settings
from sip.net.guard import AddressGuard
from storage import alert_deliveries
from storage.engine import Database
from storage.secret_box import SecretBox
from storage.tables import DeliveryState
from tests.activities.alert_desk import NOW, AlertDesk, quiet_around
from tests.storage.alert_rows import MAIL, PHONE, a_delivery, ended, name_recipients
from tests.storage.factories import add_organization
from tests.storage.health_rows import rows

pytestmark = pytest.mark.postgres

OTHER = "other@customer.example"
SOON, HOUR = timedelta(minutes=5), timedelta(hours=1)
HOOKS = [{"id": "whk_1", "url": "https://hook.example/secret"}]


@pytest.fixture
async def desk(
    database: Database, settings: Settings, guard: AddressGuard, box: SecretBox
) -> AlertDesk:
    """Alerts go to two people by mail."""
    made = await AlertDesk.of(database, settings, guard, box, {"email": True})
    await name_recipients(database, made.org_id, emails=[MAIL, OTHER])
    return made


async def test_each_recipient_of_each_channel_gets_a_message_of_its_own(
    database: Database, settings: Settings, guard: AddressGuard, box: SecretBox
) -> None:
    every = {"email": True, "sms": True, "webhook": True}
    desk = await AlertDesk.of(database, settings, guard, box, every)
    await name_recipients(
        database, desk.org_id, emails=[MAIL, OTHER], phones=[PHONE], webhooks=HOOKS
    )
    alert = await desk.alert()
    work = await desk.look(alert)
    made = await desk.messages()
    assert {(each.channel.value, each.route_key, each.recipient) for each in made} == {
        ("email", "email", MAIL),
        ("email", "email", OTHER),
        ("sms", "sms", PHONE),
        ("webhook", "webhook", "whk_1"),
    }
    assert {(each.notice, each.state, each.alert_id) for each in made} == {
        ("opened", DeliveryState.PENDING, alert.alert_id)
    }
    assert sorted(work.due) == sorted(each.id for each in made)
    # One event, whoever is told of it.
    [event] = {ALERT_MESSAGE.validate_python(each.event) for each in made}
    assert isinstance(event, AlertEvent)
    assert event.data.alert_id == alert.alert_id


async def test_a_message_is_written_once_however_often_and_at_once_somebody_looks(
    desk: AlertDesk,
) -> None:
    alert = await desk.alert()
    looks = await asyncio.gather(*(desk.look(alert) for _ in range(6)))
    due = {tuple(sorted(each.due)) for each in looks}
    assert due == {tuple(sorted(each.id for each in await desk.messages()))}
    assert len(await desk.messages()) == 2
    [told] = (await desk.kept(alert)).told
    assert told.opened_at is not None


async def test_what_a_trunk_names_itself_is_known_by_the_trunk_and_no_row_holds_its_url(
    database: Database, settings: Settings, guard: AddressGuard, box: SecretBox
) -> None:
    secret = "https://hook.example/T000/B000/XXXX"
    desk = await AlertDesk.of(database, settings, guard, box, {"webhook": secret})
    alert = await desk.alert()
    await desk.look(alert)
    [message] = await desk.messages()
    assert message.recipient == desk.trunk_id
    found = await rows(
        database,
        "SELECT to_jsonb(d)::text || to_jsonb(a)::text AS all FROM alert_deliveries d, alerts a",
    )
    assert [each for each in found if "XXXX" in each.all] == []


async def test_the_end_of_an_alert_is_told_and_the_end_of_everything(desk: AlertDesk) -> None:
    alert = await desk.alert()
    opened = (await desk.look(alert)).due
    for each in await desk.messages():
        await finish(desk, each.id)
    still_open = await desk.look(alert)
    # A reminder is due in a day.
    assert (still_open.due, still_open.over) == ((), False)
    assert still_open.wake_at == NOW + 24 * HOUR
    await desk.change(alert, resolved_at=NOW + SOON)
    closing = await desk.look(alert, at=NOW + SOON)
    assert len(closing.due) == 2
    assert set(closing.due).isdisjoint(opened)
    assert not closing.over
    for due in closing.due:
        await finish(desk, due)
    assert await desk.look(alert, at=NOW + SOON) == AlertWork(over=True)
    assert [each.notice for each in await desk.messages()] == ["opened"] * 2 + ["resolved"] * 2


async def finish(desk: AlertDesk, delivery_id: str) -> None:
    """Let a message have arrived."""
    await rows(
        desk.database,
        "UPDATE alert_deliveries SET state = 'delivered', next_at = NULL WHERE id = :id RETURNING 1",
        id=delivery_id,
    )


async def test_a_message_that_is_to_be_repeated_later_is_waited_for(desk: AlertDesk) -> None:
    alert = await desk.alert()
    first, second = (await desk.look(alert)).due
    await rows(
        desk.database,
        "UPDATE alert_deliveries SET next_at = :at WHERE id = :id RETURNING 1",
        id=first,
        at=NOW + HOUR,
    )
    work = await desk.look(alert)
    assert (work.due, work.wake_at) == ((second,), NOW + HOUR)
    assert first in (await desk.look(alert, at=NOW + HOUR)).due


async def test_quiet_hours_are_waited_for_unless_it_is_critical(desk: AlertDesk) -> None:
    await desk.keep_quiet(quiet_around(NOW))
    alert = await desk.alert(severity=Severity.WARNING)
    work = await desk.look(alert)
    assert work == AlertWork(wake_at=NOW + 2 * HOUR)
    assert await desk.messages() == []
    assert len((await desk.look(await desk.alert(severity=Severity.CRITICAL))).due) == 2
    # It was still open in the morning.
    assert len((await desk.look(alert, at=NOW + 2 * HOUR)).due) == 2


async def test_quiet_hours_that_cannot_be_read_are_none(desk: AlertDesk) -> None:
    await desk.keep_quiet({**quiet_around(NOW), "zone": "Mars/Olympus"})
    assert len((await desk.look(await desk.alert(severity=Severity.WARNING))).due) == 2


async def test_a_night_is_one_message_in_the_morning(desk: AlertDesk) -> None:
    await desk.keep_quiet(quiet_around(NOW))
    night = [
        await desk.alert(severity=Severity.WARNING, resolved_at=NOW + minutes * SOON)
        for minutes in range(1, 5)
    ]
    open_still = await desk.alert(severity=Severity.WARNING)
    for each in night:
        assert (await desk.look(each, at=NOW + HOUR)).wake_at == NOW + 2 * HOUR
    morning = NOW + 2 * HOUR
    works = await asyncio.gather(*(desk.look(each, at=morning) for each in night))
    digests = [each for each in await desk.messages() if each.notice == "digest"]
    assert sorted(message.recipient for message in digests) == sorted([MAIL, OTHER])
    for message in digests:
        digest = ALERT_MESSAGE.validate_python(message.event)
        assert isinstance(digest, AlertDigest)
        assert {line.alert_id for line in digest.data.alerts} == {one.alert_id for one in night}
        assert digest.data.alerts_total == 4
    # Only the workflow that wrote it has something to send, the others are over.
    assert sorted(len(each.due) for each in works) == [0, 0, 0, 2]
    assert sorted(each.over for each in works) == [False, True, True, True]
    assert len((await desk.look(open_still, at=morning)).due) == 2


async def test_an_alert_that_is_gone_is_over(desk: AlertDesk, database: Database) -> None:
    alert = await desk.alert()
    await rows(database, "DELETE FROM alerts RETURNING 1")
    assert await desk.look(alert) == AlertWork(over=True)
    desk.org_id = await add_organization(database, "Other")
    assert await desk.look(alert) == AlertWork(over=True)


async def test_a_trial_is_its_messages(desk: AlertDesk, database: Database) -> None:
    alert = await desk.alert()
    trial = f"alert:{alert.alert_id}"
    assert await desk.look(alert, trial=True) == AlertWork(over=True)
    async with database.tenant(desk.org_id) as session:
        new = a_delivery(desk.org_id, at=NOW, workflow_id=trial, notice="test")
        await alert_deliveries.add(session, [new])
    assert await desk.look(alert, trial=True) == AlertWork(due=(new.id,))
    await finish(desk, new.id)
    assert await desk.look(alert, trial=True) == AlertWork(over=True)


async def test_another_organizations_alert_is_none(desk: AlertDesk, database: Database) -> None:
    alert = await desk.alert()
    stranger = AlertDesk(
        database,
        await add_organization(database, "Other"),
        desk.trunk_id,
        desk.activities,
        desk.box,
    )
    assert await stranger.look(alert) == AlertWork(over=True)
    assert await desk.messages() == []


async def test_that_alerts_do_not_arrive_is_told_to_whom_they_do(
    desk: AlertDesk, database: Database
) -> None:
    lost = a_delivery(desk.org_id, recipient=OTHER, at=NOW - HOUR)
    await ended(database, lost, delivered=False)
    alert: Alert = await desk.alert(kind=AlertKind.ALERTING_BROKEN, members=())
    assert len((await desk.look(alert)).due) == 2
    await name_recipients(database, desk.org_id, emails=[OTHER])
    assert (await desk.look(await desk.alert(kind=AlertKind.ALERTING_BROKEN, members=()))).due == ()
