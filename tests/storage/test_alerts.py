"""Alerts as rows: who is due, who decides, what is kept."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from domain.alert_kinds import Severity
from domain.alert_state import Alert
from storage import alert_deliveries, alerts
from storage.engine import Database
from storage.ids import new_id
from tests.api.waiting import eventually
from tests.storage.alert_rows import a_delivery, add_alerting_trunk, an_alert, ended
from tests.storage.factories import NOON
from tests.storage.health_rows import add_trunk, rows

pytestmark = pytest.mark.postgres

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
PRESSING = timedelta(seconds=5)


async def due(database: Database, now: datetime, limit: int = 50) -> list[str]:
    async with database.system() as session:
        return await alerts.due_organizations(
            session, now=now, pressing_since=now - PRESSING, limit=limit
        )


async def decided(
    database: Database, org_id: str, due_at: datetime, *, at: datetime = NOON
) -> None:
    """Let the organization have been decided about."""
    async with database.system() as session:
        assert await alerts.claim(session, org_id, now=at, since=at - SECOND)
        await alerts.note_decided(session, org_id, now=at, due_at=due_at)


async def save(database: Database, org_id: str, *made: Alert) -> None:
    async with database.tenant(org_id) as session:
        await alerts.save(session, made)


async def test_an_organization_is_due_from_its_first_trunk_with_alerts_on(
    database: Database, org_id: str, other_org_id: str
) -> None:
    await add_trunk(database, org_id)
    await add_trunk(database, other_org_id, alerts={"enabled": False})
    assert await due(database, NOON) == []
    await add_alerting_trunk(database, org_id)
    # What says nothing of it is on.
    await add_trunk(database, other_org_id, alerts={})
    assert sorted(await due(database, NOON)) == sorted([org_id, other_org_id])


async def test_an_organization_waits_for_its_time(database: Database, org_id: str) -> None:
    await add_alerting_trunk(database, org_id)
    await decided(database, org_id, NOON + MINUTE)
    assert await due(database, NOON + MINUTE - SECOND) == []
    assert await due(database, NOON + MINUTE) == [org_id]


async def test_an_open_alert_presses_even_when_no_trunk_is_watched_any_more(
    database: Database, org_id: str
) -> None:
    alert = an_alert(org_id)
    await save(database, org_id, alert)
    await decided(database, org_id, NOON + HOUR)
    assert await due(database, NOON + PRESSING - SECOND) == []
    assert await due(database, NOON + PRESSING) == [org_id]
    await save(database, org_id, alert.model_copy(update={"resolved_at": NOON}))
    assert await due(database, NOON + HOUR) == []


async def test_a_trunk_that_is_down_presses(database: Database, org_id: str) -> None:
    trunk_id = await add_alerting_trunk(database, org_id)
    await decided(database, org_id, NOON + HOUR)
    assert await due(database, NOON + PRESSING) == []
    await rows(
        database,
        "INSERT INTO trunk_health (trunk_id, org_id, state) VALUES (:trunk, :org, 'down') RETURNING 1",
        trunk=trunk_id,
        org=org_id,
    )
    assert await due(database, NOON + PRESSING) == [org_id]


async def test_who_waited_longest_comes_first(
    database: Database, org_id: str, other_org_id: str
) -> None:
    for each in (org_id, other_org_id):
        await add_alerting_trunk(database, each)
    await decided(database, org_id, NOON)
    assert await due(database, NOON + HOUR, limit=1) == [other_org_id]
    await decided(database, other_org_id, NOON, at=NOON + SECOND)
    assert await due(database, NOON + HOUR) == [org_id, other_org_id]


async def test_of_two_processes_one_decides(database: Database, org_id: str) -> None:
    await decided(database, org_id, NOON)
    later = NOON + MINUTE
    async with database.system() as first, database.system() as second:
        assert await alerts.claim(first, org_id, now=later, since=later - SECOND)
        # It does not wait for the other one either.
        assert not await alerts.claim(second, org_id, now=later, since=later - SECOND)
        await alerts.note_decided(first, org_id, now=later, due_at=later)
    async with database.system() as session:
        assert not await alerts.claim(session, org_id, now=later, since=later - SECOND)
        assert await alerts.claim(session, org_id, now=later + MINUTE, since=later)


async def test_the_first_decision_is_one_processs_too(database: Database, org_id: str) -> None:
    async def decide(session: object) -> bool:
        async with database.system() as session:
            taken = await alerts.claim(session, org_id, now=NOON, since=NOON - SECOND)
            if taken:
                await alerts.note_decided(session, org_id, now=NOON, due_at=NOON + MINUTE)
        return taken

    assert sorted(await asyncio.gather(*map(decide, range(4)))) == [False, False, False, True]


async def test_an_organization_that_is_gone_is_nobodys_to_decide(database: Database) -> None:
    async with database.system() as session:
        assert not await alerts.claim(session, new_id("org"), now=NOON, since=NOON)


async def test_whoever_changes_alerts_waits_for_who_holds_them(
    database: Database, org_id: str, other_org_id: str
) -> None:
    async def change() -> None:
        async with database.tenant(org_id) as session:
            await alerts.lock(session, org_id)

    async def waiting() -> bool:
        found = await rows(
            database, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        )
        return bool(found)

    async with database.system() as holder, database.system() as other:
        await alerts.lock(holder, org_id)
        await alerts.lock(other, other_org_id)
        changing = asyncio.ensure_future(change())
        await eventually(waiting)
        assert not changing.done()
    await changing


async def test_an_alert_comes_back_whole_in_its_newest_version(
    database: Database, org_id: str
) -> None:
    alert = an_alert(org_id, severity=Severity.WARNING)
    await save(database, org_id, alert)
    worse = alert.model_copy(
        update={"severity": Severity.CRITICAL, "changed_at": NOON + MINUTE, "flaps": 2}
    )
    await save(database, org_id, worse)
    async with database.tenant(org_id) as session:
        assert await alerts.get(session, alert.alert_id) == worse
        assert await alerts.get(session, alert.alert_id, for_update=True) == worse
        assert await alerts.get(session, "alt_none") is None
        await alerts.save(session, [])
    [row] = await rows(database, "SELECT kind, severity, opened_at, changed_at FROM alerts")
    assert tuple(row) == ("unreachable", "critical", NOON, NOON + MINUTE)


async def test_open_alerts_and_those_that_ended_lately_stand(
    database: Database, org_id: str, other_org_id: str
) -> None:
    open_since_long = an_alert(org_id, opened_at=NOON - 90 * 24 * HOUR)
    lately = an_alert(org_id, opened_at=NOON - HOUR, resolved_at=NOON - MINUTE)
    before = an_alert(org_id, opened_at=NOON - HOUR, resolved_at=NOON - HOUR)
    await save(database, org_id, lately, before, open_since_long)
    await save(database, other_org_id, an_alert(other_org_id))
    async with database.system() as session:
        found = await alerts.standing(session, org_id, since=NOON - 10 * MINUTE)
    assert found == [open_since_long, lately]


async def test_alerts_are_read_page_by_page_the_newest_first(
    database: Database, org_id: str
) -> None:
    made = [
        an_alert(org_id, alert_id=f"alt_{n}", opened_at=NOON + n // 2 * MINUTE) for n in range(6)
    ]
    made[3] = made[3].model_copy(update={"resolved_at": NOON + HOUR})
    await save(database, org_id, *made)
    seen: list[str] = []
    async with database.tenant(org_id) as session:
        before = None
        while page := await alerts.page(session, limit=4, before=before):
            seen += [each.alert_id for each in page]
            before = (page[-1].opened_at, page[-1].alert_id)
        still_open = await alerts.page(session, limit=10, is_open=True)
        over = await alerts.page(session, limit=10, is_open=False)
    assert seen == [each.alert_id for each in reversed(made)]
    assert [each.alert_id for each in still_open] == [each for each in seen if each != "alt_3"]
    assert over == [made[3]]


async def test_a_told_alert_leaves_one_entry_of_its_own_stream(
    database: Database, org_id: str
) -> None:
    first, second = an_alert(org_id), an_alert(org_id)
    async with database.system() as session:
        await alerts.tell(session, [first, second])
    found = await rows(database, "SELECT org_id, stream, kind, payload FROM outbox ORDER BY id")
    assert [tuple(each) for each in found] == [
        (org_id, f"alert:{each.alert_id}", "alert_changed", {"alert_id": each.alert_id})
        for each in (first, second)
    ]


async def test_alerts_that_are_long_over_are_forgotten_with_their_messages(
    database: Database, org_id: str
) -> None:
    over = an_alert(org_id, resolved_at=NOON)
    recent = an_alert(org_id, resolved_at=NOON + 2 * HOUR)
    standing = an_alert(org_id)
    await save(database, org_id, over, recent, standing)
    messages = [
        *(a_delivery(org_id, alert_id=each.alert_id) for each in (over, recent, standing)),
        a_delivery(org_id),
        a_delivery(org_id, at=NOON + 2 * HOUR),
    ]
    tried = a_delivery(org_id, alert_id=over.alert_id)
    await ended(database, tried, delivered=True)
    async with database.system() as session:
        await alert_deliveries.add(session, messages)
        await alerts.purge(session, resolved_before=NOON + HOUR)
    async with database.tenant(org_id) as session:
        kept = await alerts.page(session, limit=10)
        left = await alert_deliveries.page(session, limit=10)
        with pytest.raises(RuntimeError):
            await alerts.purge(session, resolved_before=NOON)
    assert {each.alert_id for each in kept} == {recent.alert_id, standing.alert_id}
    assert await rows(database, "SELECT 1 FROM alert_attempts") == []
    assert {each.id for each in left} == {messages[1].id, messages[2].id, messages[4].id}
