"""Decisions about alerts: one cause is one alert and one entry of the outbox, whoever decides."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from domain.alert_kinds import AlertKind, Severity
from domain.health_observation import HealthState
from observability.logs import configure_logging
from storage import alerts
from storage.engine import Database
from storage.errors import DatabaseUnavailable
from storage.tables import ProcessKind
from tests.storage.alert_rows import MAIL, add_alerting_trunk, an_alert, name_recipients
from tests.storage.factories import add_organization
from tests.storage.health_rows import rows
from tests.support.postgres import TestDatabase
from tests.upkeep.outages import CARRIERS, Outage
from upkeep.alerts import ALERTS_KEPT, decide_alerts
from upkeep.passes import passes_of, this_process

pytestmark = pytest.mark.postgres

DOWN, HEALTHY = HealthState.DOWN, HealthState.HEALTHY


@pytest.fixture
async def org_id(database: Database) -> str:
    """An organization that can be told."""
    made = await add_organization(database)
    await name_recipients(database, made, emails=[MAIL])
    return made


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the product logs."""
    stream = io.StringIO()
    configure_logging(level="info", stream=stream)
    yield stream
    configure_logging()


async def test_two_carriers_under_eighty_trunks_are_one_alert_and_one_entry(
    database: Database, org_id: str
) -> None:
    outage = await Outage.under(database, org_id, 80)
    assert await outage.after(seconds=0) == 1
    await outage.everything(DOWN)
    assert await outage.after(seconds=5) == 1
    assert await outage.alerts() == []
    # The threshold of a tenth of a minute, and then the others of the cause are waited for.
    for _ in range(6):
        await outage.after(seconds=5)
    [alert] = await outage.alerts()
    assert (alert.kind, alert.severity) == (AlertKind.UNREACHABLE, Severity.CRITICAL)
    assert len(alert.active_members) == 80
    assert all(each.no_route and len(each.endpoints) == 2 for each in alert.members)
    assert await outage.told() == [alert.alert_id]


async def test_an_organization_is_asked_again_when_something_may_count(
    database: Database, org_id: str
) -> None:
    outage = await Outage.under(database, org_id, 2)
    # The trunks still work by their other carrier, so nothing presses.
    await outage.saw(CARRIERS[0], DOWN)
    began = outage.now
    await outage.after(seconds=0)
    looks = 0
    while not await outage.alerts():
        [row] = await rows(database, "SELECT due_at FROM alert_watch")
        outage.now = row.due_at
        assert await outage.after(seconds=0) == 1
        looks += 1
    assert timedelta(seconds=6) <= outage.now - began <= timedelta(seconds=20)
    assert looks <= 3
    assert (await outage.alerts())[0].severity is Severity.WARNING


async def test_an_outage_is_over_when_it_stayed_over_and_told_once(
    database: Database, org_id: str
) -> None:
    outage = await Outage.under(database, org_id, 3)
    await outage.everything(DOWN)
    await outage.after(seconds=30)
    [opened] = await outage.told()
    await outage.everything(HEALTHY)
    await outage.after(seconds=5)
    # Nothing speaks for it any more, which has to last.
    assert (await outage.alerts())[0].is_open
    for _ in range(15):
        await outage.after(seconds=5)
    [alert] = await outage.alerts()
    assert not alert.is_open
    assert set(await outage.told()) == {opened}
    entries = len(await outage.told())
    for _ in range(3):
        await outage.after(minutes=2)
    assert len(await outage.told()) == entries


async def test_two_processes_decide_once(
    database: Database, database_urls: TestDatabase, org_id: str
) -> None:
    outage = await Outage.under(database, org_id, 5)
    await outage.everything(DOWN)
    outage.now += timedelta(seconds=30)
    other = Database(database_urls.app_url)
    try:
        await asyncio.gather(
            *(decide_alerts(each, lambda: outage.now) for each in (database, other) * 3)
        )
    finally:
        await other.dispose()
    [alert] = await outage.alerts()
    assert await outage.told() == [alert.alert_id]


async def test_whoever_repeats_a_decision_that_was_lost_names_the_same_alert(
    database: Database, org_id: str
) -> None:
    outage = await Outage.under(database, org_id, 2)
    await outage.everything(DOWN)
    await outage.after(seconds=30)
    [first] = await outage.alerts()
    for table in ("alerts", "alert_watch", "outbox"):
        await rows(database, f"DELETE FROM {table} RETURNING 1")
    await outage.after(seconds=0)
    assert await outage.alerts() == [first]
    assert await outage.told() == [first.alert_id]


async def test_organizations_have_alerts_of_their_own_about_one_carrier(
    database: Database, org_id: str
) -> None:
    other = await add_organization(database, "Other")
    await name_recipients(database, other, emails=[MAIL])
    ours = await Outage.under(database, org_id, 2)
    theirs = await Outage.under(database, other, 2)
    await ours.everything(DOWN)
    assert await ours.after(seconds=30) == 2
    [first], [second] = await ours.alerts(), await theirs.alerts()
    assert first.alert_id != second.alert_id
    assert {first.org_id, second.org_id} == {org_id, other}


async def test_an_organization_that_cannot_be_decided_about_keeps_no_other_waiting(
    database: Database, org_id: str, log: io.StringIO
) -> None:
    broken = await add_organization(database, "Broken")
    await add_alerting_trunk(database, broken)
    await rows(
        database,
        """UPDATE trunks SET alerts = '{"channels": {"webhook": ["https://hook.example/secret"]}}'
           WHERE org_id = :org RETURNING 1""",
        org=broken,
    )
    outage = await Outage.under(database, org_id, 2)
    await outage.everything(DOWN)
    assert await outage.after(seconds=30) == 2
    assert len(await outage.alerts()) == 1
    [said] = [each for each in map(json.loads, log.getvalue().splitlines()) if "reason" in each]
    assert said["org_id"] == broken
    assert said["reason"].startswith("ValidationError in alert_pictures.py")
    assert "secret" not in log.getvalue()
    # It is not asked for again at once, and it is asked for again.
    assert await outage.after(seconds=2) == 0
    assert await outage.after(seconds=120) == 2


async def test_a_database_that_is_away_is_no_fault_of_an_organization(
    database: Database, org_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("gone")

    outage = await Outage.under(database, org_id, 1)
    monkeypatch.setattr("upkeep.alerts.picture_of_organization", away)
    with pytest.raises(DatabaseUnavailable):
        await outage.after(seconds=1)
    [row] = await rows(database, "SELECT count(*) AS n FROM alert_watch")
    assert row.n == 0


async def test_more_organizations_than_one_batch_are_decided_in_one_pass(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("upkeep.alerts.BATCH", 2)
    for number in range(5):
        await add_alerting_trunk(database, await add_organization(database, f"{number}"))
    assert await decide_alerts(database) == 5
    assert await decide_alerts(database) == 0


async def test_an_organization_without_anybody_to_tell_is_warned_of_it(database: Database) -> None:
    outage = await Outage.under(database, await add_organization(database), 2)
    await outage.after(seconds=0)
    [alert] = await outage.alerts()
    assert alert.kind is AlertKind.ALERTING_BROKEN
    await name_recipients(database, outage.org_id, emails=[MAIL])
    await outage.after(minutes=1)
    assert not (await outage.alerts())[0].is_open


async def test_a_process_decides_and_forgets_by_its_passes(database: Database, org_id: str) -> None:
    async def nowhere() -> None:
        return None

    passes = {
        each.name: each for each in passes_of(this_process(ProcessKind.API), database, nowhere)
    }
    outage = await Outage.under(database, org_id, 1)
    long_over = outage.now - ALERTS_KEPT - timedelta(hours=1)
    async with database.tenant(org_id) as session:
        await alerts.save(session, [an_alert(org_id, resolved_at=long_over)])
    outage.now -= timedelta(minutes=1)
    await outage.everything(DOWN)
    await passes["alerts"].run()
    await passes["tidy"].run()
    [alert] = await outage.alerts()
    assert await outage.told() == [alert.alert_id]
