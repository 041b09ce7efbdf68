"""What was decided about alerts reaches Temporal and is told, whichever process lives to do it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.alert_channels import AlertChannels
from activities.alerts import AlertActivities
from activities.contracts import AlertDeliveryState
from domain.health_observation import HealthState
from settings import Settings
from sip.net.guard import AddressGuard
from storage import alert_deliveries, alerts
from storage.engine import Database
from storage.secret_box import SecretBox, generate_key
from storage.tables import AlertDelivery
from temporal_client import register_search_attributes
from tests.api.waiting import eventually
from tests.storage.alert_rows import MAIL, an_alert, messages_of, name_recipients
from tests.storage.factories import add_organization
from tests.storage.health_rows import rows
from tests.support.postgres import TestDatabase
from tests.upkeep.outages import Outage
from tests.workflows.harness import dev_server, new_worker
from upkeep.relay import relay_outbox
from workflows.names import ORG_ID, alert_workflow_id

pytestmark = [pytest.mark.postgres, pytest.mark.temporal]


@pytest.fixture(scope="module")
async def temporal() -> AsyncIterator[Client]:
    """A real Temporal server for the tests of this file."""
    environment = await dev_server(data_converter=pydantic_data_converter)
    async with environment:
        await register_search_attributes(environment.client)
        yield environment.client


@pytest.fixture
async def org_id(database: Database) -> str:
    made = await add_organization(database)
    await name_recipients(database, made, emails=[MAIL])
    return made


def activities_of(database: Database) -> tuple[Any, ...]:
    """The real ones, of an operator who has no mail server yet."""
    settings = Settings(database_url=SecretStr("postgresql://unused"))
    box = SecretBox.from_key_ring(generate_key("test"))
    made = AlertActivities(database, AlertChannels(settings, AddressGuard(), box))
    return (made.prepare, made.deliver)


async def test_an_alert_that_a_process_decided_before_it_died_is_told_by_another(
    database: Database, database_urls: TestDatabase, temporal: Client, org_id: str
) -> None:
    dying = Database(database_urls.app_url)
    outage = await Outage.under(dying, org_id, 2)
    await outage.everything(HealthState.DOWN)
    await outage.after(seconds=30)
    await dying.dispose()

    assert await relay_outbox(database, temporal) >= 1
    [entry] = await rows(database, "SELECT delivered_at FROM outbox WHERE kind = 'alert_changed'")
    assert entry.delivered_at is not None
    [alert] = await Outage(database, org_id, outage.now).alerts()

    async def tried() -> list[AlertDelivery]:
        return [each for each in await messages_of(database, org_id) if each.attempts]

    async def is_tried() -> bool:
        return bool(await tried())

    async with new_worker(temporal, activities_of(database)):
        await eventually(is_tried, seconds=20)
        handle = temporal.get_workflow_handle(alert_workflow_id(alert.alert_id))
        described = await handle.describe()
        assert described.typed_search_attributes[ORG_ID] == org_id
        assert described.status is WorkflowExecutionStatus.RUNNING
        await handle.terminate()
    [message] = await tried()
    assert (message.alert_id, message.recipient, message.notice) == (alert.alert_id, MAIL, "opened")
    assert message.last_error == "no mail server is configured: set TRUNKLINE_SMTP_HOST"


async def test_entries_of_one_alert_are_signals_of_one_workflow(
    database: Database, temporal: Client, org_id: str
) -> None:
    alert = an_alert(org_id)
    for _ in range(3):
        async with database.system() as session:
            await alerts.tell(session, [alert])
    assert await relay_outbox(database, temporal) == 3
    handle = temporal.get_workflow_handle(alert_workflow_id(alert.alert_id))
    events = [each async for each in handle.fetch_history_events()]
    signals = [
        each for each in events if each.HasField("workflow_execution_signaled_event_attributes")
    ]
    assert len(signals) == 3
    [started] = [
        each.workflow_execution_started_event_attributes.input.payloads
        for each in events
        if each.HasField("workflow_execution_started_event_attributes")
    ]
    [state] = await pydantic_data_converter.decode(started, [AlertDeliveryState])
    assert state == AlertDeliveryState(org_id=org_id, alert_id=alert.alert_id)
    await handle.terminate()


async def test_a_trial_is_a_workflow_without_an_alert(
    database: Database, temporal: Client, org_id: str
) -> None:
    trial_id = "atr_1"
    async with database.system() as session:
        await alerts.start_trial(session, org_id, trial_id)
    assert await relay_outbox(database, temporal) == 1
    async with new_worker(temporal, activities_of(database)):
        handle = temporal.get_workflow_handle(
            alert_workflow_id(trial_id), result_type=AlertDeliveryState
        )
        state = await handle.result(rpc_timeout=timedelta(seconds=20))
    # It had nothing to send.
    assert (state.org_id, state.alert_id, state.changes) == (org_id, None, 1)
    async with database.tenant(org_id) as session:
        assert await alert_deliveries.page(session, limit=1) == []
